import java.io.File;
import java.io.IOException;
import java.lang.module.Configuration;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ResolvedModule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Writes the JVM arguments that put JUnit on the module path, beside the module under test.
 *
 * <p>Surefire patches the tests into the module under test, but leaves what its descriptor does not require, JUnit
 * foremost, on the class path. It writes {@code --module-path} itself, and the JVM takes that option once only, so JUnit
 * goes to {@code --upgrade-module-path}, where modules are just as observable. Arguments: test class path, main classes,
 * test classes, file to write.
 */
final class TestModulePath {
    private static final List<String> ROOTS = List.of("org.junit.jupiter.engine", "org.junit.jupiter.params");

    public static void main(String[] arguments) throws IOException {
        Path mainClasses = Path.of(arguments[1]);
        Path testClasses = Path.of(arguments[2]);
        Path output = Path.of(arguments[3]);
        List<String> options = new ArrayList<>();
        if (Files.isDirectory(testClasses)) {
            options.addAll(junit(arguments[0]));
            if (Files.exists(mainClasses.resolve("module-info.class"))) {
                options.addAll(opened(mainClasses, testClasses));
            }
        }
        Files.createDirectories(output.getParent());
        Files.write(output, options);
    }

    private static List<String> junit(String classPath) {
        Path[] jars = Stream.of(classPath.split(File.pathSeparator))
                .filter(entry -> entry.endsWith(".jar"))
                .map(Path::of)
                .toArray(Path[]::new);
        Configuration junit =
                ModuleLayer.boot().configuration().resolve(ModuleFinder.of(jars), ModuleFinder.of(), ROOTS);
        String path = junit.modules().stream()
                .map(ResolvedModule::reference)
                .map(module -> Path.of(module.location().orElseThrow()).toString())
                .sorted()
                .collect(Collectors.joining(File.pathSeparator));
        return List.of(
                "--upgrade-module-path=\"" + path + "\"",
                "--add-modules=" + String.join(",", ROOTS),
                // The launcher stays with Surefire on the class path, and needs what JUnit exports to it by name.
                "--add-exports=org.junit.platform.commons/org.junit.platform.commons.util=ALL-UNNAMED",
                "--add-exports=org.junit.platform.commons/org.junit.platform.commons.logging=ALL-UNNAMED");
    }

    /** The module under test reads JUnit, and opens every package with tests to it. */
    private static List<String> opened(Path mainClasses, Path testClasses) throws IOException {
        String module = ModuleFinder.of(mainClasses).findAll().stream()
                .map(reference -> reference.descriptor())
                .map(ModuleDescriptor::name)
                .findFirst()
                .orElseThrow();
        List<String> options = new ArrayList<>();
        options.add("--add-reads=" + module + "=org.junit.jupiter.api");
        options.add("--add-reads=" + module + "=org.junit.jupiter.params");
        try (Stream<Path> files = Files.walk(testClasses)) {
            files.filter(file -> file.toString().endsWith(".class"))
                    .map(file -> testClasses.relativize(file.getParent()).toString().replace(File.separatorChar, '.'))
                    .distinct()
                    .sorted()
                    .forEach(each ->
                            options.add("--add-opens=" + module + "/" + each + "=org.junit.platform.commons"));
        }
        return options;
    }
}
