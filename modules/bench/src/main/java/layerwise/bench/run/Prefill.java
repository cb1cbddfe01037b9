package layerwise.bench.run;

import java.util.ArrayList;
import java.util.List;
import layerwise.bench.calibration.StepCalibration;
import layerwise.bench.exchange.Exchange;
import layerwise.bench.moe.ExpertPath;
import layerwise.model.layer.Phase;
import layerwise.op.Batch;

/**
 * Fills the cache before decode is measured, by prefill steps of at most {@link #TOKENS} tokens; a longer context takes
 * several, each over the prefix that the ones before left.
 *
 * @param requests requests whose cache is filled
 * @param length   tokens of each
 */
record Prefill(int requests, int length) {
    /** Tokens of one prefill step, as engines limit it. */
    static final int TOKENS = 20_480;

    /** One step: requests {@code first .. first+batch.sequences()-1}. */
    record Pass(int first, Batch batch) {}

    /** The steps in order. */
    List<Pass> passes() {
        List<Pass> passes = new ArrayList<>();
        if (length == 0) {
            return passes;
        }
        int together = Math.max(1, TOKENS / length);
        for (int first = 0; first < requests; first += together) {
            int sequences = Math.min(together, requests - first);
            for (int past = 0; past < length; past += TOKENS) {
                passes.add(new Pass(first, Batch.uniform(sequences, Math.min(TOKENS, length - past), past)));
            }
        }
        return passes;
    }

    /**
     * Runs the steps.
     *
     * @param path     how the experts run
     * @param exchange what ranks send each other
     * @param dataRank this rank among those whose tokens differ
     */
    void run(Workbench bench, ExpertPath path, Exchange exchange, int dataRank, Progress progress) {
        List<Pass> passes = passes();
        for (int i = 0; i < passes.size(); i++) {
            Pass pass = passes.get(i);
            try (Pack pack = Pack.prepare(
                    bench,
                    path,
                    Phase.CONTEXT,
                    pass.first(),
                    pass.batch(),
                    exchange.traffic(pass.batch().tokens()),
                    refill -> StepCalibration.none(),
                    1000L + i + RunSequence.SEEDS_OF_RANK * dataRank)) {
                pack.runChecked(bench);
            }
            progress.show("Prefill KV cache", i + 1, passes.size());
        }
    }
}
