/** The CUDA runtime, version 13.0. */
package layerwise.bindings.cudart;
