package layerwise.bench.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunScriptTest {
    private static final String NEW_NSYS = """
            if [[ $1 == --version ]]; then echo "NVIDIA Nsight Systems version 2025.5.1.121-255136380782v0"; exit 0; fi
            while [[ $1 != */layerwise ]]; do shift; done
            "$@"
            """;

    private Sandbox sandbox;

    @BeforeEach
    void install(@TempDir Path folder) throws IOException {
        sandbox = new Sandbox(folder).fakeJava("echo measured; echo talk >&2");
    }

    @Test
    void runsReportsAndKeepsTheLog() throws IOException {
        Sandbox.Result result = sandbox.run("./run.sh config_gen.yaml --batch-size 1,2");

        assertEquals(0, result.exitCode(), result.stderr());
        assertEquals(
                List.of(
                        java("layerwise.bench", "run", "config_gen.yaml", "--batch-size", "1,2"),
                        java(
                                "layerwise.report",
                                "report",
                                "--profile-dir",
                                "profiles",
                                "--world-size",
                                "1",
                                "--rank",
                                "0")),
                sandbox.started());
        assertEquals(
                List.of("measured", "talk"),
                Files.readAllLines(sandbox.home().resolve("profiles/report_np1_rank0.log")).stream()
                        .sorted()
                        .toList());
        assertEquals("builtin", sandbox.environmentOf("java").get("PROFILER"));
        assertEquals("INFO", sandbox.environmentOf("java").get("TLLM_LOG_LEVEL"));
        assertEquals("", sandbox.environmentOf("java").get("UCX_ERROR_SIGNALS"));
    }

    @Test
    void worksFromAnyDirectoryAndThroughALink() throws IOException {
        Path elsewhere = Files.createDirectories(sandbox.folder().resolve("else where"));
        Files.createSymbolicLink(elsewhere.resolve("run"), sandbox.home().resolve("run.sh"));

        Sandbox.Result result = sandbox.run("REPORT=0 PROFILE_DIR='my profiles' ./run c.yaml", elsewhere);

        assertEquals(0, result.exitCode(), result.stderr());
        assertEquals(List.of(java("layerwise.bench", "run", "c.yaml")), sandbox.started());
        assertTrue(Files.exists(elsewhere.resolve("my profiles/report_np1_rank0.log")));
        assertEquals("my profiles", sandbox.environmentOf("java").get("PROFILE_DIR"));
    }

    @Test
    void reportsOnAllRanksOfAnEstimateThoughOneProcessRan() throws IOException {
        Sandbox.Result result = sandbox.run("./run.sh c.yaml --device estimate:b200 --np 16");

        assertEquals(0, result.exitCode(), result.stderr());
        assertEquals(
                java("layerwise.report", "report", "--profile-dir", "profiles", "--world-size", "16", "--rank", "0"),
                sandbox.started().getLast());
        assertEquals("1", sandbox.environmentOf("java").get("WORLD_SIZE"));
    }

    @Test
    void theExitCodeSurvivesTheLogAndNothingIsReported() throws IOException {
        sandbox.fakeJava("echo wrong; exit 3");

        assertEquals(3, sandbox.run("./run.sh c.yaml").exitCode());

        assertEquals(1, sandbox.started().size());
        assertEquals("wrong\n", Files.readString(sandbox.home().resolve("profiles/report_np1_rank0.log")));
    }

    @Test
    void nothingIsReportedWhereTheReportProgramDidNotTravel() throws IOException {
        Files.delete(sandbox.reportImage().resolve("lib/modules"));

        assertEquals(0, sandbox.run("./run.sh c.yaml").exitCode());

        assertEquals(List.of(java("layerwise.bench", "run", "c.yaml")), sandbox.started());
    }

    @Test
    void nothingIsRecordedOrReportedWithProfileOff() throws IOException {
        sandbox.fake("nsys", NEW_NSYS).fake("nvidia-smi", "").run("PROFILE=0 ./run.sh c.yaml");

        assertEquals(List.of(java("layerwise.bench", "run", "c.yaml")), sandbox.started());
        assertEquals("none", sandbox.environmentOf("java").get("PROFILER"));
        assertTrue(Files.exists(sandbox.home().resolve("profiles/report_np1_rank0.log")));
    }

    @Test
    void nsysGetsTheFlagsOfTheGuide() throws IOException {
        sandbox.fake("nsys", NEW_NSYS).fake("nvidia-smi", "");

        assertEquals(0, sandbox.run("./run.sh c.yaml --check").exitCode());

        List<String> started = sandbox.started().stream()
                .filter(call -> call.getFirst().equals("nsys"))
                .toList()
                .getLast();
        assertEquals(nsys("profiles/report_np1_rank0", "-s", "none"), started);
        assertEquals("nsys", sandbox.environmentOf("java").get("PROFILER"));
    }

    @Test
    void nsysGetsBacktracesAndTheMetricsOfTheLocalGpu() throws IOException {
        sandbox.fake("nsys", NEW_NSYS)
                .with("OMPI_COMM_WORLD_SIZE", "8")
                .with("OMPI_COMM_WORLD_RANK", "5")
                .with("OMPI_COMM_WORLD_LOCAL_RANK", "1")
                .with("OMPI_COMM_WORLD_NODE_RANK", "1");

        sandbox.run("BACKTRACE=1 GPU_METRICS=1 PROFILER=nsys ./run.sh c.yaml --check");

        assertEquals(
                nsys(
                        "profiles/report_np8_rank5",
                        "--cudabacktrace",
                        "all",
                        "--gpu-metrics-devices",
                        "1",
                        "--gpu-metrics-frequency",
                        "10000"),
                sandbox.started().get(1));
        assertEquals("1", sandbox.environmentOf("java").get("BACKTRACE"));
        assertEquals("1", sandbox.environmentOf("java").get("GPU_METRICS"));
    }

    @ParameterizedTest
    @CsvSource({
        "2025, --check, 0, nsys",
        "2022, --check, 0, builtin", // cannot import what it records of this CUDA runtime
        "2025, --check, 9, builtin", // no GPU
        "2025, --device reference, 0, builtin",
        "2025, --device=estimate:h100, 0, builtin",
        "2025, --device cuda, 0, nsys",
    })
    void autoTakesNsysOnlyWhereItRecordsSomething(String year, String option, int smi, String profiler)
            throws IOException {
        sandbox.fake("nsys", NEW_NSYS.replace("2025", year)).fake("nvidia-smi", "exit " + smi);

        sandbox.run("./run.sh c.yaml " + option);

        assertEquals(profiler, sandbox.environmentOf("java").get("PROFILER"));
    }

    @Test
    void refusesProfilersThatAreNotThere() throws IOException {
        Sandbox.Result absent = sandbox.run("PROFILER=nsys ./run.sh c.yaml");
        Sandbox.Result unknown = sandbox.run("PROFILER=perf ./run.sh c.yaml");

        assertEquals(2, absent.exitCode());
        assertTrue(
                absent.stderr().startsWith("run.sh: PROFILER=nsys: found none on the PATH; expected"), absent.stderr());
        assertEquals(2, unknown.exitCode());
        assertEquals("run.sh: PROFILER=perf; expected auto, nsys, builtin or none\n", unknown.stderr());
        assertEquals(List.of(), sandbox.started());
    }

    @Test
    void refusesAnNsysThatCannotImportTracesOfThisRuntime() throws IOException {
        Sandbox.Result old = sandbox.fake("nsys", "echo 'NVIDIA Nsight Systems version 2022.4.2.50-32196742v0'")
                .run("PROFILER=nsys ./run.sh c.yaml");

        assertEquals(2, old.exitCode());
        assertEquals(
                "run.sh: PROFILER=nsys: found NVIDIA Nsight Systems version 2022.4.2.50-32196742v0; expected version"
                        + " 2025.1 or newer, which can import traces of CUDA 13, or PROFILER=builtin\n",
                old.stderr());
        assertEquals(List.of(List.of("nsys", "--version")), sandbox.started());
    }

    @ParameterizedTest
    @CsvSource({"builtin, 0, 0", "builtin, 1, 1", "none, 1, 1"})
    void otherTracersGetTheSwitchesInTheEnvironment(String profiler, String backtrace, String metrics)
            throws IOException {
        sandbox.fake("nsys", NEW_NSYS)
                .fake("nvidia-smi", "")
                .run("PROFILER=%s BACKTRACE=%s GPU_METRICS=%s ./run.sh c.yaml".formatted(profiler, backtrace, metrics));

        assertTrue(
                sandbox.started().stream()
                        .noneMatch(call -> call.size() > 1 && call.get(1).equals("profile")),
                sandbox.started().toString());
        Map<String, String> environment = sandbox.environmentOf("java");
        assertEquals(profiler, environment.get("PROFILER"));
        assertEquals(backtrace, environment.get("BACKTRACE"));
        assertEquals(metrics, environment.get("GPU_METRICS"));
    }

    @Test
    void everyRankReportsOnItselfAndOnlyRankZeroTalks() throws IOException {
        sandbox.with("OMPI_COMM_WORLD_SIZE", "2")
                .with("OMPI_COMM_WORLD_RANK", "1")
                .with("OMPI_COMM_WORLD_LOCAL_RANK", "1")
                .with("OMPI_COMM_WORLD_NODE_RANK", "0")
                .run("./run.sh c.yaml");

        assertEquals(
                java("layerwise.report", "report", "--profile-dir", "profiles", "--world-size", "2", "--rank", "1"),
                sandbox.started().getLast());
        assertFalse(sandbox.environmentOf("java").containsKey("TLLM_LOG_LEVEL"));
        assertTrue(Files.exists(sandbox.home().resolve("profiles/report_np2_rank1.log")));
    }

    @Test
    void mapsSixteenSlurmTasksOnFourNodes() throws IOException {
        sandbox.with("REPORT", "0").with("WORLD_SIZE", "99").with("RANK", "99"); // stale ones from the login shell
        for (int rank = 0; rank < 16; rank++) {
            sandbox.with("SLURM_NTASKS", "16")
                    .with("SLURM_PROCID", Integer.toString(rank))
                    .with("SLURM_LOCALID", Integer.toString(rank % 4))
                    .with("SLURM_NODEID", Integer.toString(rank / 4))
                    .run("./run.sh c.yaml");

            assertRanks("16", Integer.toString(rank), Integer.toString(rank % 4), Integer.toString(rank / 4));
        }
    }

    @Test
    void openMpiWinsOverTheSlurmJobAroundIt() throws IOException {
        sandbox.with("SLURM_NTASKS", "1")
                .with("SLURM_PROCID", "0")
                .with("SLURM_LOCALID", "0")
                .with("SLURM_NODEID", "0")
                .with("OMPI_COMM_WORLD_SIZE", "4")
                .with("OMPI_COMM_WORLD_RANK", "3")
                .with("OMPI_COMM_WORLD_LOCAL_RANK", "3")
                .with("OMPI_COMM_WORLD_NODE_RANK", "0")
                .run("./run.sh c.yaml");

        assertRanks("4", "3", "3", "0");
    }

    @Test
    void takesExplicitVariablesAndThePmixRank() throws IOException {
        sandbox.with("WORLD_SIZE", "4")
                .with("RANK", "2")
                .with("LOCAL_RANK", "0")
                .with("NODE_RANK", "1")
                .run("./run.sh c");
        assertRanks("4", "2", "0", "1");

        sandbox.with("PMIX_RANK", "3").run("./run.sh c");
        assertRanks("4", "3", "0", "1");
    }

    private void assertRanks(String worldSize, String rank, String localRank, String nodeRank) throws IOException {
        Map<String, String> environment = sandbox.environmentOf("java");
        assertEquals(
                List.of(worldSize, rank, localRank, nodeRank),
                List.of(
                        environment.get("WORLD_SIZE"), environment.get("RANK"),
                        environment.get("LOCAL_RANK"), environment.get("NODE_RANK")));
    }

    private List<String> nsys(String files, String... last) {
        List<String> argv =
                new ArrayList<>(List.of(("nsys profile -t cuda,nvtx --cpuctxsw none --cuda-event-trace false "
                                + "--cuda-graph-trace node -c cudaProfilerApi --capture-range-end stop -o " + files
                                + ".nsys-rep --force-overwrite true")
                        .split(" ")));
        argv.addAll(List.of(last));
        argv.addAll(List.of(sandbox.home() + "/layerwise", "run", "c.yaml", "--check"));
        return argv;
    }

    private List<String> java(String module, String... arguments) {
        String callers = module.equals("layerwise.report") ? "" : ",layerwise.bindings,layerwise.cuda,layerwise.mpi";
        List<String> argv = new ArrayList<>(List.of(
                "java",
                "--enable-native-access=org.xerial.sqlitejdbc" + callers,
                "--illegal-native-access=deny",
                "-Dlayerwise.home=" + sandbox.home()));
        if (module.equals("layerwise.report")) {
            argv.addAll(List.of("-Xmx2g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--module-path"));
            argv.add(sandbox.reportImage() + "/app");
        }
        argv.addAll(List.of("--module", module + "/" + module + ".Main"));
        argv.addAll(List.of(arguments));
        return argv;
    }
}
