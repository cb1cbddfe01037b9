package layerwise.kernels;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import layerwise.op.Communicator;
import layerwise.op.RankGroup;

/** Ranks that are threads of this process; one that fails takes the others down. */
final class ThreadRanks {
    /** What one rank does. */
    @FunctionalInterface
    interface Body {
        void run(Communicator communicator) throws Exception;
    }

    private final Phaser meetings;
    private final List<byte[]> gathered;
    private final List<List<byte[]>> exchanged;

    private ThreadRanks(int ranks) {
        this.meetings = new Phaser(ranks);
        this.gathered = Collections.synchronizedList(new ArrayList<>(Collections.nCopies(ranks, new byte[0])));
        this.exchanged = Collections.synchronizedList(new ArrayList<>(Collections.nCopies(ranks, List.of())));
    }

    /** Runs a body for each rank and throws what the first of them threw. */
    static void run(int ranks, Body body) {
        ThreadRanks all = new ThreadRanks(ranks);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            RankGroup group = new RankGroup(rank, ranks);
            threads.add(Thread.ofPlatform().name("rank " + rank).start(() -> {
                try {
                    body.run(all.communicator(group));
                } catch (Throwable t) {
                    failure.compareAndSet(null, t);
                    all.meetings.forceTermination();
                }
            }));
        }
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        if (failure.get() != null) {
            throw new AssertionError(failure.get().toString(), failure.get());
        }
    }

    private Communicator communicator(RankGroup group) {
        return new Communicator() {
            @Override
            public RankGroup group() {
                return group;
            }

            @Override
            public List<byte[]> allGather(byte[] own) {
                gathered.set(group.rank(), own.clone());
                meet();
                List<byte[]> all = List.copyOf(gathered);
                meet();
                return all;
            }

            @Override
            public List<byte[]> exchange(List<byte[]> toEach) {
                exchanged.set(group.rank(), toEach);
                meet();
                List<byte[]> all =
                        exchanged.stream().map(sent -> sent.get(group.rank())).toList();
                meet();
                return all;
            }

            @Override
            public void abort(int status) {}

            @Override
            public void close() {}
        };
    }

    private void meet() {
        int phase = meetings.arrive();
        try {
            if (phase < 0 || meetings.awaitAdvanceInterruptibly(phase, 120, TimeUnit.SECONDS) < 0) {
                throw new IllegalStateException("another rank failed");
            }
        } catch (InterruptedException | TimeoutException e) {
            throw new IllegalStateException("another rank did not come", e);
        }
    }
}
