/** The {@code forward} command: layers as a plain decoder, against activations from elsewhere. */
package layerwise.bench.forward;
