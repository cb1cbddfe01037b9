package layerwise.report;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import layerwise.report.profile.Alignment;
import layerwise.report.profile.IterationChoice;
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
            .value(Integer.class, "N", "First iteration wanted, by the engine's number.", "--start-iter")
            .value(Integer.class, "N", "Last iteration wanted, included.", "--stop-iter")
            .value(String.class, "A,B", "Layers by their position among the marked ones.", "--layer-indices")
            .value(Integer.class, "N", "Iterations to drop (default: 5; 0 with --start-iter).", "--warmup-times")
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
        IterationChoice choice = choice(eager, eagerFile);
        int warmup = options.get("--warmup-times", choice instanceof IterationChoice.Numbers ? 0 : 5);
        List<Alignment.Entry> entries =
                Alignment.of(eager, eager.matching(choice, warmup), graph, graph.matching(choice, warmup), layers);
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

    private IterationChoice choice(ServingTrace eager, Path file) {
        Optional<Integer> first = options.get("--start-iter");
        Optional<Integer> last = options.get("--stop-iter");
        Optional<Integer> context = options.get("--target-ctx-reqs");
        Optional<Integer> generation = options.get("--target-gen-reqs");
        if (first.isEmpty() && last.isEmpty()) {
            return new IterationChoice.Requests(context.orElse(0), generation(eager, context.orElse(0), file));
        }
        if (first.isEmpty() || last.isEmpty() || first.get() > last.get()) {
            throw new TraceException("--start-iter %s, --stop-iter %s: expected both, the first not after the last"
                    .formatted(text(first), text(last)));
        }
        if (context.isPresent() || generation.isPresent()) {
            throw new TraceException("--start-iter %d: iterations are chosen by number or by --target-ctx-reqs and"
                            .formatted(first.get())
                    + " --target-gen-reqs, not by both");
        }
        return new IterationChoice.Numbers(first.get(), last.get());
    }

    private static String text(Optional<Integer> value) {
        return value.map(String::valueOf).orElse("missing");
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
