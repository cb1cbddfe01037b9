package layerwise.estimate;

/**
 * What joins GPUs.
 *
 * @param domain       GPUs that reach each other's memory at the links' rate
 * @param acrossNodes  whether a domain goes on beyond one machine, as in a rack of NVLink switches
 * @param gpusPerNode  GPUs of a machine as they are usually built
 * @param nicBytesPerSecond one direction, for each GPU, to GPUs outside its domain
 */
public record Fabric(int domain, boolean acrossNodes, int gpusPerNode, double nicBytesPerSecond) {
    public Fabric {
        if (domain < 1 || gpusPerNode < 1 || !(nicBytesPerSecond > 0)) {
            throw new IllegalArgumentException(
                    "a domain of %d, %d to a machine, %s bytes/s".formatted(domain, gpusPerNode, nicBytesPerSecond));
        }
    }
}
