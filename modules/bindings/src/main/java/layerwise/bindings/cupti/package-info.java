/** CUPTI of CUDA 13.0 Update 1: activity records and callbacks. */
package layerwise.bindings.cupti;
