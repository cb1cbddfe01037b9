package layerwise.op;

import java.util.List;
import java.util.OptionalLong;

/**
 * Runs programs. Belongs to the thread that opened it.
 *
 * <p>Work is enqueued in order; {@link #synchronize} waits for it. An executor without queues of its own runs at once.
 */
public interface Executor extends AutoCloseable {
    /** What runs, for people: {@code reference}, or the name of a GPU. */
    String device();

    Capabilities capabilities();

    /** An empty memory. */
    Memory allocate();

    /**
     * Gives a program's intermediate buffers their places and prepares every launch, so that running allocates nothing.
     * Buffers that {@code memory} does not hold are intermediate.
     */
    Execution prepare(Program program, Memory memory);

    /**
     * Executions one after the other as one unit, as {@link Execution#capture} makes one of a single one; the same may come
     * several times.
     */
    default Replay capture(List<Execution> executions) {
        List<Replay> parts = executions.stream().map(Execution::capture).toList();
        return new Replay() {
            @Override
            public void launch() {
                parts.forEach(Replay::launch);
            }

            @Override
            public void close() {
                parts.forEach(Replay::close);
            }
        };
    }

    /** Bytes of the cache before the device's memory; empty where an executor does not know. */
    default OptionalLong cacheBytes() {
        return OptionalLong.empty();
    }

    /** Marks on the executor's own time line, {@code marks} of them. */
    Stopwatch stopwatch(int marks);

    /** Waits until everything enqueued has run; reports what went wrong meanwhile. */
    void synchronize();

    /** What a person should know about how operators run here, one line each. */
    default List<String> notes() {
        return List.of();
    }

    /**
     * Comes before {@link #close} where all went well, on every rank: returns once no rank needs this one's memory. Nothing
     * runs afterwards.
     */
    default void leave() {}

    @Override
    void close();
}
