/**
 * Models: architecture facts, parallel mapping, weights, caches, layers as sequences of operators, routing balance.
 *
 * <p>Runs nothing.
 */
module layerwise.model {
    requires transitive layerwise.op;
    requires com.fasterxml.jackson.databind;

    exports layerwise.model.balance;
    exports layerwise.model.cache;
    exports layerwise.model.layer;
    exports layerwise.model.parallel;
    exports layerwise.model.spec;
    exports layerwise.model.weights;
}
