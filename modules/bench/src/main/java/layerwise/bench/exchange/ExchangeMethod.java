package layerwise.bench.exchange;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import layerwise.op.AllToAllMethod;
import layerwise.tensor.ConfigException;
import layerwise.tensor.NearestNames;

/** Ways to bring data-parallel tokens to their experts, under the two spellings that environments use. */
enum ExchangeMethod {
    /** An all-gather before the experts, a reduce-scatter after them. */
    NOT_ENABLED("NotEnabled", "ALLGATHER", Optional.empty()),
    NVLINK_ONE_SIDED("NVLinkOneSided", "NVLINK_ONE_SIDED", Optional.of(AllToAllMethod.NVLINK_ONE_SIDED)),
    NVLINK_TWO_SIDED("NVLinkTwoSided", "NVLINK_TWO_SIDED", Optional.of(AllToAllMethod.NVLINK_TWO_SIDED)),
    DEEP_EP("DeepEP", "DEEPEP", Optional.of(AllToAllMethod.DEEP_EP)),
    DEEP_EP_LOW_LATENCY("DeepEPLowLatency", "DEEPEPLOWLATENCY", Optional.of(AllToAllMethod.DEEP_EP_LOW_LATENCY));

    private final String allToAllName;
    private final String commName;
    private final Optional<AllToAllMethod> allToAll;

    ExchangeMethod(String allToAllName, String commName, Optional<AllToAllMethod> allToAll) {
        this.allToAllName = allToAllName;
        this.commName = commName;
        this.allToAll = allToAll;
    }

    Optional<AllToAllMethod> allToAll() {
        return allToAll;
    }

    boolean needsNvlink() {
        return this == NVLINK_ONE_SIDED || this == NVLINK_TWO_SIDED;
    }

    boolean isDeepEp() {
        return this == DEEP_EP || this == DEEP_EP_LOW_LATENCY;
    }

    /** As {@code TRTLLM_FORCE_ALLTOALL_METHOD} spells it, case and all. */
    static ExchangeMethod ofAllToAllName(String variable, String name) {
        return find(name, Arrays.stream(values()).map(ExchangeMethod::toString).toList())
                .orElseThrow(() -> unknown(
                        "environment: %s=%s: unknown all-to-all method".formatted(variable, name),
                        name,
                        Arrays.stream(values()).map(ExchangeMethod::toString).toList()));
    }

    /** As {@code TRTLLM_FORCE_COMM_METHOD} spells it, in any case. */
    static ExchangeMethod ofCommName(String variable, String name) {
        List<String> names =
                Arrays.stream(values()).map(method -> method.commName).toList();
        return find(name.toUpperCase(Locale.ROOT), names)
                .orElseThrow(() -> unknown(
                        "environment: %s=%s: Unknown communication method: %s".formatted(variable, name, name),
                        name.toUpperCase(Locale.ROOT),
                        names));
    }

    private static Optional<ExchangeMethod> find(String name, List<String> names) {
        int at = names.indexOf(name);
        return at < 0 ? Optional.empty() : Optional.of(values()[at]);
    }

    private static ConfigException unknown(String problem, String name, List<String> names) {
        return new ConfigException("%s; expected one of %s%s"
                .formatted(problem, String.join(", ", names), NearestNames.hint(name, names)));
    }

    @Override
    public String toString() {
        return allToAllName;
    }
}
