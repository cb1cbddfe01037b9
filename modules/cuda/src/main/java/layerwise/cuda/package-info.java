/**
 * CUDA as Java objects: every native object has one owner, every status is checked where it is returned.
 *
 * <p>Everything that belongs to a {@link layerwise.cuda.Device} is confined to the thread that opened it.
 */
package layerwise.cuda;
