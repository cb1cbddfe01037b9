package layerwise.bench.verify;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import layerwise.op.Activations;
import layerwise.op.Buffer;
import layerwise.op.Communicator;
import layerwise.op.Contents;
import layerwise.op.Executor;
import layerwise.op.GatherRows;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.RoundRows;
import layerwise.op.ScaleFormat;
import layerwise.op.SwiGluRoundRows;
import layerwise.op.TensorRef;
import layerwise.reference.Sampling;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;

/**
 * One operator that makes or moves rows in E4M3.
 *
 * @param rows  of its result
 * @param inUse the first of them; the others are left
 * @param gap   elements between rows of a bfloat16 input, which begin so many elements behind its buffer's start, too
 */
record RoundedRowsCase(Kind kind, int rows, int width, int inUse, int gap, ScaleFormat format) {
    /** What the operator does. */
    enum Kind {
        ROUND,
        SWIGLU,
        GATHER
    }

    private static final int TOP_K = 3;

    /** Zeros of both signs, what overflows a scale, what no scale reaches, and what is no number. */
    private static final float[] SPECIAL = {
        0, -0f, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN, Float.MIN_VALUE, 0x1.FEp127f, 1e-4f, -448
    };

    /** Blocks cut short, and rows and widths beside the edges of blocks of threads. */
    static List<RoundedRowsCase> all() {
        List<RoundedRowsCase> cases = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            for (int rows : new int[] {3, 9, 33, 258}) {
                for (int width : new int[] {16, 128, 208, 1040, 7168}) {
                    for (int gap : kind == Kind.GATHER ? new int[] {0} : new int[] {0, 3, 8}) {
                        ScaleFormat format = (rows + width / 16) % 2 == 0 ? ScaleFormat.FLOAT32 : ScaleFormat.UE8M0;
                        cases.add(new RoundedRowsCase(kind, rows, width, rows, gap, format));
                        cases.add(new RoundedRowsCase(kind, rows, width, rows * 2 / 3, gap, format));
                    }
                }
            }
        }
        return cases;
    }

    /** What is wrong on a device beside the reference. */
    static List<String> check(Executor device, List<RoundedRowsCase> cases) {
        List<String> wrong = new ArrayList<>();
        try (Memory memory = device.allocate();
                HostCopies constants = new HostCopies(memory)) {
            for (RoundedRowsCase one : cases) {
                try (Memory own = memory.nested();
                        OperatorCheck check =
                                new OperatorCheck(device, own, constants, Communicator.alone(), Sampling.NONE)) {
                    for (VerifiedOutput output : check.check(one.place(own))) {
                        Row row = Row.of(output);
                        if (!row.isRight()) {
                            wrong.add(one + ": " + row.text());
                        }
                    }
                }
            }
        }
        return wrong;
    }

    private Operator place(Memory memory) {
        Random random = new Random(hashCode());
        return switch (kind) {
            case ROUND -> new RoundRows(input(memory, width, random), active(memory), result(), format, inUse);
            case SWIGLU ->
                new SwiGluRoundRows(input(memory, 2 * width, random), active(memory), result(), format, inUse);
            case GATHER -> gather(memory, random);
        };
    }

    private Activations result() {
        return Activations.rounded("y", rows, width);
    }

    private Optional<TensorRef> active(Memory memory) {
        return inUse == rows ? Optional.empty() : Optional.of(put(memory, "offsets", Shape.of(3), 0, 1, inUse));
    }

    private TensorRef input(Memory memory, int columns, Random random) {
        int pitch = columns + gap;
        float[] values = new float[rows * pitch + gap];
        for (int i = 0; i < values.length; i++) {
            values[i] = kind == Kind.SWIGLU ? (float) random.nextGaussian(0, 4) : wide(random);
        }
        Buffer buffer = put(memory, "x", DType.BF16, Shape.of(values.length), values);
        TensorRef matrix = Buffer.of("x", DType.BF16, rows, pitch).whole().slice(1, 0, columns);
        return new TensorRef(buffer, matrix.shape(), matrix.strides(), gap);
    }

    /** Of every size, within a factor of a thousand in most rows. */
    private static float wide(Random random) {
        return random.nextInt(3000) == 0
                ? SPECIAL[random.nextInt(SPECIAL.length)]
                : (float) random.nextGaussian() * Math.scalb(1f, -random.nextInt(12));
    }

    private Operator gather(Memory memory, Random random) {
        int tokens = rows / TOP_K;
        Activations x = Activations.rounded("x", tokens, width);
        float[] codes = new float[tokens * width];
        float[] scales =
                new float[(int) x.scales().orElseThrow().buffer().shape().elements()];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (float) random.nextGaussian(0, 100);
        }
        for (int i = 0; i < scales.length; i++) {
            scales[i] = random.nextFloat();
        }
        put(memory, "x", DType.E4M3, x.data().shape(), codes);
        put(memory, "x_scales", DType.F32, x.scales().orElseThrow().buffer().shape(), scales);
        int[] pairs = IntStream.range(0, tokens * TOP_K)
                .map(p -> p < inUse ? (p * 7 + 2) % (tokens * TOP_K) : -1)
                .toArray();
        TensorRef table = put(memory, "pairs", Shape.of(pairs.length), pairs);
        return new GatherRows(
                x, table, Activations.rounded("y", pairs.length, width), TOP_K, Math.min(inUse, pairs.length));
    }

    private static Buffer put(Memory memory, String name, DType dtype, Shape shape, float... values) {
        try (Arena arena = Arena.ofConfined()) {
            Buffer buffer = new Buffer(name, dtype, shape);
            memory.put(buffer, new Contents.Copied(List.of(HostTensor.copyOf(arena, dtype, shape, values))));
            return buffer;
        }
    }

    private static TensorRef put(Memory memory, String name, Shape shape, int... values) {
        try (Arena arena = Arena.ofConfined()) {
            Buffer buffer = new Buffer(name, DType.I32, shape);
            memory.put(buffer, new Contents.Copied(List.of(HostTensor.copyOf(arena, shape, values))));
            return buffer.whole();
        }
    }
}
