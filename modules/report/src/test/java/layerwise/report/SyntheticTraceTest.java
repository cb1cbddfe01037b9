package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import layerwise.report.profile.MergedTable;
import layerwise.report.profile.Operation;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.Profile;
import layerwise.report.profile.ProfileOptions;
import layerwise.report.profile.Profiler;
import layerwise.report.profile.ShortNames;
import layerwise.report.synthetic.SyntheticOptions;
import layerwise.report.synthetic.SyntheticTrace;
import layerwise.report.synthetic.Truth;
import layerwise.trace.TraceFile;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every kind of trace against what was known while it was made. */
class SyntheticTraceTest {
    /** Sums of whole nanoseconds below 2^53 are exact; one division rounds. */
    private static final double RELATIVE = 0x1p-50;

    @TempDir
    Path folder;

    static Stream<String> presets() {
        return SyntheticOptions.presets().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("presets")
    void findsWhatTheGeneratorPlanned(String preset) throws SQLException {
        Path file = folder.resolve("trace.sqlite");
        Truth truth = SyntheticTrace.write(SyntheticOptions.presets().get(preset), file);
        Profile profile = new Profiler(TraceFile.open(file), ProfileOptions.DEFAULT, new ShortNames()).evaluate();
        assertEquals(truth.warmup(), profile.warmup());
        assertEquals(truth.problems().size(), profile.problems().size());
        for (int p = 0; p < truth.problems().size(); p++) {
            assertProblem(truth.problems().get(p), profile.problems().get(p));
        }
        assertMerged(truth, MergedTable.of(profile.problems()));
    }

    private static void assertProblem(Truth.Problem expected, ProblemProfile found) {
        assertEquals(expected.title(), found.title());
        assertEquals(expected.runs(), found.runs());
        assertEquals(expected.rows().size(), found.operations().size(), expected.title());
        for (int i = 0; i < expected.rows().size(); i++) {
            Truth.Row row = expected.rows().get(i);
            Operation operation = found.operations().get(i);
            assertEquals(row.path(), operation.path());
            assertEquals(row.fullName(), operation.fullName());
            assertEquals(row.shortName(), operation.shortName());
            assertClose(row.nanos(), operation.durations().mean());
            assertClose(row.end(), operation.meanEnd());
        }
        // Differences of sums: the error is relative to what was summed.
        double bound = expected.busy() * expected.rows().size() * RELATIVE;
        assertEquals(expected.overlap(), found.totals().overlap().mean(), bound);
        assertEquals(expected.space(), found.totals().space().mean(), bound);
        assertEquals(expected.total(), found.totals().total().mean(), bound);
    }

    /** Each problem's rows stand in the table in order, and all rows sum to the run's GPU time. */
    private static void assertMerged(Truth truth, MergedTable table) {
        for (int p = 0; p < truth.problems().size(); p++) {
            Truth.Problem expected = truth.problems().get(p);
            List<String> wanted = new ArrayList<>();
            expected.rows().forEach(row -> wanted.add(row.path() + row.shortName()));
            wanted.addAll(List.of("[]Overlap", "[]Space", "[]Total"));
            List<String> found = new ArrayList<>();
            double sum = 0;
            for (MergedTable.Row row : table.rows()) {
                Optional<MergedTable.Cell> cell = row.cells().get(p);
                if (cell.isPresent()) {
                    found.add(row.path() + row.name());
                    sum += row.kind() == MergedTable.Kind.TOTAL ? 0 : cell.get().nanos();
                }
            }
            assertEquals(wanted, found);
            double bound = expected.busy() * expected.rows().size() * RELATIVE;
            assertEquals(expected.total(), sum, bound);
            assertEquals(expected.total(), table.rows().getLast().nanos(p), bound);
        }
        assertTrue(table.rows().size()
                <= truth.problems().stream().mapToInt(p -> p.rows().size() + 3).sum());
    }

    private static void assertClose(double expected, double found) {
        assertEquals(expected, found, Math.abs(expected) * RELATIVE);
    }
}
