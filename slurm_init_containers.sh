#!/usr/bin/env bash
# Usage: CONTAINER_IMAGE=registry/path:tag slurm_init_containers.sh
# Starts a container named CONTAINER_NAME (layer_wise_benchmarks) on every node of SLURM_JOB_ID and builds the programs
# in it. CONTAINER_IMAGE is an image, imported to enroot/ once, or a .sqsh file; without it ranks run on plain nodes.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
if [[ -z ${SLURM_JOB_ID:-} ]]; then
    echo "Please set SLURM_JOB_ID"
    exit 1
fi
container=()
if [[ -n ${CONTAINER_IMAGE:-} ]]; then
    squash=$CONTAINER_IMAGE
    if [[ $squash != *.sqsh ]]; then
        # "#" between registry and path keeps enroot from asking for credentials of another registry.
        uri=$CONTAINER_IMAGE
        [[ $uri == *#* ]] || uri=${uri/\//#}
        name=${uri#*#}
        [[ $name == *:* ]] || name=$name:latest
        path=${name%:*}
        squash=$root/enroot/${path//\//+}+${name##*:}.sqsh
        if [[ ! -f $squash ]]; then
            mkdir -p "$root/enroot"
            (set -x && srun -N 1 --pty enroot import -o "$squash" "docker://$uri")
        fi
    fi
    container=(--container-image "$squash" --container-name "${CONTAINER_NAME:-layer_wise_benchmarks}"
        --container-mounts "$root:$root" --container-workdir "$PWD")
else
    echo "slurm_init_containers.sh: CONTAINER_IMAGE is not set; ranks will run on plain nodes" >&2
fi
nodes=$(squeue -j "$SLURM_JOB_ID" -h -o %D)
set -x
exec srun -N "$nodes" --ntasks-per-node 1 "${container[@]}" "$root/layerwise" build
