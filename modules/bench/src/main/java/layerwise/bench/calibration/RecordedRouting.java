package layerwise.bench.calibration;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;
import layerwise.bench.config.Replay;
import layerwise.bench.exchange.RankLoads;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.MoeSpec;
import layerwise.op.RankTokens;
import layerwise.tensor.ConfigException;

/** The iterations of a recording that a run replays, held against the layers of the run. */
final class RecordedRouting {
    private final Path file;
    private final List<Integer> layers;
    private final MoeSpec spec;
    private final Mapping mapping;
    /** For each rank whose tokens differ the iterations of the window, in order. */
    private final List<List<Iteration>> ranks;

    private RecordedRouting(
            Path file, List<Integer> layers, MoeSpec spec, Mapping mapping, List<List<Iteration>> ranks) {
        this.file = file;
        this.layers = layers;
        this.spec = spec;
        this.mapping = mapping;
        this.ranks = ranks;
    }

    /**
     * Reads a recording.
     *
     * @param layers those of the run that have experts
     * @param spec   their mixture
     * @throws ConfigException if it is damaged, of another number of ranks, lacks iterations or layers, or its experts are others
     */
    static RecordedRouting open(Path file, Replay replay, List<Integer> layers, MoeSpec spec, Mapping mapping) {
        CalibrationFile recording = CalibrationFile.read(file);
        int world = mapping.group().size();
        if (recording.worldSize() != world) {
            throw new ConfigException(
                    "%s: World size mismatch: world_size is %d, this run has %d ranks; expected the same"
                            .formatted(file, recording.worldSize(), world));
        }
        List<NavigableMap<Integer, Iteration>> all = new ArrayList<>();
        for (List<Iteration> iterations : recording.ranks()) {
            NavigableMap<Integer, Iteration> byNumber = new TreeMap<>();
            iterations.forEach(iteration -> byNumber.put(iteration.number(), iteration));
            all.add(byNumber);
        }
        for (int rank = 1; rank < world; rank++) {
            if (!all.get(rank).keySet().equals(all.getFirst().keySet())) {
                throw new ConfigException("%s: rank %d has iterations %s, rank 0 has %s: expected the same"
                        .formatted(file, rank, shown(all.get(rank)), shown(all.getFirst())));
            }
        }
        int first = window(file, replay, all.getFirst()).getFirst();
        int last = window(file, replay, all.getFirst()).getLast();
        List<List<Iteration>> ranks = IntStream.range(0, mapping.dataRanks())
                .map(rank -> mapping.dataRanks() == 1 ? mapping.group().rank() : rank)
                .mapToObj(rank -> List.copyOf(
                        all.get(rank).subMap(first, true, last, true).values()))
                .toList();
        RecordedRouting routing = new RecordedRouting(file, List.copyOf(layers), spec, mapping, ranks);
        routing.requireExperts();
        return routing;
    }

    /** First and last iteration; everything between is in the file. */
    private static List<Integer> window(Path file, Replay replay, NavigableMap<Integer, Iteration> iterations) {
        if (iterations.isEmpty()) {
            throw new ConfigException("%s: it has no iterations, expected some to replay".formatted(file));
        }
        int first = replay.startIter().orElse(iterations.firstKey());
        int last = replay.stopIter().orElse(iterations.lastKey());
        long asked = last - (long) first + 1;
        if (iterations.subMap(first, true, last, true).size() != asked) {
            throw new ConfigException(
                    "%s: replay_start_iter %d to replay_stop_iter %d are not all in it: it has iterations %s"
                            .formatted(file, first, last, shown(iterations)));
        }
        return List.of(first, last);
    }

    /** Runs of numbers: {@code 42 to 67, 70}. */
    private static String shown(NavigableMap<Integer, Iteration> iterations) {
        List<String> runs = new ArrayList<>();
        List<Integer> numbers = List.copyOf(iterations.keySet());
        for (int i = 0; i < numbers.size() && runs.size() < 4; ) {
            int j = i;
            while (j + 1 < numbers.size() && numbers.get(j + 1) == numbers.get(j) + 1) {
                j++;
            }
            runs.add(i == j ? numbers.get(i).toString() : "%d to %d".formatted(numbers.get(i), numbers.get(j)));
            i = j + 1;
        }
        return runs.isEmpty() ? "none" : String.join(", ", runs) + (runs.size() < 4 ? "" : " …");
    }

