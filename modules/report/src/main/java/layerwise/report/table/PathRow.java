package layerwise.report.table;

import java.util.List;

/**
 * All activities of one name and path in a trace, nanoseconds.
 *
 * @param path      texts of the ranges around their launches, outer before inner
 * @param fullName  demangled name
 * @param shortName name in reports
 * @param count     activities
 * @param total     sum of their times
 * @param share     part of the sum over the whole trace
 */
public record PathRow(
        List<String> path,
        String fullName,
        String shortName,
        int count,
        long total,
        double mean,
        double median,
        double p90,
        double min,
        double max,
        double share) {}
