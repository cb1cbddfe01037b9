package layerwise.bench.verify;

import java.io.PrintStream;
import java.util.Locale;
import layerwise.bench.config.Problem;
import layerwise.bench.config.RunConfig;
import layerwise.model.cache.BatchTables;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.model.spec.DenseSpec;
import layerwise.model.spec.ModelSpec;
import layerwise.model.spec.MoeSpec;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.op.Batch;
import layerwise.op.Contents;
import layerwise.op.Executor;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.fusion.Fusion;
import layerwise.reference.Sample;
import layerwise.tensor.DType;
import layerwise.tensor.WrongResultException;

/** The operators of layers one by one, each fed with what the device computed before it, and the table of results. */
final class LayerVerification implements AutoCloseable {
    private static final long SEED = 20260101;

    private final RunConfig config;
    private final ModelSpec model;
    private final Executor device;
    private final PrintStream out;
    private final WeightTable weights;
    private final Memory memory;
    private final HostCopies constants;
    private final Tally tally = new Tally();

    LayerVerification(RunConfig config, ModelSpec model, Executor device, PrintStream out) {
        this.config = config;
        this.model = model;
        this.device = device;
        this.out = out;
        weights = new WeightTable(model, new WeightSource.Noise(SEED));
        memory = device.allocate();
        constants = new HostCopies(memory);
        slice(cache(config.problems().getFirst()));
        weights.place(memory);
        out.println("# verify %s on %s, seed %d".formatted(config.model(), device.device(), SEED));
        for (int index : config.layerIndices()) {
            out.println("# layer %d: %s".formatted(index, kind(index)));
        }
        out.println("# %-22s %-36s %-24s %12s %12s  %s"
                .formatted("operator", "shape", "output", "error", "of allowed", "check"));
    }

    private String kind(int index) {
        return switch (model.layer(index).feedForward()) {
            case MoeSpec moe -> "mixture of %d experts".formatted(moe.experts());
            case DenseSpec dense -> "dense";
        };
    }

    private PagedCache cache(Problem problem) {
        return new PagedCache(
                problem.batchSize(), config.limits().tokensPerBlock(), problem.seqLenQ() + problem.seqLenKvCache());
    }

    /** Layers over a cache of its size; their weights are the same. */
    private DecoderSlice slice(PagedCache cache) {
        DType cacheDtype = config.kvCacheDtype().of(model.cacheDtype());
        return new DecoderSlice(model, config.layerIndices(), weights, cache, model.dtype(), cacheDtype);
    }

    void verify(Phase phase, Problem problem) {
        out.println("# batch_size %d  seq_len_q %d  seq_len_kv_cache %d"
                .formatted(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache()));
        tally.problem();
        PagedCache cache = cache(problem);
        DecoderSlice slice = slice(cache);
        RotaryTable rotary =
                RotaryTable.of(model.layer(config.layerIndices().getFirst()).mixer(), cache.requestTokens());
        Batch batch = Batch.uniform(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache());
        try (Memory own = memory.nested()) {
            rotary.place(own);
            slice.placeCaches(own, new Contents.Uniform(-1, 1, SEED));
            BatchTables tables = cache.tables("step", 0, batch);
            tables.place(own);
            DecoderSlice.Benchmark step =
                    slice.benchmark(phase, tables.paged(), rotary.tensor(), new ExpertChoice.Routed());
            own.put(step.hidden().buffer(), new Contents.Uniform(-1, 1, SEED + 1));
            own.put(step.residual().buffer(), new Contents.Uniform(-1, 1, SEED + 2));
            Program program = Fusion.apply(step.program(), device.capabilities());
            try (OperatorCheck check = new OperatorCheck(device, own, constants, SEED)) {
                for (Operator operator : program.operators()) {
                    tally.operator(operator.name());
                    check.check(operator).forEach(this::print);
                }
            }
        }
    }

    private void print(VerifiedOutput row) {
        Comparison comparison = row.comparison();
        tally.output(row);
        String name = row.output().buffer().name();
        out.println(String.format(
                Locale.ROOT,
                "  %-22s %-36s %-24s %12.3e %12.3f  %s",
                row.operator().name(),
                row.operator().label(),
                name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1),
                comparison.error(),
                comparison.worst(),
                verdict(row)));
    }

    private static String verdict(VerifiedOutput row) {
        Comparison comparison = row.comparison();
        if (!comparison.isRight()) {
            return "WRONG %d elements, first %s".formatted(comparison.wrong(), comparison.remark());
        }
        if (!comparison.remark().isEmpty()) {
            return "ok (%s)".formatted(comparison.remark());
        }
        Sample sample = row.sample();
        return sample.isComplete()
                ? "ok"
                : "ok (%d of %d rows, %d of %d elements)"
                        .formatted(
                                sample.size(),
                                sample.total(),
                                comparison.compared(),
                                row.output().shape().elements());
    }

    /**
     * Prints the verdict.
     *
     * @throws WrongResultException if an output is wrong
     */
    void conclude() {
        out.println("# " + tally);
        if (tally.wrong() > 0) {
            throw new WrongResultException(
                    "verify: %d of %d outputs are wrong".formatted(tally.wrong(), tally.outputs()));
        }
    }

    @Override
    public void close() {
        constants.close();
        memory.close();
    }
}
