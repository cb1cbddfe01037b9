#!/usr/bin/env bash
# Usage: slurm_cluster.sh FOLDER CONTROLLER_PORT NODE_PORT
# A Slurm of this machine alone: munged, slurmctld and slurmd with everything in FOLDER. Prints "ready" when the node takes
# jobs. Lives until its standard input ends, so that nothing outlives a test, however that ends.
set -euo pipefail

folder=$1 controller_port=$2 node_port=$3
host=$(hostname -s)
daemons=()
stop() {
    SLURM_CONF=$folder/slurm.conf timeout 5 scancel --user=root 2>/dev/null || true
    sleep 0.5
    for ((i = ${#daemons[@]} - 1; i >= 0; i--)); do # each needs those started before it
        kill "${daemons[i]}" 2>/dev/null || continue
        for ((j = 0; j < 80; j++)); do
            kill -0 "${daemons[i]}" 2>/dev/null || continue 2
            sleep 0.1
        done
        kill -KILL "${daemons[i]}"
    done
}
trap stop EXIT

mkdir -m 755 "$folder/munge" "$folder/state" "$folder/spool"
(umask 077 && head -c 1024 /dev/urandom >"$folder/munge/key")
cat >"$folder/slurm.conf" <<CONF
ClusterName=layerwise
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$controller_port
SlurmdPort=$node_port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
SelectType=select/linear
SlurmdParameters=config_overrides
KillWait=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=4
PartitionName=test Nodes=$host Default=YES State=UP OverSubscribe=EXCLUSIVE
CONF

munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" \
    --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" \
    </dev/null >"$folder/munged.out" 2>&1 &
daemons+=($!)
for ((i = 0; i < 100; i++)); do
    [[ ! -S $folder/munge/socket ]] || break
    sleep 0.1
done
slurmctld -D -f "$folder/slurm.conf" </dev/null >"$folder/slurmctld.out" 2>&1 &
daemons+=($!)
slurmd -D -f "$folder/slurm.conf" </dev/null >"$folder/slurmd.out" 2>&1 &
daemons+=($!)

export SLURM_CONF=$folder/slurm.conf
for ((i = 0; i < 200; i++)); do
    if [[ $(sinfo -h -o %T 2>/dev/null) == idle ]]; then
        echo ready
        cat >/dev/null
        exit 0
    fi
    sleep 0.1
done
cat "$folder"/*.out
exit 1
