package layerwise.bench.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the Dockerfile takes for granted of the repository and of the images that it copies. */
class DockerfileTest {
    private static final Path REPOSITORY = Path.of(System.getProperty("layerwise.home"));

    private Sandbox sandbox;

    @BeforeEach
    void install(@TempDir Path folder) throws IOException {
        sandbox = new Sandbox(folder);
    }

    private record Instruction(String name, String arguments) {}

    private static List<Instruction> instructions() throws IOException {
        List<Instruction> instructions = new ArrayList<>();
        String text = Files.readString(REPOSITORY.resolve("Dockerfile")).replace("\\\n", " ");
        for (String line : text.lines().toList()) {
            if (!line.isBlank() && !line.startsWith("#")) {
                String[] words = line.strip().split(" +", 2);
                instructions.add(new Instruction(words[0], words[1].replaceAll(" +", " ")));
            }
        }
        return instructions;
    }

    private static List<String> argumentsOf(String name) throws IOException {
        return instructions().stream()
                .filter(instruction -> instruction.name().equals(name))
                .map(Instruction::arguments)
                .toList();
    }

    @Test
    void buildsInACleanCopyOfTheSources() throws IOException {
        assertEquals(List.of("/source", "/work"), argumentsOf("WORKDIR"));
        assertTrue(argumentsOf("COPY").contains(". ."));
        assertTrue(argumentsOf("RUN").contains("./layerwise build"));
        assertTrue(Files.isExecutable(REPOSITORY.resolve("layerwise")));
        List<String> ignored = Files.readAllLines(REPOSITORY.resolve(".dockerignore"));
        for (String line : Files.readAllLines(REPOSITORY.resolve(".gitignore"))) {
            String folder = line.replaceAll("^/|/$", "");
            boolean editors = line.startsWith(".") || line.startsWith("*");
            assertTrue(
                    editors || ignored.contains(folder) || ignored.contains("**/" + folder), line + " would be copied");
        }
    }

    /** From {@code /source/target/image/NAME} to where the image is found. */
    private static Map<String, String> images() throws IOException {
        Map<String, String> images = new TreeMap<>();
        for (String copy : argumentsOf("COPY")) {
            String[] words = copy.split(" ");
            if (words[0].equals("--from=build")) {
                images.put(words[1], words[2]);
            }
        }
        return images;
    }

    @Test
    void copiesWhatABuildMakesToWhereTheLaunchersLookForIt() throws IOException {
        assertEquals(
                Map.of(
                        "/source/target/image/bench", "/opt/layerwise/bench",
                        "/source/target/image/report", "/opt/layerwise/report"),
                images());
        String build = Files.readString(REPOSITORY.resolve("middleware/build_programs"));
        assertTrue(build.contains("image=$root/target/image/bench"), "middleware/build_programs builds elsewhere");
        assertTrue(build.contains("\"${image%/*}/report\""), "middleware/build_programs builds the report elsewhere");
    }

    @Test
    void startsTheProgramFromAnyFolderByItsName() throws IOException {
        String path = argumentsOf("ENV").getFirst();
        assertEquals("PATH=/opt/layerwise/bench:$PATH", path);
        sandbox.with("PATH", sandbox.home() + ":" + sandbox.path());
        Path work = Files.createDirectories(sandbox.folder().resolve("work"));
        String command = String.join(
                " ", JsonMapper.builder().build().readValue(argumentsOf("CMD").getFirst(), String[].class));

        assertEquals(0, sandbox.run(command, work).exitCode());
        assertEquals("devices", sandbox.started().getFirst().getLast());

        Sandbox.Result result = sandbox.run("run.sh config_gen.yaml", work);
        assertEquals(0, result.exitCode(), result.stderr());
        assertEquals(2, sandbox.started().size(), "the run and its report");
        assertTrue(Files.exists(work.resolve("profiles/report_np1_rank0.log")));

        sandbox.fake("mpirun", "");
        assertEquals(
                0,
                sandbox.run("NP=4 mpi_launch.sh run.sh config_gen.yaml", work).exitCode());
        assertEquals(
                List.of("mpirun", "--allow-run-as-root", "--np", "4", "run.sh", "config_gen.yaml"),
                sandbox.started().getFirst());
    }

    @Test
    void installsTheLibrariesThatTheRuntimeImageLacks() throws IOException {
        String installed = argumentsOf("RUN").getLast();
        for (String library : List.of("cuda-cupti-13-0", "cuda-nvtx-13-0", "openmpi-bin", "libopenmpi3t64")) {
            assertTrue(installed.contains(" " + library + " "), library);
        }
        assertTrue(argumentsOf("FROM").getLast().startsWith("nvidia/cuda:13.0."), "libraries are those of CUDA 13.0");
    }
}
