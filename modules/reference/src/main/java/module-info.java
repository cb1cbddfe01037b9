/**
 * The executor in plain Java: the correctness oracle, and the default where there is no GPU.
 *
 * <p>Knows no device library and shares no code with what it judges.
 */
module layerwise.reference {
    requires transitive layerwise.op;

    exports layerwise.reference;
}
