package layerwise.bench.estimate;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunOptions;
import layerwise.bench.device.GpuFile;
import layerwise.bench.device.Installation;
import layerwise.estimate.Efficiency;
import layerwise.estimate.GpuFacts;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.spec.ModelSpec;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;
import layerwise.trace.ProblemSpec;

/** The {@code sweep} command: estimates over a grid, measurements beside them, as CSV and as a page. */
public final class SweepCommand {
    private static final String USAGE = """
            Usage: layerwise sweep CONFIG [GRID] [OPTIONS]
            Estimates every combination of the lists of GRID and of CONFIG's own lists (batch_size, seq_len_q, seq_len_kv_cache):
              --gpu LIST            files in configs/gpus; default: h100-sxm
              --np LIST             ranks; default: 1
              --model LIST          models
              --attention LIST      DP, TP
              --moe-backend LIST    backends
              --gpus-per-node N     for all; default: as such machines usually have
              --measured LIST       JSON reports of runs, put beside the estimates of the same problems
              --out PREFIX          writes PREFIX.csv and PREFIX.html; default: profiles/sweep
            OPTIONS are those of run.
            """;
    private static final List<String> GRID =
            List.of("--gpu", "--np", "--model", "--attention", "--moe-backend", "--measured", "--out");

    private final Map<String, List<String>> grid = new LinkedHashMap<>();
    private final List<String> rest = new ArrayList<>();
    private final ModelCatalog models = new ModelCatalog(Installation.home().resolve("configs/models"));
    private final Path gpus = Installation.home().resolve("configs/gpus");
    private final Map<String, String> environment;
    private final List<MeasuredProblem> measured = new ArrayList<>();
    private final List<SweepPoint> points = new ArrayList<>();
    private final List<String> skipped = new ArrayList<>();
    private final Map<String, Efficiency> curves = new LinkedHashMap<>();

    private SweepCommand(List<String> arguments, Map<String, String> environment) {
        this.environment = environment;
        for (int i = 0; i < arguments.size(); i++) {
            String[] parts = arguments.get(i).split("=", 2);
            if (!GRID.contains(parts[0])) {
                rest.add(arguments.get(i));
            } else if (parts.length == 2) {
                grid.put(parts[0], List.of(parts[1].split(",")));
            } else if (++i < arguments.size()) {
                grid.put(parts[0], List.of(arguments.get(i).split(",")));
            } else {
                throw new ConfigException("command line: %s: expected a list".formatted(parts[0]));
            }
        }
        list("--measured", "").stream()
                .filter(file -> !file.isEmpty())
                .forEach(file -> measured.addAll(MeasuredProblem.read(Path.of(file))));
    }

    /**
     * Sweeps and writes both files.
     *
     * @throws ConfigException if the command line cannot be used, or no combination can be
     */
    public static void run(List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
        if (arguments.contains("--help") || arguments.contains("-h")) {
            out.print(USAGE);
            return;
        }
        SweepCommand sweep = new SweepCommand(arguments, environment);
        sweep.combinations();
        sweep.skipped.forEach(line -> err.println("left out: " + line));
        if (sweep.points.isEmpty()) {
            throw new ConfigException("sweep: no combination can be: " + sweep.skipped.getFirst());
        }
        sweep.write(out);
    }

    private List<String> list(String option, String otherwise) {
        return grid.getOrDefault(option, List.of(otherwise));
    }

    private void combinations() {
        for (String model : list("--model", "")) {
            for (String gpu : list("--gpu", "h100-sxm")) {
                for (String ranks : list("--np", "1")) {
                    for (String attention : list("--attention", "")) {
                        for (String backend : list("--moe-backend", "")) {
                            combination(model, gpu, ranks, attention, backend);
                        }
                    }
                }
            }
        }
    }

