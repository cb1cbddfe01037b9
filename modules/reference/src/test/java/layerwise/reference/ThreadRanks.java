package layerwise.reference;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import layerwise.op.Communicator;
import layerwise.op.RankGroup;

/** Ranks as threads of one process. */
final class ThreadRanks {
    private final byte[][][] messages;
    private final CyclicBarrier barrier;

    private ThreadRanks(int size) {
        messages = new byte[size][size][];
        barrier = new CyclicBarrier(size);
    }

    /** What every rank returns, in rank order. */
    static <T> List<T> run(int size, Function<Communicator, T> body) {
        ThreadRanks ranks = new ThreadRanks(size);
        List<Callable<T>> tasks = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            Communicator communicator = ranks.of(rank);
            tasks.add(() -> body.apply(communicator));
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(size)) {
            List<T> results = new ArrayList<>();
            for (Future<T> future : threads.invokeAll(tasks)) {
                results.add(future.get());
            }
            return results;
        } catch (ExecutionException e) {
            throw new AssertionError("a rank failed", e.getCause());
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
    }

    private Communicator of(int rank) {
        int size = messages.length;
        return new Communicator() {
            @Override
            public RankGroup group() {
                return new RankGroup(rank, size);
            }

            @Override
            public List<byte[]> allGather(byte[] own) {
                List<byte[]> toEach = new ArrayList<>();
                for (int to = 0; to < size; to++) {
                    toEach.add(own);
                }
                return exchange(toEach);
            }

            @Override
            public List<byte[]> exchange(List<byte[]> toEach) {
                for (int to = 0; to < size; to++) {
                    messages[rank][to] = toEach.get(to).clone();
                }
                await();
                List<byte[]> received = new ArrayList<>();
                for (int from = 0; from < size; from++) {
                    received.add(messages[from][rank]);
                }
                await();
                return received;
            }

            private void await() {
                try {
                    barrier.await();
                } catch (InterruptedException | BrokenBarrierException e) {
                    throw new IllegalStateException("another rank failed", e);
                }
            }

            @Override
            public void abort(int status) {
                barrier.reset();
            }

            @Override
            public void close() {}
        };
    }
}
