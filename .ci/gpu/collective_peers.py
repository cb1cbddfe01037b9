#!/usr/bin/env python3
"""Times PyTorch's NCCL collectives over sizes, as `layerwise collectives` times ours.

Usage: mpirun -np N .ci/gpu/collective_peers.py [--bytes LIST] [--collectives LIST] [--mode LIST] [--output FILE]

One process for each GPU, started by mpirun or with RANK, LOCAL_RANK and WORLD_SIZE; all on one machine. Prints a CSV on
rank 0, and writes it to FILE: collective, bytes (of the buffer that is added up; of all ranks' output of a gather; of all
ranks' input of a scatter; of what a rank sends to all), mode (graph, eager), the median of one call on the slowest rank in
microseconds, bytes over it (10^9/s), and that times what a rank's links carry at least of the bytes. bfloat16. Results are
compared before a time is taken. NVLink multicast stays off.
"""
import argparse
import math
import os
import statistics
import sys

os.environ["NCCL_NVLS_ENABLE"] = "0"  # read when the library starts
os.environ["TORCH_SYMM_MEM_DISABLE_MULTICAST"] = "1"
os.environ["TORCH_NCCL_ASYNC_ERROR_HANDLING"] = "0"  # as PyTorch's notes on graphs with collectives say


def variable(*names):
    return next((os.environ[name] for name in names if name in os.environ), None)


RANK = variable("OMPI_COMM_WORLD_RANK", "RANK")
RANKS = variable("OMPI_COMM_WORLD_SIZE", "WORLD_SIZE")
LOCAL = variable("OMPI_COMM_WORLD_LOCAL_RANK", "LOCAL_RANK") or RANK
if RANK is None or RANKS is None or int(RANKS) < 2:
    sys.exit("collective_peers.py: expected several ranks, as in: mpirun -np 2 .ci/gpu/collective_peers.py")
RANK, RANKS, LOCAL = int(RANK), int(RANKS), int(LOCAL)
os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
os.environ.setdefault("MASTER_PORT", "29513")

import torch  # noqa: E402 (after the variables)
import torch.distributed as dist  # noqa: E402

SAMPLE_US, MOST_CALLS = 1000.0, 20
WARMUP_US, LEAST_WARMUPS, MOST_WARMUPS = 20_000.0, 2, 500
TIMED_US, LEAST_SAMPLES, MOST_SAMPLES = 100_000.0, 10, 200
COLLECTIVES = ["AllReduce", "AllGather", "ReduceScatter", "AllToAll"]
MODES = ["graph", "eager"]
SIZES = "8KiB,32KiB,128KiB,512KiB,2MiB,8MiB,16MiB,64MiB,256MiB,512MiB,1GiB"


def size(text):
    for unit, shift in (("KiB", 10), ("MiB", 20), ("GiB", 30), ("", 0)):
        if text.endswith(unit):
            return int(text[:len(text) - len(unit)]) << shift


def clamp(value, least, most):
    return int(min(most, max(least, math.ceil(value))))


def agreed(value):
    """The greatest of all ranks' values."""
    greatest = torch.tensor([value], dtype=torch.float64, device="cuda")
    dist.all_reduce(greatest, op=dist.ReduceOp.MAX)
    return greatest.item()


def marked(times, work, stream):
    """Microseconds of each; the call before them makes ranks meet on the device."""
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(times + 1)]
    torch.cuda.synchronize()
    dist.barrier()
    torch.cuda.synchronize()
    work()
    marks[0].record(stream)
    for i in range(times):
        work()
        marks[i + 1].record(stream)
    torch.cuda.synchronize()
    return [1000 * marks[i].elapsed_time(marks[i + 1]) for i in range(times)]


def brought(rank, elements):
    """What a rank brings: small integers, whose sums are exact, that repeat after a prime number of elements."""
    period = (torch.arange(251, device="cuda") * (2 * rank + 3) + rank) % max(1, min(16, 256 // RANKS - 1))
    return period.to(torch.bfloat16).repeat(elements // 251 + 1)[:elements]


def prepare(collective, total):
    """The call, its output, and what that must be."""
    part = total // 2 // RANKS
    whole = part * RANKS
    if collective == "AllReduce":
        # PyTorch adds in place, so x would grow with every call: zeros are added in all but the first, which is compared.
        x = brought(RANK, whole)
        expected = sum(brought(rank, whole) for rank in range(RANKS))
        return x, x, expected, lambda: dist.all_reduce(x)
    if collective == "AllGather":
        x, y = brought(RANK, part), torch.full((whole,), float("nan"), dtype=torch.bfloat16, device="cuda")
        expected = torch.cat([brought(rank, part) for rank in range(RANKS)])
        return x, y, expected, lambda: dist.all_gather_into_tensor(y, x)
    x = brought(RANK, whole)
    y = torch.full((part if collective == "ReduceScatter" else whole,), float("nan"), dtype=torch.bfloat16, device="cuda")
    mine = [brought(rank, whole)[RANK * part:(RANK + 1) * part] for rank in range(RANKS)]
    if collective == "ReduceScatter":
        return x, y, sum(mine), lambda: dist.reduce_scatter_tensor(y, x)
    return x, y, torch.cat(mine), lambda: dist.all_to_all_single(y, x)


def times(collective, total, modes):
    """Mode and microseconds of one call on the slowest rank."""
    x, y, expected, call = prepare(collective, total)
    call()
    torch.cuda.synchronize()
    if not torch.equal(y, expected):
        sys.exit(f"collective_peers.py: rank {RANK}: {collective} of {total} bytes is wrong")
    del expected
    if y is x:
        x.zero_()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        calls = clamp(SAMPLE_US / agreed(min(marked(4, call, stream))), 1, MOST_CALLS)

        def row():
            for _ in range(calls):
                call()
        for mode in modes:
            work = row
            if mode == "graph":
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                    row()
                work = graph.replay
            once = agreed(min(marked(2, work, stream)))
            marked(clamp(WARMUP_US / once, LEAST_WARMUPS, MOST_WARMUPS), work, stream)
            samples = marked(clamp(TIMED_US / once, LEAST_SAMPLES, MOST_SAMPLES), work, stream)
            yield mode, agreed(statistics.median(samples) / calls)
            if mode == "graph":
                graph.reset()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bytes", default=SIZES)
    parser.add_argument("--collectives", default=",".join(COLLECTIVES))
    parser.add_argument("--mode", default=",".join(MODES))
    parser.add_argument("--output")
    options = parser.parse_args()
    torch.cuda.set_device(LOCAL)
    dist.init_process_group("nccl", rank=RANK, world_size=RANKS, device_id=torch.device("cuda", LOCAL))
    if RANK == 0:
        version = ".".join(map(str, torch.cuda.nccl.version()))
        print(f"# PyTorch {torch.__version__}, NCCL {version}, {RANKS} x {torch.cuda.get_device_name()}", file=sys.stderr)
    lines = ["collective,bytes,mode,micros,algorithm_gb_s,bus_gb_s"]
    for collective in options.collectives.split(","):
        for total in map(size, options.bytes.split(",")):
            for mode, micros in times(collective, total, options.mode.split(",")):
                rate = total / micros / 1e3
                share = (RANKS - 1) / RANKS * (2 if collective == "AllReduce" else 1)
                lines.append(f"{collective},{total},{mode},{micros:.4f},{rate:.4f},{rate * share:.4f}")
            torch.cuda.empty_cache()
    if RANK == 0:
        print("\n".join(lines))
        if options.output:
            with open(options.output, "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
