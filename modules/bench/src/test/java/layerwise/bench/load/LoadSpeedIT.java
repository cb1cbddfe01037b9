package layerwise.bench.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import layerwise.kernels.CudaExecutor;
import layerwise.kernels.CudaOptions;
import layerwise.model.cache.BatchTables;
import layerwise.model.cache.CacheTypes;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.layer.DecoderSlice;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.SliceTensors;
import layerwise.model.spec.ModelReader;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.op.Batch;
import layerwise.op.Communicator;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.op.fusion.Fusion;
import layerwise.tensor.safetensors.SafetensorsFolder;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * How long a checkpoint's layer takes from warm files to weights as kernels read them; {@code .ci/gpu/load_speed} makes the
 * checkpoint and compares with a C program.
 */
@Tag("gpu")
class LoadSpeedIT {
    private static final String CHECKPOINT = "LAYERWISE_LOAD_CHECKPOINT";
    private static final int ROUNDS = 4;

    @Test
    void aLayerIsLoadedWithLittleHostMemory() throws IOException {
        String folder = System.getenv(CHECKPOINT);
        assumeTrue(folder != null, CHECKPOINT + " names no checkpoint folder");
        Path path = Path.of(folder);
        long bytes;
        try (Stream<Path> files = Files.list(path)) {
            bytes = files.filter(file -> file.toString().endsWith(".safetensors"))
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
        ModelSpec model = ModelReader.fromFolder(folder, path);
        int layer = layer(path);
        try (CudaExecutor executor =
                CudaExecutor.open(0, Journal.NONE, CudaOptions.plain(), Communicator.alone(), false)) {
            for (int round = 0; round < ROUNDS; round++) {
                round(executor, model, layer, path, bytes);
            }
        }
        long resident = kilobytes("RssAnon") + kilobytes("RssShmem");
        System.out.printf(
                Locale.ROOT,
                "host memory beyond page cache: %.3f GB, at most %.3f GB resident with it%n",
                resident * 1024 / 1e9,
                kilobytes("VmHWM") * 1024 / 1e9);
        assertTrue(resident * 1024 < 1_000_000_000, resident + " kB");
    }

    private static void round(CudaExecutor executor, ModelSpec model, int layer, Path path, long bytes) {
        long start = System.nanoTime();
        try (Arena arena = Arena.ofShared();
                Memory memory = executor.allocate()) {
            SafetensorsFolder checkpoint = SafetensorsFolder.open(path, arena);
            Runnable check = SliceTensors.checking(model, List.of(layer), checkpoint);
            long opened = System.nanoTime();
            PagedCache cache = new PagedCache(1, 64, 64);
            WeightTable weights = new WeightTable(model, new WeightSource.Checkpoint(checkpoint, check));
            CacheTypes types = new CacheTypes(model.dtype(), model.dtype(), model.dtype());
            DecoderSlice slice = new DecoderSlice(model, List.of(layer), weights, cache, model.dtype(), types);
            long planned = System.nanoTime();
            weights.place(memory);
            executor.synchronize();
            long placed = System.nanoTime();
            slice.placeCaches(memory, new Contents.Zeros());
            Optional<RotaryTable> rotary = RotaryTable.of(model, List.of(layer), 64);
            rotary.ifPresent(table -> table.place(memory));
            BatchTables tables = cache.tables("step", 0, Batch.uniform(1, 1, 8));
            tables.place(memory);
            DecoderSlice.Benchmark step = slice.benchmark(
                    Phase.GENERATION, tables.paged(), rotary.map(RotaryTable::tensor), new ExpertChoice.Routed());
            Program program = Fusion.apply(step.program(), executor.capabilities());
            memory.put(step.hidden().buffer(), new Contents.Uniform(0, 1, 1));
            memory.put(step.residual().buffer(), new Contents.Uniform(0, 1, 2));
            long prepare = System.nanoTime();
            try (Execution execution = executor.prepare(program, memory)) {
                executor.synchronize();
                long ready = System.nanoTime();
                execution.run();
                executor.synchronize();
                assertEquals(
                        0,
                        execution
                                .memory()
                                .summarize(program.outputs().getFirst())
                                .nans());
                System.out.printf(
                        Locale.ROOT,
                        "%.3f GB: open %.3f s, plan %.3f s, weights on the GPU and checked %.3f s (%.1f GB/s), layout and launches %.3f s; all %.3f s%n",
                        bytes / 1e9,
                        (opened - start) / 1e9,
                        (planned - opened) / 1e9,
                        (placed - planned) / 1e9,
                        bytes / (double) (placed - planned),
                        (ready - prepare) / 1e9,
                        (placed - start + ready - prepare) / 1e9);
            }
        }
    }

    /** The layer that the checkpoint holds most of. */
    private static int layer(Path path) {
        try (Arena arena = Arena.ofShared()) {
            for (String name : SafetensorsFolder.open(path, arena).names()) {
                Matcher expert = Pattern.compile(".*layers\\.(\\d+)\\.mlp\\..*").matcher(name);
                if (expert.matches()) {
                    return Integer.parseInt(expert.group(1));
                }
            }
        }
        throw new AssertionError("no layer with an MLP in " + path);
    }

    private static long kilobytes(String key) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith(key + ":")) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new AssertionError("no " + key);
    }
}
