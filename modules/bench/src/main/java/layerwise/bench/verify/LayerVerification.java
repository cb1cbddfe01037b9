package layerwise.bench.verify;

import java.io.PrintStream;
import java.util.Locale;
import java.util.Optional;
import layerwise.bench.config.Problem;
import layerwise.bench.config.RunConfig;
import layerwise.model.cache.BatchTables;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.op.Batch;
import layerwise.op.Capabilities;
import layerwise.op.Contents;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.fusion.Fusion;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.WrongResultException;

/** The operators of layers one by one, each fed with what the device computed before it, and the table of results. */
final class LayerVerification {
    private static final long SEED = 20260101;

    private final RunConfig config;
    private final ModelSpec model;
    private final Executor device;
    private final PrintStream out;
    private int outputs;
    private int wrong;

    LayerVerification(RunConfig config, ModelSpec model, Executor device, PrintStream out) {
        this.config = config;
        this.model = model;
        this.device = device;
        this.out = out;
        out.println("# verify %s on %s, seed %d".formatted(config.model(), device.device(), SEED));
        out.println("# %-22s %-30s %-24s %12s %12s  %s"
                .formatted("operator", "shape", "output", "error", "of allowed", "check"));
    }

    void verify(Phase phase, Problem problem) {
        out.println("# batch_size %d  seq_len_q %d  seq_len_kv_cache %d"
                .formatted(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache()));
        PagedCache cache = new PagedCache(
                problem.batchSize(), config.limits().tokensPerBlock(), problem.seqLenQ() + problem.seqLenKvCache());
        WeightTable weights = new WeightTable(model, new WeightSource.Noise(SEED));
        DecoderSlice slice =
                new DecoderSlice(model, config.layerIndices(), weights, cache, model.dtype(), config.cacheTypes(model));
        Optional<RotaryTable> rotary = RotaryTable.of(model, config.layerIndices(), cache.requestTokens());
        Batch batch = Batch.uniform(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache());
        try (Memory memory = device.allocate();
                Executor reference = new ReferenceExecutor(Journal.NONE, Capabilities.plain())) {
            weights.place(memory);
            rotary.ifPresent(table -> table.place(memory));
            slice.placeCaches(memory, new Contents.Uniform(-1, 1, SEED));
            BatchTables tables = cache.tables("step", 0, batch);
            tables.place(memory);
            DecoderSlice.Benchmark step =
                    slice.benchmark(phase, tables.paged(), rotary.map(RotaryTable::tensor), new ExpertChoice.Routed());
            memory.put(step.hidden().buffer(), new Contents.Uniform(-1, 1, SEED + 1));
            memory.put(step.residual().buffer(), new Contents.Uniform(-1, 1, SEED + 2));
            Program program = Fusion.apply(step.program(), device.capabilities());
            OperatorCheck check = new OperatorCheck(device, memory, reference);
            for (Operator operator : program.operators()) {
                check.check(operator).forEach(this::print);
            }
        }
    }

    private void print(VerifiedOutput row) {
        Comparison comparison = row.comparison();
        outputs++;
        wrong += comparison.isRight() ? 0 : 1;
        String name = row.output().buffer().name();
        out.println(String.format(
                Locale.ROOT,
                "  %-22s %-30s %-24s %12.3e %12.3f  %s",
                row.operator().name(),
                row.operator().label(),
                name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1),
                comparison.error(),
                comparison.worst(),
                comparison.isRight()
                        ? "ok"
                        : "WRONG %d elements, first %s".formatted(comparison.wrong(), comparison.example())));
    }

    /** Prints the verdict. */
    void conclude() {
        out.println("# %d outputs, %d wrong: %s".formatted(outputs, wrong, wrong == 0 ? "OK" : "FAILED"));
        if (wrong > 0) {
            throw new WrongResultException("verify: %d of %d outputs are wrong".formatted(wrong, outputs));
        }
    }
}
