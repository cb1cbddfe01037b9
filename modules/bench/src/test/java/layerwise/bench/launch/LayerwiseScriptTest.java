package layerwise.bench.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LayerwiseScriptTest {
    private Sandbox sandbox;

    @BeforeEach
    void install(@TempDir Path folder) throws IOException {
        sandbox = new Sandbox(folder);
    }

    @ParameterizedTest
    @CsvSource({
        "run, layerwise.bench",
        "verify, layerwise.bench",
        "forward, layerwise.bench",
        "quantize, layerwise.bench",
        "devices, layerwise.bench",
        "report, layerwise.report",
        "parse, layerwise.report",
        "align, layerwise.report",
        "correlate, layerwise.report",
        "compare, layerwise.report"
    })
    void startsTheProgramOfEachCommand(String command, String module) throws IOException {
        assertEquals(
                0, sandbox.run("./layerwise " + command + " 'two words' ''").exitCode());

        List<String> started = sandbox.started().getFirst();
        int at = started.indexOf("--module");
        assertEquals(
                List.of(module + "/" + module + ".Main", command, "two words", ""),
                started.subList(at + 1, started.size()));
    }

    @Test
    void parseReports() throws IOException {
        sandbox.run("./parse.sh --world-size 4 --module MoE");

        List<String> started = sandbox.started().getFirst();
        assertEquals(
                List.of("parse", "--world-size", "4", "--module", "MoE"),
                started.subList(started.size() - 5, started.size()));
    }

    @Test
    void nativeAccessIsForTheModulesThatNeedIt() throws IOException {
        sandbox.run("./layerwise run c.yaml");
        assertTrue(
                sandbox.started()
                        .getFirst()
                        .contains(
                                "--enable-native-access=org.xerial.sqlitejdbc,layerwise.bindings,layerwise.cuda,layerwise.mpi"));

        sandbox.run("./layerwise report");
        assertTrue(sandbox.started().getFirst().contains("--enable-native-access=org.xerial.sqlitejdbc"));
    }

    @Test
    void reportsWithTheHeapAskedFor() throws IOException {
        sandbox.run("./layerwise report");
        assertTrue(sandbox.started().getFirst().contains("-Xmx2g"));

        sandbox.with("LAYERWISE_HEAP", "8g").run("./layerwise report");
        assertTrue(sandbox.started().getFirst().contains("-Xmx8g"));
    }

    @Test
    void saysThatTheReportProgramDidNotTravel() throws IOException {
        Files.delete(sandbox.reportImage().resolve("lib/modules"));

        Sandbox.Result result = sandbox.run("./layerwise report");

        assertEquals(2, result.exitCode());
        assertEquals(
                "layerwise: " + sandbox.reportImage()
                        + ", the report program, is not here; unpack its image there, or run it where it is\n",
                result.stderr());
    }

    @Test
    void theReportImageReportsAloneAndDoesNotRun() throws IOException {
        Path image = sandbox.reportImage();
        Files.copy(sandbox.home().resolve("layerwise"), image.resolve("layerwise"));
        Files.copy(sandbox.home().resolve("parse.sh"), image.resolve("parse.sh"));
        Files.delete(sandbox.home().resolve("lib/modules"));

        assertEquals(0, sandbox.run(image + "/parse.sh --help").exitCode());
        List<String> started = sandbox.started().getFirst();
        assertTrue(started.contains(image + "/app"), started.toString());
        assertTrue(started.contains("layerwise.report/layerwise.report.Main"), started.toString());

        Sandbox.Result run = sandbox.run(image + "/layerwise run c.yaml");
        assertEquals(2, run.exitCode());
        assertEquals(1, run.stderr().lines().count(), run.stderr());
        assertTrue(run.stderr().contains("/bench, the bench program, is not here"), run.stderr());
    }

    /** As in the archive of the device tests, whose tests need the modules as files. */
    @Test
    void runsModulesThatAreNotLinkedIntoTheRuntime() throws IOException {
        Files.createFile(Files.createDirectories(sandbox.home().resolve("app")).resolve("layerwise-bench-0.1.0.jar"));

        assertEquals(0, sandbox.run("./layerwise run c.yaml").exitCode());

        List<String> started = sandbox.started().getFirst();
        assertEquals(sandbox.home() + "/app", started.get(started.indexOf("--module-path") + 1));
        assertTrue(started.contains("layerwise.bench/layerwise.bench.Main"), started.toString());
    }

    @Test
    void anImageIsCompleteAndPacksNoOther() throws IOException {
        assertEquals(0, sandbox.run("./layerwise build").exitCode());

        Sandbox.Result result = sandbox.run("./layerwise image");

        assertEquals(2, result.exitCode());
        assertEquals(
                "layerwise: " + sandbox.home() + " is an image already; build images in a checkout\n", result.stderr());
    }

    @Test
    void saysInOneLineThatMavenIsMissing() throws IOException {
        Files.delete(sandbox.home().resolve("lib/modules"));
        sandbox.fake("flock", "").with("JAVA_HOME", jdk("new", "25").toString());

        Sandbox.Result result = sandbox.run("./layerwise run c.yaml");

        assertEquals(2, result.exitCode());
        assertEquals("layerwise: mvn is not on the PATH; install Maven 3.8 or newer to build\n", result.stderr());
    }

    @Test
    void explainsItselfAndRefusesOtherCommands() throws IOException {
        Sandbox.Result help = sandbox.run("./layerwise");
        Sandbox.Result unknown = sandbox.run("./layerwise runn");

        assertEquals(0, help.exitCode());
        assertTrue(help.stdout().startsWith("Usage: layerwise COMMAND"), help.stdout());
        assertEquals(2, unknown.exitCode());
        assertTrue(
                unknown.stderr().startsWith("layerwise: \"runn\" is no command; expected run, verify"),
                unknown.stderr());
        assertEquals(1, unknown.stderr().lines().count());
        assertEquals(List.of(), sandbox.started());
    }

    @Test
    void findsTheFirstJdkThatIsNewEnough() throws IOException {
        jdk("old", "17.0.9");
        jdk("jre", "26");
        Files.delete(sandbox.folder().resolve("jvm/jre/bin/javac"));
        Path path = jdk("path", "25.0.1");
        jdk("z", "27-ea");
        String find = isolatedFindJdk();

        sandbox.with("JAVA_HOME", sandbox.folder().resolve("jvm/old").toString());
        assertEquals(path + "\n", sandbox.run(find).stdout(), "from the folder");

        sandbox.with("JAVA_HOME", sandbox.folder().resolve("jvm/z").toString());
        assertEquals(sandbox.folder().resolve("jvm/z") + "\n", sandbox.run(find).stdout(), "from JAVA_HOME");
    }

    @Test
    void findsTheJdkOfTheJavaOnThePath() throws IOException {
        Path home = jdk("25", "25");
        Path elsewhere = Files.move(home, sandbox.folder().resolve("elsewhere"));
        Files.createSymbolicLink(sandbox.folder().resolve("tools/java"), elsewhere.resolve("bin/java"));

        assertEquals(elsewhere + "\n", sandbox.run(isolatedFindJdk()).stdout());
    }

    @Test
    void saysInOneLineThatNoJdkIsNewEnough() throws IOException {
        jdk("a", "17.0.9");

        Sandbox.Result result = sandbox.run(isolatedFindJdk());

        assertEquals(2, result.exitCode());
        assertEquals(
                "layerwise: no JDK 25 or newer in JAVA_HOME, on the PATH or in /usr/lib/jvm (found JDK 17 in "
                        + sandbox.folder() + "/jvm/a); install one, or set JAVA_HOME\n",
                result.stderr());
    }

    private Path jdk(String name, String version) throws IOException {
        Path home = sandbox.folder().resolve("jvm").resolve(name);
        Sandbox.program(home.resolve("bin/java"), "");
        Sandbox.program(home.resolve("bin/javac"), "");
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
        return home;
    }

    /** The script with this sandbox's JVM folder in place of the machine's. */
    private String isolatedFindJdk() throws IOException {
        Path script = sandbox.home().resolve("middleware/find_jdk");
        String text = Files.readString(script);
        Files.writeString(
                script,
                text.replaceAll("candidates\\+=\\(/usr/lib/jvm/.*\\)", "candidates+=(" + sandbox.folder() + "/jvm/*)"));
        return script.toString();
    }
}
