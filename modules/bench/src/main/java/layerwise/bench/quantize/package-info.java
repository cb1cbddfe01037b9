/** The {@code quantize} command: checkpoints in another format, or of made-up weights. */
package layerwise.bench.quantize;
