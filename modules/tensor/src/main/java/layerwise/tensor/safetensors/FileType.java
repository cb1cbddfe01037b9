package layerwise.tensor.safetensors;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import layerwise.tensor.DType;

/** Element types as the format spells them; those without a {@link DType} are known by size only. */
enum FileType {
    F32(DType.F32),
    F16(DType.F16),
    BF16(DType.BF16),
    F8_E4M3(DType.E4M3),
    F8_E5M2(DType.E5M2),
    F8_E8M0(DType.UE8M0),
    F4(DType.E2M1),
    I32(DType.I32),
    I8(DType.I8),
    /** Raw bytes, most often packed data: reads as {@link DType#I8}, to be reinterpreted. */
    U8(DType.I8),
    BOOL(8),
    I16(16),
    U16(16),
    U32(32),
    I64(64),
    U64(64),
    F64(64),
    C64(64);

    /** Headers name thousands. */
    private static final Map<String, FileType> NAMED =
            Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(FileType::name, Function.identity()));

    private final Optional<DType> dtype;
    private final int bits;

    FileType(DType dtype) {
        this.dtype = Optional.of(dtype);
        this.bits = dtype.bits();
    }

    FileType(int bits) {
        this.dtype = Optional.empty();
        this.bits = bits;
    }

    static Optional<FileType> named(String name) {
        return Optional.ofNullable(NAMED.get(name));
    }

    /** The type that {@code dtype} is written as: the first that reads back the same. */
    static FileType of(DType dtype) {
        return Arrays.stream(values())
                .filter(type -> type.dtype.equals(Optional.of(dtype)))
                .findFirst()
                .orElseThrow();
    }

    Optional<DType> dtype() {
        return dtype;
    }

    int bits() {
        return bits;
    }
}
