/** cuBLASLt 13.1, of CUDA 13.0. */
package layerwise.bindings.cublasLt;
