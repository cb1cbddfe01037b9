package layerwise.report.plot;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import layerwise.trace.ProblemSpec;

/**
 * What problems have beside the dimension plotted, in words as the statistics line has them.
 *
 * @param over     the dimension plotted
 * @param problems all problems plotted
 */
record Settings(Dimension over, List<ProblemSpec> problems) {
    /** What of this problem others have otherwise. */
    String differing(ProblemSpec problem) {
        return text(problem, true);
    }

    /** What all problems share. */
    String shared() {
        return text(problems.getFirst(), false);
    }

    private String text(ProblemSpec problem, boolean differing) {
        List<String> texts = new ArrayList<>();
        values(problem).forEach((name, value) -> {
            boolean same = problems.stream()
                    .allMatch(other -> value.equals(values(other).get(name)));
            if (same != differing) {
                texts.add(name + " " + value);
            }
        });
        return String.join(", ", texts);
    }

    private Map<String, String> values(ProblemSpec problem) {
        Map<String, String> values = new LinkedHashMap<>();
        for (Dimension dimension : Dimension.values()) {
            if (dimension != over) {
                values.put(dimension.toString(), String.valueOf(dimension.of(problem)));
            }
        }
        problem.balanceRatio().ifPresent(ratio -> values.put("balance_ratio", String.valueOf(ratio)));
        return values;
    }
}
