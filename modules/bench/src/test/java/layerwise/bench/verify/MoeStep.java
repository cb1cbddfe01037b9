package layerwise.bench.verify;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import layerwise.model.cache.BatchTables;
import layerwise.model.cache.CacheTypes;
import layerwise.model.cache.PagedCache;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.op.AllGather;
import layerwise.op.AllToAllCombine;
import layerwise.op.Batch;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.ExchangeLoad;
import layerwise.op.ExpertLoad;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.RankGroup;
import layerwise.op.RankTokens;
import layerwise.op.ReduceScatter;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;

/**
 * The step of a {@link MoeCase} as the layers emit it. Nobody carries what ranks send each other: made-up rows stand for
 * what would have come from the others.
 */
final class MoeStep {
    private static final long SEED = 20260102;

    private final MoeCase one;
    private final WeightTable weights;
    private final RankTokens tokens;
    private final TensorRef ids;
    private final BatchTables tables;
    private final DecoderSlice.Benchmark step;
    private final int[] table;

    MoeStep(MoeCase one) {
        this.one = one;
        ModelSpec model = one.model();
        weights = new WeightTable(model, new WeightSource.Noise(SEED));
        RankGroup group = new RankGroup(one.ranks() - 1, one.ranks());
        Mapping mapping = new Mapping(group, true);
        tokens = tokens(group);
        Batch batch = Batch.uniform(1, tokens.own(), 0);
        PagedCache cache = new PagedCache(1, 32, tokens.own());
        DecoderSlice slice = new DecoderSlice(
                model,
                List.of(0),
                weights,
                cache,
                DType.BF16,
                new CacheTypes(DType.BF16, DType.BF16, DType.BF16),
                mapping);
        tables = cache.tables("step", 0, batch);
        table = one.tokenRouting().table(one.tokens(), one.topK(), one.experts());
        ids = Buffer.of("chosen", DType.I32, tokens.own(), one.topK()).whole();
        Traffic traffic = new Traffic(tokens, Optional.empty(), AllToAllCombine.Wire.STORED, OptionalInt.empty());
        step = slice.benchmark(Phase.CONTEXT, tables.paged(), Optional.empty(), choice(mapping), traffic);
    }

    /** The last rank has at least one, and what the others do not share evenly. */
    private RankTokens tokens(RankGroup group) {
        int each = (one.tokens() - 1) / group.size();
        List<Integer> counts = new ArrayList<>(Collections.nCopies(group.size(), each));
        counts.set(group.rank(), one.tokens() - each * group.rank());
        return new RankTokens(group, counts);
    }

    private ExpertChoice choice(Mapping mapping) {
        if (one.tokenRouting() == TokenRouting.ROUTED) {
            return new ExpertChoice.Routed();
        }
        long first = mapping.experts(one.toString(), one.experts()).from();
        long rows = Arrays.stream(table).filter(id -> id >= first).count();
        long active = Arrays.stream(table).filter(id -> id >= first).distinct().count();
        return new ExpertChoice.Fixed(List.of(new ExpertChoice.Table(
                ids, new ExpertLoad(rows, active), ExchangeLoad.expected(tokens, one.topK(), one.experts()))));
    }

    /** The step before backends launch it their way. */
    Program program() {
        return step.program();
    }

    /** Gives weights their place. */
    void placeWeights(Memory memory) {
        weights.place(memory);
    }

    /** Gives the step's inputs their place. */
    void place(Memory memory) {
        tables.place(memory);
        memory.put(step.hidden().buffer(), new Contents.Uniform(-1, 1, SEED + 1));
        memory.put(step.residual().buffer(), new Contents.Uniform(-1, 1, SEED + 2));
        int[] own = Arrays.copyOfRange(table, tokens.first() * one.topK(), table.length);
        put(memory, ids.buffer(), own);
        for (Operator operator : step.program().operators()) {
            switch (operator) {
                case AllGather gather -> gather.parts().forEach(part -> gathered(memory, part.y()));
                case ReduceScatter scatter ->
                    memory.put(scatter.outputs().getFirst().buffer(), noise(-1));
                default -> {}
            }
        }
    }

    /** Whether it is one of those whose results are made up. */
    static boolean isCarried(Operator operator) {
        return operator instanceof AllGather || operator instanceof ReduceScatter;
    }

    private void gathered(Memory memory, TensorRef part) {
        switch (part.dtype()) {
            case I32 -> put(memory, part.buffer(), table);
            case F32 -> memory.put(part.buffer(), noise(0));
            default -> memory.put(part.buffer(), noise(-1));
        }
    }

    private static Contents noise(float low) {
        return new Contents.Uniform(low, 1, SEED + 7);
    }

    private static void put(Memory memory, Buffer buffer, int[] values) {
        try (Arena arena = Arena.ofConfined()) {
            Shape shape = buffer.whole().shape();
            memory.put(buffer, new Contents.Copied(List.of(HostTensor.copyOf(arena, shape, values))));
        }
    }
}
