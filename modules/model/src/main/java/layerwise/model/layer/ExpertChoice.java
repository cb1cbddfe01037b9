package layerwise.model.layer;

import java.util.List;
import java.util.Map;
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

    /** A choice of its own for each layer that has experts. */
    record PerLayer(Map<Integer, ExpertChoice> layers) implements ExpertChoice {
        public PerLayer {
            layers = Map.copyOf(layers);
        }
    }

    /** The choice at one layer. */
    default ExpertChoice at(int layer) {
        return this instanceof PerLayer choices ? choices.layers().getOrDefault(layer, new Routed()) : this;
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
