package layerwise.model.weights;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.MadeUp.Role;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Memory;
import layerwise.op.Scaling;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.op.WeightFormat;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.NamedTensors;
import layerwise.tensor.Shape;

/**
 * Collects the weights that layers ask for, and puts them into a memory.
 *
 * <p>A weight may be several of the checkpoint's matrices, stacked along their rows or as experts. Names are the
 * checkpoint's, without {@code .weight}.
 */
public final class WeightTable {
    private static final int FP8_BLOCK = 128;
    private static final Set<DType> PLAIN = Set.of(DType.BF16, DType.F16, DType.F32);

    private final ModelSpec spec;
    private final WeightSource source;
    private final Map<Buffer, Contents> contents = new LinkedHashMap<>();

    public WeightTable(ModelSpec spec, WeightSource source) {
        this.spec = spec;
        this.source = source;
    }

    /**
     * Rows of one of the checkpoint's matrices.
     *
     * @param module its name
     * @param rows   output features that are taken
     * @param first  the first of them
     * @param of     output features of the whole matrix
     */
    public record Part(String module, int rows, int first, int of) {
        /** All rows. */
        public Part(String module, int rows) {
            this(module, rows, 0, rows);
        }

        boolean isWhole() {
            return rows == of;
        }
    }

    /** A matrix {@code [Σ rows, k]} of parts below each other. */
    public Weight matrix(String name, int k, Part... parts) {
        return matrices(name, k, List.of(List.of(parts)), false);
    }

    /** One of the checkpoint's matrices {@code [rows, k]} that no checkpoint quantises: a router. */
    public Weight router(Part part, int k) {
        Shape shape = Shape.of(part.rows(), k);
        List<Stored> stored = List.of(Stored.of(part.module() + ".weight", shape));
        return Weight.plain(plain(part.module(), Role.MATRIX, stored, shape));
    }

    /** A stack {@code [E, Σ rows, k]}, one matrix of parts for each expert. */
    public Weight experts(String name, int k, List<List<Part>> experts) {
        return matrices(name, k, experts, true);
    }

    /** A vector {@code [n]}, the gain of a norm for example, stored under {@code name.weight}. */
    public TensorRef gain(String name, int n) {
        return plain(name, Role.GAIN, List.of(Stored.of(name + ".weight", Shape.of(n))), Shape.of(n));
    }

    /**
     * The gain {@code [n]} of one of the norms that a model's family may store without the 1 that is added to it; the sum
     * is made once, in float32.
     */
    public TensorRef norm(String name, int n) {
        if (!spec.family().hasZeroCentredNorms()) {
            return gain(name, n);
        }
        return put(
                Buffer.of(name, DType.F32, n),
                Role.ZERO_CENTRED_GAIN,
                1,
                tensors -> List.of(Widened.plusOne(tensors.tensor(name + ".weight", Shape.of(n), PLAIN))));
    }

    /** The weights {@code [channels, width]} of a convolution of each channel by itself. */
    public TensorRef convolution(String name, int channels, int width) {
        Stored stored = Stored.of(name + ".weight", Shape.of(channels, 1, width));
        return plain(name, Role.MATRIX, List.of(stored), Shape.of(channels, width));
    }

    /** A float32 vector {@code [n]} stored under exactly that name; other float types are widened. */
    public TensorRef floats(String name, int n) {
        return put(
                Buffer.of(name, DType.F32, n),
                Role.BIAS,
                1,
                tensors -> List.of(Widened.toFloat32(tensors.tensor(name, Shape.of(n), PLAIN))));
    }

    /** The checkpoint's tensors that make up a buffer. */
    private interface Loading {
        List<HostTensor> from(NamedTensors tensors);
    }

    private TensorRef put(Buffer buffer, Role role, long terms, Loading loading) {
        contents.put(
                buffer,
                switch (source) {
                    case WeightSource.Dummy dummy -> MadeUp.dummy(buffer.dtype(), role);
                    case WeightSource.Noise noise -> MadeUp.noise(buffer, role, terms, noise.seed());
                    case WeightSource.Checkpoint checkpoint -> new Contents.Copied(loading.from(checkpoint.tensors()));
                });
        return buffer.whole();
    }

    private Weight matrices(String name, int k, List<List<Part>> experts, boolean stacked) {
        List<Part> first = experts.getFirst();
        List<Part> parts = experts.stream().flatMap(List::stream).toList();
        List<Optional<WeightFormat>> formats = parts.stream()
                .map(part -> spec.quantization().format(part.module()))
                .distinct()
                .toList();
        if (formats.size() != 1) {
            throw new ConfigException(
                    "%s: %s has parts in different formats: %s".formatted(spec.name(), name, formats));
        }
        int rows = first.stream().mapToInt(Part::rows).sum();
        long[] leading = stacked ? new long[] {experts.size()} : new long[0];
        Optional<WeightFormat> format = formats.getFirst();
        if (format.isEmpty()) {
            List<Stored> stored = parts.stream()
                    .map(part ->
                            new Stored(part.module() + ".weight", Shape.of(part.of(), k), part.first(), part.rows()))
                    .toList();
            return Weight.plain(plain(name, Role.MATRIX, stored, shape(leading, rows, k)));
        }
        if (!parts.stream().allMatch(Part::isWhole)) {
            throw new ConfigException("%s: %s is stored as %s: expected a plain type, since its rows change places"
                    .formatted(spec.name(), name, format.get()));
        }
        return switch (format.get()) {
            case FP8_BLOCK -> blockScaled(name, k, parts, first, shape(leading, rows, k), leading);
            case NVFP4 -> nvfp4(name, k, parts, first, shape(leading, rows, k), leading);
            case F32, F16, BF16 -> throw new IllegalStateException(format + " is no quantisation");
        };
    }

