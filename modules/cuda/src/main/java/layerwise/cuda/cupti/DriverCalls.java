package layerwise.cuda.cupti;

import java.util.Arrays;
import java.util.BitSet;

/**
 * Calls of the driver API, held back until it is known which of them a runtime call made: a trace has one row for each
 * correlation id, and the runtime's is the one that the program wrote.
 */
final class DriverCalls {
    /** Receives what remains. */
    @FunctionalInterface
    interface Sink {
        void call(int callbackId, int threadId, long correlationId, long start, long end, int returnValue);
    }

    private final BitSet runtimeCalls = new BitSet();
    private int[] callbackIds = new int[256];
    private int[] threadIds = new int[256];
    private int[] correlationIds = new int[256];
    private int[] returnValues = new int[256];
    private long[] starts = new long[256];
    private long[] ends = new long[256];
    private int size;

    /** Notes that a runtime call has this correlation id. */
    void runtimeCall(int correlationId) {
        runtimeCalls.set(correlationId);
    }

    void add(int callbackId, int threadId, int correlationId, long start, long end, int returnValue) {
        if (size == starts.length) {
            int capacity = Math.multiplyExact(size, 2);
            callbackIds = Arrays.copyOf(callbackIds, capacity);
            threadIds = Arrays.copyOf(threadIds, capacity);
            correlationIds = Arrays.copyOf(correlationIds, capacity);
            returnValues = Arrays.copyOf(returnValues, capacity);
            starts = Arrays.copyOf(starts, capacity);
            ends = Arrays.copyOf(ends, capacity);
        }
        callbackIds[size] = callbackId;
        threadIds[size] = threadId;
        correlationIds[size] = correlationId;
        returnValues[size] = returnValue;
        starts[size] = start;
        ends[size] = end;
        size++;
    }

    /** Hands on the calls that no runtime call made, and forgets all of them. */
    void settle(Sink sink) {
        for (int i = 0; i < size; i++) {
            if (!runtimeCalls.get(correlationIds[i])) {
                sink.call(
                        callbackIds[i],
                        threadIds[i],
                        Integer.toUnsignedLong(correlationIds[i]),
                        starts[i],
                        ends[i],
                        returnValues[i]);
            }
        }
        size = 0;
    }
}
