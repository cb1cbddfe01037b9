package layerwise.report.html;

import java.util.List;
import layerwise.report.plot.Curve;
import layerwise.report.plot.Plot;

/**
 * How a curve looks. Runs differ in colour; where curves have settings, these differ in colour and runs in shade. Marks
 * always tell runs apart, since colour alone does not for everyone.
 */
record PlotLook(PlotColour colour, int mark) {
    static PlotLook of(Curve curve, Plot plot) {
        List<String> settings =
                plot.curves().stream().map(Curve::setting).distinct().toList();
        int hues = PlotColour.HUES;
        if (settings.size() == 1) {
            return new PlotLook(PlotColour.of(curve.run(), curve.run() / hues), curve.run());
        }
        int setting = settings.indexOf(curve.setting());
        return new PlotLook(PlotColour.of(setting, curve.run()), curve.run() + setting / hues);
    }
}
