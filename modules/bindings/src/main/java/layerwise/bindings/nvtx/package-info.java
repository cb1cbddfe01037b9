/** NVTX 3 as libnvtx3interop exports it. */
package layerwise.bindings.nvtx;
