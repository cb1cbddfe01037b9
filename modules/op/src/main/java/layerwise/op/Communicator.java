package layerwise.op;

import java.util.List;

/** A rendezvous that carries collectives as well, for executors without links of their own. */
public interface Communicator extends Rendezvous {
    /** One message to each rank, in rank order; gives the message of each rank to this one. Lengths may differ. */
    List<byte[]> exchange(List<byte[]> toEach);

    /** Of one process that talks to itself. */
    static Communicator alone() {
        return new Communicator() {
            @Override
            public RankGroup group() {
                return RankGroup.alone();
            }

            @Override
            public List<byte[]> allGather(byte[] own) {
                return List.of(own.clone());
            }

            @Override
            public List<byte[]> exchange(List<byte[]> toEach) {
                return List.of(toEach.getFirst().clone());
            }

            @Override
            public void abort(int status) {}

            @Override
            public void close() {}
        };
    }
}
