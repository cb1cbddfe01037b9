package layerwise.bench.calibration;

import java.util.Set;
import layerwise.bench.exchange.ExpertTable;
import layerwise.model.layer.ExpertChoice;
import layerwise.op.Memory;
import layerwise.op.Program;

/**
 * What calibration does to one prepared step: where its tokens go, what its program leaves behind, and what happens around each
 * iteration. The calls come in this order; {@link #before} and {@link #after} enclose each timed iteration.
 */
public interface StepCalibration {
    /** None: routers decide, nothing is recorded. */
    static StepCalibration none() {
        return new MarkedStep(ExpertTable.routed(), Set.of());
    }

    /** Says which experts tokens go to, and gives what that needs its place. */
    ExpertChoice choose(Memory memory);

    /** The program with ranges and outputs added. */
    default Program observe(Program program) {
        return program;
    }

    /**
     * Prepares copies.
     *
     * @param memory sees everything that the program writes
     */
    default void bind(Memory memory) {}

    default void before(int iteration) {}

    default void after(int iteration) {}

    /**
     * Comes once all iterations have run.
     *
     * @throws layerwise.tensor.WrongResultException if they were not what they had to be
     */
    default void finish() {}
}