    private static Shape shape(long[] leading, long rows, long columns) {
        return leading.length == 0 ? Shape.of(rows, columns) : Shape.of(leading[0], rows, columns);
    }

    /** Rows {@code first .. first+rows-1} of a tensor. */
    private record Stored(String name, Shape shape, long first, long rows) {
        static Stored of(String name, Shape shape) {
            return new Stored(name, shape, 0, shape.dim(0));
        }

        HostTensor from(NamedTensors tensors, DType dtype) {
            return tensors.tensor(name, shape, Set.of(dtype)).slice(0, first, first + rows);
        }
    }

    /** Tensors that need no scales; all must have the type of the first, which becomes the buffer's. */
    private TensorRef plain(String name, Role role, List<Stored> stored, Shape shape) {
        DType dtype = switch (source) {
            case WeightSource.Dummy dummy -> spec.dtype();
            case WeightSource.Noise noise -> spec.dtype();
            case WeightSource.Checkpoint checkpoint ->
                checkpoint
                        .tensors()
                        .tensor(stored.getFirst().name(), stored.getFirst().shape(), PLAIN)
                        .dtype();
        };
        return put(
                new Buffer(name, dtype, shape),
                role,
                shape.dim(-1),
                tensors -> stored.stream()
                        .map(tensor -> tensor.from(tensors, dtype))
                        .toList());
    }

    private Weight blockScaled(String name, int k, List<Part> parts, List<Part> first, Shape shape, long[] leading) {
        for (Part part : first.subList(0, first.size() - 1)) {
            // A part that ends within a block would share it with the next one, and they have different scales.
            if (part.rows() % FP8_BLOCK != 0) {
                throw new ConfigException("%s: %s has %d rows, expected a multiple of %d: FP8 stacks it onto others"
                        .formatted(spec.name(), part.module(), part.rows(), FP8_BLOCK));
            }
        }
        long scaleRows = first.stream()
                .mapToLong(part -> Math.ceilDiv(part.rows(), FP8_BLOCK))
                .sum();
        long columns = Math.ceilDiv(k, FP8_BLOCK);
        TensorRef data =
                loaded(name, parts, ".weight", Role.MATRIX, k, DType.E4M3, shape, part -> Shape.of(part.rows(), k));
        TensorRef scales = loaded(
                name + ".weight_scale_inv",
                parts,
                ".weight_scale_inv",
                Role.BLOCK_SCALE,
                k,
                DType.F32,
                shape(leading, scaleRows, columns),
                part -> Shape.of(Math.ceilDiv(part.rows(), FP8_BLOCK), columns));
        return new Weight(data, new Scaling.Block(scales, FP8_BLOCK, FP8_BLOCK));
    }

    private Weight nvfp4(String name, int k, List<Part> parts, List<Part> first, Shape shape, long[] leading) {
        int block = Scaling.Nvfp4.BLOCK;
        if (k % block != 0
                || first.stream()
                        .anyMatch(part -> part.rows() != first.getFirst().rows())) {
            throw new ConfigException(
                    "%s: %s: NVFP4 needs a multiple of %d columns and parts of equal height, got %s x %d"
                            .formatted(spec.name(), name, block, first, k));
        }
        long segments = first.size();
        TensorRef data =
                loaded(name, parts, ".weight", Role.MATRIX, k, DType.E2M1, shape, part -> Shape.of(part.rows(), k));
        TensorRef blocks = loaded(
                name + ".weight_scale",
                parts,
                ".weight_scale",
                Role.BLOCK_SCALE,
                k,
                DType.E4M3,
                shape(leading, shape.dim(-2), k / block),
                part -> Shape.of(part.rows(), k / block));
        Shape segmentShape = leading.length == 0 ? Shape.of(segments) : Shape.of(leading[0], segments);
        TensorRef scales = loaded(
                name + ".weight_scale_2",
                parts,
                ".weight_scale_2",
                Role.SEGMENT_SCALE,
                k,
                DType.F32,
                segmentShape,
                part -> Shape.of());
        return new Weight(data, new Scaling.Nvfp4(blocks, scales));
    }

    private interface PartShape {
        Shape of(Part part);
    }

    private TensorRef loaded(
            String name,
            List<Part> parts,
            String suffix,
            Role role,
            long terms,
            DType dtype,
            Shape shape,
            PartShape partShape) {
        return put(
                new Buffer(name, dtype, shape),
                role,
                terms,
                tensors -> parts.stream()
                        .map(part -> unpacked(tensors, part.module() + suffix, dtype, partShape.of(part)))
                        .toList());
    }

    /** A tensor of the checkpoint; two E2M1 elements are one byte there. */
    private static HostTensor unpacked(NamedTensors tensors, String name, DType dtype, Shape shape) {
        if (dtype != DType.E2M1) {
            return tensors.tensor(name, shape, Set.of(dtype));
        }
        Shape packed = Shape.of(shape.dim(0), shape.dim(1) / 2);
        return tensors.tensor(name, packed, Set.of(DType.I8)).reinterpret(dtype, shape.dims());
    }

    /** Bytes of everything that was asked for. */
    public long bytes() {
        return contents.keySet().stream().mapToLong(Buffer::bytes).sum();
    }

    /** Gives every weight its place. */
    public void place(Memory memory) {
        contents.forEach(memory::put);
    }
}
