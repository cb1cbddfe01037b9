package layerwise.bench;

import java.io.File;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Starts this build's classes, tests included, in another JVM. */
public final class TestClassPath {
    private TestClassPath() {}

    /** The JVM that runs this test. */
    public static String java() {
        return Path.of(System.getProperty("java.home"), "bin/java").toString();
    }

    /** Everything that this JVM has, whether on its module path or not. */
    public static String current() {
        return Stream.of(
                        System.getProperty("jdk.module.path", ""),
                        System.getProperty("java.class.path"),
                        Path.of("target/test-classes").toAbsolutePath().toString())
                .filter(path -> !path.isEmpty())
                .collect(Collectors.joining(File.pathSeparator));
    }
}
