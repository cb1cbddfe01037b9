package layerwise.bench.ranks;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import layerwise.mpi.MpiCommunicator;
import layerwise.mpi.ProcessEnd;
import layerwise.op.Communicator;
import layerwise.op.Rendezvous;
import layerwise.tensor.ConfigException;
import layerwise.tensor.WrongResultException;

/** Runs a program on every rank: they meet first, and when one fails all of them end. */
public final class Ranks {
    /** Others have the same unusable input or wrong results, most likely: rank 0 gets the time to say so and end the run. */
    private static final Duration HEAD_START = Duration.ofSeconds(2);

    private static final Duration LONGEST_WAY_OUT = Duration.ofSeconds(5);

    private static final String SECONDS = "LAYERWISE_RENDEZVOUS_SECONDS";
    private static final String ADDRESS = "LAYERWISE_RENDEZVOUS";

    private final Rank rank;
    private final Map<String, String> environment;
    private final PrintStream err;

    private Ranks(Rank rank, Map<String, String> environment, PrintStream err) {
        this.rank = rank;
        this.environment = environment;
        this.err = err;
    }

    /** This process's place and what it meets the others by. */
    public static final class Here {
        private final Rank rank;
        private final Rendezvous rendezvous;
        private final PrintStream out;
        private final PrintStream err;

        private Here(Rank rank, Rendezvous rendezvous, PrintStream out, PrintStream err) {
            this.rank = rank;
            this.rendezvous = rendezvous;
            this.out = out;
            this.err = err;
        }

        public Rank rank() {
            return rank;
        }

        public Rendezvous rendezvous() {
            return rendezvous;
        }

        /**
         * Does something of which a failure ends the others before this rank closes what they may wait for.
         *
         * @throws JobEnded if it failed among several ranks; alone the failure itself is thrown
         */
        public void together(Runnable work) {
            try {
                work.run();
            } catch (JobEnded e) {
                throw e;
            } catch (RuntimeException | Error e) {
                if (rank.world() == 1) {
                    throw e;
                }
                throw new JobEnded(end(e), e);
            }
        }

        /** Says why this rank fails, and takes the others along. Not every rendezvous returns from that. */
        private int end(Throwable failure) {
            if (rank.rank() != 0 && (failure instanceof ConfigException || failure instanceof WrongResultException)) {
                try {
                    Thread.sleep(HEAD_START);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            out.flush();
            int status = Failures.print(failure, "layerwise: rank " + rank.rank(), err);
            err.flush();
            endSoon(status);
            rendezvous.abort(status);
            return status;
        }

        /** What is closed on the way out may wait for kernels, and those for ranks that are gone. */
        private static void endSoon(int status) {
            Thread.ofPlatform().daemon().name("end").start(() -> {
                try {
                    Thread.sleep(LONGEST_WAY_OUT);
                    ProcessEnd.now(status);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }
    }

    /** One rank. */
    public static Here alone() {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        return new Here(new Rank(0, 1, 0, 1), Communicator.alone(), nowhere, nowhere);
    }

    /**
     * Runs this rank's part of a program.
     *
     * @throws JobEnded if this rank or another failed among several
     * @throws ConfigException if the ranks cannot meet
     */
    public static void run(Map<String, String> environment, PrintStream out, PrintStream err, Consumer<Here> body) {
        Rank rank = Rank.of(environment);
        Rendezvous rendezvous = rank.world() == 1 ? Communicator.alone() : new Ranks(rank, environment, err).meet();
        Here here = new Here(rank, rendezvous, out, err);
        here.together(() -> body.accept(here));
        rendezvous.close();
    }

    private Rendezvous meet() {
        Duration patience = patience();
        if (environment.containsKey("OMPI_COMM_WORLD_SIZE") || environment.containsKey("PMIX_RANK")) {
            Optional<MpiCommunicator> mpi = within(patience);
            if (mpi.isPresent()) {
                if (!mpi.get().group().equals(rank.group())) {
                    throw new ConfigException("environment: rank %d of %d: MPI says rank %d of %d; expected the same"
                            .formatted(
                                    rank.rank(),
                                    rank.world(),
                                    mpi.get().group().rank(),
                                    mpi.get().group().size()));
                }
                return mpi.get();
            }
        } else if (environment.containsKey("PMI_RANK") && !environment.containsKey(ADDRESS)) {
            throw new ConfigException(
                    "environment: PMI_RANK=%s: started by another MPI; expected Open MPI 4 or 5, or %s"
                            .formatted(environment.get("PMI_RANK"), ADDRESS));
        }
        String address = environment.get(ADDRESS);
        if (address == null) {
            throw new ConfigException(
                    "environment: WORLD_SIZE=%d without Open MPI: expected %s=HOST:PORT of rank 0, or a start by mpirun"
                            .formatted(rank.world(), ADDRESS));
        }
        return TcpRendezvous.meet(rank.group(), address, patience, message -> {
            err.println("layerwise: rank %d: %s".formatted(rank.rank(), message));
            err.flush();
        });
    }

    /**
     * Joins MPI. Its start returns only when every process joins, so a guard ends this one after a while; {@code mpirun} then
     * ends the others.
     */
    private Optional<MpiCommunicator> within(Duration patience) {
        CountDownLatch joined = new CountDownLatch(1);
        Thread.ofPlatform().daemon().name("rendezvous").start(() -> {
            try {
                if (!joined.await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                    err.println(
                            "layerwise: rank %d: rendezvous: not all of %d ranks started MPI within %d s; %s sets the time"
                                    .formatted(rank.rank(), rank.world(), patience.toSeconds(), SECONDS));
                    err.flush();
                    Runtime.getRuntime().halt(2);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            return MpiCommunicator.join();
        } finally {
            joined.countDown();
        }
    }

    private Duration patience() {
        String text = environment.getOrDefault(SECONDS, "120");
        try {
            int seconds = Integer.parseInt(text);
            if (seconds > 0) {
                return Duration.ofSeconds(seconds);
            }
        } catch (NumberFormatException e) {
            throw new ConfigException("environment: %s=%s: expected a number of seconds".formatted(SECONDS, text), e);
        }
        throw new ConfigException("environment: %s=%s: expected a number of seconds".formatted(SECONDS, text));
    }
}
