package layerwise.bench.calibration;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import layerwise.bench.config.CalibrationMode;
import layerwise.bench.config.RunConfig;
import layerwise.bench.exchange.Balancing;
import layerwise.bench.exchange.ExpertTable;
import layerwise.model.balance.BalanceMethod;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.MoeSpec;
import layerwise.op.RankTokens;
import layerwise.op.Rendezvous;
import layerwise.tensor.ConfigException;

/** Recording and replaying of expert choices in one run. */
public final class Calibrator {
    private final RunConfig config;
    private final Mapping mapping;
    private final Balancing balancing;
    private final Consumer<String> says;
    private final Optional<RecordedRouting> replayed;
    private List<Iteration> recorded = List.of();

    /**
     * Opens the recording that is replayed, where one is.
     *
     * @param balancing knows the layers that have experts
     * @param says      gets lines for the log
     * @throws ConfigException if it is damaged or does not fit the run
     */
    public Calibrator(RunConfig config, Mapping mapping, Balancing balancing, Consumer<String> says) {
        this.config = config;
        this.mapping = mapping;
        this.balancing = balancing;
        this.says = says;
        this.replayed = config.replay().filePath().map(this::open);
    }

    private RecordedRouting open(String path) {
        MoeSpec spec = balancing
                .mixture()
                .orElseThrow(() -> new ConfigException(
                        "%s: replay_file_path %s: layers %s have no experts; expected layers that have, or null"
                                .formatted(config.configFile(), path, config.layerIndices())));
        return RecordedRouting.open(Path.of(path), config.replay(), balancing.mixtures(), spec, mapping);
    }

    /** Line of the log, where something is replayed. */
    public Optional<String> describe() {
        return replayed.map(routing -> "Replay: %s, layers %s%s"
                .formatted(
                        routing,
                        routing.layers(),
                        config.balanceMethod() == BalanceMethod.NOT_MODIFIED
                                ? ""
                                : "; it replaces what balance_method %s chooses".formatted(config.balanceMethod())));
    }

    /**
     * What happens to one step.
     *
     * @param table  where the balance method sends tokens
     * @param refill makes the inputs of an iteration, should each need its own
     * @throws ConfigException if a recording has steps of other shapes
     */
    public StepCalibration step(Traffic traffic, ExpertTable table, IntConsumer refill) {
        Set<Integer> marked =
                config.calibration().mode() == CalibrationMode.NONE ? Set.of() : Set.copyOf(config.layerIndices());
        List<RankTokens> chunks = traffic.chunks(mapping.dataRanks());
        if (replayed.isPresent()) {
            replayed.get().requireShape(traffic);
            return new ReplayedStep(
                    replayed.get(),
                    chunks.size(),
                    config.warmupTimes() + config.runTimes(),
                    config.replay().verifyMetadata(),
                    marked,
                    says);
        }
        if (config.calibration().mode() == CalibrationMode.COLLECT) {
            return new CollectedStep(
                    table,
                    marked,
                    calls(chunks),
                    config.warmupTimes(),
                    config.runTimes(),
                    refill,
                    iterations -> recorded = iterations);
        }
        return new MarkedStep(table, marked);
    }

    private List<ExpertCall> calls(List<RankTokens> chunks) {
        List<ExpertCall> calls = new ArrayList<>();
        balancing.mixture().ifPresent(spec -> {
            for (int layer : balancing.mixtures()) {
                for (RankTokens chunk : chunks) {
                    calls.add(new ExpertCall(layer, spec.experts(), chunk.own(), spec.topK()));
                }
            }
        });
        return calls;
    }

    /** Writes what all ranks recorded, on rank 0; all of them call this where anything is recorded. */
    public void save(Rendezvous rendezvous) {
        if (config.calibration().mode() != CalibrationMode.COLLECT) {
            return;
        }
        byte[] own = CalibrationFile.records(recorded).getBytes(StandardCharsets.UTF_8);
        List<byte[]> all = rendezvous.allGather(own);
        if (rendezvous.group().rank() == 0) {
            Path file = Path.of(config.calibration().filePath().orElseThrow());
            CalibrationFile.write(
                    file,
                    all.stream()
                            .map(records -> new String(records, StandardCharsets.UTF_8))
                            .toList());
            says.accept("Calibration: %d iterations of %d ranks written to %s"
                    .formatted(recorded.size(), all.size(), file));
        }
    }
}
