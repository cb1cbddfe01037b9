package layerwise.bench.verify;

import layerwise.op.Add;
import layerwise.op.AddRmsNorm;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.CausalConv1d;
import layerwise.op.Combine;
import layerwise.op.DeltaRuleChunkScan;
import layerwise.op.DeltaRuleUpdate;
import layerwise.op.GatedGroupedLinear;
import layerwise.op.GatedRmsNorm;
import layerwise.op.GatherRows;
import layerwise.op.GqaDecodeAttention;
import layerwise.op.GqaPrefillAttention;
import layerwise.op.GroupedLinear;
import layerwise.op.GroupedLinearCombine;
import layerwise.op.HeadLinear;
import layerwise.op.IndexKeyAppend;
import layerwise.op.IndexLogits;
import layerwise.op.IndexQuery;
import layerwise.op.IndexTopK;
import layerwise.op.L2Norm;
import layerwise.op.LatentAppend;
import layerwise.op.LatentGather;
import layerwise.op.Linear;
import layerwise.op.MlaDecodeAttention;
import layerwise.op.MlaPrefillAttention;
import layerwise.op.MlaRopeAppend;
import layerwise.op.Operator;
import layerwise.op.PackedLatent;
import layerwise.op.PoolRows;
import layerwise.op.ReduceScatter;
import layerwise.op.RmsNorm;
import layerwise.op.Rotary;
import layerwise.op.RoundRows;
import layerwise.op.Route;
import layerwise.op.ScaleFormat;
import layerwise.op.SigmoidGate;
import layerwise.op.SortByExpert;
import layerwise.op.SparseMlaAttention;
import layerwise.op.SquaredRelu;
import layerwise.op.SsdChunkScan;
import layerwise.op.SsdStateUpdate;
import layerwise.op.SwiGlu;
import layerwise.op.SwiGluRoundRows;
import layerwise.op.Weight;
import layerwise.tensor.DType;

/**
 * How far an output may be from the reference: {@code |y − r| ≤ relative·|r| + ofRow·rms(row of r) + least}.
 *
 * @param relative roundings of the result itself
 * @param ofRow    roundings of sums and of what goes into them, which cancellation makes visible beside a small result
 * @param least    a step between the smallest numbers of the result's type, which shrinks no further with them
 */
record Tolerance(double relative, double ofRow, double least) {
    /** Unit roundoff of float32 accumulators. */
    private static final double ACCUMULATOR = 0x1p-24;

    /**
     * What float8 products lose before they are added up in float32, as a share of the row's root mean square. Each of a
     * run's 128 products is cut 13 bits below the largest of its step of 32, which with its power of two is about 0.6 of
     * the run's root mean square; errors are uniform, so six standard deviations of their sum are 6·√(128/12) such units.
     */
    private static final double FP8_ACCUMULATOR = 6 * Math.sqrt(128.0 / 12) * 0.6 * 0x1p-13;

    /** Sums whose terms are as large as the result do not need it; a factor for the spread of terms around it. */
    private static final double SPREAD = 4;

    /**
     * What rounding terms of a sum to bfloat16 may add, as a share of the row's root mean square: errors are uniform within
     * a unit of each term, so six standard deviations of their sum are 6/√3 units.
     */
    private static final double ROUNDED_TERMS = 6 / Math.sqrt(3) * unit(DType.BF16);

    /** Of scores that are sums of FP8 products, whose roundings the exponential multiplies (ADR 15). */
    private static final double FP8_PROBABILITIES = 8 * ROUNDED_TERMS;

    /** For results whose type goes on to steps that do not matter. */
    Tolerance(double relative, double ofRow) {
        this(relative, ofRow, 0);
    }

    /** Of chunks, where what passes so many products in turn is rounded to bfloat16 before each. */
    private static Tolerance chunked(double unit, int products) {
        return new Tolerance(unit + products * unit(DType.BF16), products * ROUNDED_TERMS);
    }

