#!/usr/bin/env bash
# Usage: NODES=4 NP=16 slurm_launch.sh [SRUN OPTIONS] ./run.sh CONFIG [OPTIONS]
# Starts NP ranks on NODES nodes of SLURM_JOB_ID; in containers where CONTAINER_NAME or CONTAINER_IMAGE is set, as
# slurm_init_containers.sh started them, else on the plain nodes. Variables set before the command reach the ranks.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
if [[ -z ${SLURM_JOB_ID:-} ]]; then
    echo "slurm_launch.sh: SLURM_JOB_ID is not set; expected the job that slurm_alloc.sh printed" >&2
    exit 2
fi
for variable in NODES NP; do
    if [[ ! ${!variable:-} =~ ^[1-9][0-9]*$ ]]; then
        echo "slurm_launch.sh: $variable is \"${!variable:-}\"; expected a number of at least 1" >&2
        exit 2
    fi
done
if ((NP % NODES != 0)); then
    echo "slurm_launch.sh: NP=$NP is no multiple of NODES=$NODES; nearest is NP=$((NP / NODES * NODES > 0 ? NP / NODES * NODES : NODES))" >&2
    exit 2
fi
container=()
if [[ -n ${CONTAINER_NAME:-}${CONTAINER_IMAGE:-} ]]; then
    container=(--container-name "${CONTAINER_NAME:-layer_wise_benchmarks}" --container-mounts "$root:$root"
        --container-workdir "$PWD")
fi
set -x
exec srun --mpi=pmix --kill-on-bad-exit=1 -N "$NODES" --ntasks-per-node $((NP / NODES)) "${container[@]}" "$@"
