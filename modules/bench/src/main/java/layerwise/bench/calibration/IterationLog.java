package layerwise.bench.calibration;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Memory;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;

/** Copies of integer tensors as they were after each iteration, taken on the device in the order of its work. */
final class IterationLog {
    private final Buffer kept;
    private final List<List<Runnable>> copies = new ArrayList<>();

    /**
     * Makes room and prepares the copies.
     *
     * @param sources int32 tensors without gaps
     * @param memory  sees them; the log lives in it
     */
    IterationLog(String name, List<TensorRef> sources, int iterations, Memory memory) {
        long each =
                sources.stream().mapToLong(source -> source.shape().elements()).sum();
        kept = Buffer.of(name, DType.I32, iterations * each);
        memory.put(kept, new Contents.Undefined());
        long at = 0;
        for (int i = 0; i < iterations; i++) {
            List<Runnable> ofIteration = new ArrayList<>();
            for (TensorRef source : sources) {
                long next = at + source.shape().elements();
                if (next > at) {
                    ofIteration.add(memory.copying(source, kept.whole().slice(0, at, next)));
                }
                at = next;
            }
            copies.add(ofIteration);
        }
    }

    /** Enqueues the copies of one iteration. */
    void keep(int iteration) {
        for (Runnable copy : copies.get(iteration)) {
            copy.run();
        }
    }

    /** For each iteration the tensors' elements, one behind the other, once everything enqueued has run. */
    List<int[]> read(Memory memory) {
        if (kept.shape().elements() == 0) {
            return Collections.nCopies(copies.size(), new int[0]);
        }
        try (Arena arena = Arena.ofConfined()) {
            int[] all = memory.read(kept.whole(), arena).copyToInts();
            int each = all.length / copies.size();
            return IntStream.range(0, copies.size())
                    .mapToObj(i -> Arrays.copyOfRange(all, i * each, (i + 1) * each))
                    .toList();
        }
    }
}
