package layerwise.cuda.cupti;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import layerwise.bindings.cupti.CUpti_GraphData;
import layerwise.bindings.cupti.CUpti_ResourceData;
import layerwise.bindings.cupti.cupti_h;
import layerwise.trace.TraceRecorder;

/**
 * Creations of graph nodes, as CUPTI's callbacks report them: while a launch is captured, on the capturing thread inside
 * the captured call; at instantiation once as new and once as a clone of the captured node.
 */
final class GraphNodeLog {
    private record Event(int threadId, long epochNanos, long nodeId, long original) {}

    private static final int CREATED = cupti_h.CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED();
    private static final int CLONED = cupti_h.CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED();

    private final Queue<Event> events = new ConcurrentLinkedQueue<>();
    private final AtomicLong failures = new AtomicLong();

    /** The callback of the domain of resources: {@code (id, const CUpti_ResourceData *)}. */
    void callback(int id, MemorySegment data) {
        try {
            if (id == CREATED || id == CLONED) {
                MemorySegment graph = CUpti_ResourceData.resourceDescriptor(data);
                long original = id == CLONED ? nodeId(CUpti_GraphData.originalNode(graph)) : 0;
                add(OsThread.id(), EpochClock.nanos(), nodeId(CUpti_GraphData.node(graph)), original);
            }
        } catch (Throwable t) { // what escapes an upcall ends the process
            failures.incrementAndGet();
        }
    }

    // Asked at once: the handle may be dead after the callback.
    private static long nodeId(MemorySegment node) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment id = arena.allocate(ValueLayout.JAVA_LONG);
            int status = cupti_h.cuptiGetGraphNodeId(node, id);
            if (status != 0) {
                throw new IllegalStateException("cuptiGetGraphNodeId: " + status);
            }
            return id.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    void add(int threadId, long epochNanos, long nodeId, long original) {
        events.add(new Event(threadId, epochNanos, nodeId, original));
    }

    /** Moves what was logged to a recorder; for one thread at a time. */
    void drainTo(TraceRecorder recorder) {
        for (Event event = events.poll(); event != null; event = events.poll()) {
            recorder.graphNode(
                    event.threadId(), recorder.sinceStart(event.epochNanos()), event.nodeId(), event.original());
        }
    }

    /** Callbacks whose event was lost. */
    long failures() {
        return failures.get();
    }
}
