package layerwise.bench;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import layerwise.bench.collectives.CollectivesCommand;
import layerwise.bench.device.DevicesCommand;
import layerwise.bench.estimate.EstimateRun;
import layerwise.bench.estimate.FitCommand;
import layerwise.bench.estimate.SweepCommand;
import layerwise.bench.forward.ForwardCommand;
import layerwise.bench.operators.OperatorsCommand;
import layerwise.bench.quantize.QuantizeCommand;
import layerwise.bench.ranks.Failures;
import layerwise.bench.run.RunCommand;
import layerwise.bench.verify.VerifyCommand;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;

/** Entry point: the first argument names the command, the others are the command's own. */
public final class Main {
    private static final List<String> COMMANDS =
            List.of("run", "verify", "operators", "collectives", "forward", "quantize", "devices", "sweep", "fit");

    private Main() {}

    public static void main(String[] arguments) {
        System.exit(run(List.of(arguments), System.getenv(), System.out, System.err));
    }

    /**
     * Runs a command.
     *
     * @return the exit status: 0 success, 2 unusable input (one line on {@code err}), 3 wrong results, 1 a failure of ours
     */
    static int run(List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
        try {
            dispatch(arguments, environment, out, err);
            return 0;
        } catch (RuntimeException | Error e) {
            return Failures.print(e, "layerwise", err);
        }
    }

    private static void dispatch(
            List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
        if (arguments.isEmpty()) {
            throw new ConfigException("command line: expected one of %s".formatted(String.join(", ", COMMANDS)));
        }
        String command = arguments.getFirst();
        List<String> rest = arguments.subList(1, arguments.size());
        switch (command) {
            case "run" -> RunCommand.run(rest, environment, out, err, EstimateRun::run);
            case "verify" -> VerifyCommand.run(rest, environment, out, err);
            case "operators" -> OperatorsCommand.run(rest, environment, out, err);
            case "collectives" -> CollectivesCommand.run(rest, environment, out, err);
            case "sweep" -> SweepCommand.run(rest, environment, out, err);
            case "fit" -> FitCommand.run(rest, out);
            case "devices" -> DevicesCommand.run(rest, environment, out, err);
            case "quantize" -> QuantizeCommand.run(rest, out);
            case "forward" -> ForwardCommand.run(rest, environment, out, err);
            default ->
                throw new ConfigException("command line: '%s' is no command, expected one of %s%s"
                        .formatted(command, String.join(", ", COMMANDS), NearestNames.hint(command, COMMANDS)));
        }
    }
}
