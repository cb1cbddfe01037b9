/** Pure functions from evaluated traces to text: one class for each format. */
package layerwise.report.render;
