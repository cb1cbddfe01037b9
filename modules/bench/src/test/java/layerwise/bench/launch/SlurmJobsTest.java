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

class SlurmJobsTest {
    private static final String GRANTS = """
            if [[ $1 == --help ]]; then echo "  -N, --nodes=N%s"; exit 0; fi
            echo "salloc: Pending job allocation 4711" >&2
            echo "salloc: Granted job allocation 4711" >&2
            """;

    private Sandbox sandbox;

    @BeforeEach
    void install(@TempDir Path folder) throws IOException {
        sandbox = new Sandbox(folder);
    }

    @Test
    void allocationPrintsNothingButTheJobOnStdout() throws IOException {
        sandbox.fake("salloc", GRANTS.formatted("")).with("ACCOUNT", "team").with("PARTITION", "batch");

        Sandbox.Result result = sandbox.run(
                "export SLURM_JOB_ID=$(NODES=4 TIME=02:00:00 ./slurm_alloc.sh)\n" + "printf %s \"$SLURM_JOB_ID\"");

        assertEquals("4711", result.stdout());
        assertTrue(result.stderr().contains("salloc: Pending job allocation 4711\n"), result.stderr());
        assertEquals(
                List.of("salloc", "-A", "team", "-p", "batch", "-N", "4", "-t", "02:00:00", "--no-shell"),
                sandbox.started().getLast());
    }

    @Test
    void allocationAsksForOneSegmentWhereSlurmKnowsSegments() throws IOException {
        sandbox.fake("salloc", GRANTS.formatted(" --segment=N")).with("EXTRA_ARGS", "--gres gpu:4");

        sandbox.run("NODES=4 ./slurm_alloc.sh");

        assertEquals(
                List.of("salloc", "-N", "4", "--segment", "4", "--gres", "gpu:4", "-t", "01:00:00", "--no-shell"),
                sandbox.started().getLast());
    }

    @Test
    void allocationFailsWhereNoJobIsGranted() throws IOException {
        sandbox.fake("salloc", "[[ $1 == --help ]] || { echo 'salloc: error: no' >&2; exit 1; }");

        Sandbox.Result result = sandbox.run("NODES=4 ./slurm_alloc.sh");

        assertEquals(1, result.exitCode());
        assertEquals("", result.stdout());
        assertTrue(result.stderr().contains("salloc: error: no"), result.stderr());
    }

    @Test
    void allocationNeedsTheNumberOfNodes() throws IOException {
        Sandbox.Result result = sandbox.fake("salloc", "").run("./slurm_alloc.sh");

        assertEquals(2, result.exitCode());
        assertEquals("slurm_alloc.sh: NODES is \"\"; expected the number of nodes\n", result.stderr());
    }

    @Test
    void containersImportTheirImageOnceAndBuildOnEveryNode() throws IOException {
        // Like enroot, the fake leaves the file that follows -o; srun runs what follows its own options.
        sandbox.fake("squeue", "echo 4")
                .fake("enroot", "touch \"$3\"")
                .fake("srun", "if [[ $3 == --pty ]]; then shift 3; \"$@\"; fi")
                .with("SLURM_JOB_ID", "42")
                .with("CONTAINER_IMAGE", "registry.example/team/bench:1.2");
        Path home = sandbox.home();
        String squash = home + "/enroot/team+bench+1.2.sqsh";
        List<String> start = List.of(
                "srun",
                "-N",
                "4",
                "--ntasks-per-node",
                "1",
                "--container-image",
                squash,
                "--container-name",
                "layer_wise_benchmarks",
                "--container-mounts",
                home + ":" + home,
                "--container-workdir",
                home.toString(),
                home + "/layerwise",
                "build");

        assertEquals(0, sandbox.run("./slurm_init_containers.sh").exitCode());
        assertEquals(
                List.of(
                        List.of(
                                "srun",
                                "-N",
                                "1",
                                "--pty",
                                "enroot",
                                "import",
                                "-o",
                                squash,
                                "docker://registry.example#team/bench:1.2"),
                        List.of("enroot", "import", "-o", squash, "docker://registry.example#team/bench:1.2"),
                        List.of("squeue", "-j", "42", "-h", "-o", "%D"),
                        start),
                sandbox.started());

        assertEquals(0, sandbox.run("./slurm_init_containers.sh").exitCode());
        assertEquals(List.of(List.of("squeue", "-j", "42", "-h", "-o", "%D"), start), sandbox.started());
    }

    @Test
    void withoutAnImageNodesStayPlain() throws IOException {
        sandbox.fake("squeue", "echo 2").fake("srun", "").with("SLURM_JOB_ID", "42");

        Sandbox.Result result = sandbox.run("./slurm_init_containers.sh");

        assertTrue(result.stderr().contains("CONTAINER_IMAGE is not set; ranks will run on plain nodes"));
        assertEquals(
                List.of("srun", "-N", "2", "--ntasks-per-node", "1", sandbox.home() + "/layerwise", "build"),
                sandbox.started().getLast());
    }

    @Test
    void aSquashFileIsUsedAsItIs() throws IOException {
        Path squash = Files.writeString(sandbox.folder().resolve("mine.sqsh"), "");
        sandbox.fake("squeue", "echo 1").fake("srun", "").with("SLURM_JOB_ID", "42");

        sandbox.with("CONTAINER_IMAGE", squash.toString()).run("./slurm_init_containers.sh");

        assertEquals(2, sandbox.started().size());
        assertTrue(sandbox.started().getLast().contains(squash.toString()));
    }

    @Test
    void containersNeedAJob() {
        Sandbox.Result result = sandbox.run("./slurm_init_containers.sh");

        assertEquals(1, result.exitCode());
        assertEquals("Please set SLURM_JOB_ID\n", result.stdout());
    }

    @Test
    void queryPrintsTheOnlyContainerOfTheJob() throws IOException {
        sandbox.fake("srun", "printf '%s\\n' other pyxis_42_mine pyxis_421_theirs")
                .with("SLURM_JOB_ID", "42");

        Sandbox.Result result = sandbox.run("./slurm_query_container_name.sh");

        assertEquals(0, result.exitCode());
        assertEquals("mine\n", result.stdout());
        assertTrue(result.stderr().endsWith("Container name: mine\n"), result.stderr());
        assertEquals(List.of(List.of("srun", "-N", "1", "enroot", "list")), sandbox.started());
    }

    @Test
    void queryRefusesNoContainerAndSeveral() throws IOException {
        sandbox.fake("srun", "").with("SLURM_JOB_ID", "42");
        Sandbox.Result none = sandbox.run("./slurm_query_container_name.sh");
        sandbox.fake("srun", "printf '%s\\n' pyxis_42_a pyxis_42_b");
        Sandbox.Result two = sandbox.run("./slurm_query_container_name.sh");

        assertEquals(1, none.exitCode());
        assertEquals("", none.stdout());
        assertTrue(none.stderr().endsWith("Error: No container found\n"), none.stderr());
        assertEquals(1, two.exitCode());
        assertEquals("", two.stdout());
        assertTrue(two.stderr().endsWith("Error: Multiple containers found\n- a\n- b\n"), two.stderr());
    }
}
