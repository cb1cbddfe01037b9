package layerwise.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import layerwise.trace.TraceException;

/** Timelines as JSON: those of {@code report} and {@code align}, and the reference's. */
record TimelineFile(String name, List<Kernel> kernels) {
    /** One kernel, mean nanoseconds. */
    record Kernel(String name, double duration, double end) {}

    /**
     * Reads all timelines of a file.
     *
     * @throws TraceException if it is missing or not in that form
     */
    static List<TimelineFile> read(Path file) {
        JsonNode root;
        try {
            root = JsonMapper.builder().build().readTree(Files.readString(file));
        } catch (NoSuchFileException e) {
            throw new TraceException(file + ": no such file", e);
        } catch (JsonProcessingException e) {
            throw new TraceException(
                    file + ": is not the JSON of a timeline, line "
                            + e.getLocation().getLineNr() + ": " + e.getOriginalMessage(),
                    e);
        } catch (IOException e) {
            throw new TraceException(file + ": cannot be read: " + e.getMessage(), e);
        }
        List<TimelineFile> timelines = new ArrayList<>();
        for (JsonNode problem : root) {
            List<Kernel> kernels = new ArrayList<>();
            for (JsonNode kernel : problem.path("timeline")) {
                boolean complete = kernel.path("name").isTextual()
                        && kernel.path("duration").isNumber()
                        && kernel.path("end").isNumber();
                if (!complete) {
                    throw new TraceException(file + ": kernel " + kernels.size() + " of \""
                            + problem.path("name").asText() + "\" lacks name, duration or end");
                }
                kernels.add(new Kernel(
                        kernel.get("name").asText(),
                        kernel.get("duration").asDouble(),
                        kernel.get("end").asDouble()));
            }
            timelines.add(new TimelineFile(problem.path("name").asText(), kernels));
        }
        if (timelines.isEmpty()
                || timelines.stream().anyMatch(timeline -> timeline.kernels().isEmpty())) {
            throw new TraceException(file + ": holds no timeline, or an empty one");
        }
        return timelines;
    }

    List<String> names() {
        return kernels.stream().map(Kernel::name).toList();
    }
}
