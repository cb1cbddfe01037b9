package layerwise.bench.run;

import java.io.PrintStream;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import layerwise.bench.calibration.Calibrator;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.config.LoadFormat;
import layerwise.bench.config.MoeBackend;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunType;
import layerwise.bench.config.Statistics;
import layerwise.bench.device.Devices;
import layerwise.bench.device.GpuFile;
import layerwise.bench.device.Installation;
import layerwise.bench.exchange.Exchange;
import layerwise.bench.exchange.ExpertTable;
import layerwise.bench.exchange.RankSlice;
import layerwise.bench.moe.ExpertPath;
import layerwise.bench.ranks.Rank;
import layerwise.bench.ranks.Ranks;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.op.Batch;
import layerwise.op.Contents;
import layerwise.op.Executor;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.tensor.ConfigException;
import layerwise.trace.Markers;
import layerwise.trace.ProblemSpec;

/**
 * A run from its configuration to its trace: weights and caches, prefill, warm-up with output checks, every problem
 * once for the statistics line and, where the run is recorded, once more under the recorder.
 */
final class RunSequence {
    /** Apart enough that no two steps of two ranks share a seed. */
    static final long SEEDS_OF_RANK = 1_000_000;

    private final RunConfig config;
    private final Ranks.Here here;
    private final Rank rank;
    private final Recording recording;
    private final Map<String, String> environment;
    private final Progress progress;
    private final PrintStream out;
    private final RankSlice slice;
    private final Calibrator calibrator;
    private final ExpertPath experts;
    private final ExpertPath prefillExperts;
    private final TraceJournal journal = new TraceJournal();

    RunSequence(
            RunConfig config,
            ModelSpec model,
            WeightSource source,
            Ranks.Here here,
            Map<String, String> environment,
            Progress progress,
            PrintStream out) {
        this.config = config;
        this.here = here;
        this.rank = here.rank();
        this.recording = Recording.of(environment);
        this.environment = Map.copyOf(environment);
        this.progress = progress;
        this.out = out;
        refuseScaledCheckpoint(config);
        slice = RankSlice.of(
                config,
                model,
                source,
                rank.group(),
                rank.localWorld(),
                Devices.links(config.device(), here, config.shareGpu()),
                environment);
        calibrator = new Calibrator(
                config, slice.mapping(), slice.balancing(), line -> progress.say("Layer-wise benchmarks: " + line));
        experts = path("moe_backend", config.moe().backend(), slice.exchange());
        prefillExperts = path(
                "moe_backend_for_prefill",
                config.moe().backendForPrefill(),
                slice.exchange().ofPrefill());
    }

    private ExpertPath path(String option, MoeBackend backend, Exchange between) {
        Batch batch = batch(config.problems().getFirst());
        Program step = slice.step(phase(), batch, new ExpertChoice.Routed(), between.traffic(batch.tokens()));
        return ExpertPath.of(config.configFile() + ": " + option, backend, step);
    }

    private static void refuseScaledCheckpoint(RunConfig config) {
        if (config.scaledFrom().isPresent() && config.loadFormat() == LoadFormat.AUTO) {
            throw new ConfigException(
                    "%s: scaled_from %d with load_format AUTO: a checkpoint has all experts; expected DUMMY"
                            .formatted(config.configFile(), config.scaledFrom().getAsInt()));
        }
    }

    void run(List<String> arguments) {
        recording.prepare();
        new RunWork(config, slice.layers(), slice.cache(), slice.rotary(), prefill(), slice.exchange(), slice.bytes())
                .budget()
                .check(config.device(), rank.localWorld());
        boolean cuda = Devices.resolve(config.device()) instanceof DeviceChoice.Cuda;
        try (Tracer tracer = Tracer.open(recording, cuda, arguments)) {
            run(tracer);
        }
    }

    /** The run under a tracer that was opened first. */
    void run(Tracer tracer) {
        try (Executor executor = Devices.open(
                        config.device(), journal, Devices.options(config, environment), here, config.shareGpu());
                Memory memory = executor.allocate()) {
            here.together(() -> {
                run(executor, memory, tracer);
                executor.leave();
            });
        }
    }

