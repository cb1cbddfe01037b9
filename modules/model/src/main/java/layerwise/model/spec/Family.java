package layerwise.model.spec;

/** What layers of one model type have in common beyond their sizes: names in the checkpoint, norms, where layers are cut. */
public enum Family {
    /** DeepSeek-V3. */
    DEEPSEEK_V3("model.layers.", "input_layernorm", "model.norm", Cut.AFTER_NEXT_NORM, false),
    /** Nemotron-H: one mixer, or one MLP, is a layer. */
    NEMOTRON_H("backbone.layers.", "norm", "backbone.norm_f", Cut.BEFORE_ADD, false),
    /** Qwen3-Next; gains of its norms are stored without the 1 that is added to them. */
    QWEN3_NEXT("model.layers.", "input_layernorm", "model.norm", Cut.AFTER_NEXT_NORM, true);

    /** Where an engine cuts between layers, so that the addition to the residual stream and the next norm are one pass. */
    public enum Cut {
        /** A layer takes normalised rows and ends with the norm of the next layer. */
        AFTER_NEXT_NORM,
        /** A layer takes rows that are still to be added to the residual stream, and leaves such rows. */
        BEFORE_ADD
    }

    private final String layers;
    private final String inputNorm;
    private final String finalNorm;
    private final Cut cut;
    private final boolean zeroCentredNorms;

    Family(String layers, String inputNorm, String finalNorm, Cut cut, boolean zeroCentredNorms) {
        this.layers = layers;
        this.inputNorm = inputNorm;
        this.finalNorm = finalNorm;
        this.cut = cut;
        this.zeroCentredNorms = zeroCentredNorms;
    }

    /** Prefix of a layer's tensors in the checkpoint. */
    public String prefix(int layer) {
        return layers + layer + ".";
    }

    /** Name of a layer's first norm in the checkpoint. */
    public String inputNorm(int layer) {
        return prefix(layer) + inputNorm;
    }

    /** Name of the norm after the last layer. */
    public String finalNorm() {
        return finalNorm;
    }

    public Cut cut() {
        return cut;
    }

    /** Whether norms multiply with 1 plus the stored gain. */
    public boolean hasZeroCentredNorms() {
        return zeroCentredNorms;
    }
}
