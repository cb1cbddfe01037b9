package layerwise.bench.forward;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import layerwise.bench.device.Devices;
import layerwise.bench.ranks.Failures;
import layerwise.bench.ranks.Ranks;
import layerwise.model.parallel.Mapping;
import layerwise.op.Capabilities;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.DType;

/** Several forward runs by the ranks of one job: {@code run DP|TP:CHECKPOINT:IO ...}, as the launchers pass it. */
public final class RankedForward {
    private RankedForward() {}

    public static void main(String[] arguments) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        int status = 0;
        try {
            Ranks.run(System.getenv(), out, err, here -> {
                for (String scenario : List.of(arguments).subList(1, arguments.length)) {
                    forward(scenario.split(":"), here, out);
                }
            });
        } catch (RuntimeException | Error e) {
            status = Failures.print(e, "layerwise", err);
        }
        System.exit(status);
    }

    /** In float32 within the tolerance that one rank keeps, plain and fused. */
    private static void forward(String[] scenario, Ranks.Here here, PrintStream out) {
        Mapping mapping = new Mapping(here.rank().group(), scenario[0].equals("DP"));
        Path io = Path.of(scenario[2]);
        ForwardOptions options = new ForwardOptions(
                Path.of(scenario[1]),
                List.of(0, 1),
                List.of("ctx", "gen1", "gen4"),
                io,
                Optional.empty(),
                DType.F32,
                Optional.of(io),
                2e-5);
        for (Capabilities capabilities : List.of(Capabilities.plain(), Capabilities.all())) {
            try (Executor executor =
                    new ReferenceExecutor(Journal.NONE, capabilities, Devices.communicator(here.rendezvous()))) {
                new ForwardRun(options, mapping, executor, out).run();
            }
        }
        out.println("AGREES %s rank %d of %d"
                .formatted(scenario[0], here.rank().rank(), here.rank().world()));
    }
}
