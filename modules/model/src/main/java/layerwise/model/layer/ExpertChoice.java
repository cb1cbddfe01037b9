package layerwise.model.layer;

import java.util.List;
import layerwise.op.ExchangeLoad;
import layerwise.op.ExpertLoad;
import layerwise.op.TensorRef;

/** Which experts tokens go to. */
public sealed interface ExpertChoice {
    /** Those that the router chooses. */
    record Routed() implements ExpertChoice {}

    /**
     * Those of constant tables, whatever the router chooses; it still runs, and its weights count.
     *
     * @param chunks a table for each chunk of the step's tokens
     */
    record Fixed(List<Table> chunks) implements ExpertChoice {
        public Fixed {
            chunks = List.copyOf(chunks);
        }
    }

    /**
     * A constant choice for this rank's tokens of one chunk.
     *
     * @param ids      {@code [T,k]} int32
     * @param load     what the tables of all ranks mean for this rank's experts
     * @param exchange what they mean for the links
     */
    record Table(TensorRef ids, ExpertLoad load, ExchangeLoad exchange) {}
}