    private void requireExperts() {
        for (List<Iteration> iterations : ranks) {
            for (Iteration iteration : iterations) {
                for (int layer : layers) {
                    List<ExpertCall> calls = iteration.calls(layer);
                    if (calls.isEmpty()) {
                        throw new ConfigException("%s: iteration %d has no layer %d: it has layers %s"
                                .formatted(
                                        file,
                                        iteration.number(),
                                        layer,
                                        iteration.calls().stream()
                                                .map(ExpertCall::layer)
                                                .distinct()
                                                .toList()));
                    }
                    for (ExpertCall call : calls) {
                        if (call.slots() != spec.experts() || call.topK() != spec.topK()) {
                            throw new ConfigException(
                                    "%s: iteration %d, layer %d: top %d of num_slots %d, expected top %d of %d as the model has"
                                            .formatted(
                                                    file,
                                                    iteration.number(),
                                                    layer,
                                                    call.topK(),
                                                    call.slots(),
                                                    spec.topK(),
                                                    spec.experts()));
                        }
                    }
                }
            }
        }
    }

    /**
     * Refuses steps of other shapes.
     *
     * @throws ConfigException if a call of the window has another number of tokens than the step's chunk
     */
    void requireShape(Traffic traffic) {
        List<RankTokens> chunks = traffic.chunks(mapping.dataRanks());
        for (int rank = 0; rank < ranks.size(); rank++) {
            for (Iteration iteration : ranks.get(rank)) {
                for (int layer : layers) {
                    List<Integer> recorded = iteration.calls(layer).stream()
                            .map(ExpertCall::tokens)
                            .toList();
                    List<Integer> expected = new ArrayList<>();
                    for (RankTokens chunk : chunks) {
                        expected.add(tokens(chunk, rank));
                    }
                    if (!recorded.equals(expected)) {
                        throw new ConfigException(
                                "%s: iteration %d, layer %d: calls of %s tokens, this run's batch_size times seq_len_q needs %s"
                                        .formatted(file, iteration.number(), layer, recorded, expected));
                    }
                }
            }
        }
    }

    private int tokens(RankTokens chunk, int rank) {
        return mapping.dataRanks() == 1 ? chunk.own() : chunk.counts().get(rank);
    }

    List<Integer> layers() {
        return layers;
    }

    int topK() {
        return spec.topK();
    }

    /** Iterations of the window. */
    int iterations() {
        return ranks.getFirst().size();
    }

    /** Number of an iteration of the window in its file. */
    int number(int iteration) {
        return ranks.getFirst().get(iteration).number();
    }

    /** This rank's choices at one call. */
    int[] own(int iteration, int layer, int chunk) {
        return choices(iteration, layer, chunk).get(mapping.dataRank());
    }

    private List<int[]> choices(int iteration, int layer, int chunk) {
        return ranks.stream()
                .map(iterations -> iterations.get(iteration).slots(layer, chunk))
                .toList();
    }

    private int perRank() {
        return spec.experts() / mapping.group().size();
    }

    /** What the choices of one call mean for every rank. */
    RankLoads loads(int iteration, int layer, int chunk) {
        RankLoads loads = new RankLoads(mapping.group().size(), spec.experts(), spec.topK(), mapping.dataRanks() > 1);
        List<int[]> choices = choices(iteration, layer, chunk);
        for (int dataRank = 0; dataRank < choices.size(); dataRank++) {
            loads.add(dataRank, choices.get(dataRank));
        }
        return loads;
    }

    /** This rank among those that divide the experts. */
    int self() {
        return mapping.group().rank();
    }

    /** Rows that each of this rank's experts gets at one call, all ranks' tokens together. */
    int[] counts(int iteration, int layer, int chunk) {
        int[] counts = new int[perRank()];
        int first = mapping.group().rank() * perRank();
        for (int[] ids : choices(iteration, layer, chunk)) {
            for (int id : ids) {
                if (Objects.checkIndex(id, spec.experts()) / perRank()
                        == mapping.group().rank()) {
                    counts[id - first]++;
                }
            }
        }
        return counts;
    }

    @Override
    public String toString() {
        return "%s, iterations %d to %d".formatted(file, number(0), number(iterations() - 1));
    }
}
