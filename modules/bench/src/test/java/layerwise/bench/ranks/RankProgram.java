package layerwise.bench.ranks;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import layerwise.op.Communicator;
import layerwise.op.Rendezvous;

/** What the ranks of a test's job run: {@code run SCENARIO}, as the launchers pass it. */
public final class RankProgram {
    private RankProgram() {}

    public static void main(String[] arguments) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        int status = 0;
        try {
            Ranks.run(System.getenv(), out, err, here -> play(arguments[1], here, out));
        } catch (RuntimeException | Error e) {
            status = Failures.print(e, "layerwise", err);
        }
        System.exit(status);
    }

    private static void play(String scenario, Ranks.Here here, PrintStream out) {
        int rank = here.rank().rank();
        Rendezvous rendezvous = here.rendezvous();
        switch (scenario) {
            case "messages" -> messages(rendezvous, out);
            case "throw" -> {
                rendezvous.barrier();
                if (rank == 1) {
                    throw new IllegalStateException("the fault of one rank");
                }
                waitForever(rendezvous);
            }
            case "differ" -> {
                Agreement.require(rendezvous, Map.of("batch_size", List.of(rank == 1 ? 8 : 4), "model", "tiny"));
                throw new AssertionError("ranks that differ agreed");
            }
            case "wait" -> {
                rendezvous.barrier();
                out.println("PID " + rank + " " + ProcessHandle.current().pid());
                out.flush();
                waitForever(rendezvous);
            }
            default -> throw new IllegalArgumentException(scenario);
        }
    }

    /** Messages of different lengths, empty ones too, arrive where they should. */
    private static void messages(Rendezvous rendezvous, PrintStream out) {
        int rank = rendezvous.group().rank();
        int size = rendezvous.group().size();
        for (int round = 0; round < 3; round++) {
            List<byte[]> all = rendezvous.allGather(message(rank, round));
            for (int from = 0; from < size; from++) {
                requireEqual(message(from, round), all.get(from));
            }
            if (rendezvous instanceof Communicator communicator) {
                List<byte[]> toEach = IntStream.range(0, size)
                        .mapToObj(to -> message(rank + 10 * to, 2))
                        .toList();
                List<byte[]> fromEach = communicator.exchange(toEach);
                for (int from = 0; from < size; from++) {
                    requireEqual(message(from + 10 * rank, 2), fromEach.get(from));
                }
            }
        }
        out.println("MESSAGES " + rank + " of " + size + " " + (rendezvous instanceof Communicator));
    }

    private static byte[] message(int seed, int round) {
        byte[] message = new byte[round == 0 ? 0 : seed * 7 + round];
        Arrays.fill(message, (byte) (seed + round));
        return message;
    }

    private static void requireEqual(byte[] expected, byte[] actual) {
        if (!Arrays.equals(expected, actual)) {
            throw new AssertionError("a message of %d bytes, expected %d".formatted(actual.length, expected.length));
        }
    }

    private static void waitForever(Rendezvous rendezvous) {
        while (true) {
            rendezvous.barrier();
        }
    }
}
