package layerwise.bench.estimate;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import layerwise.bench.config.CommandOptions;
import layerwise.bench.device.GpuFile;
import layerwise.bench.device.Installation;
import layerwise.estimate.Efficiency;
import layerwise.estimate.GpuFacts;
import layerwise.model.spec.ModelCatalog;
import layerwise.tensor.ConfigException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** The {@code fit} command: curves of a GPU from JSON reports of runs on it, and how well they predict. */
public final class FitCommand {
    private FitCommand() {}

    /**
     * Fits and writes {@code configs/curves/<gpu>.yaml}, or only compares with {@code --check}; prints a table either way.
     *
     * @throws ConfigException if the command line or a report cannot be used
     */
    public static void run(List<String> arguments, PrintStream out) {
        CommandOptions.parse(spec(), arguments, out).ifPresent(parsed -> fit(parsed, out));
    }

    private static void fit(ParseResult parsed, PrintStream out) {
        Path configs = Installation.home().resolve("configs");
        String name = parsed.matchedOptionValue("--gpu", "h100-sxm");
        GpuFacts gpu = GpuFile.named("--gpu", name, configs.resolve("gpus"));
        List<MeasuredProblem> problems = new ArrayList<>();
        for (String file : parsed.matchedPositionalValue(0, new String[0])) {
            problems.addAll(MeasuredProblem.read(Path.of(file)));
        }
        CurveFitting fitting = new CurveFitting(gpu, name, new ModelCatalog(configs.resolve("models")));
        Path file = configs.resolve("curves").resolve(name + ".yaml");
        Efficiency before = CurveFile.of(name, configs.resolve("curves"));
        if (parsed.hasMatchedOption("--check")) {
            print(fitting.compare(problems, before), "curves: " + before.machine(), out);
            return;
        }
        List<CurveFitting.Comparison> held = fitting.withoutTheirShapes(problems, before.collectives());
        Efficiency.ExpectedError error = new Efficiency.ExpectedError(
                CurveFitting.median(errors(held)),
                errors(held)[errors(held).length - 1],
                "%d problems, fitted without their shapes".formatted(held.size()));
        String machine = parsed.matchedOptionValue("--machine", gpu.name());
        CurveFile.write(
                fitting.fit(problems, machine, before.collectives(), error),
                "Written by layerwise fit from " + problems.size()
                        + " measured problems; run it again when kernels change.\n"
                        + "collectives are assumptions: no machine with several GPUs was measured.",
                file);
        print(held, "each fitted without the problem's shapes", out);
        out.println("\n" + file + " is written.");
    }

    private static CommandSpec spec() {
        CommandSpec spec = CommandSpec.create().name("layerwise fit");
        spec.usageMessage()
                .description("Fits the curves of estimates to JSON reports, or compares estimates with reports.");
        CommandOptions.add(
                spec, "--gpu", "GPU", false, "file in configs/gpus of the GPU that was measured; default: h100-sxm");
        CommandOptions.add(spec, "--machine", "TEXT", false, "what was measured, and when, for the file");
        spec.addOption(OptionSpec.builder("--check")
                .description("write nothing; compare the reports with estimates by the curves that are there")
                .build());
        CommandOptions.addHelp(spec);
        spec.addPositional(PositionalParamSpec.builder()
                .index("0..*")
                .arity("1..*")
                .required(true)
                .type(String[].class)
                .paramLabel("REPORT.json")
                .description("JSON reports of runs")
                .build());
        return spec;
    }

    /** Absolute errors, ascending. */
    private static double[] errors(List<CurveFitting.Comparison> comparisons) {
        return comparisons.stream()
                .mapToDouble(comparison -> Math.abs(comparison.error()))
                .sorted()
                .toArray();
    }

    private static void print(List<CurveFitting.Comparison> comparisons, String how, PrintStream out) {
        out.println("| run | problem | measured us | estimated us | error |");
        out.println("|---|---|---:|---:|---:|");
        for (CurveFitting.Comparison comparison : comparisons) {
            out.println(text(
                    "| %s | %s | %.1f | %.1f | %+.1f %% |",
                    comparison.problem().what(),
                    comparison.problem().title(),
                    comparison.problem().nanos() / 1e3,
                    comparison.estimated() / 1e3,
                    100 * comparison.error()));
        }
        double[] errors = errors(comparisons);
        out.println(text(
                "%n%d problems, %s: median error %.1f %%, worst %.1f %%",
                errors.length, how, 100 * CurveFitting.median(errors), 100 * errors[errors.length - 1]));
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
