package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SequencedSet;
import java.util.Set;
import java.util.stream.Stream;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.spec.ModelSpec;
import layerwise.model.spec.Quantization;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.Capabilities;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.op.ScaleFormat;
import layerwise.op.Share;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.op.WeightFormat;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.NamedTensors;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What ranks have of a weight, put together, is the weight of one rank: made up or loaded, in every format. */
class DividedWeightsTest {
    private static final int RANKS = 2;
    private static final int HIDDEN = 256;
    private static final long WIDTH = 512;
    private static final long EXPERTS = 4;

    static Stream<Arguments> weights() {
        return Stream.of(
                        Optional.<WeightFormat>empty(),
                        Optional.of(WeightFormat.FP8_BLOCK),
                        Optional.of(WeightFormat.NVFP4))
                .flatMap(format -> Stream.of(
                                new WeightSource.Dummy(),
                                new WeightSource.Noise(7),
                                new WeightSource.Checkpoint(new RandomTensors()))
                        .map(source -> Arguments.of(format, source)));
    }

    private static ModelSpec model(Optional<WeightFormat> format) {
        ModelSpec tiny = new ModelCatalog(Path.of(System.getProperty("layerwise.home"), "configs", "models"))
                .find("tiny-deepseek");
        return new ModelSpec(
                "made-up",
                tiny.family(),
                HIDDEN,
                tiny.epsilon(),
                tiny.layers(),
                DType.BF16,
                new Quantization(format, ScaleFormat.FLOAT32, List.of(), Optional.empty()));
    }

    private record Weights(Weight gateUp, Weight down, Weight experts) {}

    private static Weights ask(WeightTable table, Share width, Share experts) {
        return new Weights(
                table.matrix("gate_up", HIDDEN, new Part("gate", width), new Part("up", width)),
                table.matrix("down", width, new Part("down", HIDDEN)),
                table.experts("experts", HIDDEN, experts, e -> List.of(new Part("up." + e, 128))));
    }

    @ParameterizedTest
    @MethodSource("weights")
    void partsOfRanksAreTheWhole(Optional<WeightFormat> format, WeightSource source) {
        try (Executor executor = new ReferenceExecutor(Journal.NONE, Capabilities.plain());
                Memory memory = executor.allocate()) {
            WeightTable table = new WeightTable(model(format), source);
            Weights whole = ask(table, Share.all(WIDTH), Share.all(EXPERTS));
            table.place(memory);
            for (int rank = 0; rank < RANKS; rank++) {
                Share width = share(WIDTH, rank);
                Share experts = share(EXPERTS, rank);
                try (Memory own = executor.allocate()) {
                    WeightTable part = new WeightTable(model(format), source);
                    Weights weights = ask(part, width, experts);
                    part.place(own);
                    assertParts(memory, whole.gateUp(), own, weights.gateUp(), 0, rank);
                    assertParts(memory, whole.down(), own, weights.down(), 1, rank);
                    assertParts(memory, whole.experts(), own, weights.experts(), 2, rank);
                }
            }
        }
    }

    private static Share share(long whole, int rank) {
        return new Share(whole / RANKS * rank, whole / RANKS * (rank + 1), whole);
    }

    /** @param kind 0: the same rows of two parts below each other; 1: columns; 2: matrices of a stack */
    private static void assertParts(Memory whole, Weight all, Memory own, Weight part, int kind, int rank) {
        for (int i = 0; i < all.tensors().size(); i++) {
            TensorRef tensor = all.tensors().get(i);
            TensorRef mine = part.tensors().get(i);
            List<TensorRef> expected = new ArrayList<>();
            if (kind == 0 && tensor.rank() == 2) {
                long half = tensor.dim(0) / 2;
                expected.add(share(tensor.slice(0, 0, half), 0, rank));
                expected.add(share(tensor.slice(0, half, tensor.dim(0)), 0, rank));
            } else if (kind == 1 && tensor.rank() == 2) {
                expected.add(share(tensor, 1, rank));
            } else if (kind == 2) {
                expected.add(share(tensor, 0, rank));
            } else {
                expected.add(tensor); // scales of whole segments, which all ranks need
            }
            assertArrayEquals(read(whole, expected), read(own, List.of(mine)), mine.toString());
        }
    }

    private static TensorRef share(TensorRef tensor, int axis, int rank) {
        long each = tensor.dim(axis) / RANKS;
        return tensor.slice(axis, rank * each, (rank + 1) * each);
    }

    private static float[] read(Memory memory, List<TensorRef> tensors) {
        try (Arena arena = Arena.ofConfined()) {
            List<float[]> values = new ArrayList<>();
            for (TensorRef tensor : tensors) {
                values.add(memory.read(tensor, arena).copyToFloats());
            }
            float[] all =
                    new float[values.stream().mapToInt(part -> part.length).sum()];
            int at = 0;
            for (float[] part : values) {
                System.arraycopy(part, 0, all, at, part.length);
                at += part.length;
            }
            return all;
        }
    }

    @Test
    void aPartThatCutsABlockWithOneScaleIsRefused() {
        WeightTable table = new WeightTable(model(Optional.of(WeightFormat.FP8_BLOCK)), new WeightSource.Dummy());
        ConfigException e = assertThrows(
                ConfigException.class, () -> table.matrix("q_b", HIDDEN, new Part("q_b", new Share(0, 96, 192))));
        assertTrue(e.getMessage().contains("this rank's part is 0 to 96 of 192, expected multiples of 128"));
    }

    /** A checkpoint that has whatever is asked for: the same bytes for the same name. */
    private static final class RandomTensors implements NamedTensors {
        @Override
        public SequencedSet<String> names() {
            return new LinkedHashSet<>();
        }

        @Override
        public boolean contains(String name) {
            return true;
        }

        @Override
        public HostTensor tensor(String name) {
            throw new UnsupportedOperationException(name);
        }

        @Override
        public Path file(String name) {
            return Path.of("made-up.safetensors");
        }

        @Override
        public HostTensor tensor(String name, Shape shape, Set<DType> dtypes) {
            DType dtype =
                    dtypes.contains(DType.BF16) ? DType.BF16 : dtypes.iterator().next();
            HostTensor tensor = HostTensor.allocate(Arena.ofAuto(), dtype, shape.dims());
            Random random = new Random(name.hashCode());
            for (long i = 0; i < tensor.memory().byteSize(); i++) {
                // Bytes below 0x40 are finite positive numbers in every format.
                tensor.memory().set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt(0x40));
            }
            return tensor;
        }

        @Override
        public String toString() {
            return "random tensors";
        }
    }
}
