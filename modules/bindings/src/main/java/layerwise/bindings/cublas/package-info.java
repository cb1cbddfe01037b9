/** cuBLAS 13.1, of CUDA 13.0: what says which version was found. */
package layerwise.bindings.cublas;
