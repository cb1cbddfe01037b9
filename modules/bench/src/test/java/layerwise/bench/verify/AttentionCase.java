package layerwise.bench.verify;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import layerwise.op.Batch;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.GqaDecodeAttention;
import layerwise.op.GqaPrefillAttention;
import layerwise.op.Memory;
import layerwise.op.MlaDecodeAttention;
import layerwise.op.MlaPrefillAttention;
import layerwise.op.Operator;
import layerwise.op.PagedBatch;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;

/**
 * One attention operator over noise, its pages strewn over the pool.
 *
 * @param pageTokens of the decode forms
 * @param cache      type of the decode forms' cache
 */
record AttentionCase(Form form, int heads, Batch batch, int pageTokens, DType cache) {
    /** What attends, and the size of a query head. */
    enum Form {
        MLA_DECODE(576, 1),
        MLA_PREFILL(192, 1),
        GQA_DECODE_128(128, 2),
        GQA_DECODE_256(256, 2),
        GQA_PREFILL_128(128, 2),
        GQA_PREFILL_256(256, 2);

        private final int headDim;
        private final int kvHeads;

        Form(int headDim, int kvHeads) {
            this.headDim = headDim;
            this.kvHeads = kvHeads;
        }
    }

    /** Puts inputs into a memory. */
    Operator place(Memory memory) {
        DType queries = form == Form.MLA_DECODE ? cache : DType.BF16;
        TensorRef q = noise(memory, "q", queries, batch.tokens(), heads, form.headDim);
        PagedBatch paged = paged(memory);
        double scale = 2 / Math.sqrt(form.headDim);
        return switch (form) {
            case MLA_DECODE -> new MlaDecodeAttention(q, cache(memory, 576), out(512), paged, scale);
            case GQA_DECODE_128, GQA_DECODE_256 ->
                new GqaDecodeAttention(
                        q, cache(memory, 2L * form.kvHeads * form.headDim), out(form.headDim), paged, scale);
            case MLA_PREFILL ->
                new MlaPrefillAttention(
                        q,
                        keys(memory, "kv", heads, 256),
                        noise(memory, "kRope", DType.BF16, batch.context(), 64),
                        out(128),
                        paged,
                        scale);
            case GQA_PREFILL_128, GQA_PREFILL_256 ->
                new GqaPrefillAttention(
                        q,
                        keys(memory, "k", form.kvHeads, form.headDim),
                        keys(memory, "v", form.kvHeads, form.headDim),
                        out(form.headDim),
                        paged,
                        scale);
        };
    }

    private TensorRef out(int headDim) {
        return Buffer.of("out", DType.BF16, batch.tokens(), heads, headDim).whole();
    }

    private TensorRef keys(Memory memory, String name, int kvHeads, int width) {
        return noise(memory, name, DType.BF16, batch.context(), kvHeads, width);
    }

    private TensorRef cache(Memory memory, long width) {
        return noise(memory, "cache", cache, (long) batch.sequences() * pagesOfSequence(), pageTokens, width);
    }

    private static TensorRef noise(Memory memory, String name, DType dtype, long... dims) {
        Buffer buffer = Buffer.of(name, dtype, dims);
        memory.put(buffer, new Contents.Uniform(-1, 1, name.hashCode()));
        return buffer.whole();
    }

    private int pagesOfSequence() {
        return Math.ceilDiv(batch.longest(), pageTokens);
    }

    private PagedBatch paged(Memory memory) {
        List<Integer> positions = new ArrayList<>();
        List<Integer> starts = new ArrayList<>(List.of(0));
        for (int b = 0; b < batch.sequences(); b++) {
            int past = batch.past().get(b);
            IntStream.range(0, batch.queries().get(b)).forEach(i -> positions.add(past + i));
            starts.add(positions.size());
        }
        List<Integer> pages = new ArrayList<>(IntStream.range(0, batch.sequences() * pagesOfSequence())
                .boxed()
                .toList());
        Collections.shuffle(pages, new Random(3));
        return new PagedBatch(
                batch,
                table(memory, "positions", positions, positions.size()),
                table(memory, "starts", starts, starts.size()),
                table(memory, "past", batch.past(), batch.sequences()),
                table(memory, "pages", pages, batch.sequences(), pagesOfSequence()),
                table(
                        memory,
                        "slots",
                        IntStream.range(0, batch.sequences()).boxed().toList(),
                        batch.sequences()));
    }

    private static TensorRef table(Memory memory, String name, List<Integer> values, long... dims) {
        Buffer buffer = Buffer.of(name, DType.I32, dims);
        try (Arena arena = Arena.ofConfined()) {
            int[] elements = values.stream().mapToInt(Integer::intValue).toArray();
            memory.put(buffer, new Contents.Copied(List.of(HostTensor.copyOf(arena, Shape.of(dims), elements))));
        }
        return buffer.whole();
    }
}
