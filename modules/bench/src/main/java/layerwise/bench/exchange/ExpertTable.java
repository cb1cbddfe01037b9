package layerwise.bench.run;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import layerwise.model.layer.ExpertChoice;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.ExpertLoad;
import layerwise.op.Memory;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;

/**
 * Which experts the tokens of a step go to.
 *
 * @param ids row by row, k a token; empty where the router decides
 * @param topK k
 */
record ExpertTable(Optional<int[]> ids, int topK) {
    /** The router decides. */
    static ExpertTable routed() {
        return new ExpertTable(Optional.empty(), 0);
    }

    /** A constant choice. */
    static ExpertTable fixed(int[] ids, int topK) {
        return new ExpertTable(Optional.of(ids), topK);
    }

    /** Puts a constant choice into memory. */
    ExpertChoice place(Memory memory) {
        if (ids.isEmpty()) {
            return new ExpertChoice.Routed();
        }
        int[] table = ids.get();
        Buffer buffer = Buffer.of("step.experts", DType.I32, table.length / topK, topK);
        try (Arena arena = Arena.ofConfined()) {
            memory.put(buffer, new Contents.Copied(List.of(HostTensor.copyOf(arena, buffer.shape(), table))));
        }
        long active = Arrays.stream(table).distinct().count();
        return new ExpertChoice.Fixed(buffer.whole(), new ExpertLoad(table.length, active));
    }
}
