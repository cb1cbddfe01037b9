package layerwise.bench.run;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import layerwise.op.Weight;
import layerwise.op.WeightPath;

/** Which way each kind of weight takes in a run, as a table for its log. Weights of one kind differ in their layer only. */
final class WeightPathTable {
    private final Set<String> rows = new LinkedHashSet<>();

    void add(List<WeightPath> paths) {
        for (WeightPath path : paths) {
            Weight weight = path.weight();
            String name = weight.data().buffer().name().replaceFirst("^model\\.layers\\.\\d+\\.", "");
            String shape = "%s %s"
                    .formatted(weight.data().shape(), weight.format().name().toLowerCase(Locale.ROOT));
            rows.add("%-32s %-26s %s".formatted(name, shape, path.path()));
        }
    }

    /** A head and a line for each kind and way; nothing where the executor has one way for all. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        if (!rows.isEmpty()) {
            lines.add("%-32s %-26s %s".formatted("weight", "stored as", "read by"));
            lines.addAll(rows);
        }
        return lines;
    }
}
