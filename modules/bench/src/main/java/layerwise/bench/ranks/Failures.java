package layerwise.bench.ranks;

import java.io.PrintStream;
import layerwise.tensor.ConfigException;
import layerwise.tensor.WrongResultException;
import layerwise.trace.TraceException;

/** What a process says and returns when it fails. */
public final class Failures {
    private Failures() {}

    /**
     * Says why.
     *
     * @param speaker what the line starts with
     * @return the exit status: 2 unusable input (one line), 3 wrong results (one line), 1 a failure of ours (a stack trace)
     */
    public static int print(Throwable failure, String speaker, PrintStream err) {
        return switch (failure) {
            case JobEnded ended -> ended.status();
            case ConfigException e -> line(2, e, speaker, err);
            case TraceException e -> line(2, e, speaker, err);
            case WrongResultException e -> line(3, e, speaker, err);
            default -> {
                err.print(speaker + ": ");
                failure.printStackTrace(err);
                yield 1;
            }
        };
    }

    private static int line(int status, Throwable failure, String speaker, PrintStream err) {
        err.println(speaker + ": " + failure.getMessage());
        return status;
    }
}
