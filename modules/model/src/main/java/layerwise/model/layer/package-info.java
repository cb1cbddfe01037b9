/** Layers as sequences of operators. Nothing here knows a device. */
package layerwise.model.layer;