    private void run(Executor executor, Memory memory, Tracer tracer) {
        progress.say("MoE backend: " + experts);
        if (config.runType() == RunType.GEN) {
            progress.say("MoE backend for prefill: " + prefillExperts);
        }
        calibrator.describe().ifPresent(progress::say);
        progress.phase("Create KV cache manager", () -> slice.layers().placeCaches(memory, new Contents.Zeros()));
        progress.phase("Create runner", () -> {
            long start = System.nanoTime();
            slice.weights().place(memory);
            executor.synchronize();
            if (config.loadFormat() == LoadFormat.AUTO) {
                progress.loaded(slice.weights().bytes(), System.nanoTime() - start);
            }
            slice.rotary().ifPresent(table -> table.place(memory));
            executor.synchronize();
        });
        Workbench bench = new Workbench(
                slice.model(),
                slice.layers(),
                slice.cache(),
                slice.rotary(),
                executor,
                memory,
                GpuFile.of(executor.device(), Installation.home().resolve("configs/gpus")));
        if (rank.world() > 1) {
            progress.say("Layer-wise benchmarks: " + slice.exchange());
            executor.notes().forEach(note -> progress.say("Layer-wise benchmarks: " + note));
        }
        if (config.runType() == RunType.GEN) {
            progress.phase(
                    "Prefill KV cache",
                    () -> prefill()
                            .run(
                                    bench,
                                    prefillExperts,
                                    slice.exchange().ofPrefill(),
                                    slice.mapping().dataRank(),
                                    progress));
        }
        progress.phase("Warmup", () -> warmUp(bench));
        measure(bench, true);
        calibrator.save(here.rendezvous());
        record(bench, tracer);
    }

    private Prefill prefill() {
        int length = Collections.max(config.sweep().seqLensKvCache());
        return new Prefill(Collections.max(config.sweep().batchSizes()), length);
    }

    private Phase phase() {
        return switch (config.runType()) {
            case CTX -> Phase.CONTEXT;
            case GEN -> Phase.GENERATION;
        };
    }

    static Batch batch(ProblemSpec problem) {
        return Batch.uniform(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache());
    }

    private Pack pack(Workbench bench, ProblemSpec problem, int index) {
        // Ranks whose tokens are the same draw them from the same seed.
        long seed = 1L + index + SEEDS_OF_RANK * slice.mapping().dataRank();
        Traffic traffic = slice.exchange().traffic(problem.tokens());
        ExpertTable table = slice.balancing().table(traffic, problem.balanceRatio());
        return Pack.prepare(
                bench,
                experts,
                phase(),
                0,
                batch(problem),
                traffic,
                refill -> calibrator.step(traffic, table, refill),
                seed);
    }

    private void warmUp(Workbench bench) {
        List<ProblemSpec> problems = config.problems();
        WeightPathTable paths = new WeightPathTable();
        for (int i = 0; i < problems.size(); i++) {
            try (Pack pack = pack(bench, problems.get(i), i)) {
                pack.runChecked(bench);
                paths.add(pack.execution().weightPaths());
            }
            progress.show("Warmup", i + 1, problems.size());
        }
        paths.lines().forEach(progress::say);
    }

    /** Every problem; the line of statistics only where nothing listens that could slow the run. */
    private void measure(Workbench bench, boolean untraced) {
        Measurement measurement = new Measurement(config, rank, journal);
        List<ProblemSpec> problems = config.problems();
        for (int i = 0; i < problems.size(); i++) {
            try (Pack pack = pack(bench, problems.get(i), i)) {
                double[] micros = measurement.run(bench, pack, problems.get(i));
                if (config.check()) {
                    pack.checkOperators();
                }
                if (untraced) {
                    out.println(
                            config.shareGpu()
                                    ? Statistics.untimed(rank.rank(), problems.get(i))
                                    : Statistics.of(micros).line(rank.rank(), problems.get(i)));
                }
            }
            progress.show(untraced ? "Measure" : "Trace", i + 1, problems.size());
        }
    }

    /** What became of the backends' names, for the trace and its reports. */
    private Map<String, String> effective() {
        Map<String, String> effective = new LinkedHashMap<>();
        effective.put("effective_moe_backend", experts.toString());
        if (config.runType() == RunType.GEN) {
            effective.put("effective_moe_backend_for_prefill", prefillExperts.toString());
        }
        return effective;
    }

    private void record(Workbench bench, Tracer tracer) {
        if (recording.profiler() == Recording.Profiler.NONE) {
            return;
        }
        tracer.begin(bench.executor(), journal);
        journal.mark(Markers.PREFIX + "args " + config.argsJson(effective()));
        measure(bench, false);
        tracer.end(bench.executor(), journal, recording.trace(rank));
    }
}
