package layerwise.bench.calibration;

import java.util.Set;
import layerwise.bench.exchange.ExpertTable;
import layerwise.model.layer.ExpertChoice;
import layerwise.op.Memory;
import layerwise.op.Program;

/**
 * Ranges around the layers, where they are asked for, and nothing else.
 *
 * @param table  where tokens go
 * @param layers numbers of those that get a range
 */
record MarkedStep(ExpertTable table, Set<Integer> layers) implements StepCalibration {
    @Override
    public ExpertChoice choose(Memory memory) {
        return table.place(memory);
    }

    @Override
    public Program observe(Program program) {
        return layers.isEmpty() ? program : LayerRanges.around(program, layers);
    }
}
