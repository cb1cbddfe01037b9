package layerwise.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.op.Add;
import layerwise.op.AllReduce;
import layerwise.op.Arithmetic;
import layerwise.op.Buffer;
import layerwise.op.Lane;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.RankGroup;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;

/** A GPU of 1 TB/s: an Add of n elements in bfloat16 takes 6 n ns / 1000. */
class SimulationTest {
    private static final double GAP = 100;
    private static final double OVERHEAD = 1000;
    private static final double MESSAGE = 7000;
    private static final Fabric FABRIC = new Fabric(8, false, 8, 50e9);

    private static TimeModel model(int ranks) {
        Curve plain = new Curve(OVERHEAD, 1, 1, 1, List.of());
        Efficiency efficiency = new Efficiency(
                "test",
                "test",
                Map.of(),
                plain,
                GAP,
                5 * GAP,
                new LinkCosts(MESSAGE, 3 * MESSAGE, 0.5, 1),
                new Efficiency.ExpectedError(0, 0, "none"));
        Rates rates = new Rates(1e12, 100e9, Map.of(Arithmetic.F32, 1e18));
        GpuFacts gpu = new GpuFacts("test", 1, rates, Optional.empty(), FABRIC);
        return new TimeModel(gpu, efficiency, new Cluster(ranks, 8, FABRIC));
    }

    private static Operator add(String name, long elements) {
        return new Add(tensor(name + "a", elements), tensor(name + "b", elements), tensor(name + "y", elements));
    }

    private static TensorRef tensor(String name, long elements) {
        return Buffer.of(name, DType.BF16, 1, elements).whole();
    }

    private static Operator reduce(int rank, int ranks) {
        return new AllReduce(tensor("x", 1000), tensor("y", 1000), new RankGroup(rank, ranks));
    }

    @Test
    void operatorsOfOneLaneFollowEachOtherWithAGap() {
        Program program = Program.builder()
                .launch(add("p", 1_000_000))
                .launch(add("q", 2_000_000))
                .build(List.of());
        List<Span> spans =
                Simulation.run(List.of(program), model(1), Mode.GRAPH).getFirst();
        assertEquals(OVERHEAD + 6000, spans.get(0).end(), 1);
        assertEquals(OVERHEAD + 6000 + GAP, spans.get(1).start(), 1);
        assertEquals(2 * OVERHEAD + 18_000 + GAP, Simulation.total(spans), 2);
        double eager = Simulation.total(
                Simulation.run(List.of(program), model(1), Mode.EAGER).getFirst());
        assertEquals(4 * GAP, eager - Simulation.total(spans), 1);
    }

    @Test
    void lanesShareTheBandwidth() {
        Program program = Program.builder().launch(add("before", 1_000_000)).build(List.of());
        assertTrue(program.operators().size() == 1);
        Program.Builder builder = Program.builder();
        builder.concurrently(
                () -> builder.launch(add("main", 100_000_000)), () -> builder.launch(add("beside", 100_000_000)));
        Program both = builder.launch(add("after", 1_000_000)).build(List.of());
        List<Span> spans = Simulation.run(List.of(both), model(1), Mode.GRAPH).getFirst();
        assertEquals(Lane.AUXILIARY, spans.get(1).lane());
        assertEquals(spans.get(0).start(), spans.get(1).start(), 1);
        // Each wants nearly all of the bandwidth: together they take nearly twice as long, and what follows waits for
        // both.
        assertEquals(1_200_000, spans.get(0).end(), 3 * OVERHEAD);
        assertTrue(spans.get(2).start() >= spans.get(1).end());
        List<Span> eager = Simulation.run(List.of(both), model(1), Mode.EAGER).getFirst();
        assertEquals(Lane.MAIN, eager.get(1).lane());
        assertTrue(eager.get(1).start() > eager.get(0).end());
    }

    @Test
    void collectivesBeginWhenTheLastRankComes() {
        Program fast = Program.builder()
                .launch(add("f", 1_000_000))
                .launch(reduce(0, 2))
                .build(List.of());
        Program slow = Program.builder()
                .launch(add("s", 10_000_000))
                .launch(reduce(1, 2))
                .build(List.of());
        List<List<Span>> spans = Simulation.run(List.of(fast, slow), model(2), Mode.GRAPH);
        double met = OVERHEAD + 60_000 + GAP;
        assertEquals(met, spans.get(0).get(1).start(), 1);
        assertEquals(met, spans.get(1).get(1).start(), 1);
        // Two stages, and 2,000 bytes at half of 100 GB/s.
        assertEquals(met + 2 * MESSAGE + 40, spans.get(0).get(1).end(), 1);
    }

    @Test
    void ranksThatMeetUnequallyOftenAreRefused() {
        Program meets = Program.builder().launch(reduce(0, 2)).build(List.of());
        Program passes = Program.builder().launch(add("p", 10)).build(List.of());
        assertThrows(
                IllegalArgumentException.class, () -> Simulation.run(List.of(meets, passes), model(2), Mode.GRAPH));
    }

    @Test
    void theNetworkBoundsWhatLeavesTheDomain() {
        Cluster rack = new Cluster(64, 4, new Fabric(72, true, 4, 50e9));
        assertEquals(64, rack.domain());
        assertEquals(900e9, rack.rate(900e9));
        Cluster machines = new Cluster(16, 8, FABRIC);
        assertEquals(8, machines.domain());
        assertEquals(8 / 15.0, machines.remoteShare(), 1e-12);
        assertEquals(50e9 * 15 / 8, machines.rate(450e9), 1);
        Cluster single = new Cluster(2, 1, new Fabric(1, false, 1, 50e9));
        assertEquals(50e9, single.rate(450e9), 1);
    }
}
