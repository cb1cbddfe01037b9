package layerwise.model.weights;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.MadeUp.Role;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Memory;
import layerwise.op.Region;
import layerwise.op.Scaling;
import layerwise.op.Share;
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
    private final Map<Buffer, List<String>> origins = new LinkedHashMap<>();

    public WeightTable(ModelSpec spec, WeightSource source) {
        this.spec = spec;
        this.source = source;
    }

    /**
     * One of the checkpoint's matrices, or the part of it that this rank has.
     *
     * @param module its name
     * @param rows   its output features
     */
    public record Part(String module, Share rows) {
        /** All of a matrix. */
        public Part(String module, long rows) {
            this(module, Share.all(rows));
        }
    }

    /** A matrix {@code [Σ rows, k]} of parts below each other. */
    public Weight matrix(String name, long k, Part... parts) {
        return matrix(name, Share.all(k), parts);
    }

    /** A matrix {@code [Σ rows, k]} of parts below each other, of which this rank has some columns. */
    public Weight matrix(String name, Share k, Part... parts) {
        return matrices(new Stack(name, Share.all(1), List.of(List.of(parts)), k, false));
    }

    /** One of the checkpoint's matrices {@code [rows, k]} that no checkpoint quantises: a router. */
    public Weight router(Part part, long k) {
        Stack stack = new Stack(part.module(), Share.all(1), List.of(List.of(part)), Share.all(k), false);
        return Weight.plain(plain(stack));
    }

    /**
     * A stack {@code [E, Σ rows, k]}, one matrix of parts for each expert that this rank has.
     *
     * @param parts parts of an expert, by its number among all
     */
    public Weight experts(String name, long k, Share experts, LongFunction<List<Part>> parts) {
        List<List<Part>> own =
                LongStream.range(experts.from(), experts.to()).mapToObj(parts).toList();
        return matrices(new Stack(name, experts, own, Share.all(k), true));
    }

    /** A vector {@code [n]}, the gain of a norm for example, stored under {@code name.weight}. */
    public TensorRef gain(String name, long n) {
        return gain(name, Share.all(n));
    }

    /** The part of such a vector that this rank has. */
    public TensorRef gain(String name, Share part) {
        Shape whole = Shape.of(part.whole());
        DType dtype = plainType(name + ".weight", whole);
        return put(
                Buffer.of(name, dtype, part.size()),
                Role.GAIN,
                part.whole(),
                rows(List.of(part), 1),
                tensors -> List.of(
                        tensors.tensor(name + ".weight", whole, Set.of(dtype)).slice(0, part.from(), part.to())));
    }

    /**
     * The gain {@code [n]} of one of the norms that a model's family may store without the 1 that is added to it; the sum
     * is made once, in float32.
     */
    public TensorRef norm(String name, long n) {
        if (!spec.family().hasZeroCentredNorms()) {
            return gain(name, n);
        }
        return put(
                Buffer.of(name, DType.F32, n),
                Role.ZERO_CENTRED_GAIN,
                n,
                rows(List.of(Share.all(n)), 1),
                tensors -> List.of(Widened.plusOne(tensors.tensor(name + ".weight", Shape.of(n), PLAIN))));
    }

    /** A float32 vector {@code [n]} stored under exactly that name; other float types are widened. */
    public TensorRef floats(String name, long n) {
        return floats(name, List.of(Share.all(n)));
    }

    /** The parts of such a vector that this rank has, one behind the other. */
    public TensorRef floats(String name, List<Share> parts) {
        Shape whole = Shape.of(parts.getFirst().whole());
        return put(Buffer.of(name, DType.F32, size(parts)), Role.BIAS, 1, rows(parts, 1), tensors -> {
            HostTensor all = Widened.toFloat32(tensors.tensor(name, whole, PLAIN));
            return slices(all, parts);
        });
    }

    /** The weights {@code [channels, width]} of a convolution of each channel by itself, for the channels of this rank. */
    public TensorRef convolution(String name, List<Share> channels, int width) {
        Shape whole = Shape.of(channels.getFirst().whole(), 1, width);
        DType dtype = plainType(name + ".weight", whole);
        return put(
                Buffer.of(name, dtype, size(channels), width),
                Role.MATRIX,
                width,
                rows(channels, width),
                tensors -> slices(tensors.tensor(name + ".weight", whole, Set.of(dtype)), channels));
    }

    private static long size(List<Share> parts) {
        return parts.stream().mapToLong(Share::size).sum();
    }

    private static List<HostTensor> slices(HostTensor whole, List<Share> parts) {
        return parts.stream()
                .map(part -> whole.slice(0, part.from(), part.to()))
                .toList();
    }

    /** Rows of {@code width} elements. */
    private static Region rows(List<Share> parts, long width) {
        boolean all = size(parts) == parts.getFirst().whole();
        return new Region(Share.all(1), all ? List.of(Share.all(parts.getFirst().whole())) : parts, Share.all(width));
    }

    /** The checkpoint's tensors that make up a buffer. */
    private interface Loading {
        List<HostTensor> from(NamedTensors tensors);
    }

    private TensorRef put(Buffer buffer, Role role, long terms, Region region, Loading loading) {
        contents.put(
                buffer,
                switch (source) {
                    case WeightSource.Dummy dummy -> MadeUp.dummy(buffer.dtype(), role, region);
                    case WeightSource.Noise noise -> MadeUp.noise(buffer, role, terms, noise.seed(), region);
                    case WeightSource.Checkpoint checkpoint -> copied(buffer, checkpoint, loading);
                });
        return buffer.whole();
    }

    private Contents copied(Buffer buffer, WeightSource.Checkpoint checkpoint, Loading loading) {
        AskedTensors tensors = new AskedTensors(checkpoint.tensors());
        Contents.Copied copied = new Contents.Copied(loading.from(tensors));
        origins.put(
                buffer, tensors.asked().stream().map(AskedTensors.Asked::name).toList());
        return copied;
    }

    private Weight matrices(Stack stack) {
        List<Optional<WeightFormat>> formats = stack.all().stream()
                .map(part -> spec.quantization().format(part.module()))
                .distinct()
                .toList();
        if (formats.size() != 1) {
            throw new ConfigException(
                    "%s: %s has parts in different formats: %s".formatted(spec.name(), stack.name(), formats));
        }
        return formats.getFirst()
                .map(format -> switch (format) {
                    case FP8_BLOCK -> blockScaled(stack);
                    case NVFP4 -> nvfp4(stack);
                    case F32, F16, BF16 -> throw new IllegalStateException(format + " is no quantisation");
                })
                .orElseGet(() -> Weight.plain(plain(stack)));
    }

    /** Matrices that need no scales; all must have the type of the first, which becomes the buffer's. */
    private TensorRef plain(Stack stack) {
        Part first = stack.first().getFirst();
        DType dtype = plainType(
                first.module() + ".weight",
                Shape.of(first.rows().whole(), stack.k().whole()));
        return loaded(stack, "", ".weight", Role.MATRIX, dtype, 1, 1);
    }

    /** Type of a tensor that is stored plainly. */
    private DType plainType(String stored, Shape shape) {
        return switch (source) {
            case WeightSource.Dummy dummy -> spec.dtype();
            case WeightSource.Noise noise -> spec.dtype();
            case WeightSource.Checkpoint checkpoint ->
                checkpoint.tensors().tensor(stored, shape, PLAIN).dtype();
        };
    }

    private Weight blockScaled(Stack stack) {
        for (Part part : stack.first().subList(0, stack.first().size() - 1)) {
            // A part that ends within a block would share it with the next one, and they have different scales.
            if (part.rows().whole() % FP8_BLOCK != 0) {
                throw new ConfigException("%s: %s has %d rows, expected a multiple of %d: FP8 stacks it onto others"
                        .formatted(spec.name(), part.module(), part.rows().whole(), FP8_BLOCK));
            }
        }
        stack.first().forEach(part -> requireWholeBlocks(part.module(), part.rows(), FP8_BLOCK));
        requireWholeBlocks(stack.name(), stack.k(), FP8_BLOCK);
        TensorRef data = loaded(stack, "", ".weight", Role.MATRIX, DType.E4M3, 1, 1);
        TensorRef scales = loaded(
                stack, ".weight_scale_inv", ".weight_scale_inv", Role.BLOCK_SCALE, DType.F32, FP8_BLOCK, FP8_BLOCK);
        return new Weight(
                data,
                new Scaling.Block(
                        scales, FP8_BLOCK, FP8_BLOCK, spec.quantization().activations()));
    }

    private void requireWholeBlocks(String name, Share share, long block) {
        if (share.from() % block != 0 || (share.to() % block != 0 && share.to() != share.whole())) {
            throw new ConfigException(
                    "%s: %s: this rank's part is %d to %d of %d, expected multiples of %d: they share scales"
                            .formatted(spec.name(), name, share.from(), share.to(), share.whole(), block));
        }
    }

    private Weight nvfp4(Stack stack) {
        int block = Scaling.Nvfp4.BLOCK;
        Share rows = stack.first().getFirst().rows();
        if (stack.k().whole() % block != 0
                || stack.first().stream().anyMatch(part -> !part.rows().equals(rows))) {
            throw new ConfigException(
                    "%s: %s: NVFP4 needs a multiple of %d columns and parts of equal height, got %s x %d"
                            .formatted(
                                    spec.name(),
                                    stack.name(),
                                    block,
                                    stack.first(),
                                    stack.k().whole()));
        }
        requireWholeBlocks(stack.name(), stack.k(), block);
        TensorRef data = loaded(stack, "", ".weight", Role.MATRIX, DType.E2M1, 1, 1);
        TensorRef blocks = loaded(stack, ".weight_scale", ".weight_scale", Role.BLOCK_SCALE, DType.E4M3, 1, block);
        String name = stack.name() + ".weight_scale_2";
        long segments = stack.first().size();
        TensorRef scales = put(
                new Buffer(
                        name,
                        DType.F32,
                        stack.stacked() ? Shape.of(stack.experts().size(), segments) : Shape.of(segments)),
                Role.SEGMENT_SCALE,
                stack.k().whole(),
                new Region(stack.experts(), List.of(Share.all(1)), Share.all(segments)),
                tensors -> stack.all().stream()
                        .map(part -> tensors.tensor(part.module() + ".weight_scale_2", Shape.of(), Set.of(DType.F32)))
                        .toList());
        return new Weight(data, new Scaling.Nvfp4(blocks, scales));
    }

    /** One tensor of every part, each element of which stands for a block of the matrix. */
    private TensorRef loaded(
            Stack stack, String nameSuffix, String suffix, Role role, DType dtype, long rowBlock, long columnBlock) {
        return put(
                new Buffer(
                        stack.name() + nameSuffix,
                        dtype,
                        stack.shape(
                                stack.rows(rowBlock),
                                stack.k().blocks(columnBlock).size())),
                role,
                stack.k().whole(),
                stack.region(rowBlock, columnBlock),
                tensors -> stack.tensors(tensors, suffix, dtype, rowBlock, columnBlock));
    }

    /** Bytes of everything that was asked for. */
    public long bytes() {
        return contents.keySet().stream().mapToLong(Buffer::bytes).sum();
    }

    /** Elements of a matrix's axes that ranks do not divide. */
    public int indivisible(String module) {
        return spec.quantization().format(module).orElse(WeightFormat.BF16).indivisible();
    }

    /**
     * Gives every weight its place.
     *
     * @throws ConfigException if a loaded one has elements that are no finite numbers, naming the checkpoint's tensor; if a file
     *     became shorter meanwhile; or what the source's check throws
     */
    public void place(Memory memory) {
        try {
            memory.putAll(contents);
        } catch (InternalError e) {
            // What Java makes of a mapped page that has no file behind it any more.
            throw new ConfigException(spec.name() + ": a file of the checkpoint became shorter while it was read", e);
        }
        if (source instanceof WeightSource.Checkpoint checkpoint) {
            checkpoint.check().run();
            origins.forEach((buffer, names) -> memory.firstNotFinite(buffer)
                    .ifPresent(element -> refuse(checkpoint.tensors(), buffer, names, element)));
        }
    }

    private void refuse(NamedTensors tensors, Buffer buffer, List<String> names, long element) {
        if (!(contents.get(buffer) instanceof Contents.Copied copied)) {
            throw new IllegalStateException(buffer + " was not loaded");
        }
        int part = 0;
        long before = 0;
        while (element >= before + copied.parts().get(part).shape().elements()) {
            before += copied.parts().get(part++).shape().elements();
        }
        String name = names.get(Math.min(part, names.size() - 1));
        throw new ConfigException(
                "%s: tensor '%s' has a NaN or an infinity, element %d of what this rank reads of it: expected finite numbers"
                        .formatted(tensors.file(name), name, element - before));
    }
}
