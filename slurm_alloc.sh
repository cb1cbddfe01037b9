#!/usr/bin/env bash
# Usage: export SLURM_JOB_ID=$(NODES=4 TIME=02:00:00 ./slurm_alloc.sh)
# Allocates NODES nodes for TIME (01:00:00) and prints the job's id; everything else goes to stderr.
set -euo pipefail

# Fill these in, or export them: empty ones are left to the cluster's defaults.
ACCOUNT=${ACCOUNT:-}
PARTITION=${PARTITION:-}
EXTRA_ARGS=${EXTRA_ARGS:-} # for example "--gres gpu:4"

if [[ ! ${NODES:-} =~ ^[1-9][0-9]*$ ]]; then
    echo "slurm_alloc.sh: NODES is \"${NODES:-}\"; expected the number of nodes" >&2
    exit 2
fi
if ! options_help=$(salloc --help 2>&1); then
    echo "slurm_alloc.sh: salloc does not answer; run this on a node that can submit Slurm jobs" >&2
    exit 2
fi

arguments=()
[[ -z $ACCOUNT ]] || arguments+=(-A "$ACCOUNT")
[[ -z $PARTITION ]] || arguments+=(-p "$PARTITION")
arguments+=(-N "$NODES")
if [[ $options_help == *--segment* ]]; then
    arguments+=(--segment "$NODES") # all nodes in one NVLink domain, where Slurm knows of such
fi
read -ra extra <<<"$EXTRA_ARGS"

# Copies stdin to stderr and prints the last word of the line that grants the job.
granted_job() {
    local line job=""
    while IFS= read -r line; do
        printf '%s\n' "$line" >&2
        if [[ $line == *"Granted job allocation"* ]]; then
            job=${line##* }
        fi
    done
    [[ -n $job ]] && echo "$job"
}
(set -x && salloc "${arguments[@]}" "${extra[@]}" -t "${TIME:-01:00:00}" --no-shell) 2>&1 | granted_job
