package layerwise.model.layer;

import java.util.List;
import java.util.Optional;
import layerwise.model.cache.LayerCache;
import layerwise.model.parallel.Mamba2Share;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.Mamba2Spec;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightTable;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.CausalConv1d;
import layerwise.op.GatedRmsNorm;
import layerwise.op.Linear;
import layerwise.op.SsdChunkScan;
import layerwise.op.SsdStateUpdate;
import layerwise.op.StateSpace;
import layerwise.op.TensorRef;
import layerwise.op.Weight;

/** A Mamba-2 mixer: in chunks in prefill, token by token in decode (Dao and Gu 2024, §7). */
final class Mamba2Layer implements SubLayer {
    private final Mamba2Spec spec;
    private final long heads;
    private final long groups;
    private final long inner;
    private final long channels;
    private final double epsilon;
    private final Weight input;
    private final TensorRef convolution;
    private final Optional<TensorRef> bias;
    private final TensorRef aLog;
    private final TensorRef dtBias;
    private final TensorRef d;
    private final TensorRef gain;
    private final Weight output;
    private final LayerCache.Recurrent cache;

    /**
     * Asks for the layer's weights.
     *
     * @param mapping which heads, and groups of them, are this rank's
     */
    Mamba2Layer(
            ModelSpec model,
            Mamba2Spec spec,
            WeightTable weights,
            String prefix,
            LayerCache.Recurrent cache,
            Mapping mapping) {
        Mamba2Share own = Mamba2Share.of(mapping, model.name(), spec);
        this.spec = spec;
        this.heads = own.heads().size();
        this.groups = own.groups().size();
        this.inner = own.inner().size();
        this.channels = inner + 2 * groups * spec.stateDim();
        this.epsilon = model.epsilon();
        this.cache = cache;
        input = weights.matrix(
                prefix + "in_proj",
                model.hidden(),
                own.inputRows().stream()
                        .map(rows -> new Part(prefix + "in_proj", rows))
                        .toArray(Part[]::new));
        convolution = weights.convolution(prefix + "conv1d", own.channels(), spec.convWidth());
        bias = spec.convBias() ? Optional.of(weights.floats(prefix + "conv1d.bias", own.channels())) : Optional.empty();
        aLog = weights.floats(prefix + "A_log", List.of(own.heads()));
        dtBias = weights.floats(prefix + "dt_bias", List.of(own.heads()));
        d = weights.floats(prefix + "D", List.of(own.heads()));
        gain = weights.gain(prefix + "norm", own.inner());
        output = weights.matrix(prefix + "out_proj", own.inner(), new Part(prefix + "out_proj", model.hidden()));
    }

    @Override
    public TensorRef emit(Emission to, TensorRef hidden) {
        TensorRef part = to.activation("output", to.tokens(), hidden.dim(1));
        TensorRef[] result = new TensorRef[1];
        to.program().range("Mamba2Mixer", () -> {
            long convEnd = inner + channels;
            TensorRef in = to.activation("z_x_b_c_dt", to.tokens(), convEnd + heads);
            to.launch(new Linear(hidden, input, in));
            TensorRef xbc = to.activation("x_b_c", to.tokens(), channels);
            to.launch(new CausalConv1d(
                    in.slice(1, inner, convEnd),
                    convolution,
                    bias,
                    cache.inputs().tensor(),
                    xbc,
                    to.paged()));
            TensorRef y = recurrence(to, xbc, in.slice(1, convEnd, in.dim(1)));
            TensorRef normed = to.activation("normed", to.tokens(), inner);
            long group = inner / groups;
            to.launch(new GatedRmsNorm(
                    y.joinLast().splitLast(groups, group),
                    in.slice(1, 0, inner).splitLast(groups, group),
                    gain,
                    normed.splitLast(groups, group),
                    epsilon,
                    GatedRmsNorm.Order.GATE_FIRST));
            to.launch(new Linear(normed, output, part));
            result[0] = to.reduced(part);
        });
        return result[0];
    }

    private TensorRef recurrence(Emission to, TensorRef xbc, TensorRef dt) {
        long bEnd = inner + groups * spec.stateDim();
        TensorRef y = to.activation("y", to.tokens(), heads, spec.headDim());
        StateSpace ssm = new StateSpace(
                xbc.slice(1, 0, inner).splitLast(heads, spec.headDim()),
                xbc.slice(1, inner, bEnd).splitLast(groups, spec.stateDim()),
                xbc.slice(1, bEnd, xbc.dim(1)).splitLast(groups, spec.stateDim()),
                dt,
                aLog,
                dtBias,
                d,
                cache.state().tensor(),
                y,
                to.paged());
        to.launch(
                switch (to.phase()) {
                    case CONTEXT -> new SsdChunkScan(ssm, spec.chunk());
                    case GENERATION -> new SsdStateUpdate(ssm);
                });
        return y;
    }
}
