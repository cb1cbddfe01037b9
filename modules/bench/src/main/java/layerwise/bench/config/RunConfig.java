package layerwise.bench.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import layerwise.model.balance.BalanceMethod;
import layerwise.model.cache.CacheTypes;
import layerwise.model.spec.ModelSpec;
import layerwise.tensor.ConfigException;
import layerwise.trace.ProblemSpec;

/**
 * Every option of a run, resolved: what the command line and the YAML file say, with defaults filled in.
 *
 * @param configFile the YAML file as the command line names it
 * @param model Hugging Face name or local folder
 * @param layerIndices contiguous, ascending, not empty
 * @param runType prefill or decode
 * @param scaledFrom number of GPUs whose per-rank problem is run; empty for this run's own
 * @param limits what buffers and the KV cache are sized for
 * @param attentionDp whether attention is data parallel over ranks; else it is tensor parallel
 * @param kvCacheDtype element type of the paged KV cache
 * @param ssmCacheDtype element type of state-space and delta-rule states
 * @param loadFormat where weights come from
 * @param moe options of the mixture-of-experts layers
 * @param autotuner whether kernels are tried out before measuring
 * @param cudaGraph whether replays of a captured graph are measured
 * @param sweep the list options
 * @param balanceMethod how tokens are spread over experts
 * @param replay replay of recorded expert selections
 * @param warmupTimes iterations whose times are dropped
 * @param runTimes iterations whose times count, at least 1
 * @param device executor
 * @param check whether the outputs of every operator are checked after each measured problem
 * @param syncEveryLaunch whether every launch is waited for; no graph is captured then
 * @param calibration recording of expert choices
 * @param shareGpu whether several ranks may use one GPU: such runs are for correctness, and their times mean nothing
 */
