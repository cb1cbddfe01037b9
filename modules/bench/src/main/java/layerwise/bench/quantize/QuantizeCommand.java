package layerwise.bench.quantize;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import layerwise.bench.config.CommandOptions;
import layerwise.bench.device.Installation;
import layerwise.model.layer.SliceTensors;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.spec.ModelReader;
import layerwise.model.spec.ModelSpec;
import layerwise.tensor.ConfigException;
import layerwise.tensor.safetensors.SafetensorsFolder;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Parses the command line of {@code quantize} and runs it. */
public final class QuantizeCommand {
    /** As Hugging Face cuts its checkpoints. */
    private static final long FILE_BYTES = 5_000_000_000L;

    private QuantizeCommand() {}

    /**
     * Writes some layers of a checkpoint, or made-up ones, as a checkpoint in another format.
     *
     * @throws ConfigException if the command line or a file cannot be used
     */
    public static void run(List<String> arguments, PrintStream out) {
        Optional<ParseResult> parsed = CommandOptions.parse(spec(), arguments, out);
        if (parsed.isEmpty()) {
            return;
        }
        ParseResult result = parsed.get();
        run(result, out);
    }

    private static CommandSpec spec() {
        CommandSpec spec = CommandSpec.create().name("quantize");
        CommandOptions.add(
                spec, "--model", "NAME", true, "checkpoint folder; with --random also a model of configs/models");
        CommandOptions.add(spec, "--layer-indices", "LIST", true, "contiguous layers to write, for example 3,4");
        CommandOptions.add(spec, "--format", "NAME", true, "bf16, fp8 (128 x 128 blocks) or nvfp4");
        CommandOptions.add(spec, "--output", "DIR", true, "folder to write, without a checkpoint so far");
        CommandOptions.add(spec, "--random", "SEED", false, "make the weights up instead of reading them");
        CommandOptions.add(
                spec, "--exclude", "LIST", false, "modules that stay plain, * for anything; default: as published");
        CommandOptions.add(
                spec, "--max-file-bytes", "N", false, "cut the checkpoint into files of at most so many; default: 5e9");
        CommandOptions.addHelp(spec);
        return spec;
    }

    private static void run(ParseResult result, PrintStream out) {
        String model = result.matchedOptionValue("--model", "");
        Format format = Format.parse(result.matchedOptionValue("--format", ""));
        Path output = Path.of(result.matchedOptionValue("--output", ""));
        List<Integer> layers = new ArrayList<>();
        for (String word : result.matchedOptionValue("--layer-indices", "").split(",", -1)) {
            layers.add((int) number("--layer-indices", word, 0, Integer.MAX_VALUE));
        }
        Optional<String> random = Optional.ofNullable(result.matchedOptionValue("--random", null));
        Optional<List<String>> excluded = Optional.ofNullable(result.<String>matchedOptionValue("--exclude", null))
                .map(list -> List.of(list.split(",")));
        long fileBytes = number(
                "--max-file-bytes",
                result.matchedOptionValue("--max-file-bytes", Long.toString(FILE_BYTES)),
                1,
                Long.MAX_VALUE);
        if (random.isEmpty() && !Files.isDirectory(Path.of(model))) {
            throw new ConfigException(
                    "command line: --model '%s': expected a checkpoint folder, or --random SEED for made-up weights"
                            .formatted(model));
        }
        requireEmpty(output);
        ModelCatalog catalog = new ModelCatalog(Installation.home().resolve("configs/models"));
        ConfigFiles described = ConfigFiles.read(model, catalog).as(format, excluded);
        described.write(output);
        ModelSpec target = ModelReader.fromFolder(output.toString(), output);
        try (Arena arena = Arena.ofShared()) {
            Matrices source;
            if (random.isPresent()) {
                source = new Matrices.Random(number("--random", random.get(), 0, Long.MAX_VALUE));
            } else {
                SafetensorsFolder checkpoint = SafetensorsFolder.open(Path.of(model), arena);
                SliceTensors.check(catalog.find(model), layers, checkpoint);
                source = new Matrices.Stored(checkpoint);
            }
            NewCheckpoint checkpoint = new NewCheckpoint(output, source, SliceTensors.of(target, layers), fileBytes);
            long start = System.nanoTime();
            checkpoint.write();
            out.println(String.format(
                    Locale.ROOT,
                    "%s: layers %s of %s as %s, %.3f GB in %.1f s",
                    output,
                    layers,
                    model,
                    format,
                    checkpoint.bytes() / 1e9,
                    (System.nanoTime() - start) / 1e9));
        }
    }

    /** A checkpoint of which some files are new and some old would be neither. */
    private static void requireEmpty(Path output) {
        if (!Files.exists(output)) {
            return;
        }
        try (Stream<Path> files = Files.list(output)) {
            Optional<Path> present = files.filter(file -> file.toString().contains(".safetensors"))
                    .findFirst();
            if (present.isPresent()) {
                throw new ConfigException("command line: --output %s: expected a folder without a checkpoint, found %s"
                        .formatted(output, present.get().getFileName()));
            }
        } catch (IOException e) {
            throw new ConfigException("command line: --output %s: cannot be read: %s".formatted(output, e), e);
        }
    }

    private static long number(String option, String text, long least, long greatest) {
        try {
            long value = Long.parseLong(text);
            if (value >= least && value <= greatest) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw new ConfigException("command line: %s: expected a number, got '%s'".formatted(option, text), e);
        }
        throw new ConfigException(
                "command line: %s: expected a number of at least %d, got '%s'".formatted(option, least, text));
    }
}
