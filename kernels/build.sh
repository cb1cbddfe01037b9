#!/usr/bin/env bash
# usage: kernels/build.sh [--profile DIR] [op ...]
#
# Compiles kernels/<op>.cu for every architecture to kernels/cubin/<op>.<arch>.cubin.gz and renews the operator's entry in
# kernels/cubin/manifest.json; without operators all of them. Entries whose source is gone are dropped. The manifest's hash
# is of the CUBIN itself, so that another gzip changes no entry.
# --profile DIR compiles with line information into DIR instead and leaves the committed files alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly NVCC=13.0.88 # another compiler makes other bytes
readonly ARCHES=(sm_90a)
readonly FLAGS=(-std=c++17 -O3 -Werror all-warnings)

fail() {
    echo "build.sh: $1" >&2
    exit 2
}

compile() { # arch op target [flags]
    local command=(nvcc -cubin "-gencode=arch=compute_${1#sm_},code=$1" "${FLAGS[@]}" "${@:4}" -o "$3" "$2.cu")
    echo "+ ${command[*]}" >&2
    "${command[@]}"
}

# One JSON object per entry function, from what ptxas says in a compile whose product is discarded.
resources() { # arch op
    compile "$1" "$2" "$work/discarded" -Xptxas -v 2>&1 | awk '
        /Compiling entry function/ { split($0, part, "\047"); symbol = part[2] }
        symbol != "" && /bytes stack frame/ { stack = $1; spill = $5 + $9 }
        symbol != "" && /: Used [0-9]+ registers/ {
            shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART) + 0 : 0
            match($0, /Used [0-9]+/)
            printf "{\"symbol\":\"%s\",\"registers\":%d,\"sharedBytes\":%d,\"stackBytes\":%d,\"spillBytes\":%d}\n",
                symbol, substr($0, RSTART + 5), shared, stack, spill
            symbol = ""
        }' | jq -s 'sort_by(.symbol)'
}

# {"<file>": "<sha256>"} of a source and our headers that it includes, paths relative to kernels/.
hashes() { # op
    nvcc -MM "-gencode=arch=compute_90a,code=sm_90a" "${FLAGS[@]}" "$1.cu" | grep -oE '[^ ]+\.cuh?\b' |
        sed "s|^$PWD/||" | sort -u | xargs sha256sum |
        jq -Rn '[inputs | capture("^(?<value>[0-9a-f]+) +(?<key>.+)$")] | from_entries'
}

enter() { # arch op: the entry of a fresh CUBIN goes into the manifest
    local sources symbols
    sources=$(hashes "$2")
    symbols=$(resources "$1" "$2")
    jq --arg op "$2" --arg arch "$1" --arg nvcc "$NVCC" --arg flags "${FLAGS[*]}" \
        --arg sha256 "$(sha256sum "$work/$2.$1.cubin" | cut -d' ' -f1)" \
        --argjson sources "$sources" --argjson symbols "$symbols" \
        --argjson present "$(printf '%s\n' ./*.cu | jq -R 'ltrimstr("./") | rtrimstr(".cu")' | jq -s .)" \
        '.cubins |= (map(select((.op != $op or .arch != $arch) and (.op as $o | any($present[]; . == $o))))
            + [{$op, $arch, file: "\($op).\($arch).cubin.gz", $sha256, $nvcc, $flags, $sources, $symbols}]
            | sort_by(.op, .arch))' cubin/manifest.json >"$work/manifest.json"
}

command -v jq >/dev/null || fail "needs jq"
nvcc --version | grep -q "V$NVCC" || fail "needs nvcc $NVCC, found $(nvcc --version | grep -o 'V[0-9.]*')"
profile=""
if [[ ${1:-} == --profile ]]; then
    profile=$(realpath "${2:?"--profile needs a folder"}")
    shift 2
fi
if [[ $# -eq 0 ]]; then
    mapfile -t ops < <(basename -s .cu ./*.cu)
    set -- "${ops[@]}"
fi
for op in "$@"; do
    [[ -f $op.cu ]] || fail "no kernels/$op.cu; there are: $(basename -s .cu ./*.cu | tr '\n' ' ')"
done

work=$(mktemp -d ./.build.XXXXXX) # beside the targets, so that files appear by rename
trap 'rm -rf "$work"' EXIT
mkdir -p cubin
[[ -f cubin/manifest.json ]] || echo '{"cubins": []}' >cubin/manifest.json
for op in "$@"; do
    for arch in "${ARCHES[@]}"; do
        if [[ -n $profile ]]; then
            compile "$arch" "$op" "$profile/$op.$arch.cubin" -lineinfo
        else
            compile "$arch" "$op" "$work/$op.$arch.cubin"
            enter "$arch" "$op"
            gzip -9n "$work/$op.$arch.cubin"
            mv "$work/$op.$arch.cubin.gz" "$work/manifest.json" cubin/
        fi
    done
done
