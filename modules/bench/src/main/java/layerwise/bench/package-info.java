/** The benchmark program. */
package layerwise.bench;
