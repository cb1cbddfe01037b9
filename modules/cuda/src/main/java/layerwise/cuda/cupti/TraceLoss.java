package layerwise.cuda.cupti;

/**
 * What a trace lacks, counted since the tracer started; all zero is a complete one.
 *
 * @param droppedRecords  records that CUPTI itself dropped
 * @param refusedBuffers  times when CUPTI wanted memory for records and all was in use
 * @param withoutTime     kernels, copies and sets whose device times were lost
 * @param lostCallbacks   creations of graph nodes and frames of launches that could not be read
 */
public record TraceLoss(long droppedRecords, long refusedBuffers, long withoutTime, long lostCallbacks) {
    /** Whether nothing is missing. */
    public boolean isComplete() {
        return droppedRecords == 0 && refusedBuffers == 0 && withoutTime == 0 && lostCallbacks == 0;
    }
}
