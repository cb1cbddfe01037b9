package layerwise.bench.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class LaunchersTest {
    private Sandbox sandbox;

    @BeforeEach
    void install(@TempDir Path folder) throws IOException {
        sandbox = new Sandbox(folder).fake("mpirun", "exit 7").fake("srun", "exit 7");
    }

    static List<LaunchLine> lines() {
        return LaunchLine.all();
    }

    @ParameterizedTest
    @MethodSource("lines")
    void startsWhatTheGuideSaysAndEchoesIt(LaunchLine line) throws IOException {
        sandbox.with("SLURM_JOB_ID", "42");

        Sandbox.Result result = sandbox.run(line.shell());

        assertEquals(List.of(line.argv()), sandbox.started());
        assertEquals(7, result.exitCode(), result.stderr());
        assertTrue(result.stderr().contains(String.join(" ", line.argv())), result.stderr());
    }

    @Test
    void variablesBeforeTheSlurmLauncherReachTheRanks() throws IOException {
        sandbox.with("SLURM_JOB_ID", "42").run("NODES=4 NP=16 TRTLLM_FORCE_ALLTOALL_METHOD=DeepEP ./slurm_launch.sh x");

        assertEquals("DeepEP", sandbox.environmentOf("srun").get("TRTLLM_FORCE_ALLTOALL_METHOD"));
    }

    @Test
    void mpirunPassesTheAutotunerCacheOnWhereItIsSet() throws IOException {
        sandbox.with("TLLM_AUTOTUNER_CACHE_PATH", "").run("NP=2 ./mpi_launch.sh ./run.sh c.yaml");

        assertEquals(
                List.of(List.of(
                        "mpirun",
                        "--allow-run-as-root",
                        "--np",
                        "2",
                        "-x",
                        "TLLM_AUTOTUNER_CACHE_PATH",
                        "./run.sh",
                        "c.yaml")),
                sandbox.started());
    }

    @Test
    void mpirunDoesNotSeeTheSlurmJobAroundIt() throws IOException {
        sandbox.with("SLURM_JOB_ID", "42")
                .with("SLURMD_NODENAME", "n")
                .with("slurm_x", "1")
                .with("OMPI_COMM_WORLD_RANK", "3")
                .with("PMIX_RANK", "3")
                .with("I_MPI_ROOT", "/x")
                .with("KEPT", "SLURM_ in a value")
                .with("SLURM", "no underscore")
                .run("NP=2 ./mpi_launch.sh x");

        Map<String, String> environment = sandbox.environmentOf("mpirun");
        for (String name : List.of(
                "SLURM_JOB_ID", "SLURMD_NODENAME", "slurm_x", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "I_MPI_ROOT")) {
            assertFalse(environment.containsKey(name), name);
        }
        assertEquals("SLURM_ in a value", environment.get("KEPT"));
        assertEquals("no underscore", environment.get("SLURM"));
    }

    @Test
    void mpirunSeesWhatItsUserHasSetOutsideAJob() throws IOException {
        sandbox.with("OMPI_MCA_plm_rsh_agent", "false").run("NP=2 ./mpi_launch.sh x");

        assertEquals("false", sandbox.environmentOf("mpirun").get("OMPI_MCA_plm_rsh_agent"));
    }

    @Test
    void ranksRunInTheNamedContainer() throws IOException {
        Path home = sandbox.home();
        sandbox.with("SLURM_JOB_ID", "42").with("CONTAINER_IMAGE", "registry/image:tag");
        List<String> container = List.of(
                "--container-name",
                "layer_wise_benchmarks",
                "--container-mounts",
                home + ":" + home,
                "--container-workdir",
                home.toString());

        sandbox.run("NODES=1 NP=4 ./slurm_launch.sh ./run.sh config_ctx.yaml");
        assertEquals(container, sandbox.started().getFirst().subList(7, 13));

        sandbox.run("CONTAINER_NAME=mine NODES=1 NP=4 ./slurm_launch.sh ./run.sh config_ctx.yaml");
        assertEquals("mine", sandbox.started().getFirst().get(8));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ./mpi_launch.sh ./run.sh c.yaml                  | mpi_launch.sh: NP is ""; expected the number of ranks
            NP=x ./mpi_launch.sh ./run.sh c.yaml             | mpi_launch.sh: NP is "x"; expected the number of ranks
            NP=16 ./slurm_launch.sh ./run.sh c.yaml          | slurm_launch.sh: NODES is ""; expected a number of at least 1
            NODES=4 NP=0 ./slurm_launch.sh ./run.sh c.yaml   | slurm_launch.sh: NP is "0"; expected a number of at least 1
            NODES=4 NP=15 ./slurm_launch.sh ./run.sh c.yaml  | slurm_launch.sh: NP=15 is no multiple of NODES=4; nearest is NP=12
            NODES=4 NP=2 ./slurm_launch.sh ./run.sh c.yaml   | slurm_launch.sh: NP=2 is no multiple of NODES=4; nearest is NP=4
            SLURM_JOB_ID= NODES=1 NP=1 ./slurm_launch.sh x   | slurm_launch.sh: SLURM_JOB_ID is not set
            """)
    void refusesCountsThatDoNotFitInOneLine(String line, String message) throws IOException {
        Sandbox.Result result = sandbox.with("SLURM_JOB_ID", "42").run(line);

        assertEquals(2, result.exitCode());
        assertTrue(
                result.stderr().startsWith(message) && result.stderr().lines().count() == 1, result.stderr());
        assertEquals(List.of(), sandbox.started());
    }

    @Test
    void saysThatMpirunIsMissing(@TempDir Path empty) throws IOException {
        Sandbox.Result result = new Sandbox(empty).run("NP=2 ./mpi_launch.sh x");

        assertEquals(2, result.exitCode());
        assertEquals("mpi_launch.sh: mpirun is not on the PATH; install Open MPI 4 or 5\n", result.stderr());
    }

    @Test
    void ranksOfOpenMpiKeepTheirNumbersForOtherPrograms() throws IOException {
        sandbox.with("OMPI_COMM_WORLD_SIZE", "8")
                .with("OMPI_COMM_WORLD_RANK", "5")
                .with("OMPI_COMM_WORLD_LOCAL_RANK", "1")
                .with("OMPI_COMM_WORLD_NODE_RANK", "2")
                .run("middleware/mpi_env_from_ompi srun");

        Map<String, String> environment = sandbox.environmentOf("srun");
        assertEquals("8", environment.get("WORLD_SIZE"));
        assertEquals("5", environment.get("RANK"));
        assertEquals("1", environment.get("LOCAL_RANK"));
        assertEquals("2", environment.get("NODE_RANK"));
    }
}
