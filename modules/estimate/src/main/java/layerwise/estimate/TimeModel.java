package layerwise.estimate;

import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.Operator;
import layerwise.op.ReduceScatter;
import layerwise.op.Work;

/** How long each operator takes on one rank of a cluster of some GPU. */
public final class TimeModel {
    private final GpuFacts gpu;
    private final Efficiency efficiency;
    private final Cluster cluster;

    public TimeModel(GpuFacts gpu, Efficiency efficiency, Cluster cluster) {
        this.gpu = gpu;
        this.efficiency = efficiency;
        this.cluster = cluster;
    }

    /**
     * An operator alone on its GPU.
     *
     * @param nanos   how long it takes
     * @param compute part of the GPU's arithmetic that it keeps busy meanwhile
     * @param memory  part of the GPU's bandwidth
     */
    public record Alone(double nanos, double compute, double memory) {}

    public Efficiency efficiency() {
        return efficiency;
    }

    /** An operator's time once its ranks have met. */
    public Alone alone(Operator operator) {
        Work work = gpu.work(operator);
        Curve curve = efficiency.curve(OperatorKind.of(operator));
        double local = isCollective(operator) ? 0 : curve.nanos(work, gpu.nominal());
        double nanos = isCollective(operator) ? exchange(operator, work) : local;
        return new Alone(
                nanos,
                Math.min(1, curve.computeNanos(work, gpu.nominal()) / nanos),
                Math.min(1, curve.memoryNanos(work, gpu.nominal()) / nanos));
    }

    /** Whether an operator waits for other ranks. */
    public static boolean isCollective(Operator operator) {
        return operator instanceof AllReduce
                || operator instanceof AllGather
                || operator instanceof ReduceScatter
                || operator instanceof AllToAllDispatch
                || operator instanceof AllToAllCombine;
    }

    private double exchange(Operator operator, Work work) {
        LinkCosts costs = efficiency.collectives();
        double memory = gpu.nominal().memoryNanos(work) / efficiency.fallback().memory();
        if (cluster.ranks() == 1) {
            return costs.localNanos() + memory;
        }
        int stages = operator instanceof AllReduce ? 2 : 1;
        double start = stages * (cluster.leavesDomain() ? costs.remoteNanos() : costs.localNanos());
        double remote = work.linkBytes() * cluster.remoteShare();
        if (!isAllToAll(operator)) {
            // GPUs of a domain fetch different parts from outside, and pass them on to each other.
            remote /= cluster.domain();
        }
        double links = isAllToAll(operator) ? work.linkBytes() - remote : work.linkBytes();
        double overLinks =
                cluster.domain() == 1 ? 0 : 1e9 * links / (gpu.nominal().linkBytesPerSecond() * costs.localShare());
        double overNetwork = 1e9 * remote / (cluster.fabric().nicBytesPerSecond() * costs.remoteShare());
        return start + Math.max(memory, Math.max(overLinks, overNetwork));
    }

    private static boolean isAllToAll(Operator operator) {
        return operator instanceof AllToAllDispatch || operator instanceof AllToAllCombine;
    }
}
