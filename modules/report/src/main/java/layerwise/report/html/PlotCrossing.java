package layerwise.report.html;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import layerwise.report.plot.BreakEven;
import layerwise.report.plot.Plot;
import layerwise.report.render.Numbers;

/**
 * A break-even with the label above the image that names it.
 *
 * @param label what it says
 * @param right where the label ends: at its line, but for one that would begin outside the image
 * @param row   rows of labels below its own
 */
record PlotCrossing(BreakEven.Crossing crossing, String label, double right, int row) {
    private static final double LETTER = 7;
    private static final double BETWEEN = 6;
    private static final double MARGIN = 12;

    /** All break-evens from left to right, their labels so that none covers another or another's line. */
    static List<PlotCrossing> of(Plot plot, PlotAxis x) {
        List<PlotCrossing> bare = new ArrayList<>();
        for (BreakEven breakEven : plot.breakEvens()) {
            String setting = breakEven.first().setting();
            boolean several = plot.breakEvens().size() > 1;
            for (BreakEven.Crossing crossing : breakEven.crossings()) {
                String value = Numbers.significant(crossing.at());
                String label = several ? value + " at " + setting : "break-even at " + value;
                double right = Math.max(x.at(crossing.at()), MARGIN + label.length() * LETTER);
                bare.add(new PlotCrossing(crossing, label, right, 0));
            }
        }
        bare.sort(Comparator.comparingDouble(PlotCrossing::right));
        List<PlotCrossing> placed = new ArrayList<>();
        for (PlotCrossing one : bare) {
            double left = one.right - one.label.length() * LETTER;
            // Lines go down from their labels, so all before that stand as high or higher must end before this one.
            int row = placed.stream()
                    .filter(before -> before.right + BETWEEN > left)
                    .mapToInt(before -> before.row + 1)
                    .max()
                    .orElse(0);
            placed.add(new PlotCrossing(one.crossing, one.label, one.right, row));
        }
        return placed;
    }
}
