package layerwise.trace;

import java.util.Map;

/** What the text of a push/pop range means. */
public sealed interface Marker {
    /** The resolved options of a benchmark run, in option order. */
    record Args(Map<String, Object> values) implements Marker {}

    /** A problem starts. */
    record Problem(ProblemSpec spec) implements Marker {}

    /** One timed run of the current problem; the label is the problem's title. */
    record Run(String label) implements Marker {}

    /** Bookkeeping that reports leave out. */
    record Ignore() implements Marker {}

    /** One decoder layer of a serving run. */
    record Layer(int index) implements Marker {}

    /** The operator that is launched inside the range. */
    record Cost(CostRecord record) implements Marker {}

    /** A text of the benchmark's own that this version does not know. */
    record Unknown(String text) implements Marker {}

    /** Any other range: a module. */
    record Module(String name) implements Marker {}
}
