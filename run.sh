#!/usr/bin/env bash
# Usage: run.sh CONFIG [OPTIONS]        one rank; mpirun and srun start one each
#   PROFILE=0              do not record                        PROFILE_DIR=profiles  where results go
#   PROFILER=auto          nsys, builtin or none; auto takes nsys 2025 or newer where a GPU is there
#   BACKTRACE=1            record call stacks of launches       GPU_METRICS=1         sample the GPU's metrics
#   REPORT=0               do not report on what was recorded
# Leaves PROFILE_DIR/report_np{ranks}_rank{rank}.{sqlite or nsys-rep,log} and reports beside them.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)

if [[ -n ${OMPI_COMM_WORLD_SIZE:-} ]]; then
    WORLD_SIZE=$OMPI_COMM_WORLD_SIZE RANK=$OMPI_COMM_WORLD_RANK
    LOCAL_RANK=$OMPI_COMM_WORLD_LOCAL_RANK NODE_RANK=$OMPI_COMM_WORLD_NODE_RANK
elif [[ -n ${SLURM_PROCID:-} ]]; then
    WORLD_SIZE=${SLURM_STEP_NUM_TASKS:-$SLURM_NTASKS} RANK=${PMIX_RANK:-$SLURM_PROCID}
    LOCAL_RANK=$SLURM_LOCALID NODE_RANK=$SLURM_NODEID
elif [[ -n ${PMIX_RANK:-} ]]; then
    RANK=$PMIX_RANK # PMIx itself puts nothing else into the environment
fi
export WORLD_SIZE=${WORLD_SIZE:-1} RANK=${RANK:-0}
export LOCAL_RANK=${LOCAL_RANK:-$RANK} NODE_RANK=${NODE_RANK:-0}
if ((RANK == 0)); then
    export TLLM_LOG_LEVEL=INFO
fi

export PROFILE_DIR=${PROFILE_DIR:-profiles} BACKTRACE=${BACKTRACE:-0} GPU_METRICS=${GPU_METRICS:-0}
mkdir -p "$PROFILE_DIR"
files=$PROFILE_DIR/report_np${WORLD_SIZE}_rank${RANK}

# Older ones cannot import what they record of this runtime and its driver.
nsys_knows_cuda_13() {
    nsys_version=$(nsys --version 2>/dev/null) && [[ $nsys_version =~ \ (20[0-9]{2})\.[0-9] ]] &&
        ((BASH_REMATCH[1] >= 2025))
}

PROFILER=${PROFILER:-auto}
if [[ ${PROFILE:-1} != 1 ]]; then
    PROFILER=none
elif [[ $PROFILER == auto ]]; then
    PROFILER=builtin
    if [[ ! " $*" =~ \ --dev[a-z]*[\ =](reference|estimate) ]] && nvidia-smi -L &>/dev/null && nsys_knows_cuda_13; then
        PROFILER=nsys
    fi
elif [[ $PROFILER == nsys ]] && ! nsys_knows_cuda_13; then
    echo "run.sh: PROFILER=nsys: found ${nsys_version:-none on the PATH}; expected version 2025.1 or newer," \
        "which can import traces of CUDA 13, or PROFILER=builtin" >&2
    exit 2
fi
export PROFILER

profile=()
case $PROFILER in
nsys)
    profile=(nsys profile -t "cuda,nvtx" --cpuctxsw none --cuda-event-trace false --cuda-graph-trace node
        -c cudaProfilerApi --capture-range-end stop -o "$files.nsys-rep" --force-overwrite true)
    if [[ $BACKTRACE == 1 ]]; then
        profile+=(--cudabacktrace all)
    else
        profile+=(-s none)
    fi
    [[ $GPU_METRICS != 1 ]] || profile+=(--gpu-metrics-devices "$LOCAL_RANK" --gpu-metrics-frequency 10000)
    ;;
builtin | none) ;;
*)
    echo "run.sh: PROFILER=$PROFILER; expected auto, nsys, builtin or none" >&2
    exit 2
    ;;
esac

set -x
"${profile[@]}" "$root/layerwise" run "$@" 2>&1 | tee "$files.log"
{ set +x; } 2>/dev/null

world=$WORLD_SIZE
[[ ! " $*" =~ \ --np[\ =]([0-9]+) ]] || world=${BASH_REMATCH[1]} # ranks of an estimate
if [[ $PROFILER != none && ${REPORT:-1} == 1 && (! -f $root/lib/modules || -f ${root%/*}/report/lib/modules) ]]; then
    "$root/layerwise" report --profile-dir "$PROFILE_DIR" --world-size "$world" --rank "$RANK"
fi
