package layerwise.bench.collectives;

import java.io.PrintStream;
import java.util.List;
import java.util.stream.Collectors;
import layerwise.bench.device.GpuFile;
import layerwise.bench.device.Installation;
import layerwise.bench.ranks.Ranks;
import layerwise.kernels.CudaExecutor;
import layerwise.op.Executor;
import layerwise.op.Replay;

/** Checks and times every collective, size and mode with one carrier. Rank 0 prints and writes. */
final class CollectiveRun {
    private final CollectiveOptions options;
    private final List<ByteSize> sizes;
    private final CarrierChoice carrier;
    private final Executor device;
    private final Ranks.Here here;
    private final CollectiveFiles files;
    private final List<TimedCollective> rows;
    private final PrintStream out;
    private final CollectiveTimer timer;
    private final double linkRate;

    /**
     * Makes ready.
     *
     * @param rows gets what is measured, after what earlier carriers left
     */
    CollectiveRun(
            CollectiveOptions options,
            List<ByteSize> sizes,
            CarrierChoice carrier,
            Executor device,
            Ranks.Here here,
            CollectiveFiles files,
            List<TimedCollective> rows,
            PrintStream out) {
        this.options = options;
        this.sizes = sizes;
        this.carrier = carrier;
        this.device = device;
        this.here = here;
        this.files = files;
        this.rows = rows;
        this.out = out;
        timer = new CollectiveTimer(device, here.rendezvous());
        linkRate = GpuFile.of(device.device(), Installation.home().resolve("configs/gpus"))
                .map(facts -> facts.nominal().linkBytesPerSecond())
                .orElse(Double.NaN);
    }

    void run() {
        say("# collectives of %d ranks on %s, bfloat16; times in microseconds, of the slowest rank"
                .formatted(here.rank().world(), device.device()));
        device.notes().forEach(note -> say("# " + note));
        say(CollectiveTable.head());
        for (Collective collective : options.collectives()) {
            if (carrier.takes(collective)) {
                for (ByteSize size : sizes) {
                    time(new CollectiveShape(collective, size, here.rank().group()));
                    if (here.rank().rank() == 0) {
                        files.write(rows);
                    }
                }
            } else {
                say("# %s left out: NCCL alone exchanges equal parts".formatted(collective));
            }
        }
        say("# %d rows, results checked: %s, %s".formatted(rows.size(), files.csv(), files.json()));
    }

    private void time(CollectiveShape shape) {
        KnownNumbers numbers = new KnownNumbers(shape);
        try (PreparedCollective prepared = PreparedCollective.of(device, shape, numbers)) {
            int calls = timer.calls(prepared.execution());
            for (CallMode mode : options.modes()) {
                try (Replay replay = timer.replay(prepared.execution(), mode, calls)) {
                    prepared.poison();
                    replay.launch();
                    prepared.check(new ResultCheck(
                            "%s of %s by %s, %s".formatted(shape.collective(), shape.bytes(), carrier(), mode),
                            shape,
                            numbers));
                    TimedCollective row = new TimedCollective(
                            shape, carrier(), algorithm(prepared), mode, calls, timer.time(replay, calls), linkRate);
                    rows.add(row);
                    say(CollectiveTable.line(row));
                }
            }
        }
    }

    private String carrier() {
        return device instanceof CudaExecutor ? carrier.toString() : "mpi";
    }

    private String algorithm(PreparedCollective prepared) {
        String kernels = prepared.execution().kernels().stream().distinct().collect(Collectors.joining(" + "));
        return kernels.isEmpty() ? device.device() : kernels;
    }

    private void say(String line) {
        if (here.rank().rank() == 0) {
            out.println(line);
        }
    }
}