    /** Of one output of an operator, stored as {@code dtype}. */
    static Tolerance of(Operator operator, DType dtype) {
        Tolerance normal = ofNormal(operator, dtype);
        boolean stored = !(operator instanceof SwiGluRoundRows);
        boolean coarse = dtype == DType.E4M3 && normal.relative() > 0 && stored;
        return coarse ? new Tolerance(normal.relative(), normal.ofRow(), 0x1p-9) : normal;
    }

    private static Tolerance ofNormal(Operator operator, DType dtype) {
        // The reference's result is stored in the same type: both may round away from each other.
        double unit = 2 * unit(dtype);
        return switch (operator) {
            case Linear op ->
                product(unit, op.w(), op.w().roundsActivations(op.x().dtype()));
            case HeadLinear op -> sum(unit, op.x().dim(2));
            case GroupedLinear op -> product(unit, op.w(), op.x().isRounded());
            // The gate's and the other half's sums, then three float32 operations on them.
            case GatedGroupedLinear op ->
                product(2 * unit, op.w(), op.x().isRounded()).twice();
            case GroupedLinearCombine op ->
                combined(unit, op.w().k(), op.slots().dim(1));
            case Combine op -> sum(unit, op.slots().dim(1));
            case RmsNorm op -> sum(2 * unit, op.x().dim(1));
            case AddRmsNorm op -> sum(2 * unit, op.x().dim(1));
            case Add op -> sum(unit, 1);
            case SwiGlu op -> sum(2 * unit, 4);
            case SwiGluRoundRows op -> rounded(op, dtype);
            case RoundRows op -> new Tolerance(0, 0);
            case Rotary op -> sum(2 * unit, 4);
            case MlaRopeAppend op -> sum(3 * unit, op.norm().x().dim(1));
            case LatentAppend op -> sum(unit, 1);
            case LatentGather op -> sum(unit, 1);
            case GatherRows op -> new Tolerance(0, 0);
            case SortByExpert op -> new Tolerance(0, 0);
            case AllGather op -> new Tolerance(0, 0);
            case AllToAllDispatch op -> new Tolerance(0, 0);
            case AllReduce op -> sum(unit, op.group().size());
            case ReduceScatter op -> sum(unit, op.tokens().group().size());
            case AllToAllCombine op -> {
                // An element halfway between two of E4M3 may go either way: half a unit of a run's largest element.
                double wire = op.wire() == AllToAllCombine.Wire.FP8 ? unit(DType.E4M3) : 0;
                int ranks = op.tokens().group().size();
                yield new Tolerance(unit, wire * Math.sqrt(ranks) + SPREAD * ACCUMULATOR * ranks);
            }
            // Sigmoids and exponentials of the device are good to a few units of float32.
            case Route op -> new Tolerance(32 * ACCUMULATOR, 0);
            // Probabilities are rounded to bfloat16 before they meet the values.
            case MlaPrefillAttention op -> new Tolerance(unit, ROUNDED_TERMS);
            // Packed rows become bfloat16 as keys and as values: with probabilities three independent errors of one
            // size.
            case SparseMlaAttention op ->
                new Tolerance(unit, PackedLatent.holds(op.cache()) ? Math.sqrt(3) * ROUNDED_TERMS : ROUNDED_TERMS);
            // Of E4M3 elements one may be halfway between two; scales are powers of two.
            case IndexQuery op -> sum(2 * unit, op.q().dim(2));
            case IndexKeyAppend op -> sum(2 * unit, op.k().dim(1));
            // Errors of heads add up as their terms do where signs are mixed; but products are cut towards zero, and
            // keys
            // differ in length. By Cauchy and Schwarz signs make at most √Q of it.
            case IndexLogits op -> {
                long heads = op.q().dim(1);
                double kept = op.keys().quantised() ? FP8_ACCUMULATOR * Math.sqrt(heads) : 0;
                yield new Tolerance(unit, kept + SPREAD * ACCUMULATOR * heads);
            }
            case IndexTopK op -> new Tolerance(0, 0);
            case PoolRows op -> new Tolerance(0, 0);
            case MlaDecodeAttention op ->
                new Tolerance(unit, op.cache().dtype() == DType.E4M3 ? FP8_PROBABILITIES : ROUNDED_TERMS);
            case GqaPrefillAttention op -> new Tolerance(unit, ROUNDED_TERMS);
            case GqaDecodeAttention op -> new Tolerance(unit, ROUNDED_TERMS);
            case SquaredRelu op -> sum(2 * unit, 2);
            case SigmoidGate op -> sum(2 * unit, 4);
            case L2Norm op -> sum(2 * unit, op.x().dim(2));
            case GatedRmsNorm op -> sum(2 * unit, op.x().dim(2) + 8);
            // The state's elements are inputs as stored; a SiLU of a sum of K products.
            case CausalConv1d op -> sum(2 * unit, op.w().dim(1) + 8);
            // A state is read in its own type; decays and steps are a few float32 operations each.
            case SsdStateUpdate op -> sum(2 * unit, op.ssm().stateDim() + 16L);
            case DeltaRuleUpdate op -> sum(2 * unit, 2L * op.rule().keyDim() + 16);
            // The state, scores, and decayed inputs.
            case SsdChunkScan op -> chunked(unit, 3);
            // The inverse, corrections with and without the state's part, and the state.
            case DeltaRuleChunkScan op -> chunked(unit, 4);
        };
    }

