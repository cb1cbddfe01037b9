package layerwise.trace;

/**
 * The program that wrote a trace file.
 *
 * @param product product name; for a recorder of this project its own name
 * @param version product version, for example {@code 2025.6.3.343}; empty where the file does not say
 * @param schema  version of the export schema, for example {@code 3.24.8}; empty where the file does not say
 */
public record Exporter(String product, String version, String schema) {
    /** For messages: {@code NVIDIA Nsight Systems 2025.6.3.343, schema 3.24.8}. */
    @Override
    public String toString() {
        if (version.isEmpty() && schema.isEmpty()) {
            return "an unknown exporter";
        }
        return (product.isEmpty() ? "Nsight Systems" : product) + " " + (version.isEmpty() ? "?" : version)
                + ", schema " + (schema.isEmpty() ? "?" : schema);
    }
}
