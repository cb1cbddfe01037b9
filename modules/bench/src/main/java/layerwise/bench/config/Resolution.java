package layerwise.bench.config;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import layerwise.model.balance.BalanceMethod;
import layerwise.tensor.ConfigException;

/** Turns settings into a configuration: types, ranges and choices, and the defaults that follow from other options. */
final class Resolution {
    private static final int DEFAULT_WARMUP_TIMES = 20;
    private static final int DEFAULT_RUN_TIMES = 100;

    private final Settings settings;

    private Resolution(Settings settings) {
        this.settings = settings;
    }

    /** @throws ConfigException if a required option is missing or a value is not valid */
    static RunConfig of(Settings settings) {
        return new Resolution(settings).config();
    }

    private RunConfig config() {
        Sweep sweep = sweep();
        return new RunConfig(
                settings.configFile(),
                model(),
                settings.require(RunOption.LAYER_INDICES).integers(0),
                settings.require(RunOption.RUN_TYPE).choice(List.of(RunType.values())),
                settings.integer(RunOption.SCALED_FROM, 1),
                limits(sweep),
                settings.flag(RunOption.ENABLE_ATTENTION_DP, false),
                settings.choice(RunOption.KV_CACHE_DTYPE, List.of(KvCacheDtype.values()), KvCacheDtype.AUTO),
                settings.choice(RunOption.MAMBA_SSM_CACHE_DTYPE, List.of(SsmCacheDtype.values()), SsmCacheDtype.AUTO),
                settings.choice(RunOption.LOAD_FORMAT, List.of(LoadFormat.values()), LoadFormat.DUMMY),
                moe(),
                settings.flag(RunOption.ENABLE_AUTOTUNER, true),
                settings.flag(RunOption.USE_CUDA_GRAPH, false),
                sweep,
                settings.require(RunOption.BALANCE_METHOD).choice(List.of(BalanceMethod.values())),
                replay(),
                settings.integer(RunOption.WARMUP_TIMES, 0).orElse(DEFAULT_WARMUP_TIMES),
                settings.integer(RunOption.RUN_TIMES, 1).orElse(DEFAULT_RUN_TIMES),
                device(),
                settings.flag(RunOption.CHECK, false),
                settings.flag(RunOption.SYNC_EVERY_LAUNCH, false),
                calibration(),
                settings.flag(RunOption.SHARE_GPU, false));
    }

    private DeviceChoice device() {
        DeviceChoice device = settings.find(RunOption.DEVICE)
                .map(setting -> DeviceChoice.parse(setting.place(), setting.word()))
                .orElse(new DeviceChoice.Auto());
        if (device instanceof DeviceChoice.Estimate estimate) {
            return new DeviceChoice.Estimate(
                    estimate.gpu(),
                    settings.integer(RunOption.NP, 1).orElse(1),
                    settings.integer(RunOption.GPUS_PER_NODE, 1));
        }
        for (RunOption option : List.of(RunOption.NP, RunOption.GPUS_PER_NODE)) {
            Optional<Setting> given = settings.find(option);
            if (given.isPresent()) {
                throw new ConfigException(
                        "%s %s: device %s: only an estimate has ranks in one process; expected --device estimate:<gpu>, or a start by mpirun"
                                .formatted(
                                        given.get().place(),
                                        OneLine.quote(given.get().word()),
                                        device));
            }
        }
        return device;
    }

    private String model() {
        Setting setting = settings.require(RunOption.MODEL);
        if (setting.word().isBlank()) {
            throw setting.refused("the name or the folder of a model", setting.word());
        }
        return setting.word();
    }

    private Sweep sweep() {
        return new Sweep(
                settings.require(RunOption.BATCH_SIZE).integers(1),
                settings.require(RunOption.SEQ_LEN_Q).integers(1),
                settings.require(RunOption.SEQ_LEN_KV_CACHE).integers(0),
                settings.ratios(RunOption.BALANCE_RATIO));
    }

    private Limits limits(Sweep sweep) {
        int maxBatchSize = settings.integer(RunOption.MAX_BATCH_SIZE, 1).orElse(sweep.largestBatchSize());
        long length = (long) sweep.largestSeqLenQ() + sweep.largestSeqLenKvCache();
        long tokens = (long) maxBatchSize * sweep.largestSeqLenQ();
        return new Limits(
                maxBatchSize,
                settings.require(RunOption.TOKENS_PER_BLOCK).integer(1),
                derived(RunOption.MAX_SEQ_LEN, length),
                derived(RunOption.MAX_NUM_TOKENS, tokens));
    }

    private int derived(RunOption option, long byDefault) {
        OptionalInt given = settings.integer(option, 1);
        if (given.isEmpty() && byDefault > Integer.MAX_VALUE) {
            throw new ConfigException(settings.configFile() + ": " + option.key() + " would become " + byDefault
                    + "; expected at most " + Integer.MAX_VALUE);
        }
        return given.orElse((int) byDefault);
    }

    private MoeOptions moe() {
        List<MoeBackend> backends = List.of(MoeBackend.values());
        return new MoeOptions(
                settings.require(RunOption.MOE_BACKEND).choice(backends),
                settings.choice(RunOption.MOE_BACKEND_FOR_PREFILL, backends, MoeBackend.CUTLASS),
                settings.integer(RunOption.MOE_MAX_NUM_TOKENS, 1),
                settings.flag(RunOption.USE_LOW_PRECISION_MOE_COMBINE, false));
    }

    private Calibration calibration() {
        return new Calibration(
                settings.choice(RunOption.CALIBRATION_MODE, List.of(CalibrationMode.values()), CalibrationMode.NONE),
                settings.find(RunOption.CALIBRATION_FILE_PATH).map(Setting::word));
    }

    private Replay replay() {
        return new Replay(
                settings.find(RunOption.REPLAY_FILE_PATH).map(Setting::word),
                settings.integer(RunOption.REPLAY_START_ITER, 0),
                settings.integer(RunOption.REPLAY_STOP_ITER, 0),
                settings.flag(RunOption.REPLAY_VERIFY_METADATA, false));
    }
}