    /** The same of a product whose weight was rounded to bfloat16 first. */
    Tolerance withRoundedWeight() {
        return new Tolerance(relative, ofRow + ROUNDED_TERMS, least);
    }

    private static Tolerance sum(double unit, long terms) {
        return new Tolerance(unit, SPREAD * ACCUMULATOR * terms);
    }

    /**
     * Of a SwiGLU in bfloat16 that may be rounded the other way, and with it a block's largest element and its scale. Scales
     * are judged by themselves; codes by what they stand for ({@link RoundedComparison}), so that a scale's step changes
     * nothing, with the step between the smallest codes: the scale is at most a 448th, or twice that where it is a power of
     * two, of an element, which is at most √I of the row's root mean square, or of 1e-4.
     */
    private static Tolerance rounded(SwiGluRoundRows op, DType dtype) {
        double activation = 4 * unit(DType.BF16);
        boolean powers = op.format() == ScaleFormat.UE8M0;
        if (dtype == DType.F32) {
            return new Tolerance(powers ? 1 : activation, 0);
        }
        double step = 0x1p-9 * (powers ? 2 : 1) / 448;
        return new Tolerance(
                2 * unit(DType.E4M3) + activation, step * Math.sqrt(op.y().width()), step * 1e-4);
    }

    private static Tolerance product(double unit, Weight w, boolean rounded) {
        Tolerance sums = sum(unit, w.k());
        double kept = rounded ? FP8_ACCUMULATOR : 0;
        return new Tolerance(sums.relative(), sums.ofRow() + kept);
    }

    private Tolerance twice() {
        return new Tolerance(relative, 2 * ofRow);
    }

    /** Rows may be rounded before they are weighed and added. */
    private static Tolerance combined(double unit, long terms, long rows) {
        return new Tolerance(unit, unit * Math.sqrt(rows) + SPREAD * ACCUMULATOR * terms);
    }

    /** Largest relative error of rounding to nearest. */
    static double unit(DType dtype) {
        return switch (dtype) {
            case F32 -> 0x1p-24;
            case F16 -> 0x1p-11;
            case BF16 -> 0x1p-8;
            case E4M3 -> 0x1p-4;
            case E5M2 -> 0x1p-3;
            case E2M1 -> 0x1p-2;
            case UE8M0, I32, I8 -> 0;
        };
    }
}
