package layerwise.bench.verify;

import java.io.PrintStream;
import layerwise.bench.config.RunConfig;
import layerwise.bench.device.Devices;
import layerwise.bench.exchange.Balancing;
import layerwise.bench.exchange.Exchange;
import layerwise.model.cache.BatchTables;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
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
import layerwise.op.Rendezvous;
import layerwise.op.fusion.Fusion;
import layerwise.tensor.DType;
import layerwise.tensor.WrongResultException;
import layerwise.trace.ProblemSpec;

/**
 * The operators of layers one by one, each fed with what the device computed before it, and the table of results. Several
 * ranks check together: rank 0 prints its table, others what is wrong. Then the layers as a whole are compared with what one
 * rank alone computes.
 */
final class LayerVerification implements AutoCloseable {
    private static final long SEED = 20260101;

    private final RunConfig config;
    private final ModelSpec model;
    private final Mapping mapping;
    private final Exchange exchange;
    private final Balancing balancing;
    private final Executor device;
    private final Rendezvous rendezvous;
    private final PrintStream out;
    private final WeightTable weights;
    private final Memory memory;
    private final HostCopies constants;
    private final Tally tally = new Tally();
    private final int rank;

    LayerVerification(
            RunConfig config,
            ModelSpec model,
            Mapping mapping,
            Exchange exchange,
            Balancing balancing,
            Executor device,
            Rendezvous rendezvous,
            PrintStream out) {
        this.config = config;
        this.model = model;
        this.mapping = mapping;
        this.exchange = exchange;
        this.balancing = balancing;
        this.device = device;
        this.rendezvous = rendezvous;
        this.out = out;
        this.rank = mapping.group().rank();
        weights = new WeightTable(model, new WeightSource.Noise(SEED));
        memory = device.allocate();
        constants = new HostCopies(memory);
        slice(cache(config.problems().getFirst()));
        weights.place(memory);
        say("# verify %s on %s, %s, seed %d".formatted(config.model(), device.device(), exchange, SEED));
        for (int index : config.layerIndices()) {
            say("# layer %d: %s".formatted(index, kind(index)));
        }
        say("# %-22s %-36s %-24s %12s %12s  %s"
                .formatted("operator", "shape", "output", "error", "of allowed", "check"));
    }

    private String kind(int index) {
        return switch (model.layer(index).feedForward()) {
            case MoeSpec moe -> "mixture of %d experts".formatted(moe.experts());
            case DenseSpec dense -> "dense";
        };
    }

    private PagedCache cache(ProblemSpec problem) {
        return new PagedCache(
                problem.batchSize(), config.limits().tokensPerBlock(), problem.seqLenQ() + problem.seqLenKvCache());
    }

    /** Layers over a cache of its size; their weights are the same. */
    private DecoderSlice slice(PagedCache cache) {
        return new DecoderSlice(model, config.layerIndices(), weights, cache, model.dtype(), cacheDtype(), mapping);
    }

    private DType cacheDtype() {
        return config.kvCacheDtype().of(model.cacheDtype());
    }

    private void say(String line) {
        if (rank == 0) {
            out.println(line);
        }
    }

    void verify(Phase phase, ProblemSpec problem) {
        say("# batch_size %d  seq_len_q %d  seq_len_kv_cache %d"
                .formatted(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache()));
        tally.problem();
        PagedCache cache = cache(problem);
        DecoderSlice slice = slice(cache);
        RotaryTable rotary =
                RotaryTable.of(model.layer(config.layerIndices().getFirst()).mixer(), cache.requestTokens());
        Batch batch = Batch.uniform(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache());
        Traffic traffic = exchange.traffic(batch.tokens());
        try (Memory own = memory.nested()) {
            rotary.place(own);
            slice.placeCaches(own, new Contents.Uniform(-1, 1, SEED));
            BatchTables tables = cache.tables("step", 0, batch);
            tables.place(own);
            DecoderSlice.Benchmark step =
                    slice.benchmark(phase, tables.paged(), rotary.tensor(), new ExpertChoice.Routed(), traffic);
            LayerInputs.of(SEED, mapping.dataRank()).place(step, own);
            Program program = Fusion.apply(step.program(), device.capabilities());
            try (OperatorCheck check = new OperatorCheck(
                    device, own, constants, Devices.communicator(rendezvous), new SamplePlan(own, SEED))) {
                for (Operator operator : program.operators()) {
                    tally.operator(operator.name());
                    for (VerifiedOutput output : check.check(operator)) {
                        tally.output(output);
                        print(Row.of(output));
                    }
                }
            }
        }
        if (mapping.group().size() > 1) {
            OneRankCheck check = new OneRankCheck(config, model, mapping, device, cacheDtype(), SEED);
            for (Row row : check.check(phase, problem, traffic, balancing.table(traffic, problem.balanceRatio()))) {
                tally.output(row.isRight());
                print(row);
            }
        }
    }

    private void print(Row row) {
        if (rank == 0 || !row.isRight()) {
            out.println((rank == 0 ? "" : "rank " + rank + ":") + row.text());
        }
    }

    /**
     * Prints the verdict of all ranks.
     *
     * @throws WrongResultException if an output is wrong
     */
    void conclude() {
        Tally.Counts all = tally.counts().of(rendezvous);
        String ranks = mapping.group().size() == 1
                ? ""
                : " of %d ranks".formatted(mapping.group().size());
        say("# %s, %d sampled, %d outputs%s, %d wrong: %s"
                .formatted(
                        tally, all.sampled(), all.outputs(), ranks, all.wrong(), all.wrong() == 0 ? "OK" : "FAILED"));
        if (all.wrong() > 0) {
            throw new WrongResultException(
                    "verify: %d of %d outputs%s are wrong".formatted(all.wrong(), all.outputs(), ranks));
        }
    }

    @Override
    public void close() {
        constants.close();
        memory.close();
    }
}
