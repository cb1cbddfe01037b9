package layerwise.bench.config;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Parses command lines for tests, and writes the files they name. */
final class Configurations {
    /** A complete decode configuration; tests change one line of it. */
    static final String GEN = """
            model: some/model
            layer_indices: [5]
            run_type: GEN
            tokens_per_block: 32
            moe_backend: CUTLASS
            batch_size: 2
            seq_len_q: 1
            seq_len_kv_cache: 8
            balance_method: Balanced
            balance_ratio: null
            """;

    private Configurations() {}

    static RunConfig parse(String... arguments) {
        return RunOptions.parse("layerwise run", List.of(arguments), silent()).orElseThrow();
    }

    /** The file {@code gen.yaml} in {@code folder} with this text. */
    static Path write(Path folder, String text) {
        try {
            return Files.writeString(folder.resolve("gen.yaml"), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static PrintStream silent() {
        return new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    }
}
