#!/usr/bin/env bash
# Usage: export CONTAINER_NAME=$(./slurm_query_container_name.sh)
# Prints the name of the only container that runs in SLURM_JOB_ID.
set -euo pipefail

if [[ -z ${SLURM_JOB_ID:-} ]]; then
    echo "Please set SLURM_JOB_ID" >&2
    exit 1
fi
list=$(set -x && srun -N 1 enroot list)
names=()
while IFS= read -r line; do
    if [[ $line == "pyxis_${SLURM_JOB_ID}_"* ]]; then
        names+=("${line#"pyxis_${SLURM_JOB_ID}_"}")
    fi
done <<<"$list"

case ${#names[@]} in
0)
    echo "Error: No container found" >&2
    exit 1
    ;;
1)
    echo "Container name: ${names[0]}" >&2
    echo "${names[0]}"
    ;;
*)
    echo "Error: Multiple containers found" >&2
    printf -- '- %s\n' "${names[@]}" >&2
    exit 1
    ;;
esac
