package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import layerwise.bench.verify.AttentionCase.Form;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.kernels.CudaExecutor;
import layerwise.kernels.CudaOptions;
import layerwise.op.Batch;
import layerwise.op.Communicator;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.reference.Sample;
import layerwise.reference.Sampling;
import layerwise.tensor.DType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Attention on a GPU against the reference, with the tolerances of {@code verify}, over combinations of its shapes. */
@Tag("gpu")
class AttentionIT {
    private static final int[] HEADS = {4, 8, 16, 32, 64, 128};
    private static final int[] QUERIES = {1, 2, 4, 8};
    private static final int[] SEQUENCES = {1, 3, 128, 512};
    private static final int[] PAGE_TOKENS = {32, 64};
    private static final DType[] CACHES = {DType.BF16, DType.E4M3};

    /** Keys of each sequence; 0 of several lengths, and queries, in one batch. */
    private static final int[] LENGTHS = {1, 31, 32, 33, 63, 64, 65, 1000, 8193, 32_769, 0};

    private static final int[] MIXED = {0, 31, 64, 999, 63, 8193, 1, 500};

    /** Keys of all sequences up to which a cache may be bfloat16; 512 sequences of 32,769 fit in float8. */
    private static final long BF16_KEYS = 6_000_000;

    private static final int ROWS = 256; // computed by the reference where an operator is large
    private static final long WHOLE = 2_000_000_000L; // operations up to which it is not

    @BeforeAll
    static void needsGpu() {
        try {
            assumeTrue(!DeviceInfo.all().isEmpty(), "the driver shows no device");
        } catch (DeviceUnavailableException e) {
            abort(e.getMessage());
        }
    }

    /** Sequences of a length with so many queries each, or fewer where the length has no more. */
    private static Batch batch(int sequences, int queries, int length) {
        if (length > 0) {
            return Batch.uniform(sequences, queries, Math.max(0, length - queries));
        }
        return new Batch(
                IntStream.range(0, sequences).map(b -> 1 + b % queries).boxed().toList(),
                IntStream.range(0, sequences)
                        .map(b -> MIXED[b % MIXED.length])
                        .boxed()
                        .toList());
    }

    private static void check(List<AttentionCase> cases) {
        List<String> wrong = new ArrayList<>();
        Sampling sampling = (operator, rows) ->
                operator.work().flops() <= WHOLE ? Sample.all(rows) : Sample.of(rows, new TreeSet<>(), ROWS, 1, 11);
        try (Executor device = CudaExecutor.open(0, Journal.NONE, CudaOptions.plain(), Communicator.alone(), false);
                Memory memory = device.allocate();
                HostCopies constants = new HostCopies(memory)) {
            for (AttentionCase one : cases) {
                try (Memory own = memory.nested();
                        OperatorCheck check =
                                new OperatorCheck(device, own, constants, Communicator.alone(), sampling)) {
                    Operator operator = one.place(own);
                    Row row = Row.of(check.check(operator).getFirst());
                    System.out.println(one.pageTokens() + " " + row.text());
                    if (!row.isRight()) {
                        wrong.add(one.pageTokens() + " " + row.text());
                    }
                }
            }
        }
        assertEquals(List.of(), wrong);
    }

    @Test
    void latentDecode() {
        List<int[]> chosen = Pairwise.of(
                new int[] {HEADS.length, QUERIES.length, SEQUENCES.length, LENGTHS.length, 2, 2},
                c -> CACHES[c[5]] == DType.E4M3 || (long) SEQUENCES[c[2]] * LENGTHS[c[3]] <= BF16_KEYS);
        check(chosen.stream()
                .map(c -> new AttentionCase(
                        Form.MLA_DECODE,
                        HEADS[c[0]],
                        batch(SEQUENCES[c[2]], QUERIES[c[1]], LENGTHS[c[3]]),
                        PAGE_TOKENS[c[4]],
                        CACHES[c[5]]))
                .toList());
    }

    @Test
    void groupedDecode() {
        int[] groups = {4, 8, 16};
        int[] sequences = {1, 3, 128};
        Form[] forms = {Form.GQA_DECODE_128, Form.GQA_DECODE_256};
        List<int[]> chosen = Pairwise.of(
                new int[] {groups.length, QUERIES.length, sequences.length, LENGTHS.length, 2, 2, 2},
                c -> (long) sequences[c[2]] * LENGTHS[c[3]] <= BF16_KEYS / 4);
        check(chosen.stream()
                .map(c -> new AttentionCase(
                        forms[c[6]],
                        2 * groups[c[0]],
                        batch(sequences[c[2]], QUERIES[c[1]], LENGTHS[c[3]]),
                        PAGE_TOKENS[c[4]],
                        CACHES[c[5]]))
                .toList());
    }

    /** Sequences so many and long that the last keys make parts of their own where memory gives much. */
    @Test
    void longGroupedDecode() {
        List<AttentionCase> cases = new ArrayList<>();
        for (Form form : List.of(Form.GQA_DECODE_128, Form.GQA_DECODE_256)) {
            int heads = form == Form.GQA_DECODE_128 ? 32 : 16;
            cases.add(new AttentionCase(form, heads, Batch.uniform(128, 1, 8193), 64, DType.BF16));
            List<Integer> past =
                    IntStream.range(0, 128).mapToObj(b -> 6900 + 10 * b).toList();
            cases.add(new AttentionCase(form, heads, new Batch(Collections.nCopies(128, 1), past), 32, DType.BF16));
        }
        check(cases);
    }

    @Test
    void prefill() {
        List<Batch> batches = new ArrayList<>();
        for (int queries : new int[] {1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000, 8193, 32_769}) {
            batches.add(Batch.uniform(1, queries, 0));
        }
        batches.add(Batch.uniform(3, 300, 700));
        batches.add(Batch.uniform(1, 200, 8000));
        batches.add(new Batch(List.of(1, 129, 64, 300, 7), List.of(0, 1, 1000, 127, 128)));
        batches.add(new Batch(Collections.nCopies(128, 3), Collections.nCopies(128, 62)));
        List<AttentionCase> cases = new ArrayList<>();
        for (Form form : List.of(Form.MLA_PREFILL, Form.GQA_PREFILL_128, Form.GQA_PREFILL_256)) {
            for (int i = 0; i < batches.size(); i++) {
                int heads = batches.get(i).longest() > 8000 ? 4 : HEADS[i % HEADS.length];
                cases.add(new AttentionCase(form, heads, batches.get(i), 64, DType.BF16));
            }
        }
        check(cases);
    }

    /** Short ones of every kind of launch, for a run under compute-sanitizer. */
    @Test
    void smallShapes() {
        List<AttentionCase> cases = new ArrayList<>();
        for (Form form : Form.values()) {
            for (DType cache : CACHES) {
                cases.add(new AttentionCase(form, 16, batch(5, 3, 0), 32, cache));
                cases.add(new AttentionCase(form, 8, Batch.uniform(1, 1, 2200), 64, cache));
            }
        }
        check(cases);
    }
}
