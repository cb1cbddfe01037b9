package layerwise.bench.estimate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.config.RunConfig;
import layerwise.bench.exchange.Links;
import layerwise.estimate.Cluster;
import layerwise.estimate.Efficiency;
import layerwise.estimate.GpuFacts;
import layerwise.estimate.Mode;
import layerwise.estimate.Simulation;
import layerwise.estimate.Span;
import layerwise.estimate.TimeModel;
import layerwise.model.spec.ModelSpec;
import layerwise.op.Program;
import layerwise.op.RankGroup;
import layerwise.trace.ProblemSpec;

/** Estimates steps of a configuration on all of its ranks. */
final class Estimator {
    private final RunConfig config;
    private final ModelSpec model;
    private final GpuFacts gpu;
    private final Cluster cluster;
    private final TimeModel times;
    private final Map<String, String> environment;
    private final Map<Integer, RankPlan> plans = new HashMap<>();

    /** @param device of the configuration */
    Estimator(
            RunConfig config,
            ModelSpec model,
            DeviceChoice.Estimate device,
            GpuFacts gpu,
            Efficiency efficiency,
            Map<String, String> environment) {
        this.config = config;
        this.model = model;
        this.gpu = gpu;
        this.environment = environment;
        cluster = new Cluster(
                device.ranks(), device.gpusPerNode().orElse(gpu.fabric().gpusPerNode()), gpu.fabric());
        times = new TimeModel(gpu, efficiency, cluster);
    }

    /**
     * One step on all ranks. Ranks that do the same share a program and its times.
     *
     * @param alike    for each rank the first one that does the same
     * @param programs by such first ranks
     * @param spans    likewise
     */
    record Step(List<Integer> alike, Map<Integer, Program> programs, Map<Integer, List<Span>> spans) {
        Program program(int rank) {
            return programs.get(alike.get(rank));
        }

        List<Span> spans(int rank) {
            return spans.get(alike.get(rank));
        }

        /** Nanoseconds from a rank's first start to its last end. */
        double nanos(int rank) {
            return Simulation.total(spans(rank));
        }

        /** The same of the rank that takes longest. */
        double slowest() {
            return spans.values().stream().mapToDouble(Simulation::total).max().orElseThrow();
        }
    }

    Cluster cluster() {
        return cluster;
    }

    /** The GPU with the rate that its links and the network let an even exchange reach. */
    GpuFacts gpu() {
        return new GpuFacts(
                gpu.name(),
                gpu.memoryBytes(),
                gpu.nominal().withLinks(cluster.rate(gpu.nominal().linkBytesPerSecond())),
                gpu.measured(),
                gpu.fabric());
    }

    /** What one rank does. */
    RankPlan plan(int rank) {
        return plans.computeIfAbsent(
                rank,
                at -> new RankPlan(
                        config,
                        model,
                        new RankGroup(at, cluster.ranks()),
                        Math.min(cluster.ranks(), cluster.gpusPerNode()),
                        new Links(!cluster.leavesDomain(), true),
                        environment));
    }

    /** Estimates a problem's step. */
    Step step(ProblemSpec problem) {
        List<Integer> alike = alike(problem);
        Map<Integer, Program> programs = new TreeMap<>();
        alike.forEach(
                rank -> programs.computeIfAbsent(rank, first -> plan(first).step(problem)));
        Mode mode = config.cudaGraph() ? Mode.GRAPH : Mode.EAGER;
        List<List<Span>> spans = Simulation.run(List.copyOf(programs.values()), times, mode);
        Map<Integer, List<Span>> byRank = new TreeMap<>();
        int at = 0;
        for (int rank : programs.keySet()) {
            byRank.put(rank, spans.get(at++));
        }
        return new Step(alike, programs, byRank);
    }

    /** Under tensor parallelism every rank may have another part of the layers. */
    private List<Integer> alike(ProblemSpec problem) {
        if (config.attentionDp()) {
            RankPlan first = plan(0);
            return first.balancing().alike(first.traffic(problem), problem.balanceRatio());
        }
        List<Integer> all = new ArrayList<>();
        for (int rank = 0; rank < cluster.ranks(); rank++) {
            all.add(rank);
        }
        return all;
    }
}
