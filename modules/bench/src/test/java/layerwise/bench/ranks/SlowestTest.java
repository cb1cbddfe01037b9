package layerwise.bench.ranks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.List;
import layerwise.op.RankGroup;
import layerwise.op.Rendezvous;
import org.junit.jupiter.api.Test;

class SlowestTest {
    /** Rank 0 of two, the other one's times given. */
    private record Two(List<Double> other) implements Rendezvous {
        @Override
        public RankGroup group() {
            return new RankGroup(0, 2);
        }

        @Override
        public List<byte[]> allGather(byte[] own) {
            ByteBuffer message = ByteBuffer.allocate(other.size() * Double.BYTES);
            other.forEach(message::putDouble);
            return List.of(own, message.array());
        }

        @Override
        public void abort(int status) {
            throw new AssertionError("nobody fails");
        }

        @Override
        public void close() {}
    }

    @Test
    void eachTimeIsThatOfTheRankThatTookLongest() {
        assertEquals(List.of(3.0, 5.0), new Slowest(new Two(List.of(1.0, 5.0))).of(List.of(3.0, 4.0)));
        assertEquals(7.5, new Slowest(new Two(List.of(7.5))).of(2.0));
    }

    @Test
    void aloneTimesAreTheOwn() {
        assertEquals(List.of(3.0, 4.0), Slowest.alone().of(List.of(3.0, 4.0)));
    }
}
