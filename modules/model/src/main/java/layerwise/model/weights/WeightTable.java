package layerwise.model.weights;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import layerwise.model.spec.ModelSpec;
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
import layerwise.tensor.Shape;

/**
 * Collects the weights that layers ask for, and puts them into a memory.
 *
 * <p>A weight may be several of the checkpoint's matrices, stacked along their rows or as experts. Names are the
 * checkpoint's, without {@code .weight}.
 */
public final class WeightTable {
    private static final int FP8_BLOCK = 128;

    private final ModelSpec spec;
    private final WeightSource source;
    private final Map<Buffer, Contents> contents = new LinkedHashMap<>();

    public WeightTable(ModelSpec spec, WeightSource source) {
        this.spec = spec;
        this.source = source;
    }

    /**
     * One of the checkpoint's matrices.
     *
     * @param module its name
     * @param rows   its output features
     */
    public record Part(String module, int rows) {}

    /** A matrix {@code [Σ rows, k]} of parts below each other. */
    public Weight matrix(String name, int k, Part... parts) {
        return matrices(name, k, List.of(List.of(parts)), false);
    }

    /** A stack {@code [E, Σ rows, k]}, one matrix of parts for each expert. */
    public Weight experts(String name, int k, List<List<Part>> experts) {
        return matrices(name, k, experts, true);
    }

    /** A vector {@code [n]}, the gain of a norm for example, stored under {@code name.weight}. */
    public TensorRef gain(String name, int n) {
        return plain(name, List.of(new Stored(name + ".weight", Shape.of(n))), Shape.of(n));
    }

    /** A float32 vector {@code [n]} stored under exactly that name; other float types are widened. */
    public TensorRef floats(String name, int n) {
        Buffer buffer = Buffer.of(name, DType.F32, n);
        contents.put(
                buffer,
                switch (source) {
                    case WeightSource.Dummy dummy -> WeightSource.dummy(DType.F32);
                    case WeightSource.Checkpoint checkpoint ->
                        new Contents.Copied(List.of(Widened.toFloat32(checkpoint
                                .tensors()
                                .tensor(name, Shape.of(n), Set.of(DType.F32, DType.F16, DType.BF16)))));
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
                    .map(part -> new Stored(part.module() + ".weight", Shape.of(part.rows(), k)))
                    .toList();
            return Weight.plain(plain(name, stored, shape(leading, rows, k)));
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

    private record Stored(String name, Shape shape) {}

    /** Tensors that need no scales; all must have the type of the first. */
    private TensorRef plain(String name, List<Stored> stored, Shape shape) {
        return switch (source) {
            case WeightSource.Dummy dummy -> {
                Buffer buffer = new Buffer(name, spec.dtype(), shape);
                contents.put(buffer, WeightSource.dummy(spec.dtype()));
                yield buffer.whole();
            }
            case WeightSource.Checkpoint checkpoint -> {
                Set<DType> allowed = Set.of(DType.BF16, DType.F16, DType.F32);
                List<HostTensor> tensors = new ArrayList<>();
                for (Stored tensor : stored) {
                    tensors.add(checkpoint.tensors().tensor(tensor.name(), tensor.shape(), allowed));
                    allowed = Set.of(tensors.getFirst().dtype());
                }
                Buffer buffer = new Buffer(name, tensors.getFirst().dtype(), shape);
                contents.put(buffer, new Contents.Copied(tensors));
                yield buffer.whole();
            }
        };
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
        TensorRef data = loaded(name, parts, ".weight", DType.E4M3, shape, part -> Shape.of(part.rows(), k));
        TensorRef scales = loaded(
                name + ".weight_scale_inv",
                parts,
                ".weight_scale_inv",
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
        TensorRef data = loaded(name, parts, ".weight", DType.E2M1, shape, part -> Shape.of(part.rows(), k));
        TensorRef blocks = loaded(
                name + ".weight_scale",
                parts,
                ".weight_scale",
                DType.E4M3,
                shape(leading, shape.dim(-2), k / block),
                part -> Shape.of(part.rows(), k / block));
        Shape segmentShape = leading.length == 0 ? Shape.of(segments) : Shape.of(leading[0], segments);
        TensorRef scales =
                loaded(name + ".weight_scale_2", parts, ".weight_scale_2", DType.F32, segmentShape, part -> Shape.of());
        return new Weight(data, new Scaling.Nvfp4(blocks, scales));
    }

    private interface PartShape {
        Shape of(Part part);
    }

    private TensorRef loaded(
            String name, List<Part> parts, String suffix, DType dtype, Shape shape, PartShape partShape) {
        Buffer buffer = new Buffer(name, dtype, shape);
        contents.put(
                buffer,
                switch (source) {
                    case WeightSource.Dummy dummy -> WeightSource.dummy(dtype);
                    case WeightSource.Checkpoint checkpoint -> {
                        List<HostTensor> tensors = new ArrayList<>();
                        for (Part part : parts) {
                            tensors.add(WeightSource.load(
                                    checkpoint.tensors(), part.module() + suffix, dtype, partShape.of(part)));
                        }
                        yield new Contents.Copied(tensors);
                    }
                });
        return buffer.whole();
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
