/** Curves of a module's time over one dimension of the problems, and where two of them cross. */
package layerwise.report.plot;
