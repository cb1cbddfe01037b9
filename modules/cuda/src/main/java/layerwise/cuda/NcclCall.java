package layerwise.cuda;

import java.lang.foreign.MemorySegment;
import java.util.List;
import layerwise.bindings.nccl.nccl_h;

/** Prepared work of one communicator, addresses included: launching it allocates nothing. */
public final class NcclCall {
    /** Hands the work to the library. */
    @FunctionalInterface
    interface Enqueue {
        int into(MemorySegment stream);
    }

    /** Declared without a prototype, which jextract takes for a variable number of arguments; linked at first use. */
    private static final class Group {
        private static final nccl_h.ncclGroupStart START = nccl_h.ncclGroupStart.makeInvoker();
        private static final nccl_h.ncclGroupEnd END = nccl_h.ncclGroupEnd.makeInvoker();

        private Group() {}
    }

    private final NcclCommunicator communicator;
    private final String name;
    private final Enqueue enqueue;

    NcclCall(NcclCommunicator communicator, String name, Enqueue enqueue) {
        this.communicator = communicator;
        this.name = name;
        this.enqueue = enqueue;
    }

    /** One call for several, which then need not meet in any order: sends and receives that match each other. */
    static NcclCall group(NcclCommunicator communicator, List<NcclCall> calls) {
        NcclCall[] members = calls.toArray(NcclCall[]::new);
        return new NcclCall(communicator, "ncclGroupEnd", stream -> {
            NcclException.check(Group.START.apply(), "ncclGroupStart");
            int refused = 0;
            for (NcclCall member : members) {
                int status = member.enqueue.into(stream);
                if (refused == 0 && status != nccl_h.ncclInProgress()) {
                    refused = status;
                }
            }
            int status = Group.END.apply(); // also after a refusal, or the thread would stay in the group
            return refused == 0 ? status : refused;
        });
    }

    /**
     * Queues the work, on every rank in the same order.
     *
     * @throws NcclException if the library refuses it or has failed before; the communicator is aborted then
     */
    public void launch(CudaStream stream) {
        stream.device().checkThread();
        communicator.settle(enqueue.into(stream.handle()), name);
    }
}
