package layerwise.kernels;

import java.util.Collections;
import layerwise.cuda.LaunchShape;
import layerwise.op.Batch;
import layerwise.op.DeltaRule;
import layerwise.op.DeltaRuleChunkScan;
import layerwise.op.Lane;
import layerwise.op.SsdChunkScan;
import layerwise.op.StateSpace;
import layerwise.op.TensorRef;

/**
 * Launches of the recurrences' chunked forms, kernels/{ssd_chunk,delta_rule_chunk}_*.cu; heads of other widths than theirs go
 * token by token.
 */
final class ChunkLaunches {
    private static final int SSD_CHUNK = 128;
    private static final int DELTA_CHUNK = 64;

    /** Bytes of a chunk that one pass of the delta rule leaves for the other: DeltaChunk in kernels/common. */
    private static final long DELTA_BYTES = 41_600;

    private static final int DELTA_PARTS = 4;

    private static final int MULTIPROCESSORS = 132;

    /** Heads of a group that a block of a Mamba-2 scan has at most; a multiprocessor runs one block. */
    private static final int SSD_HEADS = 2;

    private ChunkLaunches() {}

    private static int longest(Batch batch) {
        return Collections.max(batch.queries());
    }

    /**
     * How a batch's sequences are divided into segments that go side by side, each in as many blocks as given. The
     * last goes through the second pass only: the others have as few chunks as leave it no more than an even division would.
     *
     * @param segments of the longest sequence
     * @param chunks   of a segment but the last, which has all that is left
     */
    record Segments(int segments, int chunks) {
        static Segments of(Batch batch, int blocks) {
            int chunks = Math.ceilDiv(longest(batch), SSD_CHUNK);
            int wanted = Math.clamp(MULTIPROCESSORS / ((long) blocks * batch.sequences()), 1, chunks);
            int most = Math.ceilDiv(chunks, wanted);
            int segments = Math.ceilDiv(chunks, most);
            return new Segments(segments, segments > 1 ? Math.ceilDiv(chunks - most, segments - 1) : most);
        }
    }

    static Launchable of(Preparation to, SsdChunkScan op, Lane lane) {
        StateSpace ssm = op.ssm();
        boolean tuned = ssm.headDim() == 64
                && ssm.stateDim() == 128
                && RecurrentLaunches.isAligned(ssm.x())
                && RecurrentLaunches.isAligned(ssm.b())
                && RecurrentLaunches.isAligned(ssm.c())
                && ssm.y().isContiguous();
        if (!tuned) {
            return RecurrentLaunches.of(to, op, ssm);
        }
        Preparation.requireBf16(op, ssm.x(), ssm.b(), ssm.c(), ssm.dt(), ssm.y());
        String type = RecurrentLaunches.stateType(op, ssm.state());
        int sequences = ssm.paged().batch().sequences();
        int blocks = ssm.groups() * Math.ceilDiv(ssm.heads() / ssm.groups(), SSD_HEADS);
        Segments division = Segments.of(ssm.paged().batch(), blocks);
        boolean several = division.segments() > 1;
        long pieces = (long) sequences * division.segments() * ssm.heads();
        long states = several ? to.scratch(lane, pieces * ssm.headDim() * ssm.stateDim() * Float.BYTES) : 0;
        long decays = several ? to.scratch(lane, pieces * Float.BYTES) : 0;
        LaunchShape shape = LaunchShape.of(1, 512)
                .grid(division.segments(), blocks, sequences)
                .shared(232_448);
        KernelCall scan = to.call("ssd_chunk_scan", "ssd_chunk_scan_" + type, shape)
                .pointer(to.address(ssm.y()))
                .pointer(to.address(ssm.state()))
                .pointer(states)
                .pointer(decays)
                .pointer(to.address(ssm.x()))
                .pointer(to.address(ssm.b()))
                .pointer(to.address(ssm.c()))
                .pointer(to.address(ssm.dt()))
                .pointer(to.address(ssm.aLog()))
                .pointer(to.address(ssm.dtBias()))
                .pointer(to.address(ssm.d()));
        sizes(scan, to, ssm, division)
                .wide(step(ssm.x()))
                .wide(step(ssm.b()))
                .wide(step(ssm.c()))
                .wide(step(ssm.dt()));
        if (!several) {
            return scan;
        }
        LaunchShape firstShape = LaunchShape.of(1, 256)
                .grid(division.segments() - 1, blocks, sequences)
                .shared(221_184);
        KernelCall first = to.call("ssd_chunk_states", "ssd_chunk_states_" + type, firstShape)
                .pointer(states)
                .pointer(decays)
                .pointer(to.address(ssm.state()))
                .pointer(to.address(ssm.x()))
                .pointer(to.address(ssm.b()))
                .pointer(to.address(ssm.dt()))
                .pointer(to.address(ssm.aLog()))
                .pointer(to.address(ssm.dtBias()));
        sizes(first, to, ssm, division).wide(step(ssm.x())).wide(step(ssm.b())).wide(step(ssm.dt()));
        return Launchable.sequence(first, scan);
    }

