/**
 * Operators computed the obvious way, with float64 sums, on the processor.
 */
package layerwise.reference;
