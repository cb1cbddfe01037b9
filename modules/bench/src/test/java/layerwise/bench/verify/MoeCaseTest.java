package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import layerwise.bench.verify.MoeCase.Width;
import layerwise.op.Capabilities;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.reference.ReferenceExecutor;
import org.junit.jupiter.api.Test;

/** The reference's own mixtures of experts against their definition, by the runner that compares a GPU with them. */
class MoeCaseTest {
    private static final long EXPERT_BYTES = 12_000_000;

    @Test
    void referenceComputesWhatTheDefinitionSays() {
        List<MoeCase> cases = MoeMatrix.of(
                List.of(1, 3, 17, 33), List.of(Width.SMALL, Width.ODD), one -> one.expertBytes() <= EXPERT_BYTES);
        try (Executor reference = new ReferenceExecutor(Journal.NONE, Capabilities.all())) {
            MoeRun run = new MoeRun(reference);
            cases.forEach(run::check);
            assertEquals(List.of(), run.conclude());
        }
    }
}
