package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import layerwise.report.profile.Cost;
import layerwise.report.profile.Losses;
import layerwise.report.profile.ProblemProfile;

/** In plain words: which operators lose most time against their limits, and what binds each. */
public final class ExplainText {
    /** A limit below this is less than any launch takes. */
    private static final double LAUNCH_NANOS = 2000;

    private ExplainText() {}

    /** One problem with its {@code count} greatest losses. */
    public static String render(ProblemProfile problem, int count) {
        List<Losses.Loss> losses = Losses.of(problem);
        double total = problem.totals().total().mean();
        double limits =
                losses.stream().mapToDouble(loss -> loss.cost().limitNanos()).sum();
        StringBuilder text = new StringBuilder();
        text.append('"')
                .append(problem.title())
                .append("\": ")
                .append(Numbers.micros(total))
                .append(" us. ");
        if (losses.isEmpty()) {
            return text.append("No operator has a limit: the trace states no work, or no GPU file matches its GPU.\n")
                    .toString();
        }
        text.append("The limits of its operators are ")
                .append(Numbers.micros(limits))
                .append(" us together, ")
                .append(Numbers.percent(limits / total))
                .append(" % of it. Most time is lost here:\n");
        for (int i = 0; i < Math.min(count, losses.size()); i++) {
            text.append('\n').append(i + 1).append(". ");
            row(losses.get(i), total, text);
        }
        text.append("\nBesides, no kernel ran for ")
                .append(Numbers.micros(problem.totals().space().mean()))
                .append(" us, and ")
                .append(Numbers.micros(Math.abs(problem.totals().overlap().mean())))
                .append(" us were saved by kernels that ran beside each other.\n");
        return text.toString();
    }

    private static void row(Losses.Loss loss, double total, StringBuilder text) {
        List<String> place = new ArrayList<>(loss.path());
        place.add(loss.record().operator());
        text.append(String.join(" > ", place)).append(' ').append(loss.record().shape());
        if (loss.times() > 1) {
            text.append(", ").append(loss.times()).append(" times");
        }
        text.append(" (").append(String.join(", ", loss.kernels())).append(")\n   ");
        text.append(Numbers.micros(loss.nanos())).append(" us, ");
        text.append(Numbers.micros(loss.lostNanos())).append(" us more than its limit of ");
        text.append(Numbers.micros(loss.cost().limitNanos())).append(" us; ");
        text.append(Numbers.percent(loss.lostNanos() / total)).append(" % of the total");
        text.append(loss.beside() ? ", beside the main stream.\n   " : ".\n   ");
        text.append(bound(loss)).append('\n');
    }

    private static String bound(Losses.Loss loss) {
        Cost cost = loss.cost();
        double nanos = loss.nanos();
        double each = cost.limitNanos() / loss.times();
        String verdict = switch (cost.bound()) {
            case "compute" ->
                "Arithmetic binds it: %s GFLOP in %s at %s TFLOP/s. It reaches %s TFLOP/s, %s %%."
                        .formatted(
                                Numbers.significant(cost.flops() / 1e9),
                                loss.record().format(),
                                Numbers.significant(cost.teraflops(cost.limitNanos())),
                                Numbers.significant(cost.teraflops(nanos)),
                                Numbers.percent(cost.ofLimit(nanos)));
            case "memory" ->
                "Memory binds it: %s MB at %s GB/s. It moves %s GB/s, %s %%."
                        .formatted(
                                Numbers.significant(cost.bytes() / 1e6),
                                Numbers.significant(cost.gigabytes(cost.limitNanos())),
                                Numbers.significant(cost.gigabytes(nanos)),
                                Numbers.percent(cost.ofLimit(nanos)));
            case "links" ->
                "Links bind it: %s MB at %s GB/s. It sends %s GB/s, %s %%."
                        .formatted(
                                Numbers.significant(cost.linkBytes() / 1e6),
                                Numbers.significant(cost.linkGigabytes(cost.limitNanos())),
                                Numbers.significant(cost.linkGigabytes(nanos)),
                                Numbers.percent(cost.ofLimit(nanos)));
            default ->
                "It does %s GFLOP and moves %s MB; it reaches %s %% of the limit."
                        .formatted(
                                Numbers.significant(cost.flops() / 1e9),
                                Numbers.significant(cost.bytes() / 1e6),
                                Numbers.percent(cost.ofLimit(nanos)));
        };
        if (each < LAUNCH_NANOS) {
            verdict += " That is too little work to fill the GPU: its launch and latency bind it, not a rate.";
        } else if (Double.isFinite(loss.record().ceilingNanos())) {
            verdict += " Against the best rates measured on such a GPU it is at %s %%."
                    .formatted(Numbers.percent(cost.ofCeiling(nanos)));
        }
        return verdict;
    }
}
