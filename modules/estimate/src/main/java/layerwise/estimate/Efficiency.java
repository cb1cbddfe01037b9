package layerwise.estimate;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What was learnt from measurements on one GPU: a curve for each kind of operator, and what lies between operators.
 *
 * @param gpu         name of the file of the GPU that was measured
 * @param machine     what was measured, and when
 * @param curves      by kind
 * @param fallback    for kinds that were not measured
 * @param graphGap    nanoseconds from one operator of a captured graph to the next
 * @param eagerGap    nanoseconds from one launched operator to the next
 * @param collectives what messages between ranks cost
 * @param error       what to expect of estimates
 */
public record Efficiency(
        String gpu,
        String machine,
        Map<OperatorKind, Curve> curves,
        Curve fallback,
        double graphGap,
        double eagerGap,
        LinkCosts collectives,
        ExpectedError error) {
    /**
     * How far estimates were from measurements that the fit had not seen.
     *
     * @param median of absolute relative errors of layers' times
     * @param worst  the greatest of them
     * @param basis  what was compared
     */
    public record ExpectedError(double median, double worst, String basis) {}

    public Efficiency {
        curves = Map.copyOf(curves);
    }

    /** For people: what estimates of a GPU rest on, and how far off they may be. */
    public String basis(String estimated) {
        String measured = String.format(
                Locale.ROOT,
                "error of layers' times: median %.0f %%, worst %.0f %% (%s)",
                100 * error.median(),
                100 * error.worst(),
                error.basis());
        return estimated.equals(gpu)
                ? "curves: %s; %s".formatted(machine, measured)
                : "curves: %s; on %s %s, on this GPU nothing was measured".formatted(machine, gpu, measured);
    }

    /** The curve of a kind; of the same operator in another format where that was not measured. */
    public Curve curve(OperatorKind kind) {
        return measured(kind).orElse(fallback);
    }

    /** Whether a kind has a curve of its own. */
    public boolean knows(OperatorKind kind) {
        return curves.containsKey(kind);
    }

    private Optional<Curve> measured(OperatorKind kind) {
        return Optional.ofNullable(curves.get(kind))
                .or(() -> curves.entrySet().stream()
                        .filter(entry -> entry.getKey().operator().equals(kind.operator()))
                        .min(Map.Entry.comparingByKey((a, b) -> a.format().compareTo(b.format())))
                        .map(Map.Entry::getValue));
    }
}
