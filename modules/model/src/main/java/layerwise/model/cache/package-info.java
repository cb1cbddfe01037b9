/** What a sequence leaves behind for its next step, and the tables by which kernels find it. */
package layerwise.model.cache;
