package layerwise.bench.verify;

import java.io.PrintStream;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import layerwise.bench.config.OperatorChoice;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunType;
import layerwise.bench.device.Devices;
import layerwise.bench.device.ReferenceBudget;
import layerwise.bench.exchange.Balancing;
import layerwise.bench.exchange.Exchange;
import layerwise.bench.noise.NoiseLayers;
import layerwise.bench.noise.NoiseStep;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.DeltaNetSpec;
import layerwise.model.spec.DenseSpec;
import layerwise.model.spec.FeedForwardSpec;
import layerwise.model.spec.GqaSpec;
import layerwise.model.spec.LayerSpec;
import layerwise.model.spec.Mamba2Spec;
import layerwise.model.spec.MixerSpec;
import layerwise.model.spec.MlaSpec;
import layerwise.model.spec.ModelSpec;
import layerwise.model.spec.MoeSpec;
import layerwise.op.Executor;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Rendezvous;
import layerwise.op.fusion.Fusion;
import layerwise.tensor.WrongResultException;
import layerwise.trace.ProblemSpec;

/**
 * The operators of layers one by one, each fed with what the device computed before it, and the table of results. Several
 * ranks check together: rank 0 prints its table, others what is wrong. Then the layers as a whole are compared with what one
 * rank alone computes.
 */
final class LayerVerification implements AutoCloseable {
    private static final long SEED = 20260101;

    private final RunConfig config;
    private final OperatorChoice choice;
    private final ModelSpec model;
    private final Mapping mapping;
    private final Exchange exchange;
    private final Phase phase;
    private final Balancing balancing;
    private final Executor device;
    private final Rendezvous rendezvous;
    private final PrintStream out;
    private final NoiseLayers layers;
    private final Memory memory;
    private final HostCopies constants;
    private final Tally tally = new Tally();
    private final int rank;

    LayerVerification(
            RunConfig config,
            OperatorChoice choice,
            ModelSpec model,
            Mapping mapping,
            Exchange exchange,
            Balancing balancing,
            Executor device,
            Rendezvous rendezvous,
            PrintStream out) {
        this.config = config;
        this.choice = choice;
        this.model = model;
        this.mapping = mapping;
        this.exchange = exchange;
        this.phase = config.runType() == RunType.GEN ? Phase.GENERATION : Phase.CONTEXT;
        this.balancing = balancing;
        this.device = device;
        this.rendezvous = rendezvous;
        this.out = out;
        this.rank = mapping.group().rank();
        layers = new NoiseLayers(config, model, mapping, SEED);
        List<Program> programs = config.problems().stream()
                .map(problem -> program(step(problem)))
                .toList();
        ReferenceBudget.of(programs, 2).check(config.device(), mapping.group().size());
        memory = device.allocate();
        constants = new HostCopies(memory);
        layers.placeWeights(memory);
        say("# verify %s on %s, %s, seed %d".formatted(config.model(), device.device(), exchange, SEED));
        for (int index : config.layerIndices()) {
            say("# layer %d: %s".formatted(index, kind(index)));
        }
        say("# %-22s %-36s %-24s %12s %12s  %s"
                .formatted("operator", "shape", "output", "error", "of allowed", "check"));
    }

    private String kind(int index) {
        LayerSpec layer = model.layer(index);
        return Stream.concat(
                        layer.mixer().map(LayerVerification::kind).stream(),
                        layer.feedForward().map(LayerVerification::kind).stream())
                .collect(Collectors.joining(", "));
    }

    private static String kind(MixerSpec mixer) {
        return switch (mixer) {
            case MlaSpec _ -> "latent attention";
            case GqaSpec _ -> "grouped-query attention";
            case Mamba2Spec _ -> "Mamba-2";
            case DeltaNetSpec _ -> "gated DeltaNet";
        };
    }

    private static String kind(FeedForwardSpec feedForward) {
        return switch (feedForward) {
            case MoeSpec moe -> "mixture of %d experts".formatted(moe.experts());
            case DenseSpec _ -> "dense";
        };
    }

    private void say(String line) {
        if (rank == 0) {
            out.println(line);
        }
    }

    private NoiseStep step(ProblemSpec problem) {
        return layers.step(phase, problem, new ExpertChoice.Routed(), exchange.traffic(problem.tokens()));
    }

    private Program program(NoiseStep step) {
        return Fusion.apply(step.program(), device.capabilities());
    }

    void verify(ProblemSpec problem) {
        say("# batch_size %d  seq_len_q %d  seq_len_kv_cache %d"
                .formatted(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache()));
        tally.problem();
        NoiseStep step = step(problem);
        try (Memory own = memory.nested()) {
            step.place(own, mapping.dataRank());
            Program program = program(step);
            try (OperatorCheck check = new OperatorCheck(
                    device, own, constants, Devices.communicator(rendezvous), new SamplePlan(own, SEED))) {
                choice.require(program.operators().stream()
                        .map(Operator::name)
                        .collect(Collectors.toCollection(TreeSet::new)));
                for (Operator operator : program.operators()) {
                    if (!choice.holds(operator.name())) {
                        check.compute(operator);
                        continue;
                    }
                    tally.operator(operator.name());
                    for (VerifiedOutput output : check.check(operator)) {
                        tally.output(output);
                        print(Row.of(output));
                    }
                }
            }
        }
        if (mapping.group().size() > 1 && choice.isAll()) {
            Traffic traffic = exchange.traffic(problem.tokens());
            OneRankCheck check = new OneRankCheck(config, model, mapping, device, SEED);
            for (Row row : check.check(phase, problem, traffic, balancing.table(traffic, problem.balanceRatio()))) {
                tally.output(row.isRight());
                print(row);
            }
        }
    }

    private void print(Row row) {
        if (rank == 0 || !row.isRight()) {
            out.println((rank == 0 ? "" : "rank " + rank + ":") + row.text());
        }
    }

    /**
     * Prints the verdict of all ranks.
     *
     * @throws WrongResultException if an output is wrong
     */
    void conclude() {
        Tally.Counts all = tally.counts().of(rendezvous);
        String ranks = mapping.group().size() == 1
                ? ""
                : " of %d ranks".formatted(mapping.group().size());
        say("# %s, %d sampled, %d outputs%s, %d wrong: %s"
                .formatted(
                        tally, all.sampled(), all.outputs(), ranks, all.wrong(), all.wrong() == 0 ? "OK" : "FAILED"));
        if (all.wrong() > 0) {
            throw new WrongResultException(
                    "verify: %d of %d outputs%s are wrong".formatted(all.wrong(), all.outputs(), ranks));
        }
    }

    @Override
    public void close() {
        constants.close();
        memory.close();
    }
}
