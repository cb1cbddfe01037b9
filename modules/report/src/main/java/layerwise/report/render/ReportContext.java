package layerwise.report.render;

import java.util.List;
import java.util.Map;
import layerwise.report.profile.MergedTable;
import layerwise.report.profile.Profile;
import layerwise.report.profile.RepeatedBlock;
import layerwise.report.table.ModuleSum;

/**
 * What every renderer of one report shows; all of them read the same numbers, so they cannot disagree.
 *
 * @param source    name of the trace file
 * @param arguments the report program's own arguments
 * @param profile   the evaluated trace
 * @param table     its problems side by side
 * @param lines     the table as a tree
 * @param modules   sums by module, a list for each problem
 * @param repeats   blocks of rows that repeat at once
 */
public record ReportContext(
        String source,
        Map<String, Object> arguments,
        Profile profile,
        MergedTable table,
        List<TableLine> lines,
        List<List<ModuleSum>> modules,
        List<RepeatedBlock> repeats) {}
