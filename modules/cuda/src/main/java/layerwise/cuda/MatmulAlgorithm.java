package layerwise.cuda;

import java.util.Arrays;
import java.util.HexFormat;
import layerwise.tensor.ConfigException;

/**
 * An algorithm of cuBLASLt for one problem on one kind of GPU: opaque to us, kept by value.
 *
 * <p>{@link #toHex} is for a cache of what the autotuner chose; it means nothing to another version of cuBLASLt, so keep
 * {@link CublasLt#version} with it and ask {@link MatmulPlan#supports} before use.
 */
public final class MatmulAlgorithm {
    /** cublasLt.h: {@code uint64_t data[8]}. */
    static final int BYTES = 64;

    private final byte[] data;
    private final long workspaceBytes;

    MatmulAlgorithm(byte[] data, long workspaceBytes) {
        this.data = data;
        this.workspaceBytes = workspaceBytes;
    }

    byte[] data() {
        return data;
    }

    /** Device memory that it needs beside the operands. */
    public long workspaceBytes() {
        return workspaceBytes;
    }

    /** 128 hexadecimal digits and, after a colon, the workspace in bytes. */
    public String toHex() {
        return HexFormat.of().formatHex(data) + ":" + workspaceBytes;
    }

    /**
     * Reads what {@link #toHex} wrote.
     *
     * @throws ConfigException if it is something else
     */
    public static MatmulAlgorithm parse(String hex) {
        if (!hex.matches("[0-9a-f]{" + (2 * BYTES) + "}:[0-9]{1,15}")) {
            throw new ConfigException("matmul algorithm \"" + hex + "\" is not " + (2 * BYTES)
                    + " hexadecimal digits, a colon and a number of bytes");
        }
        return new MatmulAlgorithm(
                HexFormat.of().parseHex(hex.substring(0, 2 * BYTES)), Long.parseLong(hex.substring(2 * BYTES + 1)));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MatmulAlgorithm that
                && workspaceBytes == that.workspaceBytes
                && Arrays.equals(data, that.data);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(data);
    }

    @Override
    public String toString() {
        return toHex();
    }
}
