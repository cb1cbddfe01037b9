package layerwise.bench.verify;

import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.Optional;
import layerwise.bench.config.Problem;
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
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.op.Batch;
import layerwise.op.Capabilities;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Rendezvous;
import layerwise.op.fusion.Fusion;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.WrongResultException;

/**
 * The operators of layers one by one, each fed with what the device computed before it, and the table of results. Several
 * ranks check together: rank 0 prints its table, others what is wrong. Then the layers as a whole are compared with what one
 * rank alone computes.
 */
final class LayerVerification {
    private static final long SEED = 20260101;

    private final RunConfig config;
    private final ModelSpec model;
    private final Mapping mapping;
    private final Exchange exchange;
    private final Balancing balancing;
    private final Executor device;
    private final Rendezvous rendezvous;
    private final PrintStream out;
    private final int rank;
    private int outputs;
    private int wrong;

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
        say("# verify %s on %s, %s, seed %d".formatted(config.model(), device.device(), exchange, SEED));
        say("# %-22s %-30s %-24s %12s %12s  %s"
                .formatted("operator", "shape", "output", "error", "of allowed", "check"));
    }

    private void say(String line) {
        if (rank == 0) {
            out.println(line);
        }
    }

    void verify(Phase phase, Problem problem) {
        say("# batch_size %d  seq_len_q %d  seq_len_kv_cache %d"
                .formatted(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache()));
        PagedCache cache = new PagedCache(
                problem.batchSize(), config.limits().tokensPerBlock(), problem.seqLenQ() + problem.seqLenKvCache());
        WeightTable weights = new WeightTable(model, new WeightSource.Noise(SEED));
        DecoderSlice slice = new DecoderSlice(
                model, config.layerIndices(), weights, cache, model.dtype(), config.cacheTypes(model), mapping);
        Optional<RotaryTable> rotary = RotaryTable.of(model, config.layerIndices(), cache.requestTokens());
        Batch batch = Batch.uniform(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache());
        Traffic traffic = exchange.traffic(batch.tokens());
        try (Memory memory = device.allocate();
                Executor reference =
                        new ReferenceExecutor(Journal.NONE, Capabilities.plain(), Devices.communicator(rendezvous))) {
            weights.place(memory);
            rotary.ifPresent(table -> table.place(memory));
            slice.placeNoise(memory, SEED);
            BatchTables tables = cache.tables("step", 0, batch);
            tables.place(memory);
            DecoderSlice.Benchmark step = slice.benchmark(
                    phase, tables.paged(), rotary.map(RotaryTable::tensor), new ExpertChoice.Routed(), traffic);
            LayerInputs inputs = LayerInputs.of(SEED, mapping.dataRank());
            inputs.place(step, memory);
            Program program = Fusion.apply(step.program(), device.capabilities());
            OperatorCheck check = new OperatorCheck(device, memory, reference);
            for (Operator operator : program.operators()) {
                check.check(operator).forEach(row -> print(Row.of(row)));
            }
        }
        if (mapping.group().size() > 1) {
            OneRankCheck check = new OneRankCheck(config, model, mapping, device, SEED);
            check.check(phase, problem, traffic, balancing.table(traffic, problem.balanceRatio()))
                    .forEach(this::print);
        }
    }

    private void print(Row row) {
        outputs++;
        wrong += row.isRight() ? 0 : 1;
        if (rank == 0 || !row.isRight()) {
            out.println((rank == 0 ? "" : "rank " + rank + ":") + row.text());
        }
    }

    /** Prints the verdict of all ranks. */
    void conclude() {
        int allWrong = 0;
        int allOutputs = 0;
        byte[] own = ByteBuffer.allocate(8).putInt(outputs).putInt(wrong).array();
        for (byte[] counts : rendezvous.allGather(own)) {
            allOutputs += ByteBuffer.wrap(counts).getInt(0);
            allWrong += ByteBuffer.wrap(counts).getInt(4);
        }
        String ranks = mapping.group().size() == 1
                ? ""
                : " of %d ranks".formatted(mapping.group().size());
        say("# %d outputs%s, %d wrong: %s".formatted(allOutputs, ranks, allWrong, allWrong == 0 ? "OK" : "FAILED"));
        if (allWrong > 0) {
            throw new WrongResultException(
                    "verify: %d of %d outputs%s are wrong".formatted(allWrong, allOutputs, ranks));
        }
    }
}
