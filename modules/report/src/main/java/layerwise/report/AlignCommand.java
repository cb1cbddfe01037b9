package layerwise.report;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import layerwise.report.profile.Alignment;
import layerwise.report.profile.ServingTrace;
import layerwise.report.profile.ShortNames;
import layerwise.report.render.AlignmentReport;
import layerwise.trace.TraceException;
import layerwise.trace.TraceFile;
import picocli.CommandLine.Model.CommandSpec;

/** Finds the kernels of chosen layers in traces of a serving run. */
final class AlignCommand implements Callable<Integer> {
    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
    private final Options options = new Options(spec)
            .value(Path.class, "FILE", "Trace of the run without graphs that marks layers.", "--eager-trace")
            .value(Path.class, "FILE", "Trace of the run with graphs (default: the eager one).", "--graph-trace")
            .value(Integer.class, "N", "Prefill requests of the iterations wanted (default: 0).", "--target-ctx-reqs")
            .value(Integer.class, "N", "Decode requests of the iterations wanted.", "--target-gen-reqs")
            .value(String.class, "A,B", "Layers by their position among the marked ones.", "--layer-indices")
            .value(Integer.class, "N", "Iterations to drop (default: 5).", "--warmup-times")
            .flag("--error-on-unknown-kernel", "Fail on element-wise PyTorch kernels that no rule knows.")
            .value(Path.class, "FILE.json", "Timeline to write.", "--output", "-o");

    static CommandSpec spec() {
        AlignCommand command = new AlignCommand();
        command.spec.usageMessage().description("Kernels of chosen layers in traces of a serving run.");
        return command.spec;
    }

    @Override
    public Integer call() {
        Path output = options.<Path>get("--output").orElseThrow(() -> missing("--output"));
        if (!output.toString().endsWith(".json")) {
            throw new TraceException("--output " + output + ": expected a name that ends in .json");
        }
        List<Integer> layers = layers();
        Path eagerFile = options.<Path>get("--eager-trace").orElseThrow(() -> missing("--eager-trace"));
        ServingTrace eager = open(eagerFile);
        ServingTrace graph =
                options.<Path>get("--graph-trace").map(AlignCommand::open).orElse(eager);
        int context = options.get("--target-ctx-reqs", 0);
        int generation = generation(eager, context, eagerFile);
        int warmup = options.get("--warmup-times", 5);
        List<Alignment.Entry> entries = Alignment.of(
                eager,
                eager.matching(context, generation, warmup),
                graph,
                graph.matching(context, generation, warmup),
                layers);
        ShortNames names = new ShortNames();
        String text = AlignmentReport.text(entries, names);
        if (options.isSet("--error-on-unknown-kernel") && !names.unknown().isEmpty()) {
            throw new TraceException("Unknown kernel names encountered: " + names.unknown());
        }
        try (OutputFiles files = new OutputFiles()) {
            files.add(output.toAbsolutePath(), out -> write(entries, out));
            files.commit();
        }
        Main.print(text);
        return 0;
    }

    private static void write(List<Alignment.Entry> entries, OutputStream out) throws IOException {
        AlignmentReport.json(entries, out);
    }

    private static ServingTrace open(Path file) {
        return new ServingTrace(TraceFile.open(NsysExport.database(TraceLocation.of(file))));
    }

    /** With no number given: that of the first iteration without prefill, or none where prefill is wanted. */
    private int generation(ServingTrace eager, int context, Path file) {
        Optional<Integer> given = options.get("--target-gen-reqs");
        if (given.isPresent() || context != 0) {
            return given.orElse(0);
        }
        return eager.iterations().stream()
                .filter(iteration -> iteration.contextRequests() == 0)
                .findFirst()
                .map(ServingTrace.Iteration::generation)
                .orElseThrow(() -> new TraceException(
                        file + ": Cannot determine target_gen_reqs: every iteration has ctx reqs; give"
                                + " --target-ctx-reqs or --target-gen-reqs"));
    }

    private List<Integer> layers() {
        String text = options.<String>get("--layer-indices").orElseThrow(() -> missing("--layer-indices"));
        try {
            return Arrays.stream(text.split(","))
                    .map(String::strip)
                    .map(Integer::valueOf)
                    .toList();
        } catch (NumberFormatException e) {
            throw new TraceException("--layer-indices " + text + ": expected whole numbers with commas between", e);
        }
    }

    private static TraceException missing(String option) {
        return new TraceException("align: " + option + " is missing");
    }
}
