package layerwise.report.render;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import layerwise.report.profile.Operation;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.Profile;

/** The call chains of a profile, each once, numbered from 0 in order of appearance. */
public final class Backtraces {
    private final Map<List<String>, Integer> numbers = new LinkedHashMap<>();

    private Backtraces() {}

    /** Numbers a profile's chains. */
    public static Backtraces of(Profile profile) {
        Backtraces backtraces = new Backtraces();
        for (ProblemProfile problem : profile.problems()) {
            for (Operation operation : problem.operations()) {
                if (!operation.frames().isEmpty()) {
                    backtraces.numbers.putIfAbsent(operation.frames(), backtraces.numbers.size());
                }
            }
        }
        return backtraces;
    }

    public boolean isEmpty() {
        return numbers.isEmpty();
    }

    /** Frames by number, innermost first. */
    public List<List<String>> chains() {
        return List.copyOf(numbers.keySet());
    }

    /** The number of an operation's chain, -1 if it has none. */
    public int number(Operation operation) {
        return numbers.getOrDefault(operation.frames(), -1);
    }

    /** Each chain with the rows that it launched, as text; empty where there are none. */
    public static String text(Profile profile) {
        StringBuilder text = new StringBuilder();
        Backtraces backtraces = of(profile);
        List<List<String>> chains = backtraces.chains();
        for (int number = 0; number < chains.size(); number++) {
            text.append("\nLaunched from [").append(number).append("]\n");
            chains.get(number)
                    .forEach(frame -> text.append("    ").append(frame).append('\n'));
            for (ProblemProfile problem : profile.problems()) {
                backtraces.appendRows(problem, number, text);
            }
        }
        return text.toString();
    }

    private void appendRows(ProblemProfile problem, int number, StringBuilder text) {
        List<String> names = problem.operations().stream()
                .filter(operation -> number(operation) == number)
                .map(Backtraces::name)
                .distinct()
                .toList();
        if (!names.isEmpty()) {
            text.append("  \"").append(problem.title()).append("\": ");
            text.append(String.join(", ", names)).append('\n');
        }
    }

    private static String name(Operation operation) {
        List<String> path = new ArrayList<>(operation.path());
        path.add(operation.shortName());
        return String.join(" > ", path);
    }
}
