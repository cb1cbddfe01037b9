/** From a trace to numbers: which problem, run and module every GPU activity belongs to, and what it took. */
package layerwise.report.profile;
