package layerwise.bench.operators;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import layerwise.bench.config.MoeBackend;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunOptions;
import layerwise.bench.config.RunType;
import layerwise.bench.exchange.Links;
import layerwise.bench.exchange.RankSlice;
import layerwise.bench.moe.ExpertPath;
import layerwise.kernels.CudaExecutor;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.weights.WeightSource;
import layerwise.op.Batch;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.RankGroup;
import layerwise.trace.ProblemSpec;

/** Steps of the shipped models, laid out without memory. */
final class Steps {
    private static final Path MODELS = Path.of(System.getProperty("layerwise.home"), "configs", "models");

    private Steps() {}

    /** Rank 0's operators of every problem of a command line, as layers emit them and as a GPU runs them. */
    static List<Operator> of(String line, int ranks) {
        List<Operator> operators = new ArrayList<>();
        MoeBackend backend = config(line).moe().backend();
        for (Program program : programs(line, ranks)) {
            operators.addAll(program.operators());
            ExpertPath path = ExpertPath.of("test", backend, program);
            operators.addAll(path.apply(program, CudaExecutor.fused()).operators());
        }
        return operators;
    }

    private static RunConfig config(String line) {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        return RunOptions.parse("test", List.of(line.split(" ")), nowhere).orElseThrow();
    }

    /** Rank 0's steps as layers emit them. */
    static List<Program> programs(String line, int ranks) {
        RunConfig config = config(line);
        RankSlice slice = RankSlice.of(
                config,
                new ModelCatalog(MODELS).find(config.model()),
                new WeightSource.Dummy(),
                new RankGroup(0, ranks),
                ranks,
                new Links(true, true),
                Map.of());
        List<Program> programs = new ArrayList<>();
        for (ProblemSpec problem : config.problems()) {
            Traffic traffic = slice.exchange().traffic(problem.tokens());
            programs.add(slice.step(
                    config.runType() == RunType.GEN ? Phase.GENERATION : Phase.CONTEXT,
                    Batch.uniform(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache()),
                    slice.balancing().table(traffic, problem.balanceRatio()).choice(),
                    traffic));
        }
        return programs;
    }
}
