package layerwise.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The signed formats, every bit pattern and every boundary between two, against their definition. */
class CodecTest {
    private static final long SEED = 20_260_102;
    private static final int RANDOM_NUMBERS = 200_000;

    interface Decoder {
        float decode(int code);
    }

    interface Encoder {
        int encode(float number);
    }

    /** A codec under test and the definition it must follow. */
    record Codec(String name, ExactFormat format, Decoder decoder, Encoder encoder) {
        float decode(int code) {
            return decoder.decode(code);
        }

        int encode(float number) {
            return encoder.encode(number) & (format.codes() - 1);
        }

        void forEachCode(IntConsumer check) {
            for (int code = 0; code < format.codes(); code++) {
                check.accept(code);
            }
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static final List<Codec> WITH_NAN = List.of(
            new Codec("bf16", ExactFormat.BF16, code -> BFloat16.decode((short) code), BFloat16::encode),
            new Codec("f16", ExactFormat.F16, code -> Float.float16ToFloat((short) code), Float::floatToFloat16),
            new Codec("e4m3", ExactFormat.E4M3, code -> Float8E4M3.decode((byte) code), Float8E4M3::encode),
            new Codec("e5m2", ExactFormat.E5M2, code -> Float8E5M2.decode((byte) code), Float8E5M2::encode));

    static final List<Codec> ALL = Stream.concat(
                    WITH_NAN.stream(),
                    Stream.of(new Codec("e2m1", ExactFormat.E2M1, Float4E2M1::decode, Float4E2M1::encode)))
            .toList();

    @Test
    void definitionGivesTheValuesOfThePublishedTables() {
        assertEquals(new BigDecimal("0.001953125"), ExactFormat.E4M3.value(0x01));
        assertEquals(0, new BigDecimal("0.015625").compareTo(ExactFormat.E4M3.value(0x08)));
        assertEquals(0, new BigDecimal("448").compareTo(ExactFormat.E4M3.value(0x7E)));
        assertEquals(0, new BigDecimal("-57344").compareTo(ExactFormat.E5M2.value(0xFB)));
        assertEquals(0, new BigDecimal("0.5").compareTo(ExactFormat.E2M1.value(0x1)));
        assertEquals(0, new BigDecimal("-6").compareTo(ExactFormat.E2M1.value(0xF)));
        assertEquals(0, new BigDecimal("65504").compareTo(ExactFormat.F16.value(0x7BFF)));
        assertEquals(0, BigDecimal.ONE.compareTo(ExactFormat.BF16.value(0x3F80)));
    }

    @ParameterizedTest
    @FieldSource("ALL")
    void everyCodeDecodesToItsExactValue(Codec codec) {
        codec.forEachCode(code -> {
            float decoded = codec.decode(code);
            if (codec.format().isNaN(code)) {
                assertTrue(Float.isNaN(decoded), "code " + code);
            } else if (codec.format().isInfinite(code)) {
                assertTrue(Float.isInfinite(decoded), "code " + code);
                assertEquals(codec.format().isNegative(code), decoded < 0, "code " + code);
            } else {
                BigDecimal exact = codec.format().value(code);
                assertEquals(
                        0, exact.compareTo(new BigDecimal(decoded)), () -> code + ": " + decoded + ", not " + exact);
                assertEquals(codec.format().isNegative(code), Math.copySign(1f, decoded) < 0, "sign of code " + code);
            }
        });
    }

    @ParameterizedTest
    @FieldSource("ALL")
    void everyCodeComesBackFromItsValue(Codec codec) {
        codec.forEachCode(code -> {
            int again = codec.encode(codec.decode(code));
            if (codec.format().isNaN(code)) {
                assertTrue(codec.format().isNaN(again), "code " + code + " became " + again);
            } else {
                assertEquals(code, again);
            }
        });
    }

    @ParameterizedTest
    @FieldSource("ALL")
    void boundariesRoundToTheNearestCodeAndTiesToTheEvenOne(Codec codec) {
        double[] grid = codec.format().grid();
        for (int code = 0; code + 1 < grid.length; code++) {
            float middle = (float) ((grid[code] + grid[code + 1]) / 2);
            assertEquals((grid[code] + grid[code + 1]) / 2, middle, "the tie itself is a float32");
            for (float number : new float[] {
                (float) grid[code], Math.nextUp((float) grid[code]), Math.nextDown(middle), middle, Math.nextUp(middle)
            }) {
                assertNearest(codec, grid, number);
                assertNearest(codec, grid, -number);
            }
        }
    }

    @ParameterizedTest
    @FieldSource("ALL")
    void randomNumbersRoundToTheNearestCode(Codec codec) {
        double[] grid = codec.format().grid();
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < RANDOM_NUMBERS; i++) {
            float anyBits = Float.intBitsToFloat(random.nextInt());
            if (!Float.isNaN(anyBits)) {
                assertNearest(codec, grid, anyBits);
            }
            double scale = grid[random.nextInt(grid.length)];
            assertNearest(codec, grid, (float) (scale * random.nextDouble(-2, 2)));
        }
    }

    private static void assertNearest(Codec codec, double[] grid, float number) {
        int expected = codec.format().nearest(grid, number);
        int encoded = codec.encode(number);
        assertEquals(
                expected,
                encoded,
                () -> "%s of %s (%a): expected code %#x, got %#x".formatted(codec, number, number, expected, encoded));
    }

    @ParameterizedTest
    @FieldSource("ALL")
    void infinityStaysWhereTheFormatHasItAndSaturatesElsewhere(Codec codec) {
        for (float sign : new float[] {1, -1}) {
            float decoded = codec.decode(codec.encode(sign * Float.POSITIVE_INFINITY));
            float largest = codec.decode(codec.format().largest());
            assertEquals(sign * (codec.format().infinite() ? Float.POSITIVE_INFINITY : largest), decoded);
        }
    }

    @ParameterizedTest
    @FieldSource("WITH_NAN")
    void everyKindOfNaNStaysNaN(Codec codec) {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < 10_000; i++) {
            int payload = random.nextInt(1, 0x80_0000);
            float nan = Float.intBitsToFloat((random.nextBoolean() ? 0x7F80_0000 : 0xFF80_0000) | payload);
            assertTrue(codec.format().isNaN(codec.encode(nan)), () -> "payload " + payload);
        }
    }

    @Test
    void float4HasNoNaNAndSaturates() {
        assertEquals(6, Float4E2M1.decode(Float4E2M1.encode(Float.NaN)));
        assertEquals(-6, Float4E2M1.decode(Float4E2M1.encode(Float.intBitsToFloat(0xFFC0_0000))));
    }
}
