package layerwise.kernels;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllMethod;
import layerwise.op.Communicator;
import layerwise.op.RankGroup;
import layerwise.tensor.DType;

/** The program of a rank that is a process of its own: runs every check of {@link CollectiveChecks}. */
final class RankProcess implements Communicator {
    private static final int REPLAYS = 3; // processes take turns on the GPU, each some milliseconds

    private final RankGroup group;
    private final DataInputStream in;
    private final DataOutputStream out;

    private RankProcess(RankGroup group, Socket hub) throws IOException {
        this.group = group;
        this.in = new DataInputStream(hub.getInputStream());
        this.out = new DataOutputStream(hub.getOutputStream());
    }

    /** Arguments: rank, ranks, port of the hub that hands messages on. */
    public static void main(String[] args) throws IOException {
        RankGroup group = new RankGroup(Integer.parseInt(args[0]), Integer.parseInt(args[1]));
        try (Socket hub = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(args[2]))) {
            RankProcess ranks = new RankProcess(group, hub);
            ranks.out.writeInt(group.rank());
            CollectiveChecks checks = new CollectiveChecks(ranks, REPLAYS);
            checks.allReduce();
            checks.allReduceOfWhatAnOperatorMade();
            checks.reduceScatter();
            checks.allGather();
            for (AllToAllMethod method : AllToAllMethod.values()) {
                checks.dispatch(method);
                checks.combine(method, DType.BF16, AllToAllCombine.Wire.STORED);
                checks.combine(method, DType.BF16, AllToAllCombine.Wire.FP8);
                checks.thereAndBack(method);
            }
        }
    }

    @Override
    public RankGroup group() {
        return group;
    }

    @Override
    public List<byte[]> allGather(byte[] own) {
        try {
            out.writeInt(own.length);
            out.write(own);
            List<byte[]> all = new ArrayList<>();
            for (int rank = 0; rank < group.size(); rank++) {
                all.add(in.readNBytes(in.readInt()));
            }
            return all;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public List<byte[]> exchange(List<byte[]> toEach) {
        throw new UnsupportedOperationException("GPUs carry their exchanges themselves");
    }

    @Override
    public void abort(int status) {}

    @Override
    public void close() {}
}
