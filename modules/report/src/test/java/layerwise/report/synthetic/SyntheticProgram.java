package layerwise.report.synthetic;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/** The instructions of one run: ranges that open and close, and kernels, copies and sets inside them. */
final class SyntheticProgram {
    private static final String[][] KERNELS = {
        // Full name, and the name that reports show: worked out by hand from the naming rules.
        {"void flashinfer::norm::RMSNormKernel<(unsigned int)8, __nv_bfloat16>(T2 *, float)", "RMSNormKernel"},
        {"nvjet_tst_128x256_64x4_1x2_h_bz_coopB_TNT", "cuBLASGemm"},
        {
            "void cutlass::device_kernel<cutlass::gemm::kernel::GemmUniversal<cute::tuple<int, int>>>(T1::Params)",
            "cutlassGroupGemm"
        },
        {"void cutlass::Kernel2<other::GemmUniversal<int>>(T1::Params)", "cutlassGemm"},
        {"void cublasLt::splitKreduce_kernel<(int)32, int>(cublasLt::cublasSplitKParams<T1>)", "splitKreduce_kernel"},
        {"deep_gemm::fp8_gemm_kernel<(unsigned int)7168>(void *, float *)", "fp8_gemm_kernel"},
        {"fmhaSm100fKernel_QkvE4m3OBfloat16HQk576HV512", "fmhaSm100fKernel_QkvE4m3OBfloat16HQk576HV512"},
        {"void <unnamed>::kvCacheUpdate<__half>(T1 *, const int *)", "kvCacheUpdate"},
        {"void (anonymous namespace)::finalizeKernel(int, float *)", "void "},
        {
            "void at::native::vectorized_elementwise_kernel<(int)4, at::native::CUDAFunctor_add<c10::BFloat16>>(int)",
            "torchAdd"
        },
        {
            "void at::native::<unnamed>::CatArrayBatchedCopy<at::native::<unnamed>::Opaque<2>>(T1 *)",
            "CatArrayBatchedCopy"
        },
        {
            "ncclDevKernel_AllReduce_Sum_bf16_RING_LL(ncclDevKernelArgsStorage<4096>)",
            "ncclDevKernel_AllReduce_Sum_bf16_RING_LL"
        }
    };
    private static final int NCCL_KERNEL = KERNELS.length - 1;
    private static final String[] MODULES = {
        "MLA", "MLA/q_a_proj", "MLA/attention", "MLA/o_proj", "MoE", "MoE/Gate", "MoE/experts/up", "MoE/experts/down"
    };
    private static final String[] ODD = {", \"quoted\"", " <b>&amp;</b>", " é漢字", "|--x", " 'a';b", "\ttab", ""};

    /** One instruction. */
    sealed interface Step {}

    record Enter(String text, boolean nccl) implements Step {}

    record Leave() implements Step {}

    /** A kernel, or a copy or set where the full name says so. */
    record Launch(String fullName, String shortName, boolean side) implements Step {}

    private final SyntheticOptions options;
    private final Random random;
    private final List<Step> steps = new ArrayList<>();
    private final Deque<String> open = new ArrayDeque<>();

    private SyntheticProgram(SyntheticOptions options) {
        this.options = options;
        this.random = new Random(options.seed);
    }

    /** The program of one problem: the first one's, with a few kernels dropped, replaced or added. */
    static List<Step> of(SyntheticOptions options, int problem) {
        SyntheticProgram program = new SyntheticProgram(options);
        program.build();
        return problem == 0 ? program.steps : edited(program.steps, options, new Random(options.seed * 1000 + problem));
    }

    private void build() {
        if (options.copies) {
            steps.add(new Launch("Memset", "Memset", false));
        }
        int head = steps.size();
        List<Step> first = List.of();
        for (int layer = 0; count() < options.kernels; layer++) {
            if (layer == 0 || !options.repeatedLayers) {
                layer(layer);
            } else {
                steps.addAll(first);
            }
            first = layer == 0 ? List.copyOf(steps.subList(head, steps.size())) : first;
        }
        steps.add(kernel(1, false));
        steps.add(new Enter("layer_wise_benchmarks ignore", false));
        steps.add(kernel(4, false));
        steps.add(new Leave());
    }

    private long count() {
        return steps.stream().filter(Launch.class::isInstance).count();
    }

    private void layer(int layer) {
        if (!options.repeatedLayers) {
            enter("layers." + layer);
        }
        for (int d = 0; d < options.depth; d++) {
            enter("wrapper" + d);
        }
        int base = open.size();
        for (String module : MODULES) {
            String[] names = module.split("/");
            while (open.size() > base) {
                leave();
            }
            for (int i = 0; i < names.length; i++) {
                enter(names[i] + (options.oddNames ? ODD[(i + names[i].length()) % ODD.length] : ""));
            }
            for (int k = 1 + random.nextInt(3); k > 0; k--) {
                boolean side = options.streams > 1 && random.nextInt(6) == 0;
                boolean deepGemm = random.nextInt(5) == 0;
                if (deepGemm) {
                    steps.add(new Enter("[DG] candidate " + k, false));
                }
                steps.add(kernel(random.nextInt(NCCL_KERNEL), side));
                if (deepGemm) {
                    steps.add(new Leave());
                }
            }
            if (options.copies && random.nextInt(3) == 0) {
                steps.add(new Launch("Memcpy", "Memcpy", options.streams > 1 && random.nextBoolean()));
            }
        }
        while (open.size() > base) {
            leave();
        }
        if (options.nccl) {
            steps.add(new Enter("ncclAllReduce", true));
            steps.add(kernel(NCCL_KERNEL, options.streams > 1));
            steps.add(new Leave());
        }
        while (!open.isEmpty()) {
            leave();
        }
    }

    private static List<Step> edited(List<Step> steps, SyntheticOptions options, Random random) {
        List<Step> edited = new ArrayList<>();
        for (Step step : steps) {
            boolean kernel = step instanceof Launch launch && !launch.fullName().startsWith("Mem");
            double dice = kernel ? random.nextDouble() : 1;
            if (dice < options.edits) {
                continue;
            }
            edited.add(dice < 2 * options.edits ? kernel(random.nextInt(NCCL_KERNEL), false) : step);
            if (dice >= 2 * options.edits && dice < 3 * options.edits) {
                edited.add(kernel(5, false));
            }
        }
        return edited;
    }

    private static Launch kernel(int number, boolean side) {
        return new Launch(KERNELS[number][0], KERNELS[number][1], side);
    }

    private void enter(String text) {
        open.push(text);
        steps.add(new Enter(text, false));
    }

    private void leave() {
        open.pop();
        steps.add(new Leave());
    }
}
