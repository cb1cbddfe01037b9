package layerwise.bench.calibration;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CalibrationFileTest {
    private static final long SEED = 20_261_124;

    @TempDir
    Path folder;

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("calibration.json"), text);
    }

    @Test
    void filesOfTheReferenceToolAreReadExactly() {
        CalibrationFile file = CalibrationFile.read(Recordings.file("two_ranks"));
        assertEquals(2, file.worldSize());
        for (int rank = 0; rank < 2; rank++) {
            assertEquals(
                    List.of(7, 8, 9),
                    file.ranks().get(rank).stream().map(Iteration::number).toList());
            for (Iteration iteration : file.ranks().get(rank)) {
                assertEquals(List.of(new ExpertCall(3, 16, 4, 4), new ExpertCall(4, 16, 4, 4)), iteration.calls());
                for (int layer : new int[] {3, 4}) {
                    int[] slots = iteration.slots(layer, 0);
                    for (int i = 0; i < 16; i++) {
                        assertEquals(
                                Recordings.slot(rank, iteration.number(), layer, i / 4, i % 4),
                                slots[i],
                                iteration + " " + i);
                    }
                }
            }
        }
    }

    @Test
    void chunksAreCallsOfTheirOwn() {
        Iteration iteration = CalibrationFile.read(Recordings.file("chunked"))
                .ranks()
                .getFirst()
                .get(1);
        assertEquals(2, iteration.calls(3).size());
        assertEquals(Recordings.slot(0, 2, 3, 2, 1), iteration.slots(3, 1)[1]);
        assertThrows(IndexOutOfBoundsException.class, () -> iteration.slots(3, 2));
    }

    @Test
    void whatIsWrittenReadsBackTheSame() {
        CalibrationFile file = CalibrationFile.read(Recordings.file("two_ranks"));
        Path copy = folder.resolve("deep/copy.json");
        CalibrationFile.write(
                copy, file.ranks().stream().map(CalibrationFile::records).toList());
        assertEquals(file, CalibrationFile.read(copy));
    }

    @Test
    void choicesOfAnySizeSurviveTheirCode() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int count : new int[] {0, 1, 7, 100_003}) {
            int[] slots = random.ints(count).toArray();
            assertArrayEquals(slots, SlotCodec.decode(SlotCodec.encode(slots), count));
            assertThrows(IllegalArgumentException.class, () -> SlotCodec.decode(SlotCodec.encode(slots), count + 1));
        }
        assertThrows(IllegalArgumentException.class, () -> SlotCodec.decode(SlotCodec.encode(new int[] {1, 2}), 1));
        assertThrows(IllegalArgumentException.class, () -> SlotCodec.decode("", 1L << 27));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{|line 1: malformed JSON",
                "[]|world_size: expected an integer of at least 1, got nothing",
                "{\"world_size\": 2, \"all_ranks_records\": [[]]}|all_ranks_records: 1 ranks, expected 2 as world_size says",
                "{\"world_size\": 1, \"all_ranks_records\": [3]}|all_ranks_records[0]: expected an array of records",
                "{\"world_size\": 1, \"all_ranks_records\": [[{\"iteration\": 1, \"metadata\": []}]]}|[0][0]: raw_data: expected a string",
                "{\"world_size\": 1, \"all_ranks_records\": [[{\"iteration\": 1, \"metadata\": [], \"raw_data\": \"!\"}]]}|[0][0]: raw_data: ",
                "{\"world_size\": 1, \"all_ranks_records\": [[{\"iteration\": 1, \"metadata\": [{\"layer_idx\": 1, \"num_slots\": 4, \"token_selected_slots_shape\": [2147483647, 2147483647]}], \"raw_data\": \"\"}]]}|expected at most 268435456 numbers",
                "{\"world_size\": 1, \"all_ranks_records\": [[{\"iteration\": 1, \"metadata\": [{\"layer_idx\": 1, \"num_slots\": 4, \"token_selected_slots_shape\": [9000000, 8]}], \"raw_data\": \"\"}]]}|cannot hold 72000000 numbers",
            })
    void damageIsNamedByItsPlace(String text, String message) throws IOException {
        Path file = write(text);
        ConfigException e = assertThrows(ConfigException.class, () -> CalibrationFile.read(file));
        assertTrue(e.getMessage().startsWith(file.toString()) && e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void aSlotThatDoesNotExistIsNamed() throws IOException {
        String text = Files.readString(Recordings.file("one_rank")).replace("\"num_slots\": 16", "\"num_slots\": 15");
        Path file = write(text);
        ConfigException e = assertThrows(ConfigException.class, () -> CalibrationFile.read(file));
        assertTrue(e.getMessage().contains("chose slot 15, expected 0 to 14"), e.getMessage());
    }

    @Test
    void anIterationThatAppearsTwiceIsNamed() throws IOException {
        Path file =
                write(Files.readString(Recordings.file("one_rank")).replace("\"iteration\": 43", "\"iteration\": 42"));
        ConfigException e = assertThrows(ConfigException.class, () -> CalibrationFile.read(file));
        assertTrue(e.getMessage().contains("all_ranks_records[0][1]: iteration 42 appears twice"), e.getMessage());
    }

    @Test
    void damagedFilesAreReadOrRefusedInOneLine() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        String sound = Files.readString(Recordings.file("two_ranks"));
        int refused = 0;
        for (int round = 0; round < 600; round++) {
            StringBuilder damaged = new StringBuilder(sound);
            for (int edits = random.nextInt(1, 4); edits > 0; edits--) {
                int at = random.nextInt(damaged.length());
                switch (random.nextInt(3)) {
                    case 0 -> damaged.setCharAt(at, (char) random.nextInt(' ', 127));
                    case 1 -> damaged.deleteCharAt(at);
                    default -> damaged.insert(at, random.nextInt(10));
                }
            }
            try {
                CalibrationFile.read(write(damaged.toString()));
            } catch (ConfigException e) {
                assertEquals(1, e.getMessage().lines().count(), e.getMessage());
                refused++;
            } catch (RuntimeException e) {
                fail("seed " + SEED + " round " + round, e);
            }
        }
        assertTrue(refused > 400 && refused < 600, refused + " of 600 refused");
    }
}
