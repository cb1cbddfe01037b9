package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.List;
import layerwise.op.Activations;
import layerwise.op.Buffer;
import layerwise.op.Capabilities;
import layerwise.op.Contents;
import layerwise.op.ExpertLoad;
import layerwise.op.GroupedLinear;
import layerwise.op.Journal;
import layerwise.op.Linear;
import layerwise.op.Memory;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.reference.ReferenceExecutor;
import layerwise.reference.Sample;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;

class SamplePlanTest {
    private static TensorRef tensor(String name, long... dims) {
        return Buffer.of(name, DType.BF16, dims).whole();
    }

    private static Linear linear(long tokens, long n, long k) {
        return new Linear(tensor("x", tokens, k), Weight.plain(tensor("w", n, k)), tensor("y", tokens, n));
    }

    @Test
    void smallOperatorsAreComputedWholeAndLargeOnesByAtLeast4096Rows() {
        try (ReferenceExecutor executor = new ReferenceExecutor(Journal.NONE, Capabilities.plain());
                Memory memory = executor.allocate()) {
            SamplePlan plan = new SamplePlan(memory, 1);
            assertTrue(plan.of(linear(128, 7168, 7168), 128).isComplete());
            Sample sample = plan.of(linear(8193, 7168, 16384), 8193);
            assertEquals(4096, sample.size());
            assertEquals(193, sample.groups()); // 4,096 rows take 962 GFLOP, 5 are allowed
            for (int row : new int[] {0, 63, 64, 4095, 8128, 8191, 8192}) {
                assertTrue(!sample.runs(row, 7168).isEmpty(), "row " + row);
            }
            Sample few = plan.of(linear(1000, 7168, 16384), 1000);
            assertEquals(1000, few.size());
            assertEquals(47, few.groups());
        }
    }

    @Test
    void everyExpertsFirstAndLastRowsAreInTheSample() {
        try (Arena arena = Arena.ofShared();
                ReferenceExecutor executor = new ReferenceExecutor(Journal.NONE, Capabilities.plain());
                Memory memory = executor.allocate()) {
            Buffer offsets = Buffer.of("offsets", DType.I32, 4);
            HostTensor starts = HostTensor.copyOf(arena, Shape.of(4), 0, 4000, 4000, 9000);
            memory.put(offsets, new Contents.Copied(List.of(starts)));
            GroupedLinear operator = new GroupedLinear(
                    Activations.plain(tensor("x", 9000, 7168)),
                    offsets.whole(),
                    Weight.plain(tensor("w", 3, 4096, 7168)),
                    tensor("y", 9000, 4096),
                    new ExpertLoad(9000, 2));
            Sample sample = new SamplePlan(memory, 1).of(operator, 9000);
            for (int row : new int[] {0, 63, 64, 3999, 4000, 4063, 8999}) {
                assertTrue(!sample.runs(row, 4096).isEmpty(), "row " + row);
            }
        }
    }
}
