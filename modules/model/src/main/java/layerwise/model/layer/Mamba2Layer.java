package layerwise.model.layer;

import java.util.Optional;
import layerwise.model.cache.LayerCache;
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

    /** Asks for the layer's weights. */
    Mamba2Layer(ModelSpec model, Mamba2Spec spec, WeightTable weights, String prefix, LayerCache.Recurrent cache) {
        this.spec = spec;
        this.epsilon = model.epsilon();
        this.cache = cache;
        input = weights.matrix(
                prefix + "in_proj",
                model.hidden(),
                new Part(prefix + "in_proj", spec.inner() + spec.channels() + spec.heads()));
        convolution = weights.convolution(prefix + "conv1d", spec.channels(), spec.convWidth());
        bias = spec.convBias()
                ? Optional.of(weights.floats(prefix + "conv1d.bias", spec.channels()))
                : Optional.empty();
        aLog = weights.floats(prefix + "A_log", spec.heads());
        dtBias = weights.floats(prefix + "dt_bias", spec.heads());
        d = weights.floats(prefix + "D", spec.heads());
        gain = weights.gain(prefix + "norm", spec.inner());
        output = weights.matrix(prefix + "out_proj", spec.inner(), new Part(prefix + "out_proj", model.hidden()));
    }

    @Override
    public TensorRef emit(Emission to, TensorRef hidden) {
        TensorRef result = to.activation("output", to.tokens(), hidden.dim(1));
        to.program().range("Mamba2Mixer", () -> {
            int inner = spec.inner();
            int convEnd = inner + spec.channels();
            TensorRef in = to.activation("z_x_b_c_dt", to.tokens(), (long) convEnd + spec.heads());
            to.launch(new Linear(hidden, input, in));
            TensorRef xbc = to.activation("x_b_c", to.tokens(), spec.channels());
            to.launch(
                    new CausalConv1d(in.slice(1, inner, convEnd), convolution, bias, cache.inputs(), xbc, to.paged()));
            TensorRef y = recurrence(to, xbc, in.slice(1, convEnd, in.dim(1)));
            TensorRef normed = to.activation("normed", to.tokens(), inner);
            int group = inner / spec.groups();
            to.launch(new GatedRmsNorm(
                    y.joinLast().splitLast(spec.groups(), group),
                    in.slice(1, 0, inner).splitLast(spec.groups(), group),
                    gain,
                    normed.splitLast(spec.groups(), group),
                    epsilon,
                    GatedRmsNorm.Order.GATE_FIRST));
            to.launch(new Linear(normed, output, result));
        });
        return result;
    }

    private TensorRef recurrence(Emission to, TensorRef xbc, TensorRef dt) {
        int inner = spec.inner();
        int bEnd = inner + spec.groups() * spec.stateDim();
        TensorRef y = to.activation("y", to.tokens(), spec.heads(), spec.headDim());
        StateSpace ssm = new StateSpace(
                xbc.slice(1, 0, inner).splitLast(spec.heads(), spec.headDim()),
                xbc.slice(1, inner, bEnd).splitLast(spec.groups(), spec.stateDim()),
                xbc.slice(1, bEnd, xbc.dim(1)).splitLast(spec.groups(), spec.stateDim()),
                dt,
                aLog,
                dtBias,
                d,
                cache.state(),
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
