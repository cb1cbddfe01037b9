package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.regex.Pattern;
import layerwise.report.synthetic.SyntheticOptions;
import layerwise.report.synthetic.SyntheticTrace;
import layerwise.report.synthetic.Truth;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reports of runs whose ranks shared a GPU. */
class UntimedReportTest {
    private static final String LABEL = "ranks shared a GPU: this run tests correctness, its times are no results";

    @TempDir
    Path folder;

    private Path trace;
    private Truth truth;

    @BeforeEach
    void record() throws SQLException {
        trace = folder.resolve("report_np2_rank0.sqlite");
        truth = SyntheticTrace.write(SyntheticOptions.presets().get("tiny graph"), trace);
        try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + trace);
                Statement statement = database.createStatement()) {
            for (String column :
                    List.of("NVTX_EVENTS SET text = replace(text", "StringIds SET value = replace(value")) {
                statement.executeUpdate("UPDATE " + column + ", ' args {', ' args {\"share_gpu\": true, ')");
            }
        }
    }

    @Test
    void everyFormatSaysSoAndShowsKernelsWithoutTimes() throws IOException {
        ProgramRun run = ProgramRun.of("report", "--file-path", trace.toString());
        assertEquals(0, run.status(), run.err());
        for (String ending : List.of(".txt", ".csv", ".html", ".json")) {
            String report = Files.readString(folder.resolve("report_np2_rank0" + ending));
            assertTrue(report.contains(LABEL), ending);
            for (Truth.Row row : truth.problems().getFirst().rows()) {
                assertTrue(report.contains(row.shortName()), ending + " lacks " + row.shortName());
            }
        }
        assertEquals(Files.readString(folder.resolve("report_np2_rank0.txt")), run.out());
        String figures = run.out().replace(truth.problems().getFirst().title(), "");
        assertFalse(Pattern.compile("\\d+\\.\\d").matcher(figures).find(), run.out());
    }

    @Test
    void reportsAboutTimesRefuseIt() throws IOException {
        Files.copy(trace, folder.resolve("report_np2_rank1.sqlite"));
        String why = ": ranks shared a GPU, so its times are no results; expected a run without --share-gpu";
        ProgramRun compared = ProgramRun.of("compare", trace.toString(), trace.toString());
        assertEquals(2, compared.status());
        assertTrue(compared.err().contains(trace + why), compared.err());
        ProgramRun all = ProgramRun.of("report", "--np", "2", "--all-ranks", "--profile-dir", folder.toString());
        assertEquals(2, all.status());
        assertTrue(all.err().contains(why), all.err());
    }
}
