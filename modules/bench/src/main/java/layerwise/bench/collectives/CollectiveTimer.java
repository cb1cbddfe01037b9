package layerwise.bench.collectives;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import layerwise.bench.config.Statistics;
import layerwise.bench.ranks.Slowest;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.Rendezvous;
import layerwise.op.Replay;
import layerwise.op.Stopwatch;

/**
 * Times calls in a row on all ranks at once. Counts follow from times that ranks agree on, so that all make the same calls.
 */
record CollectiveTimer(Executor device, Rendezvous rendezvous) {
    /** Calls of a sample take about this long. */
    private static final double SAMPLE_MICROS = 1000;

    private static final int MOST_CALLS = 20;
    private static final double WARMUP_MICROS = 20_000;
    private static final int LEAST_WARMUPS = 2;
    private static final int MOST_WARMUPS = 500;
    private static final double TIMED_MICROS = 100_000;
    private static final int LEAST_SAMPLES = 10;
    private static final int MOST_SAMPLES = 200;

    /**
     * What the slowest rank measured.
     *
     * @param rank   the one of the greatest median
     * @param micros of one call, a value for each sample
     */
    record Times(int rank, List<Double> micros) {
        Times {
            micros = List.copyOf(micros);
        }
    }

    /** How many calls make a sample; the same on every rank. */
    int calls(Execution collective) {
        List<Double> micros = marked(4, collective::run);
        double once = new Slowest(rendezvous).of(Collections.min(micros));
        return (int) Math.clamp(Math.ceil(SAMPLE_MICROS / once), 1, MOST_CALLS);
    }

    /** So many calls in a row as one unit; runs nothing yet. */
    Replay replay(Execution collective, CallMode mode, int calls) {
        List<Execution> row = Collections.nCopies(calls, collective);
        return switch (mode) {
            case GRAPH -> device.capture(row);
            case EAGER ->
                new Replay() {
                    @Override
                    public void launch() {
                        row.forEach(Execution::run);
                    }

                    @Override
                    public void close() {}
                };
        };
    }

    /** Times a unit of so many calls, after warming up; all ranks begin together. */
    Times time(Replay replay, int calls) {
        double once = new Slowest(rendezvous).of(Collections.min(marked(2, replay::launch)));
        int warmups = (int) Math.clamp(Math.ceil(WARMUP_MICROS / once), LEAST_WARMUPS, MOST_WARMUPS);
        int samples = (int) Math.clamp(Math.ceil(TIMED_MICROS / once), LEAST_SAMPLES, MOST_SAMPLES);
        marked(warmups, replay::launch);
        return slowest(marked(samples, replay::launch).stream()
                .map(micros -> micros / calls)
                .toList());
    }

    private List<Double> marked(int times, Runnable work) {
        try (Stopwatch stopwatch = device.stopwatch(times + 1)) {
            device.synchronize();
            rendezvous.barrier();
            work.run(); // ranks do not leave a barrier at the same time; the first call makes them meet on the device
            stopwatch.mark(0);
            for (int i = 0; i < times; i++) {
                work.run();
                stopwatch.mark(i + 1);
            }
            device.synchronize();
            return IntStream.range(0, times)
                    .mapToObj(i -> stopwatch.micros(i, i + 1))
                    .toList();
        }
    }

    private Times slowest(List<Double> own) {
        List<List<Double>> all = gather(own);
        int slowest = IntStream.range(0, all.size())
                .boxed()
                .max((a, b) -> Double.compare(median(all.get(a)), median(all.get(b))))
                .orElseThrow();
        return new Times(slowest, all.get(slowest));
    }

    private static double median(List<Double> micros) {
        return Statistics.of(micros.stream().mapToDouble(Double::doubleValue).toArray())
                .median();
    }

    private List<List<Double>> gather(List<Double> own) {
        ByteBuffer message = ByteBuffer.allocate(own.size() * Double.BYTES);
        own.forEach(message::putDouble);
        List<List<Double>> all = new ArrayList<>();
        for (byte[] bytes : rendezvous.allGather(message.array())) {
            ByteBuffer values = ByteBuffer.wrap(bytes);
            List<Double> micros = new ArrayList<>();
            while (values.hasRemaining()) {
                micros.add(values.getDouble());
            }
            all.add(micros);
        }
        return all;
    }
}
