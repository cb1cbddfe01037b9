/**
 * Operators on an NVIDIA GPU. The kernels' sources, with their contracts, are in {@code kernels/}; here each operator is
 * checked against its kernel's preconditions and its launch is prepared once.
 */
package layerwise.kernels;
