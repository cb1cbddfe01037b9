#!/usr/bin/env bash
# Usage: NP=4 mpi_launch.sh [MPIRUN OPTIONS] ./run.sh CONFIG [OPTIONS]
# Starts NP ranks with Open MPI's mpirun, also from inside a Slurm job; "-x NAME=VALUE" sets a variable in every rank.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
if [[ ! ${NP:-} =~ ^[1-9][0-9]*$ ]]; then
    echo "mpi_launch.sh: NP is \"${NP:-}\"; expected the number of ranks, as in: NP=4 ./mpi_launch.sh ./run.sh config_ctx.yaml" >&2
    exit 2
fi
if ! command -v mpirun >/dev/null; then
    echo "mpi_launch.sh: mpirun is not on the PATH; install Open MPI 4 or 5" >&2
    exit 2
fi
variables=()
if [[ -v TLLM_AUTOTUNER_CACHE_PATH ]]; then
    variables=(-x TLLM_AUTOTUNER_CACHE_PATH)
fi
set -x
exec "$root/middleware/exclude_slurm_envs" mpirun --allow-run-as-root --np "$NP" "${variables[@]}" "$@"
