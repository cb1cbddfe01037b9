package layerwise.cuda.cupti;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DemanglerTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "nvjet_tst_128x256_64x4_1x2_h_bz_TNT | nvjet_tst_128x256_64x4_1x2_h_bz_TNT",
                "_Z4fillPfi | fill(float *, int)",
                "_ZN12_GLOBAL__N_14fillEPKf | <unnamed>::fill(float const *)",
                "_ZN6cublas16gemvx_kernel_lowIfLi7EEEvRKT_PPf | void cublas::gemvx_kernel_low<float, 7>(float const &, float **)",
                "_Znotamangledname | _Znotamangledname"
            })
    void spellsNamesAsNsightDoes(String mangled, String expected) {
        assertEquals(expected, Demangler.demangle(mangled));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ampere_sgemm_128x64_tn | ampere_sgemm_128x64_tn",
                "fill(float *, int) | fill",
                "void at::native::elementwise_kernel<(int)128, (int)2, T3>(int, T3) | elementwise_kernel",
                "void <unnamed>::fill<float>(std::vector<int> const &) | fill",
                "std::enable_if<((N)>(0)), void>::type ns::copy<((N)>(0))>(float *) | copy",
                "ncclDevKernel_AllReduce_Sum_bf16_RING_LL(ncclDevKernelArgsStorage<(unsigned long)4096>) | ncclDevKernel_AllReduce_Sum_bf16_RING_LL"
            })
    void cutsTheBaseNameOut(String demangled, String expected) {
        assertEquals(expected, Demangler.baseName(demangled));
    }

    @Test
    void leavesANameWithoutABaseAlone() {
        assertEquals("(", Demangler.baseName("("));
        assertEquals("", Demangler.baseName(""));
    }
}
