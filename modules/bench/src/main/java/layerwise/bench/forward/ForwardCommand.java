package layerwise.bench.forward;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.bench.config.CommandOptions;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.device.Devices;
import layerwise.bench.ranks.Agreement;
import layerwise.bench.ranks.Ranks;
import layerwise.kernels.CudaOptions;
import layerwise.model.parallel.Mapping;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** Parses the command line of {@code forward} and runs it. */
public final class ForwardCommand {
    private static final String ATTENTION_DP = "--enable-attention-dp";
    private static final String SHARE_GPU = "--share-gpu";

    private ForwardCommand() {}

    /**
     * Runs layers on given inputs, writes and compares what they leave.
     *
     * @throws ConfigException if the command line or a file cannot be used
     * @throws layerwise.tensor.WrongResultException if a tensor differs by more than the tolerance
     */
    public static void run(List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
        Ranks.run(environment, out, err, here -> run(arguments, here, out));
    }

    private static void run(List<String> arguments, Ranks.Here here, PrintStream out) {
        Optional<ParseResult> parsed = CommandOptions.parse(spec(), arguments, out);
        if (parsed.isEmpty()) {
            return;
        }
        ParseResult result = parsed.get();
        ForwardOptions options = options(result);
        DeviceChoice device = DeviceChoice.parse("--device", result.matchedOptionValue("--device", "auto"));
        Agreement.require(here.rendezvous(), Map.of("command line", arguments));
        Mapping mapping = new Mapping(here.rank().group(), result.hasMatchedOption(ATTENTION_DP));
        try (Executor executor =
                Devices.open(device, Journal.NONE, CudaOptions.plain(), here, result.hasMatchedOption(SHARE_GPU))) {
            here.together(() -> {
                new ForwardRun(options, mapping, executor, out).run();
                executor.leave();
            });
        }
    }

    private static CommandSpec spec() {
        CommandSpec spec = CommandSpec.create().name("forward");
        CommandOptions.add(spec, "--model", "DIR", true, "checkpoint folder");
        CommandOptions.add(spec, "--layer-indices", "LIST", true, "layers to run, for example 0,1");
        CommandOptions.add(spec, "--phases", "LIST", true, "steps on one cache, for example ctx,gen1,gen4");
        CommandOptions.add(spec, "--inputs", "FILE", true, "safetensors with PHASE.layers.FIRST.input [B,S,H]");
        CommandOptions.add(spec, "--output", "FILE", false, "safetensors to write");
        CommandOptions.add(spec, "--device", "NAME", false, "auto, cuda or reference");
        CommandOptions.add(spec, "--compute-dtype", "TYPE", false, "float32 (default) or bfloat16");
        CommandOptions.add(spec, "--expect", "FILE", false, "safetensors to compare with");
        CommandOptions.add(
                spec, "--tolerance", "X", false, "greatest relative error, 2e-5 for float32 and 2e-2 for bfloat16");
        spec.addOption(OptionSpec.builder(ATTENTION_DP)
                .description("several ranks divide sequences and experts, not heads and experts")
                .build());
        spec.addOption(OptionSpec.builder(SHARE_GPU)
                .description("ranks may share a GPU")
                .build());
        CommandOptions.addHelp(spec);
        return spec;
    }

    private static ForwardOptions options(ParseResult result) {
        DType compute = switch (result.matchedOptionValue("--compute-dtype", "float32")) {
            case "float32" -> DType.F32;
            case "bfloat16" -> DType.BF16;
            case String other ->
                throw new ConfigException(
                        "command line: --compute-dtype: expected float32 or bfloat16, got '%s'".formatted(other));
        };
        String tolerance = result.matchedOptionValue("--tolerance", compute == DType.F32 ? "2e-5" : "2e-2");
        return new ForwardOptions(
                path("--model", result).orElseThrow(),
                integers(result.matchedOptionValue("--layer-indices", "")),
                List.of(result.matchedOptionValue("--phases", "").split(",", -1)),
                path("--inputs", result).orElseThrow(),
                path("--output", result),
                compute,
                path("--expect", result),
                number("--tolerance", tolerance));
    }

    private static Optional<Path> path(String option, ParseResult result) {
        return Optional.ofNullable((String) result.matchedOptionValue(option, null))
                .map(Path::of);
    }

    private static double number(String option, String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new ConfigException("command line: %s: expected a number, got '%s'".formatted(option, text), e);
        }
    }

    private static List<Integer> integers(String text) {
        List<Integer> values = new ArrayList<>();
        for (String word : text.split(",", -1)) {
            try {
                values.add(Integer.parseInt(word));
            } catch (NumberFormatException e) {
                throw new ConfigException(
                        "command line: --layer-indices: expected numbers with commas, got '%s'".formatted(text), e);
            }
        }
        return values;
    }
}
