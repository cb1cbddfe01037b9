/**
 * Safetensors: checkpoint files and folders read in place by memory mapping, and files written.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">The format</a>
 */
package layerwise.tensor.safetensors;
