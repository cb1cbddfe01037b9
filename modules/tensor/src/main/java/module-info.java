/**
 * Tensors: element types and their codecs, shapes, host and device tensors over memory segments, safetensors files.
 *
 * <p>The root of the module graph: knows no operator, no device and no model.
 */
module layerwise.tensor {
    requires com.fasterxml.jackson.core;

    exports layerwise.tensor;
    exports layerwise.tensor.safetensors;
}
