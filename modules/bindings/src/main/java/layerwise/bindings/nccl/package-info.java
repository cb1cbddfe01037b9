/** NCCL, as declared by nccl.h. */
package layerwise.bindings.nccl;
