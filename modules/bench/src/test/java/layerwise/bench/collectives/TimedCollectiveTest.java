package layerwise.bench.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import layerwise.op.RankGroup;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TimedCollectiveTest {
    private static TimedCollective row(Collective collective, int ranks, long bytes, double linkRate) {
        CollectiveShape shape = new CollectiveShape(collective, new ByteSize(bytes), new RankGroup(0, ranks));
        CollectiveTimer.Times times = new CollectiveTimer.Times(1, List.of(90.0, 100.0, 130.0));
        return new TimedCollective(shape, "nccl", "NCCL 2.28.9", CallMode.GRAPH, 20, times, linkRate);
    }

    /** 16 MiB in 100 µs are 167.77 GB/s. */
    @ParameterizedTest
    @CsvSource({
        "ALL_REDUCE,2,1",
        "ALL_REDUCE,8,1.75",
        "ALL_GATHER,2,0.5",
        "ALL_GATHER,8,0.875",
        "REDUCE_SCATTER,4,0.75",
        "ALL_TO_ALL,8,0.875"
    })
    void busBandwidthIsWhatLinksCarry(Collective collective, int ranks, double share) {
        TimedCollective row = row(collective, ranks, 16 << 20, 450e9);
        assertEquals(167.77216, row.algorithmBandwidth(), 1e-9);
        assertEquals(167.77216 * share, row.busBandwidth(), 1e-9);
        assertEquals(167.77216 * share / 450, row.linkShare(), 1e-12);
    }

    /** The limit of an operator and the bus bandwidth count the same bytes. */
    @ParameterizedTest
    @EnumSource(
            value = Collective.class,
            names = {"ALL_REDUCE", "ALL_GATHER", "REDUCE_SCATTER"})
    void busSharesAreTheOperatorsBytesOverLinks(Collective collective) {
        CollectiveShape shape = row(collective, 8, 1 << 20, 450e9).shape();
        assertEquals(
                (1 << 20) * collective.busShare(8),
                shape.operator().orElseThrow().work().linkBytes());
    }

    @Test
    void tableHasAColumnForEachNumber() {
        assertEquals(
                "# collective       bytes by     mode       median        min        max  alg GB/s  bus GB/s  % link"
                        + "  algorithm",
                CollectiveTable.head());
        assertEquals(
                "  AllReduce        16MiB nccl   graph      100.00      90.00     130.00    167.77    167.77    37.3"
                        + "  NCCL 2.28.9",
                CollectiveTable.line(row(Collective.ALL_REDUCE, 2, 16 << 20, 450e9)));
        assertEquals(
                "  ReduceScatter    16MiB nccl   graph      100.00      90.00     130.00    167.77     83.89       -"
                        + "  NCCL 2.28.9",
                CollectiveTable.line(row(Collective.REDUCE_SCATTER, 2, 16 << 20, Double.NaN)));
    }

    @Test
    void filesHaveTheRowsAndJsonEverySample(@TempDir Path folder) throws IOException {
        CollectiveFiles files = CollectiveFiles.of(folder, "NVIDIA H200", 2, Map.of("command line", List.of("-x")));
        files.write(List.of(
                row(Collective.ALL_REDUCE, 2, 16 << 20, 450e9), row(Collective.ALL_TO_ALL, 2, 1 << 20, Double.NaN)));
        assertEquals(
                List.of(
                        "collective,bytes,carrier,algorithm,mode,calls,samples,micros,min_micros,max_micros,"
                                + "algorithm_gb_s,bus_gb_s,link_share",
                        "AllReduce,16777216,nccl,NCCL 2.28.9,graph,20,3,100.0000,90.0000,130.0000,"
                                + "167.7722,167.7722,0.3728",
                        "AllToAll,1048576,nccl,NCCL 2.28.9,graph,20,3,100.0000,90.0000,130.0000,10.4858,5.2429,"),
                Files.readAllLines(folder.resolve("collectives_np2.csv")));
        JsonNode json = new ObjectMapper()
                .readTree(folder.resolve("collectives_np2.json").toFile());
        assertEquals("NVIDIA H200", json.path("device").asText());
        assertEquals(2, json.path("ranks").asInt());
        JsonNode first = json.path("collectives").path(0);
        assertEquals(1, first.path("slowest_rank").asInt());
        assertEquals("[90.0,100.0,130.0]", first.path("micros").toString());
    }
}
