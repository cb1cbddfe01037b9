package layerwise.bench.ranks;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import layerwise.op.Communicator;
import layerwise.op.Rendezvous;

/**
 * Times of something that all ranks do together, as the slowest of them has it. What a rank then makes of a time, such as how
 * often to repeat, every rank makes of it.
 *
 * @param rendezvous of the ranks; all make the same calls
 */
public record Slowest(Rendezvous rendezvous) {
    /** One rank's own times. */
    public static Slowest alone() {
        return new Slowest(Communicator.alone());
    }

    /** The longest of all ranks' times. */
    public double of(double own) {
        return of(List.of(own)).getFirst();
    }

    /** The longest of all ranks' times, one by one; every rank has as many. */
    public List<Double> of(List<Double> own) {
        ByteBuffer message = ByteBuffer.allocate(own.size() * Double.BYTES);
        own.forEach(message::putDouble);
        List<ByteBuffer> all = rendezvous.allGather(message.array()).stream()
                .map(ByteBuffer::wrap)
                .toList();
        List<Double> slowest = new ArrayList<>();
        for (int i = 0; i < own.size(); i++) {
            int at = i * Double.BYTES;
            slowest.add(
                    all.stream().mapToDouble(times -> times.getDouble(at)).max().orElseThrow());
        }
        return slowest;
    }
}
