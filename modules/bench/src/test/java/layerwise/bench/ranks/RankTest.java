package layerwise.bench.ranks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RankTest {
    @Test
    void aProcessWithoutVariablesIsAlone() {
        assertEquals(new Rank(0, 1, 0, 1), Rank.of(Map.of("PATH", "/bin")));
        assertEquals(new Rank(0, 1, 0, 1), Rank.of(Map.of("WORLD_SIZE", "1")));
    }

    @Test
    void explicitVariablesWinOverThoseOfLaunchers() {
        Map<String, String> environment = Map.of(
                "WORLD_SIZE",
                "16",
                "RANK",
                "6",
                "LOCAL_RANK",
                "2",
                "OMPI_COMM_WORLD_SIZE",
                "3",
                "OMPI_COMM_WORLD_RANK",
                "1",
                "OMPI_COMM_WORLD_LOCAL_SIZE",
                "4");
        assertEquals(new Rank(6, 16, 2, 4), Rank.of(environment));
    }

    /** Four machines of four, block-wise. */
    @Test
    void openMpiAndSlurmTellTheirProcesses() {
        for (int rank = 0; rank < 16; rank++) {
            Map<String, String> openMpi = Map.of(
                    "OMPI_COMM_WORLD_SIZE",
                    "16",
                    "OMPI_COMM_WORLD_RANK",
                    "" + rank,
                    "OMPI_COMM_WORLD_LOCAL_RANK",
                    "" + rank % 4,
                    "OMPI_COMM_WORLD_LOCAL_SIZE",
                    "4");
            Map<String, String> slurm = Map.of(
                    "SLURM_NTASKS", "32",
                    "SLURM_STEP_NUM_TASKS", "16",
                    "SLURM_PROCID", "" + rank,
                    "SLURM_LOCALID", "" + rank % 4,
                    "SLURM_NTASKS_PER_NODE", "4");
            assertEquals(new Rank(rank, 16, rank % 4, 4), Rank.of(openMpi));
            assertEquals(new Rank(rank, 16, rank % 4, 4), Rank.of(slurm));
        }
    }

    @ParameterizedTest
    @CsvSource({"2,2,0", "4,-1,0", "0,0,0", "two,0,0", "2,1,2", "2,1,x"})
    void nonsenseIsRefusedInOneLineThatNamesIt(String world, String rank, String local) {
        Map<String, String> environment = Map.of("WORLD_SIZE", world, "RANK", rank, "LOCAL_RANK", local);
        ConfigException e = assertThrows(ConfigException.class, () -> Rank.of(environment));
        assertTrue(e.getMessage().startsWith("environment: "), e.getMessage());
    }

    @Test
    void severalRanksWithoutANumberAreRefused() {
        ConfigException e = assertThrows(ConfigException.class, () -> Rank.of(Map.of("WORLD_SIZE", "2")));
        assertEquals("environment: WORLD_SIZE=2 without RANK: expected both, or neither", e.getMessage());
    }
}
