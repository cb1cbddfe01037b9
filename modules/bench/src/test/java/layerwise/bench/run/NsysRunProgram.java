package layerwise.bench.run;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunOptions;
import layerwise.bench.device.Installation;
import layerwise.bench.ranks.Ranks;
import layerwise.cuda.Nvtx;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.weights.WeightSource;

/** A run on the reference executor as if nsys recorded it: its ranges go to NVTX. */
final class NsysRunProgram {
    private NsysRunProgram() {}

    public static void main(String[] arguments) {
        PrintStream silent = new PrintStream(PrintStream.nullOutputStream());
        RunConfig config =
                RunOptions.parse("run.sh", List.of(arguments), silent).orElseThrow();
        new RunSequence(
                        config,
                        new ModelCatalog(Installation.home().resolve("configs/models")).find(config.model()),
                        new WeightSource.Dummy(),
                        Ranks.alone(),
                        Map.of(
                                "PROFILER",
                                "nsys",
                                "PROFILE_DIR",
                                Path.of("unused").toString()),
                        new Progress(silent, false, false),
                        silent)
                .run(new Tracer.Nsys(Nvtx.load().orElseThrow()));
    }
}
