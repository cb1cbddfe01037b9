package layerwise.bench.quantize;

import java.lang.foreign.MemorySegment;
import java.util.Set;
import layerwise.op.Noise;
import layerwise.tensor.DType;
import layerwise.tensor.Elements;
import layerwise.tensor.HostTensor;
import layerwise.tensor.NamedTensors;
import layerwise.tensor.Shape;

/** Where the numbers of a new checkpoint come from. Several threads may ask. */
sealed interface Matrices {
    /** Runs of elements along a tensor's last axis, as float32. */
    interface Rows {
        /** Decodes row {@code n} of all axes but the last into the first elements of {@code values}. */
        void read(long n, float[] values);
    }

    /** The numbers that a tensor stands for, scales multiplied in. */
    Rows rows(String name, Shape shape);

    /**
     * Type in which a tensor is written that is not quantised.
     *
     * @param dtypes those that its reader takes
     */
    DType plainType(String name, Shape shape, Set<DType> dtypes);

    /** A checkpoint's; matrices may be in any format. */
    record Stored(NamedTensors tensors) implements Matrices {
        private static final String WEIGHT = ".weight";
        private static final String FP8_SCALES = ".weight_scale_inv";
        private static final String FP4_SCALES = ".weight_scale";
        private static final String FP4_SCALE = ".weight_scale_2";
        private static final int FP8_BLOCK = 128;
        private static final int FP4_BLOCK = 16;
        private static final Set<DType> PLAIN = Set.of(DType.BF16, DType.F16, DType.F32);

        private static String module(String name) {
            return name.endsWith(WEIGHT) ? name.substring(0, name.length() - WEIGHT.length()) : name;
        }

        @Override
        public DType plainType(String name, Shape shape, Set<DType> dtypes) {
            String module = module(name);
            return tensors.contains(module + FP8_SCALES) || tensors.contains(module + FP4_SCALE)
                    ? DType.BF16
                    : tensors.tensor(name, shape, dtypes).dtype();
        }

        @Override
        public Rows rows(String name, Shape shape) {
            String module = module(name);
            if (tensors.contains(module + FP8_SCALES)) {
                return blockScaled(module, shape.dim(0), shape.dim(1));
            }
            if (tensors.contains(module + FP4_SCALE)) {
                return nvfp4(module, shape.dim(0), shape.dim(1));
            }
            return run(tensors.tensor(name, shape, PLAIN), shape.rank() == 0 ? 1 : shape.dim(-1));
        }

        private static Rows run(HostTensor tensor, long k) {
            MemorySegment memory = tensor.memory();
            return (row, values) -> Elements.read(memory, tensor.dtype(), row * k, values, 0, (int) k);
        }

        private Rows blockScaled(String module, long n, long k) {
            Rows codes = run(tensors.tensor(module + WEIGHT, Shape.of(n, k), Set.of(DType.E4M3)), k);
            int across = (int) Math.ceilDiv(k, FP8_BLOCK);
            float[] scales = tensors.tensor(
                            module + FP8_SCALES, Shape.of(Math.ceilDiv(n, FP8_BLOCK), across), Set.of(DType.F32))
                    .copyToFloats();
            return (row, values) -> {
                codes.read(row, values);
                int first = (int) (row / FP8_BLOCK) * across;
                for (int i = 0; i < k; i++) {
                    values[i] *= scales[first + i / FP8_BLOCK];
                }
            };
        }

        private Rows nvfp4(String module, long n, long k) {
            HostTensor packed = tensors.tensor(module + WEIGHT, Shape.of(n, k / 2), Set.of(DType.I8));
            Rows codes = run(packed.reinterpret(DType.E2M1, n, k), k);
            int blocks = (int) (k / FP4_BLOCK);
            Rows scales = run(tensors.tensor(module + FP4_SCALES, Shape.of(n, blocks), Set.of(DType.E4M3)), blocks);
            float whole = tensors.tensor(module + FP4_SCALE, Shape.of(), Set.of(DType.F32))
                    .get();
            return (row, values) -> {
                float[] own = new float[blocks];
                codes.read(row, values);
                scales.read(row, own);
                for (int i = 0; i < k; i++) {
                    values[i] = values[i] * own[i / FP4_BLOCK] * whole; // the first product is exact
                }
            };
        }
    }

    /**
     * Made up: matrices uniform with variance 1/K, gains from 0.5 to 1.5, other vectors within ±0.1, every tensor with noise of
     * its own.
     */
    record Random(long seed) implements Matrices {
        @Override
        public DType plainType(String name, Shape shape, Set<DType> dtypes) {
            // Published checkpoints store biases and parameters of state spaces in float32.
            return name.endsWith(".weight") ? DType.BF16 : DType.F32;
        }

        @Override
        public Rows rows(String name, Shape shape) {
            long own = seed + name.hashCode();
            boolean gain = shape.rank() == 1 && name.endsWith(".weight");
            int k = shape.rank() == 0 ? 1 : (int) shape.dim(-1);
            float centre = gain ? 1 : 0;
            float spread = shape.rank() > 1 ? (float) Math.sqrt(3.0 / k) : gain ? 0.5f : 0.1f;
            return (row, values) -> {
                for (int i = 0; i < k; i++) {
                    values[i] = centre + spread * (2 * Noise.uniform(own, row * k + i) - 1);
                }
            };
        }
    }
}
