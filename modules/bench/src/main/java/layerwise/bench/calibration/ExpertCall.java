package layerwise.bench.calibration;

/**
 * One call of a mixture of experts, as a calibration file describes it. Where a layer takes its tokens in chunks, each is a call.
 *
 * @param layer  number of the layer in its model
 * @param slots  experts that there were to choose from, copies counted
 * @param tokens rows of the matrix of choices
 * @param topK   its columns
 */
record ExpertCall(int layer, int slots, int tokens, int topK) {
    /** Numbers that the call takes in a recording. */
    long size() {
        return (long) tokens * topK;
    }
}
