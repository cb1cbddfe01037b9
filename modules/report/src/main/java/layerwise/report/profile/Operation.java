package layerwise.report.profile;

import java.util.List;
import java.util.Optional;

/**
 * One kernel, copy or memory set at its place in a problem's sequence.
 *
 * @param path      module names around it, outer before inner
 * @param instances the ranges behind the path, so that two modules of one name are told apart
 * @param fullName  demangled name
 * @param shortName name in reports
 * @param durations nanoseconds on the GPU, one value for each measured run
 * @param meanEnd   mean end, nanoseconds since the first start of the same run
 * @param lane      device and stream, {@code device << 24 | stream}
 * @param launch    the operator that launched it, where the trace says so
 * @param frames    who launched it or captured its launch, innermost frame first; none where that was not recorded
 */
public record Operation(
        List<String> path,
        List<Integer> instances,
        String fullName,
        String shortName,
        Samples durations,
        double meanEnd,
        int lane,
        Optional<Launch> launch,
        List<String> frames) {
    /** Its part of the cost of the operator that launched it. */
    public Optional<Cost> cost() {
        return launch.map(Launch::cost);
    }
}
