package layerwise.cuda;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import layerwise.tensor.ConfigException;

/**
 * The CUBINs that ship with the program, under gzip, as {@code manifest.json} lists them.
 *
 * <p>The manifest is an object whose {@code cubins} array has one object a file, with at least {@code op}, {@code arch}
 * (as nvcc writes it: {@code sm_90a}), {@code file}, {@code sha256} and {@code symbols}, an array of objects that name
 * their {@code symbol}. Other keys are the build's.
 */
public final class CubinCatalog {
    /** Opens a file beside the manifest; the caller closes it. */
    @FunctionalInterface
    public interface Source {
        /** The file, null if there is none. */
        InputStream open(String file) throws IOException;
    }

    /**
     * One CUBIN.
     *
     * @param op      what its kernels do, for example {@code rms_norm}
     * @param arch    architecture it was compiled for
     * @param file    what holds it under gzip, a name beside the manifest
     * @param sha256  hash of its own bytes, expanded, in hexadecimal
     * @param symbols its kernels
     */
    public record Cubin(String op, Architecture arch, String file, String sha256, List<String> symbols) {
        public Cubin {
            symbols = List.copyOf(symbols);
        }
    }

    /**
     * An architecture as nvcc names it.
     *
     * @param specific {@code sm_90a}: runs on compute capability 9.0 only, where {@code sm_90} runs on every later 9.x
     */
    public record Architecture(int major, int minor, boolean specific) {
        static Architecture parse(String text) {
            if (!text.matches("sm_\\d{2,3}a?")) {
                throw new ConfigException("manifest.json: arch=" + text + " is not of the form sm_90 or sm_90a");
            }
            boolean specific = text.endsWith("a");
            int number = Integer.parseInt(text.substring(3, text.length() - (specific ? 1 : 0)));
            return new Architecture(number / 10, number % 10, specific);
        }

        boolean runsOn(int deviceMajor, int deviceMinor) {
            return major == deviceMajor && (specific ? minor == deviceMinor : minor <= deviceMinor);
        }

        @Override
        public String toString() {
            return "sm_" + major + minor + (specific ? "a" : "");
        }
    }

    private static final String MANIFEST = "manifest.json";

    private final Source source;
    private final List<Cubin> cubins;

    private CubinCatalog(Source source, List<Cubin> cubins) {
        this.source = source;
        this.cubins = List.copyOf(cubins);
    }

    /**
     * Reads {@code manifest.json}.
     *
     * @throws ConfigException if it is missing or damaged
     */
    public static CubinCatalog read(Source source) {
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(bytes(source, MANIFEST));
        } catch (JacksonException e) {
            throw new ConfigException(MANIFEST + " is not JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new ConfigException(MANIFEST + " cannot be read: " + e.getMessage(), e);
        }
        List<Cubin> cubins = new ArrayList<>();
        for (JsonNode entry : root.path("cubins")) {
            List<String> symbols = new ArrayList<>();
            entry.path("symbols").forEach(symbol -> symbols.add(text(symbol, "symbol")));
            cubins.add(new Cubin(
                    text(entry, "op"),
                    Architecture.parse(text(entry, "arch")),
                    text(entry, "file"),
                    text(entry, "sha256"),
                    symbols));
        }
        return new CubinCatalog(source, cubins);
    }

    private static String text(JsonNode entry, String key) {
        JsonNode value = entry.path(key);
        if (!value.isTextual()) {
            throw new ConfigException(MANIFEST + ": " + key + " is missing or no text in " + entry);
        }
        return value.textValue();
    }

    /** Everything that is listed. */
    public List<Cubin> cubins() {
        return cubins;
    }

    /**
     * Makes sure that there are CUBINs for a GPU at all.
     *
     * @throws DeviceUnavailableException if there are none for its compute capability
     */
    public void requireSupport(DeviceInfo device) {
        if (cubins.stream().noneMatch(cubin -> cubin.arch().runsOn(device.major(), device.minor()))) {
            throw new DeviceUnavailableException("device %d (%s) has compute capability %s; there are kernels for %s"
                    .formatted(
                            device.ordinal(),
                            device.name(),
                            device.computeCapability(),
                            String.join(
                                    ", ",
                                    cubins.stream()
                                            .map(cubin -> cubin.arch().toString())
                                            .distinct()
                                            .toList())));
        }
    }

    /** The CUBIN of an operation for a compute capability: the specific one before the general, the newest of those. */
    public Optional<Cubin> find(String op, int major, int minor) {
        return cubins.stream()
                .filter(cubin -> cubin.op().equals(op))
                .filter(cubin -> cubin.arch().runsOn(major, minor))
                .max(Comparator.comparing((Cubin cubin) -> cubin.arch().specific())
                        .thenComparingInt(cubin -> cubin.arch().minor()));
    }

    /**
     * Loads the CUBIN of an operation, after comparing its hash with the manifest's.
     *
     * @throws ConfigException if there is none for the device, or its bytes are not those of the manifest
     */
    public KernelImage load(Device device, String op) {
        DeviceInfo info = device.info();
        Cubin cubin = find(op, info.major(), info.minor())
                .orElseThrow(() -> new DeviceUnavailableException("no kernels for %s on compute capability %s (%s)"
                        .formatted(op, info.computeCapability(), info.name())));
        return KernelImage.load(device, verified(cubin), cubin.file());
    }

    /** A hash over the hashes of all files: it changes when any of them does. */
    public String digest() {
        return sha256(
                String.join("\n", cubins.stream().map(Cubin::sha256).sorted().toList())
                        .getBytes(StandardCharsets.US_ASCII));
    }

    byte[] verified(Cubin cubin) {
        byte[] image;
        try {
            image = expanded(bytes(source, cubin.file()));
        } catch (ZipException | EOFException e) { // what a damaged header or a missing end is to the JDK
            throw damaged(cubin, e.getMessage(), e);
        } catch (IOException e) {
            throw new ConfigException(cubin.file() + " cannot be read: " + e.getMessage(), e);
        }
        String found = sha256(image);
        if (!found.equals(cubin.sha256())) {
            String difference = "its CUBIN's SHA-256 is %s, %s says %s".formatted(found, MANIFEST, cubin.sha256());
            throw damaged(cubin, difference, null);
        }
        return image;
    }

    private static ConfigException damaged(Cubin cubin, String how, Throwable cause) {
        return new ConfigException("%s is damaged: %s; rebuild it or reinstall".formatted(cubin.file(), how), cause);
    }

    private static byte[] expanded(byte[] gzip) throws IOException {
        try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(gzip))) {
            return in.readAllBytes();
        }
    }

    private static byte[] bytes(Source source, String file) throws IOException {
        try (InputStream in = source.open(file)) {
            if (in == null) {
                throw new IOException("no such file");
            }
            return in.readAllBytes();
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
