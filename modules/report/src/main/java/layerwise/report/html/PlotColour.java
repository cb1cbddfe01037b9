package layerwise.report.html;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A colour of a plot: on a light background it stands at the elements themselves, since not every viewer of SVG reads
 * styles; on a dark one a style overrides it.
 *
 * @param style class of the elements that have it
 */
record PlotColour(String style, String light, String dark) {
    static final PlotColour PAPER = new PlotColour("c-paper", "#ffffff", "#15181d");
    static final PlotColour INK = new PlotColour("c-ink", "#1a1c20", "#e6e8ec");
    static final PlotColour FAINT = new PlotColour("c-faint", "#5d6470", "#9aa3b0");
    static final PlotColour LINE = new PlotColour("c-line", "#d4d8de", "#343a44");

    private static final List<PlotColour> STRONG = List.of(
            new PlotColour("c-blue", "#0b5cad", "#8cc4ff"),
            new PlotColour("c-orange", "#b4480a", "#ffb27a"),
            new PlotColour("c-green", "#1c7a3e", "#86dba2"),
            new PlotColour("c-purple", "#6d3fb2", "#cdb4ff"),
            new PlotColour("c-pink", "#b0246c", "#ffa8d2"),
            new PlotColour("c-teal", "#0b7285", "#7fe0ee"),
            new PlotColour("c-ochre", "#7d5a00", "#f0cf70"),
            new PlotColour("c-grey", "#4a5058", "#d0d5dc"));
    private static final List<PlotColour> SOFT = List.of(
            new PlotColour("c-soft-blue", "#4c9be8", "#3f88d6"),
            new PlotColour("c-soft-orange", "#f0822d", "#d9702a"),
            new PlotColour("c-soft-green", "#4cb36f", "#37a05f"),
            new PlotColour("c-soft-purple", "#a988e0", "#8f6bd6"),
            new PlotColour("c-soft-pink", "#e77bb0", "#d0508f"),
            new PlotColour("c-soft-teal", "#38b2c6", "#2397ab"),
            new PlotColour("c-soft-ochre", "#c79a1f", "#b0872a"),
            new PlotColour("c-soft-grey", "#8d949e", "#7d848e"));

    /** Hues of curves, each in two shades. */
    static final int HUES = STRONG.size();

    /** A colour of a curve; hues and shades begin anew after the last. */
    static PlotColour of(int hue, int shade) {
        return (shade % 2 == 0 ? STRONG : SOFT).get(hue % HUES);
    }

    /** The style for dark backgrounds, of the viewer's choice or of the page's. */
    static String styles() {
        return "@media (prefers-color-scheme: dark) {\n" + rules(":root:not([data-theme=\"light\"])") + "}\n"
                + rules(":root[data-theme=\"dark\"]");
    }

    private static String rules(String root) {
        return Stream.of(List.of(PAPER, INK, FAINT, LINE), STRONG, SOFT)
                .flatMap(List::stream)
                .map(colour -> root + " .plot ." + colour.style + " { color: " + colour.dark + " }\n")
                .collect(Collectors.joining());
    }
}
