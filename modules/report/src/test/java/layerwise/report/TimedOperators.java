package layerwise.report;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A file of operators timed alone, with what a plot reads of it. */
final class TimedOperators {
    private final ObjectNode file =
            JsonMapper.builder().build().createObjectNode().put("schema_version", 1);

    TimedOperators(String model, String device) {
        file.put("device", device).putObject("args").put("model", model);
        file.putArray("operators");
    }

    /** Attention of DeepSeek on a GPU over a cache of this format. */
    static TimedOperators attention(String format, int batch, int... pasts) {
        TimedOperators operators = new TimedOperators("deepseek-ai/R1", "NVIDIA H100");
        for (int past : pasts) {
            operators.add(batch, past, format, "cold", past / 2.0, past);
        }
        return operators;
    }

    /** An operator that reads a cache of this format; NaN is no limit. */
    TimedOperators add(int batch, int past, String format, String cache, double limit, double... micros) {
        ObjectNode row = file.withArray("operators").addObject();
        row.put("batch_size", batch).put("seq_len_q", 1).put("seq_len_kv_cache", past);
        row.put("operator", "MlaDecodeAttention").put("shape", "B" + batch).put("cache", cache);
        row.putObject("sizes").put("cache", format);
        if (!Double.isNaN(limit)) {
            row.put("limit_us", limit);
        }
        Arrays.stream(micros).forEach(row.putArray("micros")::add);
        return this;
    }

    Path write(Path path) throws IOException {
        Files.createDirectories(path.getParent());
        return Files.writeString(path, file.toPrettyString());
    }
}