    private static KernelCall sizes(KernelCall call, Preparation to, StateSpace ssm, Segments division) {
        return call.pointer(to.address(ssm.paged().starts()))
                .pointer(to.address(ssm.paged().past()))
                .pointer(to.address(ssm.paged().slots()))
                .number(ssm.heads())
                .number(ssm.groups())
                .number(division.chunks());
    }

    static Launchable of(Preparation to, DeltaRuleChunkScan op, Lane lane) {
        DeltaRule rule = op.rule();
        boolean tuned = rule.keyDim() == 128
                && rule.valueDim() == 128
                && RecurrentLaunches.isAligned(rule.q())
                && RecurrentLaunches.isAligned(rule.k())
                && RecurrentLaunches.isAligned(rule.v())
                && rule.out().isContiguous();
        if (!tuned) {
            return RecurrentLaunches.of(to, op, rule);
        }
        Preparation.requireBf16(op, rule.q(), rule.k(), rule.v(), rule.a(), rule.b(), rule.out());
        Batch batch = rule.paged().batch();
        int most = Math.ceilDiv(longest(batch), DELTA_CHUNK);
        long chunks = to.scratch(lane, (long) batch.sequences() * most * rule.valueHeads() * DELTA_BYTES);
        LaunchShape each = LaunchShape.of(1, 128)
                .grid(most, rule.valueHeads(), batch.sequences())
                .shared(50_176);
        KernelCall prepare = to.call("delta_rule_chunk_prepare", "delta_rule_chunk_prepare_bf16", each)
                .pointer(chunks)
                .pointer(to.address(rule.q()))
                .pointer(to.address(rule.k()))
                .pointer(to.address(rule.v()))
                .pointer(to.address(rule.a()))
                .pointer(to.address(rule.b()))
                .pointer(to.address(rule.aLog()))
                .pointer(to.address(rule.dtBias()))
                .pointer(to.address(rule.paged().starts()))
                .number(rule.keyHeads())
                .number(rule.valueHeads())
                .wide(step(rule.q()))
                .wide(step(rule.k()))
                .wide(step(rule.v()))
                .wide(step(rule.a()))
                .wide(step(rule.b()))
                .real(rule.scale());
        LaunchShape parts = LaunchShape.of(1, 256)
                .grid(DELTA_PARTS, rule.valueHeads(), batch.sequences())
                .shared(203_776);
        String symbol = "delta_rule_chunk_scan_" + RecurrentLaunches.stateType(op, rule.state());
        KernelCall scan = to.call("delta_rule_chunk_scan", symbol, parts)
                .pointer(to.address(rule.out()))
                .pointer(to.address(rule.state()))
                .pointer(chunks)
                .pointer(to.address(rule.q()))
                .pointer(to.address(rule.k()))
                .pointer(to.address(rule.paged().starts()))
                .pointer(to.address(rule.paged().past()))
                .pointer(to.address(rule.paged().slots()))
                .number(rule.keyHeads())
                .number(rule.valueHeads())
                .number(most)
                .wide(step(rule.q()))
                .wide(step(rule.k()));
        return Launchable.sequence(prepare, scan);
    }

    /** From token to token. */
    private static long step(TensorRef tensor) {
        return tensor.strides().step(0);
    }
}