public record RunConfig(
        String configFile,
        String model,
        List<Integer> layerIndices,
        RunType runType,
        OptionalInt scaledFrom,
        Limits limits,
        boolean attentionDp,
        KvCacheDtype kvCacheDtype,
        SsmCacheDtype ssmCacheDtype,
        LoadFormat loadFormat,
        MoeOptions moe,
        boolean autotuner,
        boolean cudaGraph,
        Sweep sweep,
        BalanceMethod balanceMethod,
        Replay replay,
        int warmupTimes,
        int runTimes,
        DeviceChoice device,
        boolean check,
        boolean syncEveryLaunch,
        Calibration calibration,
        boolean shareGpu) {
    /** @throws ConfigException if options contradict each other; the message names them and their values */
    public RunConfig {
        layerIndices = List.copyOf(layerIndices);
        requireContiguous(configFile, layerIndices);
        requireRoom(configFile, sweep, limits);
        if (balanceMethod.needsRatio() && sweep.balanceRatios().stream().anyMatch(OptionalDouble::isEmpty)) {
            throw new ConfigException(configFile + ": balance_method " + balanceMethod
                    + " needs a number from 0 to 1 as balance_ratio, found null; for example --balance-ratio 0.5");
        }
        requireWindow(configFile, replay);
        requireTarget(configFile, calibration, replay, sweep);
    }

    /** The problems to measure, in order; see {@link Sweep#problems}. */
    public List<ProblemSpec> problems() {
        return sweep.problems();
    }

    /** Element types of the caches of a model that runs so. */
    public CacheTypes cacheTypes(ModelSpec model) {
        return new CacheTypes(kvCacheDtype.of(model.cacheDtype()), model.dtype(), ssmCacheDtype.of(model.dtype()));
    }

    /** The argument line that a run prints first: {@code Namespace(config_path='…', model='…', …)}. */
    public String argsLine() {
        return PythonText.call("Namespace", Arguments.all(this));
    }

    /** The arguments that a trace holds, in option order: strings, numbers, booleans, lists of these, and nulls. */
    public Map<String, Object> arguments() {
        return Arguments.traced(this);
    }

    /** {@link #arguments} as JSON, with the separators {@code ", "} and {@code ": "}. */
    public String argsJson() {
        return argsJson(Map.of());
    }

    /** The same, followed by what the run found out. */
    public String argsJson(Map<String, ?> effective) {
        Map<String, Object> all = new LinkedHashMap<>(arguments());
        all.putAll(effective);
        return PythonText.json(all);
    }

    private static void requireContiguous(String file, List<Integer> layers) {
        for (int i = 1; i < layers.size(); i++) {
            if (layers.get(i) != layers.get(0) + i) {
                throw new ConfigException(file + ": layer_indices must be contiguous and ascending, found "
                        + OneLine.of(layers.toString()) + "; after " + layers.get(i - 1) + " comes "
                        + (layers.get(i - 1) + 1L));
            }
        }
    }

    /** The sweep is a full product, so the largest values meet in one of its problems. */
    private static void requireRoom(String file, Sweep sweep, Limits limits) {
        int batch = sweep.largestBatchSize();
        int query = sweep.largestSeqLenQ();
        int cached = sweep.largestSeqLenKvCache();
        if (batch > limits.maxBatchSize()) {
            throw tooSmall(file, "batch_size " + batch, "max_batch_size", limits.maxBatchSize(), batch);
        }
        long length = (long) query + cached;
        if (length > limits.maxSeqLen()) {
            String asked = "seq_len_q " + query + " plus seq_len_kv_cache " + cached;
            throw tooSmall(file, asked, "max_seq_len", limits.maxSeqLen(), length);
        }
        long tokens = (long) batch * query;
        if (tokens > limits.maxNumTokens()) {
            String asked = "batch_size " + batch + " times seq_len_q " + query;
            throw tooSmall(file, asked, "max_num_tokens", limits.maxNumTokens(), tokens);
        }
    }

    private static ConfigException tooSmall(String file, String asked, String limit, int value, long needed) {
        return new ConfigException(file + ": " + asked + " exceeds " + limit + " " + value + "; expected " + limit
                + " of at least " + needed);
    }

    private static void requireTarget(String file, Calibration calibration, Replay replay, Sweep sweep) {
        boolean collects = calibration.mode() == CalibrationMode.COLLECT;
        if (collects != calibration.filePath().isPresent()) {
            throw new ConfigException(
                    "%s: calibration_mode %s with %s: expected a calibration_file_path with COLLECT only"
                            .formatted(
                                    file,
                                    calibration.mode(),
                                    calibration
                                            .filePath()
                                            .map(path -> "calibration_file_path " + OneLine.of(path))
                                            .orElse("no calibration_file_path")));
        }
        if (collects && replay.filePath().isPresent()) {
            throw new ConfigException("%s: calibration_mode COLLECT with replay_file_path %s: expected one of them"
                    .formatted(file, OneLine.of(replay.filePath().get())));
        }
        if (collects && sweep.problems().size() != 1) {
            throw new ConfigException(
                    "%s: calibration_mode COLLECT: %d problems, expected 1: a file holds one run's iterations"
                            .formatted(file, sweep.problems().size()));
        }
    }

    private static void requireWindow(String file, Replay replay) {
        if (replay.startIter().isPresent() != replay.stopIter().isPresent()) {
            throw new ConfigException(
                    file + ": Both --replay-start-iter and --replay-stop-iter must be provided or none");
        }
        if (replay.startIter().isEmpty()) {
            return;
        }
        int start = replay.startIter().getAsInt();
        int stop = replay.stopIter().getAsInt();
        if (start > stop) {
            throw new ConfigException(file + ": replay_start_iter " + start + " comes after replay_stop_iter " + stop
                    + "; expected at most " + stop);
        }
        if (replay.filePath().isEmpty()) {
            throw new ConfigException(file + ": replay_start_iter " + start + " needs a replay_file_path, found none");
        }
    }
}
