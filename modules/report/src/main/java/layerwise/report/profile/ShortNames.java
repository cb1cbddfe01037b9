package layerwise.report.profile;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Names of kernels in reports: known families by what their name contains, all others by a general rule. */
public final class ShortNames {
    private static final String UNNAMED = "<unnamed>";
    private static final Pattern TORCH = Pattern.compile("at::native::.*elementwise_kernel<");
    private static final List<Rule> RULES = List.of(
            new Rule("cuBLASGemm", "nvjet"),
            new Rule("cutlassGroupGemm", "cutlass::device_kernel<cutlass::gemm::kernel::GemmUniversal"),
            new Rule("cutlassGemm", "GemmUniversal"),
            new Rule("CuteDSLMoePermute", "cute_dsl::moePermuteKernel"),
            new Rule("CuteDSLGemm", "cute_dsl_kernels", "blockscaled_gemm_persistent"),
            new Rule(
                    "CuteDSLGroupedGemmSwiglu",
                    "cute_dsl_kernels",
                    "blockscaled_contiguous_grouped_gemm_swiglu_fusion"),
            new Rule(
                    "CuteDSLGroupedGemmFinalize",
                    "cute_dsl_kernels",
                    "blockscaled_contiguous_grouped_gemm_finalize_fusion"),
            new Rule("torchAdd", "at::native::CUDAFunctorOnSelf_add"),
            new Rule("torchAdd", "CUDAFunctor_add"),
            new Rule("torchClamp", "at::native::<unnamed>::launch_clamp_scalar("),
            new Rule("torchCompare", "at::native::<unnamed>::CompareFunctor<"),
            new Rule("torchCopy", "at::native::bfloat16_copy_kernel_cuda"),
            new Rule("torchCopy", "at::native::direct_copy_kernel_cuda("),
            new Rule("torchDiv", "at::native::binary_internal::DivFunctor<"),
            new Rule("torchFill", "at::native::FillFunctor"),
            new Rule("torchIndexPut", "at::native::index_put_kernel_impl<"),
            new Rule("torchMul", "at::native::binary_internal::MulFunctor<"),
            new Rule("torchPow", "at::native::<unnamed>::pow_tensor_scalar_kernel_impl<"),
            new Rule("torchReduceSum", "at::native::reduce_kernel<", "at::native::sum_functor<"),
            new Rule("torchScatterGather", "void at::native::_scatter_gather_elementwise_kernel<"),
            new Rule("torchSigmoid", "at::native::sigmoid_kernel_cuda"),
            new Rule("torchWhere", "at::native::<unnamed>::where_kernel_impl("));

    private final Map<String, String> known = new HashMap<>();
    private final Set<String> unknown = new LinkedHashSet<>();

    /** A family of kernels: the first rule whose parts all occur in a name wins. */
    private record Rule(String shortName, List<String> parts) {
        Rule(String shortName, String... parts) {
            this(shortName, List.of(parts));
        }

        boolean matches(String fullName) {
            return parts.stream().allMatch(fullName::contains);
        }
    }

    /** The name that reports show for a demangled name. */
    public String of(String fullName) {
        return known.computeIfAbsent(fullName, this::shorten);
    }

    /** Element-wise PyTorch kernels that no rule knows, in order of appearance. */
    public Set<String> unknown() {
        return unknown;
    }

    private String shorten(String fullName) {
        for (Rule rule : RULES) {
            if (rule.matches(fullName)) {
                return rule.shortName();
            }
        }
        if (TORCH.matcher(fullName).find()) {
            unknown.add(fullName);
        }
        return general(fullName);
    }

    /** Drops template arguments, parameters and namespaces, but keeps anonymous ones readable. */
    private static String general(String fullName) {
        int end = 0;
        while (end < fullName.length()) {
            char c = fullName.charAt(end);
            if (fullName.startsWith(UNNAMED, end)) {
                end += UNNAMED.length();
            } else if (c == '<' || c == '(') {
                break;
            } else {
                end++;
            }
        }
        String head = fullName.substring(0, end);
        int scope = head.lastIndexOf("::");
        return scope < 0 ? head : head.substring(scope + 2);
    }
}
