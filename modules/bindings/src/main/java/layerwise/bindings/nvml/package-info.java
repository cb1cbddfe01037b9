/** NVML of CUDA 13: clocks, power, temperature and utilisation of GPUs. */
package layerwise.bindings.nvml;
