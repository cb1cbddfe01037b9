package layerwise.report.synthetic;

import java.util.LinkedHashMap;
import java.util.Map;

/** What kind of trace to make. */
public final class SyntheticOptions {
    /** How kernels are launched; mixed alternates over problems. */
    public enum Mode {
        GRAPH,
        EAGER,
        MIXED
    }

    Mode mode = Mode.GRAPH;
    int problems = 3;
    int runs = 6;
    int warmup = 2;
    int kernels = 40;
    int streams = 2;
    int depth = 0;
    int hops = 1;
    boolean duplicateClones;
    boolean inlineText;
    boolean shuffle;
    boolean oddNames;
    boolean repeatedLayers;
    boolean wholeGraphs;
    boolean nccl = true;
    boolean noise = true;
    boolean copies = true;
    double edits = 0.03;
    String schema = "3.24.8";
    long seed = 1;

    private SyntheticOptions(Mode mode) {
        this.mode = mode;
    }

    /** The kinds of traces that tests go through. */
    public static Map<String, SyntheticOptions> presets() {
        Map<String, SyntheticOptions> presets = new LinkedHashMap<>();
        presets.put("graph", new SyntheticOptions(Mode.GRAPH));
        presets.put("eager", new SyntheticOptions(Mode.EAGER));
        presets.put("mixed", new SyntheticOptions(Mode.MIXED));
        presets.put("tiny graph", tiny(Mode.GRAPH));
        presets.put("tiny eager", tiny(Mode.EAGER));
        presets.put("many graph runs", many(Mode.GRAPH));
        presets.put("many eager runs", many(Mode.EAGER));
        presets.put("one problem", problems(1));
        presets.put("twelve problems", problems(12));
        presets.put("one stream", with(o -> o.streams = 1));
        presets.put("deep", with(o -> o.depth = 6));
        presets.put("inline texts", with(o -> o.inlineText = true));
        presets.put("shuffled rows", with(o -> o.shuffle = true));
        presets.put("duplicate clones", with(o -> o.duplicateClones = true));
        presets.put("two hops", with(o -> o.hops = 2));
        presets.put("odd names", with(o -> o.oddNames = true));
        presets.put("repeated layers", with(o -> {
            o.repeatedLayers = true;
            o.kernels = 90;
            o.edits = 0;
        }));
        presets.put("repeated layers with edits", with(o -> {
            o.repeatedLayers = true;
            o.kernels = 90;
            o.edits = 0.08;
        }));
        presets.put("divergent", with(o -> {
            o.problems = 6;
            o.edits = 0.15;
        }));
        presets.put("nothing extra", with(o -> {
            o.nccl = false;
            o.noise = false;
            o.copies = false;
            o.streams = 1;
        }));
        for (String version : new String[] {"3.1.7", "3.4.0", "3.13.2", "3.17.2", "3.24.0", "3.25.0"}) {
            presets.put("schema " + version, with(o -> o.schema = version));
        }
        return presets;
    }

    /** Graphs that were traced whole: a trace that cannot be evaluated. */
    public static SyntheticOptions wholeGraphs() {
        return with(o -> {
            o.mode = Mode.GRAPH;
            o.wholeGraphs = true;
        });
    }

    /** A page at the upper end: twelve problems of two thousand kernels. */
    public static SyntheticOptions large() {
        return with(o -> {
            o.mode = Mode.GRAPH;
            o.problems = 12;
            o.kernels = 2000;
            o.runs = 2;
            o.warmup = 1;
            o.edits = 0.002;
        });
    }

    private static SyntheticOptions tiny(Mode mode) {
        return with(o -> {
            o.mode = mode;
            o.problems = 2;
            o.runs = 3;
            o.warmup = 1;
            o.kernels = 12;
        });
    }

    /** A hundred thousand activities, so that the table is read in parts. */
    private static SyntheticOptions many(Mode mode) {
        return with(o -> {
            o.mode = mode;
            o.problems = 5;
            o.runs = 100;
            o.warmup = 20;
            o.kernels = 200;
        });
    }

    private static SyntheticOptions problems(int count) {
        return with(o -> {
            o.mode = Mode.GRAPH;
            o.problems = count;
        });
    }

    /** A mixed trace with changes. */
    private static SyntheticOptions with(java.util.function.Consumer<SyntheticOptions> change) {
        SyntheticOptions options = new SyntheticOptions(Mode.MIXED);
        change.accept(options);
        return options;
    }
}
