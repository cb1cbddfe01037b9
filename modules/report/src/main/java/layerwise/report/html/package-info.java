/** The report as one self-contained page, written with j2html, whose types do not leave this package. */
package layerwise.report.html;
