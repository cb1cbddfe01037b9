package layerwise.bench.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.bench.config.DeviceChoice;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CollectiveOptionsTest {
    private static CollectiveOptions parse(String... arguments) {
        return CollectiveOptions.parse(List.of(arguments), System.out).orElseThrow();
    }

    private static String refused(String... arguments) {
        ConfigException refused = assertThrows(ConfigException.class, () -> {
            CollectiveOptions options = parse(arguments);
            boolean reference = options.device().equals(new DeviceChoice.Reference());
            options.sizes(2, reference);
            options.require(options.carriers(reference));
        });
        assertEquals(1, refused.getMessage().lines().count(), refused.getMessage());
        return refused.getMessage();
    }

    @Test
    void withoutOptionsEverythingIsTimedByBothCarriers() {
        CollectiveOptions options = parse();
        assertEquals(List.of(Collective.values()), options.collectives());
        assertEquals(List.of(CallMode.GRAPH, CallMode.EAGER), options.modes());
        assertEquals(List.of(CarrierChoice.NCCL, CarrierChoice.PEERS), options.carriers(false));
        assertEquals(
                "[8KiB, 32KiB, 128KiB, 512KiB, 2MiB, 8MiB, 16MiB, 64MiB, 256MiB, 512MiB, 1GiB]",
                options.sizes(8, false).toString());
        assertEquals("[8KiB, 32KiB, 128KiB, 512KiB]", options.sizes(2, true).toString());
        assertEquals(List.of(CarrierChoice.AUTO), options.carriers(true));
        options.require(options.carriers(true));
    }

    @Test
    void listsChoose() {
        CollectiveOptions options = parse(
                "--bytes=96,2MiB",
                "--collectives",
                "AllGather,AllToAll",
                "--carrier",
                "auto,peers",
                "--mode",
                "eager",
                "--device",
                "cuda");
        assertEquals(List.of(new ByteSize(96), new ByteSize(2 << 20)), options.sizes(2, false));
        assertEquals(List.of(Collective.ALL_GATHER, Collective.ALL_TO_ALL), options.collectives());
        assertEquals(List.of(CarrierChoice.AUTO, CarrierChoice.PEERS), options.carriers(false));
        assertEquals(List.of(CallMode.EAGER), options.modes());
        assertEquals(new DeviceChoice.Cuda(), options.device());
        options.require(options.carriers(false));
    }

    @ParameterizedTest
    @CsvSource({"1,1", "1000,1000", "1024,1KiB", "1536,1536", "1572864,1536KiB", "2097152,2MiB", "8589934592,8GiB"})
    void sizesReadAsTheyPrint(long bytes, String text) {
        assertEquals(text, new ByteSize(bytes).toString());
        assertEquals(bytes, ByteSize.parse("--bytes", text).bytes());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --bytes 8KB             | --bytes: '8KB': expected bytes, as in 512, 8KiB, 2MiB or 1GiB
            --bytes 8KiB,           | --bytes: '': expected bytes, as in 512, 8KiB, 2MiB or 1GiB
            --bytes 0               | --bytes: '0': expected bytes, as in 512, 8KiB, 2MiB or 1GiB
            --bytes 100             | --bytes: 100: expected a multiple of 32, 16 bytes for each of 2 ranks; nearest: 96
            --bytes 1               | --bytes: 1: expected a multiple of 32, 16 bytes for each of 2 ranks; nearest: 32
            --bytes 32GiB           | --bytes: 32GiB: expected at most 16GiB
            --collectives AllReduc  | --collectives: 'AllReduc': expected one of AllReduce, AllGather, ReduceScatter, AllToAll; nearest: AllReduce
            --carrier ncl           | --carrier: 'ncl': expected one of nccl, peers, auto; nearest: nccl
            --mode grph             | --mode: 'grph': expected one of graph, eager; nearest: graph
            --sizes 1               | command line: Unknown option
            --device reference --carrier nccl | --carrier: nccl: the reference executor's collectives travel over MPI
            --device reference --bytes 2MiB   | --bytes: 2MiB: expected at most 1MiB on the reference executor
            --collectives AllToAll --carrier peers | --collectives: AllToAll: NCCL alone exchanges equal parts
            """)
    void whatCannotBeIsRefusedInOneLine(String arguments, String message) {
        String refused = refused(arguments.strip().split(" +"));
        assertTrue(refused.startsWith(message), refused);
    }

    @Test
    void helpNamesEveryOptionAndRunsNothing() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Optional<CollectiveOptions> options =
                CollectiveOptions.parse(List.of("--help"), new PrintStream(out, true, StandardCharsets.UTF_8));
        assertEquals(Optional.empty(), options);
        String text = out.toString(StandardCharsets.UTF_8);
        for (String option : List.of("--bytes", "--collectives", "--carrier", "--mode", "--device")) {
            assertTrue(text.contains(option), text);
        }
    }

    @Test
    void oneRankAloneIsRefused() {
        ConfigException refused = assertThrows(
                ConfigException.class, () -> CollectivesCommand.run(List.of(), Map.of(), System.out, System.err));
        assertEquals(
                "collectives: 1 rank: expected several ranks, as in: NP=2 ./mpi_launch.sh ./layerwise collectives",
                refused.getMessage());
    }
}
