package layerwise.bench.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every code is the nearest of all that the format has, by trying all of them. */
class EncoderTest {
    private static final float[] FP4 = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};

    private static float[][] random(int n, int k) {
        Random random = new Random(3);
        float[][] values = new float[n][k];
        for (float[] row : values) {
            for (int i = 0; i < k; i++) {
                row[i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(-3, 2)));
            }
        }
        return values;
    }

    private static Encoder encoder(float[][] values) {
        int k = values[0].length;
        return new Encoder((row, target) -> System.arraycopy(values[(int) row], 0, target, 0, k), values.length, k);
    }

    private static Encoder.Sink into(HostTensor tensor) {
        return (from, bytes) -> MemorySegment.copy(bytes, 0, tensor.memory(), from, bytes.byteSize());
    }

    @ParameterizedTest
    @CsvSource({"1,128", "129,136", "300,256", "128,8"})
    void blockScaledElementsAreTheNearestAndTheLargestIs448(int n, int k) {
        float[][] values = random(n, k);
        try (Arena arena = Arena.ofConfined()) {
            HostTensor codes = HostTensor.allocate(arena, DType.E4M3, n, k);
            float[][] scales = new float[1][];
            encoder(values).blockScaled(into(codes), (shape, all) -> {
                assertEquals(Shape.of((n + 127) / 128, (k + 127) / 128), shape);
                scales[0] = all;
            });
            HostTensor everyCode = HostTensor.allocate(arena, DType.E4M3, 256);
            for (int code = 0; code < 256; code++) {
                everyCode.memory().set(ValueLayout.JAVA_BYTE, code, (byte) code);
            }
            float[] all = everyCode.copyToFloats();
            int across = (k + 127) / 128;
            float[] largest = new float[scales[0].length];
            for (int r = 0; r < n; r++) {
                for (int i = 0; i < k; i++) {
                    int block = r / 128 * across + i / 128;
                    double scaled = (double) values[r][i] / scales[0][block];
                    double error = Math.abs(codes.get(r, i) - scaled);
                    for (float other : all) {
                        assertTrue(!(Math.abs(other - scaled) < error - 1e-4), r + "," + i + " " + other);
                    }
                    largest[block] = Math.max(largest[block], Math.abs(codes.get(r, i)));
                }
            }
            for (float amount : largest) {
                assertEquals(448, amount);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1,16", "130,48", "257,128"})
    void nvfp4ElementsAreTheNearestUnderTheRoundedScales(int n, int k) {
        float[][] values = random(n, k);
        values[0][0] = 1e3f;
        try (Arena arena = Arena.ofConfined()) {
            HostTensor codes = HostTensor.allocate(arena, DType.E2M1, n, k);
            HostTensor scales = HostTensor.allocate(arena, DType.E4M3, n, k / 16);
            float whole = encoder(values).nvfp4(into(codes), into(scales));
            assertEquals(1e3f / 2688, whole);
            assertEquals(448, scales.get(0, 0));
            assertEquals(6, codes.get(0, 0));
            for (int r = 0; r < n; r++) {
                for (int i = 0; i < k; i++) {
                    double step = (double) scales.get(r, i / 16) * whole;
                    double error = Math.abs(codes.get(r, i) * step - values[r][i]);
                    for (float magnitude : FP4) {
                        for (float other : new float[] {magnitude, -magnitude}) {
                            assertTrue(
                                    !(Math.abs(other * step - values[r][i]) < error - 1e-6 * step),
                                    r + "," + i + " " + other);
                        }
                    }
                }
            }
        }
    }

    @Test
    void zerosStayZerosWithScalesThatAreFinite() {
        float[][] values = new float[4][32];
        try (Arena arena = Arena.ofConfined()) {
            HostTensor fp4 = HostTensor.allocate(arena, DType.E2M1, 4, 32);
            HostTensor scales = HostTensor.allocate(arena, DType.E4M3, 4, 2);
            assertEquals(1, encoder(values).nvfp4(into(fp4), into(scales)));
            assertEquals(0, fp4.get(3, 31));
            HostTensor fp8 = HostTensor.allocate(arena, DType.E4M3, 4, 32);
            encoder(values).blockScaled(into(fp8), (shape, all) -> assertEquals(1, all[0]));
            assertEquals(0, fp8.get(3, 31));
        }
    }
}
