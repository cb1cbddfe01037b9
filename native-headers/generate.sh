#!/usr/bin/env bash
# Generates modules/bindings from a CUDA toolkit's headers: one Java package per library folder beside this script.
#
#   JEXTRACT=/opt/jextract/bin/jextract CUDA_INCLUDE=/usr/local/cuda/include native-headers/generate.sh [LIB...]
#
# JEXTRACT       the tool, built as README.md says
# CUDA_INCLUDE   header folders, separated by colons; default /usr/local/cuda/include
# LIB            cudart, cublas, cublasLt, nvtx, cupti, mpi, nccl or nvml; default all
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
sources=modules/bindings/src/main/java
clang=$(dirname "$(find /usr/lib/llvm-14/lib/clang -name stddef.h -print -quit)")
: "${JEXTRACT:?set JEXTRACT to the jextract program, see native-headers/README.md}"

IFS=: read -ra folders <<< "${CUDA_INCLUDE:-/usr/local/cuda/include}"
includes=()
for folder in "${folders[@]}"; do
    includes+=(-I "$folder")
done
if [ $# -gt 0 ]; then libraries=("$@"); else libraries=(cudart cublas cublasLt nvtx cupti mpi nccl nvml); fi

staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
for library in "${libraries[@]}"; do
    umbrella=$here/$library/umbrella.h
    # The headers must be of the version that the committed output was made for.
    read -r macro wanted < "$here/$library/VERSION"
    found=$(($(printf '#include "%s"\n%s\n' "$umbrella" "$macro" | cpp -P "${includes[@]}" -I "$here/$library" - | tail -n 1)))
    if [ "$found" != "$wanted" ]; then
        echo "generate.sh: $library: $macro is $found in these headers, $here/$library/VERSION wants $wanted" >&2
        exit 2
    fi
    echo "generate.sh: $library, $macro $found" >&2
    "$JEXTRACT" "${includes[@]}" -I "$here/$library" -I "$clang" --target-package "layerwise.bindings.$library" --header-class-name "${library}_h" \
        --output "$staging" "@$here/$library/symbols.txt" "$umbrella"
done

# Nothing is replaced before everything has been generated.
for library in "${libraries[@]}"; do
    package=$root/$sources/layerwise/bindings/$library
    mkdir -p "$package"
    find "$package" -name '*.java' ! -name package-info.java -delete
    cp "$staging/layerwise/bindings/$library/"*.java "$package/"
done
cd "$root"
{
    find native-headers -type f \( -name umbrella.h -o -name symbols.txt -o -name VERSION -o -name generate.sh \)
    find "$sources" -name '*.java' ! -name module-info.java ! -name package-info.java
} | LC_ALL=C sort | xargs sha256sum > native-headers/checksums.sha256
