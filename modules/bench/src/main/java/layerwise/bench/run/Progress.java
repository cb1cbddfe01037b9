package layerwise.bench.run;

import java.io.PrintStream;
import java.util.Locale;

/** Tells a waiting person how far a run is: a bar on a terminal, plain lines otherwise, nothing from other ranks. */
final class Progress {
    private static final int WIDTH = 30;

    private final PrintStream out;
    private final boolean terminal;
    private final boolean speaks;

    /**
     * Opens it.
     *
     * @param terminal whether {@code out} shows a bar well
     * @param speaks   whether this rank talks
     */
    Progress(PrintStream out, boolean terminal, boolean speaks) {
        this.out = out;
        this.terminal = terminal;
        this.speaks = speaks;
    }

    /** Runs one phase between its two lines. */
    void phase(String name, Runnable body) {
        say("Layer-wise benchmarks: " + name);
        body.run();
        say("Layer-wise benchmarks: " + name + "  ... Done");
    }

    /** One line. */
    void say(String line) {
        if (speaks) {
            out.println(line);
        }
    }

    /** Says how long weights took. */
    void loaded(long bytes, long nanos) {
        say(String.format(
                Locale.ROOT,
                "Layer-wise benchmarks: weights: %.3f GB in %.3f s, %.1f GB/s",
                bytes / 1e9,
                nanos / 1e9,
                bytes / (double) nanos));
    }

    /** Shows that {@code done} of {@code total} parts are done; plain output gets about ten lines. */
    void show(String name, int done, int total) {
        if (!speaks) {
            return;
        }
        if (terminal) {
            int filled = total == 0 ? WIDTH : (int) ((long) WIDTH * done / total);
            out.print("\r%s [%s%s] %d/%d%s"
                    .formatted(
                            name,
                            "#".repeat(filled),
                            " ".repeat(WIDTH - filled),
                            done,
                            total,
                            done == total ? "\n" : ""));
            out.flush();
        } else if (done == total || done % Math.ceilDiv(total, 10) == 0) {
            out.println("%s %d/%d".formatted(name, done, total));
        }
    }
}