    private void combination(String model, String gpu, String ranks, String attention, String backend) {
        List<String> arguments = new ArrayList<>(rest);
        add(arguments, "--model", model);
        add(arguments, "--moe-backend", backend);
        add(arguments, "--np", ranks);
        add(arguments, "--device", "estimate:" + gpu);
        switch (attention) {
            case "" -> {}
            case "DP" -> arguments.add("--enable-attention-dp");
            case "TP" -> arguments.add("--no-enable-attention-dp");
            default ->
                throw new ConfigException("--attention: expected one of DP, TP, found \"%s\"%s"
                        .formatted(attention, NearestNames.hint(attention, List.of("DP", "TP"))));
        }
        RunConfig config = RunOptions.parse("sweep", arguments, System.out).orElseThrow();
        DeviceChoice.Estimate device = (DeviceChoice.Estimate) config.device();
        GpuFacts facts = GpuFile.named("--gpu", gpu, gpus);
        ModelSpec spec = models.find(config.model());
        Efficiency efficiency = curves.computeIfAbsent(
                gpu, name -> CurveFile.of(name, Installation.home().resolve("configs/curves")));
        try {
            Estimator estimator = new Estimator(config, spec, device, facts, efficiency, environment);
            SweepPoint.Series where = series(config, spec, gpu, facts, estimator);
            double gigabytes = estimator.plan(0).bytes() / 1e9;
            for (ProblemSpec problem : config.problems()) {
                points.add(new SweepPoint(
                        where,
                        problem,
                        estimator.step(problem).slowest() / 1e3,
                        measured(where, problem, facts),
                        gigabytes));
            }
        } catch (ConfigException e) {
            // One combination that cannot be is no reason to lose the others.
            skipped.add("%s, %s ranks %s %s %s: %s"
                    .formatted(gpu, ranks, config.model(), attention, backend, e.getMessage()));
        }
    }

    private static void add(List<String> arguments, String option, String value) {
        if (!value.isEmpty()) {
            arguments.addAll(List.of(option, value));
        }
    }

    private static SweepPoint.Series series(
            RunConfig config, ModelSpec spec, String gpu, GpuFacts facts, Estimator estimator) {
        return new SweepPoint.Series(
                config.model(),
                config.runType().toString(),
                config.layerIndices().toString(),
                config.layerIndices().size(),
                spec.layers().size(),
                gpu,
                estimator.cluster().ranks(),
                estimator.cluster().gpusPerNode(),
                config.attentionDp() ? "DP" : "TP",
                config.moe().backend().toString(),
                facts.memoryBytes() / 1e9);
    }

    private OptionalDouble measured(SweepPoint.Series where, ProblemSpec problem, GpuFacts gpu) {
        return measured.stream()
                .filter(candidate -> candidate.isOf(where, problem, GpuFile.of(candidate.gpu(), gpus), gpu))
                .mapToDouble(candidate -> candidate.nanos() / 1e3)
                .findFirst();
    }

    private void write(PrintStream out) {
        List<SweepPoint> front =
                ParetoFront.of(points.stream().filter(SweepPoint::fits).toList());
        Path prefix = Path.of(list("--out", "profiles/sweep").getFirst());
        Path csv = prefix.resolveSibling(prefix.getFileName() + ".csv");
        Path html = prefix.resolveSibling(prefix.getFileName() + ".html");
        try {
            if (prefix.getParent() != null) {
                Files.createDirectories(prefix.getParent());
            }
            Files.writeString(csv, SweepTable.render(points, front));
            Files.writeString(html, SweepPage.render(preamble(), points, front, skipped));
        } catch (IOException e) {
            throw new ConfigException("--out: %s: expected a place for files".formatted(prefix), e);
        }
        long compared =
                points.stream().filter(point -> point.measured().isPresent()).count();
        out.println("%d points, %d of them measured, %d on the front; %s, %s"
                .formatted(points.size(), compared, front.size(), csv, html));
    }

    private List<String> preamble() {
        List<String> lines = new ArrayList<>();
        lines.add(
                "layerwise sweep " + String.join(" ", rest) + ". Open marks are estimates, filled ones measurements.");
        curves.forEach((gpu, efficiency) -> lines.add(gpu + ": " + efficiency.basis(gpu) + "."));
        return lines;
    }
}
