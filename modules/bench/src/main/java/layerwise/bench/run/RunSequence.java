package layerwise.bench.run;

import java.io.PrintStream;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.config.Problem;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunType;
import layerwise.bench.config.Statistics;
import layerwise.bench.device.Devices;
import layerwise.bench.device.GpuFacts;
import layerwise.bench.device.Installation;
import layerwise.kernels.CudaExecutor;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.Phase;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.op.Batch;
import layerwise.op.Contents;
import layerwise.op.Executor;
import layerwise.op.Memory;
import layerwise.tensor.ConfigException;
import layerwise.trace.Markers;

/**
 * A run from its configuration to its trace: weights and caches, prefill, warm-up with output checks, every problem
 * once for the statistics line and, where the run is recorded, once more under the recorder.
 */
final class RunSequence {
    private final RunConfig config;
    private final ModelSpec model;
    private final Rank rank;
    private final Recording recording;
    private final Progress progress;
    private final PrintStream out;
    private final PagedCache cache;
    private final WeightTable weights;
    private final DecoderSlice slice;
    private final Optional<RotaryTable> rotary;
    private final Balancing balancing;
    private final TraceJournal journal = new TraceJournal();

    RunSequence(
            RunConfig config,
            ModelSpec model,
            WeightSource source,
            Rank rank,
            Map<String, String> environment,
            Progress progress,
            PrintStream out) {
        this.config = config;
        this.model = model;
        this.rank = rank;
        this.recording = Recording.of(environment);
        this.progress = progress;
        this.out = out;
        refuseWhatWouldBeIgnored();
        config.layerIndices().forEach(model::layer);
        cache = new PagedCache(
                config.limits().maxBatchSize(),
                config.limits().tokensPerBlock(),
                config.limits().maxSeqLen());
        weights = new WeightTable(model, source);
        slice = new DecoderSlice(model, config.layerIndices(), weights, cache, model.dtype(), config.cacheTypes(model));
        rotary = RotaryTable.of(model, config.layerIndices(), config.limits().maxSeqLen());
        balancing = new Balancing(config, model, rank, environment);
    }

    /** Options whose work does not exist yet must not look as if they had been honoured. */
    private void refuseWhatWouldBeIgnored() {
        String file = config.configFile();
        if (config.replay().filePath().isPresent()) {
            throw new ConfigException(file + ": replay_file_path: this build does not replay; expected null");
        }
        if (config.scaledFrom().isPresent()) {
            throw new ConfigException("%s: scaled_from %d: this build runs one rank as it is; expected null"
                    .formatted(file, config.scaledFrom().getAsInt()));
        }
        if (config.moe().maxNumTokens().isPresent()) {
            throw new ConfigException("%s: moe_max_num_tokens %d: this build does not chunk; expected null"
                    .formatted(file, config.moe().maxNumTokens().getAsInt()));
        }
        if (config.syncEveryLaunch()) {
            throw new ConfigException(file + ": sync_every_launch: this build does not; expected false");
        }
        if (config.check()) {
            throw new ConfigException(file + ": check: a run does not check operators; use ./layerwise verify");
        }
    }

    void run(List<String> arguments) {
        recording.prepare();
        new ReferenceBudget(config, slice, cache, rotary, prefill(), weights.bytes() + slice.cacheBytes()).check();
        boolean cuda = Devices.resolve(config.device()) instanceof DeviceChoice.Cuda;
        CudaExecutor.Tuning tuning = config.autotuner() ? CudaExecutor.Tuning.ON : CudaExecutor.Tuning.OFF;
        try (Tracer tracer = Tracer.open(recording, cuda, arguments);
                Executor executor = Devices.open(config.device(), journal, tuning);
                Memory memory = executor.allocate()) {
            progress.phase("Create KV cache manager", () -> slice.placeCaches(memory, new Contents.Zeros()));
            progress.phase("Create runner", () -> {
                weights.place(memory);
                rotary.ifPresent(table -> table.place(memory));
                executor.synchronize();
            });
            Workbench bench = new Workbench(
                    model,
                    slice,
                    cache,
                    rotary,
                    executor,
                    memory,
                    GpuFacts.of(executor.device(), Installation.home().resolve("configs/gpus")));
            if (config.runType() == RunType.GEN) {
                progress.phase("Prefill KV cache", () -> prefill().run(bench, progress));
            }
            progress.phase("Warmup", () -> warmUp(bench));
            measure(bench, true);
            record(bench, tracer);
        }
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

    static Batch batch(Problem problem) {
        return Batch.uniform(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache());
    }

    private Pack pack(Workbench bench, Problem problem, int index) {
        long seed = 1L + index + 1_000_000L * rank.rank();
        return Pack.prepare(bench, phase(), 0, batch(problem), balancing.table(problem), seed);
    }

    private void warmUp(Workbench bench) {
        List<Problem> problems = config.problems();
        for (int i = 0; i < problems.size(); i++) {
            try (Pack pack = pack(bench, problems.get(i), i)) {
                pack.runChecked(bench);
            }
            progress.show("Warmup", i + 1, problems.size());
        }
    }

    /** Every problem; the line of statistics only where nothing listens that could slow the run. */
    private void measure(Workbench bench, boolean untraced) {
        Measurement measurement = new Measurement(config, rank, journal);
        List<Problem> problems = config.problems();
        for (int i = 0; i < problems.size(); i++) {
            try (Pack pack = pack(bench, problems.get(i), i)) {
                double[] micros = measurement.run(bench, pack, problems.get(i));
                if (untraced) {
                    out.println(Statistics.of(micros).line(rank.rank(), problems.get(i)));
                }
            }
            progress.show(untraced ? "Measure" : "Trace", i + 1, problems.size());
        }
    }

    private void record(Workbench bench, Tracer tracer) {
        if (recording.profiler() == Recording.Profiler.NONE) {
            return;
        }
        tracer.begin(bench.executor(), journal);
        journal.mark(Markers.PREFIX + "args " + config.argsJson());
        measure(bench, false);
        tracer.end(bench.executor(), journal, recording.trace(rank));
    }
}
