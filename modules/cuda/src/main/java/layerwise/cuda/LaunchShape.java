package layerwise.cuda;

/**
 * How a kernel is launched.
 *
 * @param gridX        blocks along x, and so on
 * @param blockX       threads of a block along x, and so on
 * @param sharedBytes  dynamic shared memory of a block
 * @param clusterX     blocks of a cluster along x, and so on; 1 × 1 × 1 for none
 * @param cooperative  all blocks are resident at once and may synchronise
 * @param programmatic may start before the kernel in front of it in the stream has ended; the kernel itself waits for
 *                     that one's data ({@code griddepcontrol.wait})
 */
public record LaunchShape(
        int gridX,
        int gridY,
        int gridZ,
        int blockX,
        int blockY,
        int blockZ,
        int sharedBytes,
        int clusterX,
        int clusterY,
        int clusterZ,
        boolean cooperative,
        boolean programmatic) {

    public LaunchShape {
        if (gridX < 1 || gridY < 1 || gridZ < 1 || blockX < 1 || blockY < 1 || blockZ < 1) {
            throw new IllegalArgumentException("grid %d x %d x %d, block %d x %d x %d: every extent is at least 1"
                    .formatted(gridX, gridY, gridZ, blockX, blockY, blockZ));
        }
        if (clusterX < 1 || clusterY < 1 || clusterZ < 1 || sharedBytes < 0) {
            throw new IllegalArgumentException("cluster %d x %d x %d, %d bytes of shared memory"
                    .formatted(clusterX, clusterY, clusterZ, sharedBytes));
        }
        if (gridX % clusterX != 0 || gridY % clusterY != 0 || gridZ % clusterZ != 0) {
            throw new IllegalArgumentException("grid %d x %d x %d is not a multiple of cluster %d x %d x %d"
                    .formatted(gridX, gridY, gridZ, clusterX, clusterY, clusterZ));
        }
    }

    /** A one-dimensional grid of one-dimensional blocks. */
    public static LaunchShape of(int blocks, int threads) {
        return new LaunchShape(blocks, 1, 1, threads, 1, 1, 0, 1, 1, 1, false, false);
    }

    /** The same with another grid. */
    public LaunchShape grid(int x, int y, int z) {
        return new LaunchShape(
                x, y, z, blockX, blockY, blockZ, sharedBytes, clusterX, clusterY, clusterZ, cooperative, programmatic);
    }

    /** The same with two- or three-dimensional blocks. */
    public LaunchShape block(int x, int y, int z) {
        return new LaunchShape(
                gridX, gridY, gridZ, x, y, z, sharedBytes, clusterX, clusterY, clusterZ, cooperative, programmatic);
    }

    /** The same with dynamic shared memory. */
    public LaunchShape shared(int bytes) {
        return new LaunchShape(
                gridX,
                gridY,
                gridZ,
                blockX,
                blockY,
                blockZ,
                bytes,
                clusterX,
                clusterY,
                clusterZ,
                cooperative,
                programmatic);
    }

    /** The same with thread block clusters. */
    public LaunchShape cluster(int x, int y, int z) {
        return new LaunchShape(
                gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, x, y, z, cooperative, programmatic);
    }

    /** The same as a cooperative launch. */
    public LaunchShape asCooperative() {
        return new LaunchShape(
                gridX,
                gridY,
                gridZ,
                blockX,
                blockY,
                blockZ,
                sharedBytes,
                clusterX,
                clusterY,
                clusterZ,
                true,
                programmatic);
    }

    /** The same as a programmatic dependent launch. */
    public LaunchShape asProgrammatic() {
        return new LaunchShape(
                gridX,
                gridY,
                gridZ,
                blockX,
                blockY,
                blockZ,
                sharedBytes,
                clusterX,
                clusterY,
                clusterZ,
                cooperative,
                true);
    }

    boolean hasCluster() {
        return clusterX > 1 || clusterY > 1 || clusterZ > 1;
    }
}
