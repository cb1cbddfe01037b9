package layerwise.bench.config;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Every option of a run, in the order in which help, argument lines and markers list them. */
enum RunOption {
    MODEL(Kind.TEXT, "Hugging Face name of the model, or a local folder with its config.json"),
    LAYER_INDICES(Kind.INTEGERS, "contiguous ascending layer numbers"),
    RUN_TYPE(Kind.TEXT, "CTX (prefill) or GEN (decode)"),
    SCALED_FROM(Kind.INTEGER, "run the per-rank problem of this many GPUs"),
    MAX_BATCH_SIZE(Kind.INTEGER, "sequences with KV-cache pages; default: the largest batch size"),
    TOKENS_PER_BLOCK(Kind.INTEGER, "tokens of a KV-cache page"),
    MAX_SEQ_LEN(Kind.INTEGER, "tokens of a sequence; default: largest query plus largest cached length"),
    ENABLE_ATTENTION_DP(Kind.FLAG, "attention data parallel (each rank its own tokens) instead of tensor parallel"),
    KV_CACHE_DTYPE(Kind.TEXT, "auto or fp8; default: auto"),
    MAMBA_SSM_CACHE_DTYPE(Kind.TEXT, "auto, float16, bfloat16 or float32; default: auto"),
    LOAD_FORMAT(Kind.TEXT, "AUTO (weights of a local checkpoint) or DUMMY; default: DUMMY"),
    MAX_NUM_TOKENS(Kind.INTEGER, "query tokens of a step; default: max batch size times largest query length"),
    MOE_BACKEND(Kind.TEXT, "CUTLASS, TRTLLM, DEEPGEMM, WIDEEP, CUTEDSL, MARLIN or VANILLA"),
    MOE_BACKEND_FOR_PREFILL(Kind.TEXT, "backend that fills the KV cache for GEN; default: CUTLASS"),
    MOE_MAX_NUM_TOKENS(Kind.INTEGER, "tokens of all ranks in one MoE chunk; default: no chunking"),
    USE_LOW_PRECISION_MOE_COMBINE(Kind.FLAG, "combine of an all-to-all in less than bf16; default: no"),
    ENABLE_AUTOTUNER(Kind.FLAG, "try kernels before measuring; default: yes"),
    USE_CUDA_GRAPH(Kind.FLAG, "measure replays of a CUDA graph; default: no"),
    BATCH_SIZE(Kind.INTEGERS, "list: sequences, per rank under attention DP"),
    SEQ_LEN_Q(Kind.INTEGERS, "list: query tokens of a sequence; in GEN one plus the draft tokens"),
    SEQ_LEN_KV_CACHE(Kind.INTEGERS, "list: tokens of a sequence that are cached already"),
    BALANCE_METHOD(Kind.TEXT, "NotModified, Balanced, ImbalancedRanks or ImbalancedExperts"),
    BALANCE_RATIO(Kind.RATIOS, "list: share of tokens that stay balanced, 0 to 1, or null"),
    REPLAY_FILE_PATH(Kind.TEXT, "calibration file whose expert selections are replayed"),
    REPLAY_START_ITER(Kind.INTEGER, "first replayed iteration"),
    REPLAY_STOP_ITER(Kind.INTEGER, "last replayed iteration, inclusive"),
    REPLAY_VERIFY_METADATA(Kind.FLAG, "check replayed calls against the recording; default: no"),
    CALIBRATION_MODE(
            Kind.TEXT, "NONE, MARK (a range for each layer) or COLLECT (record expert choices); default: NONE"),
    CALIBRATION_FILE_PATH(Kind.TEXT, "file that COLLECT writes, to be replayed"),
    WARMUP_TIMES(Kind.INTEGER, "iterations before measuring; default: 20"),
    RUN_TIMES(Kind.INTEGER, "measured iterations; default: 100"),
    DEVICE(Kind.TEXT, "auto, cuda, reference or estimate:<gpu>; default: auto"),
    NP(Kind.INTEGER, "ranks of an estimate, all in this process; default: 1"),
    GPUS_PER_NODE(Kind.INTEGER, "ranks of one machine in an estimate; default: as such machines usually have"),
    CHECK(Kind.FLAG, "look for NaNs and infinities in every operator's outputs after each problem; default: no"),
    SYNC_EVERY_LAUNCH(
            Kind.FLAG, "wait for every launch, to find the operator that fails; captures no graph; default: no"),
    SHARE_GPU(Kind.FLAG, "several ranks may use one GPU, for correctness and not for times; default: no");

    /** What values look like, on the command line and in YAML. */
    enum Kind {
        TEXT("a string"),
        INTEGER("an integer"),
        INTEGERS("an integer or a list of integers"),
        RATIOS("a number, null or a list of these"),
        FLAG("true or false");

        private final String expectation;

        Kind(String expectation) {
            this.expectation = expectation;
        }

        String expectation() {
            return expectation;
        }

        boolean isList() {
            return this == INTEGERS || this == RATIOS;
        }
    }

    private static final List<String> KEYS =
            Arrays.stream(values()).map(RunOption::key).toList();

    private final Kind kind;
    private final String description;

    RunOption(Kind kind, String description) {
        this.kind = kind;
        this.description = description;
    }

    Kind kind() {
        return kind;
    }

    String description() {
        return description;
    }

    /** Name in YAML, such as {@code batch_size}. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Name on the command line, such as {@code --batch-size}. */
    String flag() {
        return "--" + dashed();
    }

    /** Name of the option that turns a flag off, such as {@code --no-enable-autotuner}. */
    String negatedFlag() {
        return "--no-" + dashed();
    }

    private String dashed() {
        return key().replace('_', '-');
    }

    static List<String> keys() {
        return KEYS;
    }
}
