package layerwise.bench.collectives;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import layerwise.bench.config.CommandOptions;
import layerwise.bench.config.DeviceChoice;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/**
 * What the command line says.
 *
 * @param sizes    to time; empty for the usual ones
 * @param carriers one after the other; empty for the usual ones
 */
record CollectiveOptions(
        Optional<List<ByteSize>> sizes,
        List<Collective> collectives,
        Optional<List<CarrierChoice>> carriers,
        List<CallMode> modes,
        DeviceChoice device) {
    private static final String USUAL_SIZES = "8KiB,32KiB,128KiB,512KiB,2MiB,8MiB,16MiB,64MiB,256MiB,512MiB,1GiB";

    /** Tensors' rows are counted in 31 bits. */
    private static final ByteSize MOST = new ByteSize(16L << 30);

    /** The reference executor takes seconds beyond. */
    private static final ByteSize MOST_OF_REFERENCE = new ByteSize(1L << 20);

    CollectiveOptions {
        collectives = List.copyOf(collectives);
        modes = List.copyOf(modes);
    }

    /**
     * Reads it; empty if only the usage text was asked for, which is printed then.
     *
     * @throws ConfigException if it cannot be used
     */
    static Optional<CollectiveOptions> parse(List<String> arguments, PrintStream out) {
        return CommandOptions.parse(spec(), arguments, out).map(CollectiveOptions::of);
    }

    private static CollectiveOptions of(ParseResult result) {
        String modes = result.matchedOptionValue("--mode", "graph,eager");
        String collectives = result.matchedOptionValue("--collectives", "");
        return new CollectiveOptions(
                value(result, "--bytes").map(CollectiveOptions::sizes),
                collectives.isEmpty()
                        ? List.of(Collective.values())
                        : choices("--collectives", collectives, List.of(Collective.values())),
                value(result, "--carrier").map(text -> choices("--carrier", text, List.of(CarrierChoice.values()))),
                choices("--mode", modes, List.of(CallMode.values())),
                DeviceChoice.parse("--device", result.matchedOptionValue("--device", "auto")));
    }

    private static CommandSpec spec() {
        CommandSpec spec = CommandSpec.create().name("collectives");
        CommandOptions.add(spec, "--bytes", "LIST", false, "sizes, as in 8KiB,2MiB; default: " + USUAL_SIZES);
        CommandOptions.add(
                spec, "--collectives", "LIST", false, "AllReduce,AllGather,ReduceScatter,AllToAll; default: all");
        CommandOptions.add(spec, "--carrier", "LIST", false, "nccl, peers, auto as runs choose; default: nccl,peers");
        CommandOptions.add(spec, "--mode", "LIST", false, "graph, eager; default: both");
        CommandOptions.add(spec, "--device", "NAME", false, "auto, cuda or reference (over MPI, small sizes)");
        CommandOptions.addHelp(spec);
        return spec;
    }

    private static Optional<String> value(ParseResult result, String option) {
        return Optional.ofNullable(result.matchedOptionValue(option, (String) null));
    }

    private static List<ByteSize> sizes(String text) {
        return Arrays.stream(text.split(",", -1))
                .map(word -> ByteSize.parse("--bytes", word))
                .toList();
    }

    private static <E> List<E> choices(String option, String text, List<E> known) {
        List<String> names = known.stream().map(Object::toString).toList();
        return Arrays.stream(text.split(",", -1))
                .map(word -> {
                    int at = names.indexOf(word.strip());
                    if (at < 0) {
                        throw new ConfigException("%s: '%s': expected one of %s%s"
                                .formatted(option, word, String.join(", ", names), NearestNames.hint(word, names)));
                    }
                    return known.get(at);
                })
                .toList();
    }

    /**
     * Sizes that so many ranks time.
     *
     * @param reference whether the reference executor runs them
     * @throws ConfigException if one is too large, or not the same whole number of vectors for each rank
     */
    List<ByteSize> sizes(int ranks, boolean reference) {
        ByteSize most = reference ? MOST_OF_REFERENCE : MOST;
        List<ByteSize> all = sizes.orElseGet(() -> sizes(USUAL_SIZES).stream()
                .filter(size -> size.bytes() <= most.bytes())
                .toList());
        long granule = CollectiveShape.granule(ranks);
        for (ByteSize size : all) {
            if (size.bytes() > most.bytes()) {
                throw new ConfigException("--bytes: %s: expected at most %s%s"
                        .formatted(size, most, reference ? " on the reference executor" : ""));
            }
            if (size.bytes() % granule != 0) {
                throw new ConfigException(
                        "--bytes: %s: expected a multiple of %d, 16 bytes for each of %d ranks; nearest: %d"
                                .formatted(
                                        size,
                                        granule,
                                        ranks,
                                        Math.max(1, Math.round((double) size.bytes() / granule)) * granule));
            }
        }
        return all;
    }

    /**
     * What carries them.
     *
     * @throws ConfigException if carriers were chosen for the executor that has none
     */
    List<CarrierChoice> carriers(boolean reference) {
        if (reference) {
            if (carriers.isPresent()) {
                throw new ConfigException("--carrier: %s: the reference executor's collectives travel over MPI;"
                                .formatted(carriers.get().getFirst())
                        + " expected --device cuda, or no --carrier");
            }
            return List.of(CarrierChoice.AUTO);
        }
        return carriers.orElse(List.of(CarrierChoice.NCCL, CarrierChoice.PEERS));
    }

    /**
     * Refuses what leaves nothing to time.
     *
     * @throws ConfigException if no carrier takes any of the collectives
     */
    void require(List<CarrierChoice> chosen) {
        if (collectives.stream()
                .noneMatch(collective -> chosen.stream().anyMatch(carrier -> carrier.takes(collective)))) {
            throw new ConfigException(
                    "--collectives: %s: NCCL alone exchanges equal parts; expected --carrier nccl on a GPU, or some of AllReduce, AllGather, ReduceScatter"
                            .formatted(collectives.getFirst()));
        }
    }
}
