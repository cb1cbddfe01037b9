package layerwise.bench.exchange;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import layerwise.model.layer.ExpertChoice;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.ExchangeLoad;
import layerwise.op.ExpertLoad;
import layerwise.op.Memory;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;

/**
 * Which experts this rank's tokens of a step go to.
 *
 * @param chunks one choice for each chunk of the tokens; empty where the router decides
 * @param topK k
 */
public record ExpertTable(List<Chunk> chunks, int topK) {
    /**
     * A constant choice.
     *
     * @param ids      row by row, k a token
     * @param load     what the choices of all ranks mean for this rank's experts
     * @param exchange what they mean for the links
     */
    public record Chunk(List<Integer> ids, ExpertLoad load, ExchangeLoad exchange) {
        public Chunk {
            ids = List.copyOf(ids);
        }
    }

    public ExpertTable {
        chunks = List.copyOf(chunks);
    }

    /** The router decides. */
    public static ExpertTable routed() {
        return new ExpertTable(List.of(), 0);
    }

    public boolean isRouted() {
        return chunks.isEmpty();
    }

    /** Every chunk's choice, one behind the other: {@code [T,k]} row by row. */
    public int[] ids() {
        return chunks.stream()
                .flatMap(chunk -> chunk.ids().stream())
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** Puts a constant choice into memory. */
    public ExpertChoice place(Memory memory) {
        if (isRouted()) {
            return new ExpertChoice.Routed();
        }
        int[] all = ids();
        Buffer buffer = buffer();
        try (Arena arena = Arena.ofConfined()) {
            memory.put(buffer, new Contents.Copied(List.of(HostTensor.copyOf(arena, buffer.shape(), all))));
        }
        return choice();
    }

    private Buffer buffer() {
        int pairs = chunks.stream().mapToInt(chunk -> chunk.ids().size()).sum();
        return Buffer.of("step.experts", DType.I32, pairs / topK, topK);
    }

    /** The choice as layers name it, without a place. */
    public ExpertChoice choice() {
        if (isRouted()) {
            return new ExpertChoice.Routed();
        }
        Buffer buffer = buffer();
        List<ExpertChoice.Table> tables = new ArrayList<>();
        int from = 0;
        for (Chunk chunk : chunks) {
            int until = from + chunk.ids().size() / topK;
            TensorRef rows = buffer.whole().slice(0, from, until);
            tables.add(new ExpertChoice.Table(rows, chunk.load(), chunk.exchange()));
            from = until;
        }
        return new ExpertChoice.Fixed(tables);
    }
}
