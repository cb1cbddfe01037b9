package layerwise.model.spec;

import java.util.List;
import java.util.Optional;

/** Reads rotary embedding as published configurations have it and as transformers 5 writes it. */
final class RopeReader {
    private RopeReader() {}

    static RopeSpec read(JsonFields config) {
        Optional<JsonFields> scaling = config.object("rope_parameters").or(() -> config.object("rope_scaling"));
        double theta = scaling.filter(fields -> fields.has("rope_theta"))
                .map(fields -> fields.number("rope_theta"))
                .orElseGet(() -> config.number("rope_theta", 10000));
        return new RopeSpec(theta, scaling.flatMap(RopeReader::yarn));
    }

    private static Optional<RopeSpec.Yarn> yarn(JsonFields fields) {
        String key = fields.has("rope_type") ? "rope_type" : "type";
        if (fields.choice(key, List.of("default", "yarn")).equals("default")) {
            return Optional.empty();
        }
        return Optional.of(new RopeSpec.Yarn(
                fields.number("factor"),
                fields.positive("original_max_position_embeddings"),
                fields.number("beta_fast", 32),
                fields.number("beta_slow", 1),
                fields.number("mscale", 1),
                fields.number("mscale_all_dim", 0)));
    }
}
