#!/usr/bin/env python3
"""Times other software on the shapes of `layerwise operators`, in the same way, and joins both.

Usage: .ci/gpu/peers.py [--seconds N] OUTPUT OPERATORS.csv ...

Needs PyTorch with CUDA and Triton. Writes OUTPUT.csv and OUTPUT.md: a row for each operator, shape and path of the given
files, with the fastest peer where there is one. A peer runs on as many copies of its operands as the operator did, random
normal data, one CUDA graph in which the copies take turns; its time is the median of at least seven replays over at least
40 ms. Triton kernels of this file are compared with PyTorch in float32 before anything is timed.
"""
import argparse
import csv
import math
import os
import statistics
import sys
import time

import torch
import torch.nn.functional as F
import triton
import triton.language as tl
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.attention.bias import causal_lower_right

BF16, F32, E4M3 = torch.bfloat16, torch.float32, torch.float8_e4m3fn
LEAST_REPLAYS, MOST_REPLAYS, LEAST_MS, REPLAY_MS, MOST_TURNS = 7, 1000, 40.0, 1.0, 32
LOG2E = 1.4426950408889634


# ---- timing ----------------------------------------------------------------------------------------------------------

def milliseconds(work, times, stream):
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(times + 1)]
    marks[0].record(stream)
    for i in range(times):
        work()
        marks[i + 1].record(stream)
    stream.synchronize()
    return [marks[i].elapsed_time(marks[i + 1]) for i in range(times)]


def microseconds(launches):
    """Median of one launch; launches: one callable for each copy of the operands."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        def turn():
            for launch in launches:
                launch()
        turn()  # compiles, loads and chooses
        once = milliseconds(turn, 1, stream)[0]
        turns = min(MOST_TURNS, max(1, math.ceil(REPLAY_MS / once)))
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            for _ in range(turns):
                turn()
        graph.replay()
        once = milliseconds(graph.replay, 1, stream)[0]
        replays = min(MOST_REPLAYS, max(LEAST_REPLAYS, math.ceil(LEAST_MS / once)))
        times = milliseconds(graph.replay, replays, stream)
    return 1e3 * statistics.median(times) / turns / len(launches)


def normal(*shape, dtype=BF16, scale=1.0):
    if dtype != E4M3:
        return torch.empty(*shape, device="cuda", dtype=dtype).normal_(0, scale)
    out = torch.empty(*shape, device="cuda", dtype=E4M3)
    flat = out.view(-1)
    for at in range(0, flat.numel(), 1 << 27):  # normal_ knows no float8
        part = flat[at:at + (1 << 27)]
        part.view(torch.uint8).copy_(normal(part.numel(), scale=scale).to(E4M3).view(torch.uint8))
    return out


def empty(*shape, dtype=BF16):
    return torch.empty(*shape, device="cuda", dtype=dtype)


# ---- kernels ---------------------------------------------------------------------------------------------------------

@triton.jit
def add_rms_norm_kernel(x, r, g, s, y, width, eps, ADD: tl.constexpr, B: tl.constexpr):
    """Row by row; with ADD the residual is added first and the sum kept."""
    at = tl.program_id(0).to(tl.int64) * width
    i = tl.arange(0, B)
    inside = i < width
    v = tl.load(x + at + i, mask=inside, other=0).to(tl.float32)
    if ADD:
        v += tl.load(r + at + i, mask=inside, other=0).to(tl.float32)
        tl.store(s + at + i, v.to(tl.bfloat16), mask=inside)
    scale = tl.rsqrt(tl.sum(v * v, 0) / width + eps)
    tl.store(y + at + i, (v * scale * tl.load(g + i, mask=inside, other=0).to(tl.float32)).to(tl.bfloat16), mask=inside)


@triton.jit
def activation_kernel(x, y, width, GATED: tl.constexpr, B: tl.constexpr):
    """silu(gate) * up of rows [gate, up], or relu(x)^2."""
    row = tl.program_id(0).to(tl.int64)
    i = tl.program_id(1) * B + tl.arange(0, B)
    inside = i < width
    if GATED:
        gate = tl.load(x + row * 2 * width + i, mask=inside, other=0).to(tl.float32)
        up = tl.load(x + row * 2 * width + width + i, mask=inside, other=0).to(tl.float32)
        v = gate * tl.sigmoid(gate) * up
    else:
        v = tl.maximum(tl.load(x + row * width + i, mask=inside, other=0).to(tl.float32), 0)
        v = v * v
    tl.store(y + row * width + i, v.to(tl.bfloat16), mask=inside)


@triton.jit
def conv1d_kernel(x, w, y, tokens, channels, TAPS: tl.constexpr, BT: tl.constexpr, BC: tl.constexpr):
    """Causal, depthwise, then SiLU, of one sequence without a past."""
    t = tl.program_id(0) * BT + tl.arange(0, BT)[:, None]
    c = tl.program_id(1) * BC + tl.arange(0, BC)[None, :]
    y_sum = tl.zeros([BT, BC], tl.float32)
    for k in tl.static_range(TAPS):
        at = t + (k - TAPS + 1)
        v = tl.load(x + at.to(tl.int64) * channels + c, mask=(at >= 0) & (at < tokens) & (c < channels), other=0)
        y_sum += v.to(tl.float32) * tl.load(w + c * TAPS + k, mask=c < channels, other=0).to(tl.float32)
    tl.store(y + t.to(tl.int64) * channels + c, (y_sum * tl.sigmoid(y_sum)).to(tl.bfloat16),
             mask=(t < tokens) & (c < channels))


@triton.jit
def decode_kernel(q, k, v, part, lse, scale, length, row_stride, queries, SPLITS, LATENT: tl.constexpr, GROUP: tl.constexpr,
                  DV: tl.constexpr, DR: tl.constexpr, BR: tl.constexpr, BN: tl.constexpr):
    """Attention of a few queries over a cache that several programs divide. Rows are queries times heads of a group.

    LATENT: values are the first DV elements of a key, followed by DR rotated ones. Otherwise DR is unused.
    """
    b = tl.program_id(0).to(tl.int64)
    groups = 1 if LATENT else tl.num_programs(1)
    g = tl.program_id(1)
    split = tl.program_id(2)
    rows = queries * GROUP
    r = (g * BR if LATENT else 0) + tl.arange(0, BR)
    live = r < rows
    head = (0 if LATENT else g * GROUP) + r % GROUP
    heads = GROUP if LATENT else groups * GROUP
    query = ((b * queries + r // GROUP) * heads + head).to(tl.int64)
    sees = length - queries + r // GROUP + 1
    d = tl.arange(0, DV)
    width = DV + DR if LATENT else DV
    qv = tl.load(q + query[:, None] * width + d[None, :], mask=live[:, None], other=0)
    if LATENT:
        e = DV + tl.arange(0, DR)
        qr = tl.load(q + query[:, None] * width + e[None, :], mask=live[:, None], other=0)
    each = tl.cdiv(tl.cdiv(length, BN), SPLITS) * BN
    most = tl.full([BR], -float("inf"), tl.float32)
    mass = tl.zeros([BR], tl.float32)
    acc = tl.zeros([BR, DV], tl.float32)
    base = b * length * row_stride + (0 if LATENT else g * DV)
    for n0 in range(split * each, tl.minimum(length, split * each + each), BN):
        n = n0 + tl.arange(0, BN)
        at = base + n[:, None].to(tl.int64) * row_stride
        there = (n < length)[:, None]
        keys = tl.load(k + at + d[None, :], mask=there, other=0)
        s = tl.dot(qv, tl.trans(keys))
        if LATENT:
            s += tl.dot(qr, tl.trans(tl.load(k + at + e[None, :], mask=there, other=0)))
            values = keys
        else:
            values = tl.load(v + at + d[None, :], mask=there, other=0)
        s = tl.where(n[None, :] < sees[:, None], s * scale, -float("inf"))
        top = tl.maximum(most, tl.max(s, 1))
        safe = tl.where(top == -float("inf"), 0.0, top)
        p = tl.exp2(s - safe[:, None])
        old = tl.exp2(most - safe)
        mass = mass * old + tl.sum(p, 1)
        acc = acc * old[:, None] + tl.dot(p.to(tl.bfloat16), values)
        most = top
    to = query * SPLITS + split
    some = tl.where(mass > 0, mass, 1.0)
    tl.store(part + to[:, None] * DV + d[None, :], acc / some[:, None], mask=live[:, None])
    tl.store(lse + to, tl.where(mass > 0, most + tl.log2(some), -float("inf")), mask=live)


@triton.jit
def combine_kernel(part, lse, y, SPLITS, DV: tl.constexpr, BS: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    i = tl.arange(0, BS)
    l = tl.load(lse + row * SPLITS + i, mask=i < SPLITS, other=-float("inf"))
    w = tl.exp2(l - tl.max(l, 0))
    d = tl.arange(0, DV)
    p = tl.load(part + (row * SPLITS + i[:, None]) * DV + d[None, :], mask=(i < SPLITS)[:, None], other=0)
    tl.store(y + row * DV + d, (tl.sum(w[:, None] * p, 0) / tl.sum(w, 0)).to(tl.bfloat16))


def decode(q, k, v, scale, queries, latent, splits, bn):
    """A launch of both kernels; q [B, queries, heads, D], k and v [B, length, groups, D] or the latent [B, length, D]."""
    batch, heads = q.shape[0], q.shape[2]
    groups = 1 if latent else k.shape[2]
    group = heads // groups
    dv, dr = (512, q.shape[3] - 512) if latent else (q.shape[3], 16)
    rows = queries * group
    br = 64 if latent and rows >= 64 else max(16, triton.next_power_of_2(rows))
    part, lse = empty(batch * queries * heads, splits, dv, dtype=F32), empty(batch * queries * heads, splits, dtype=F32)
    y = empty(batch, queries, heads, dv)
    grid = (batch, triton.cdiv(rows, br) if latent else groups, splits)

    def launch():
        decode_kernel[grid](q, k, v, part, lse, scale * LOG2E, k.shape[1], k.stride(1), queries, splits, LATENT=latent,
                            GROUP=group, DV=dv, DR=dr, BR=br, BN=bn, num_warps=8 if latent else 4,
                            num_stages=1 if latent and bn == 64 else 2)
        combine_kernel[(batch * queries * heads,)](part, lse, y, splits, DV=dv, BS=triton.next_power_of_2(splits))
        return y
    return launch


# ---- peers: each gives (name, one launch for each copy) from an operator's sizes ---------------------------------------

def each(copies, make):
    return [make() for _ in range(copies)]


def dense(s, copies):
    m, n, k = int(s["tokens"]), int(s["n"]), int(s["k"])
    if s["format"] == "bf16":
        def make():
            x, w, y = normal(m, k), normal(n, k), empty(m, n)
            return lambda: torch.mm(x, w.t(), out=y)
        yield "torch.mm", each(copies, make)
    if s["format"] == "fp8_block":
        def make():
            x, w = normal(m, k, dtype=E4M3), normal(n, k, dtype=E4M3)
            blocks = k // 128
            of_x = torch.rand(blocks, m, device="cuda").t()
            of_w = torch.rand(math.ceil(n / 128), (blocks + 3) // 4 * 4, device="cuda")[:, :blocks]
            return lambda: torch._scaled_mm(x, w.t(), of_x, of_w.t(), out_dtype=BF16)
        yield "torch._scaled_mm 1x128/128x128, codes given", each(copies, make)


def heads_product(s, copies):
    t, h, n, k = int(s["tokens"]), int(s["heads"]), int(s["n"]), int(s["k"])

    def make():
        x, w, y = normal(t, h, k), normal(h, k, n), empty(h, t, n)
        return lambda: torch.bmm(x.transpose(0, 1), w, out=y)
    if s["format"] == "bf16":
        yield "torch.bmm", each(copies, make)


def ends(rows, experts, active):
    """Last row of each expert's, behind it: rows spread evenly over as many experts as are active, those over all."""
    hit = max(1, min(experts, rows, round(active)))
    counts = [0] * experts
    for i in range(hit):
        counts[i * experts // hit] = rows // hit + (i < rows % hit)
    total, out = 0, []
    for count in counts:
        total += count
        out.append(total)
    return torch.tensor(out, device="cuda", dtype=torch.int32)


def experts_product(s, copies):
    rows, e, n, k = int(s["rows"]), int(s["experts"]), int(s["n"]), int(s["k"])
    if rows == 0:
        return
    offsets = ends(rows, e, float(s["active"]))
    if s["format"] == "bf16":
        def make():
            x, w = normal(rows, k), normal(e, n, k)
            return lambda: torch._grouped_mm(x, w.transpose(-2, -1), offs=offsets, out_dtype=BF16)
        yield "torch._grouped_mm", each(copies, make)
    if s["format"] == "fp8_block":
        def make():
            x, w = normal(rows, k, dtype=E4M3), normal(e, n, k, dtype=E4M3)
            of_x, of_w = torch.rand(rows, device="cuda"), torch.rand(e, n, device="cuda")
            return lambda: torch._scaled_grouped_mm(x, w.transpose(-2, -1), of_x, of_w, offs=offsets, out_dtype=BF16,
                                                    use_fast_accum=True)
        yield "torch._scaled_grouped_mm row-wise, codes given", each(copies, make)


def gated_product(s, copies):
    for name, launches in experts_product(s, copies):
        yield name + ", without SwiGLU", launches


def prefill(s, copies, kv_heads, qk, v):
    b, t, past, h = int(s["batch"]), int(s["queries"]), int(s["past"]), int(s["heads"])

    def make(backend, width):
        q, keys = normal(b, h, t, qk), normal(b, kv_heads, past + t, qk)
        values = normal(b, kv_heads, past + t, width)
        how = {"is_causal": True} if past == 0 else {"attn_mask": causal_lower_right(t, past + t)}

        def launch():
            with sdpa_kernel([backend]):
                return F.scaled_dot_product_attention(q, keys, values, enable_gqa=h != kv_heads, **how)
        return launch
    yield "sdpa cudnn", lambda: each(copies, lambda: make(SDPBackend.CUDNN_ATTENTION, v))
    padded = "" if qk == v else ", values padded"
    yield "sdpa flash" + padded, lambda: each(copies, lambda: make(SDPBackend.FLASH_ATTENTION, qk))


def mla_prefill(s, copies):
    return prefill(s, copies, int(s["heads"]), int(s["qk_dim"]), int(s["v_dim"]))


def gqa_prefill(s, copies):
    return prefill(s, copies, int(s["kv_heads"]), int(s["head_dim"]), int(s["head_dim"]))


def splits(batch, groups, length):
    """Enough programs for two on each multiprocessor, no piece shorter than 128."""
    sms = torch.cuda.get_device_properties(0).multi_processor_count
    most = max(1, min(64, length // 128))
    return sorted({min(most, max(1, factor * sms // (batch * groups))) for factor in (1, 2, 4)})


def mla_decode(s, copies):
    b, t, length, h = int(s["batch"]), int(s["queries"]), int(s["past"]) + int(s["queries"]), int(s["heads"])
    if s["cache"] != "bf16" or int(s["v_dim"]) != 512:
        return
    for pieces in splits(b, math.ceil(t * h / 64), length):
        for bn in (32, 64):
            def make(pieces=pieces, bn=bn):
                cache = normal(b, length, int(s["qk_dim"]))
                return decode(normal(b, t, h, int(s["qk_dim"])), cache, cache, 192 ** -0.5, t, True, pieces, bn)
            yield f"Triton split-KV, {pieces} pieces of {bn}", lambda make=make: each(copies, make)


def gqa_decode(s, copies):
    b, t, length = int(s["batch"]), int(s["queries"]), int(s["past"]) + int(s["queries"])
    h, g, d = int(s["heads"]), int(s["kv_heads"]), int(s["head_dim"])
    if s["cache"] != "bf16":
        return
    for pieces in splits(b, g, length):
        def make(pieces=pieces):
            return decode(normal(b, t, h, d), normal(b, length, g, d), normal(b, length, g, d), d ** -0.5, t, False,
                          pieces, 64)
        yield f"Triton split-KV, {pieces} pieces", lambda make=make: each(copies, make)


def norm(s, copies, add):
    rows, width = int(s["tokens"]) * int(s.get("heads", 1)), int(s.get("width", s.get("head_dim", 0)))

    def make():
        x, r, g = normal(rows, width), normal(rows, width), normal(width)
        total, y = empty(rows, width), empty(rows, width)
        warps = 8 if width > 2048 else 4
        return lambda: add_rms_norm_kernel[(rows,)](x, r, g, total, y, width, 1e-6, ADD=add,
                                                    B=triton.next_power_of_2(width), num_warps=warps)
    yield "Triton", each(copies, make)
    if not add:
        def eager():
            x, g = normal(rows, width), normal(width)
            return lambda: F.rms_norm(x, (width,), g, 1e-6)
        yield "F.rms_norm", each(copies, eager)


def add(s, copies):
    def make():
        a, b, y = (normal(int(s["tokens"]), int(s["width"])) for _ in range(3))
        return lambda: torch.add(a, b, out=y)
    yield "torch.add", each(copies, make)


def activation(s, copies, gated):
    rows, width = int(s["rows"]), int(s["width"])
    if rows == 0:
        return

    def make():
        x, y = normal(rows, (2 if gated else 1) * width), empty(rows, width)
        return lambda: activation_kernel[(rows, triton.cdiv(width, 1024))](x, y, width, GATED=gated, B=1024)
    yield "Triton", each(copies, make)


def gather(s, copies):
    rows, tokens, width = int(s["rows"]), int(s["tokens"]), int(s["width"])
    if rows == 0:
        return

    codes = s["format"] == "e4m3"

    def make():
        x, y = normal(tokens, width), empty(rows, width)
        if codes:
            x, y = x.to(E4M3).view(torch.uint8), empty(rows, width, dtype=torch.uint8)
        index = torch.randint(0, tokens, (rows,), device="cuda")
        return lambda: torch.index_select(x, 0, index, out=y)
    yield "torch.index_select" + (", codes alone" if codes else ""), each(copies, make)


def combine(s, copies):
    t, k, width = int(s["tokens"]), int(s["top_k"]), int(s["width"])
    if int(s["rows"]) != t * k:
        return

    def make():
        x, w, y = normal(t, k, width), normal(t, 1, k), empty(t, 1, width)
        return lambda: torch.bmm(w, x, out=y)
    yield "torch.bmm, rows in order", each(copies, make)


def top_k(s, copies, width, name):
    def make():
        x = normal(int(s["tokens"]), width, dtype=F32)
        return lambda: torch.topk(x, int(s["top_k"]), dim=-1, sorted=False)
    if int(s["top_k"]) <= width:
        yield name, each(copies, make)


def conv1d(s, copies):
    tokens, channels, taps = int(s["queries"]), int(s["channels"]), int(s["taps"])
    if int(s["batch"]) != 1 or int(s["past"]) != 0:
        return

    def make():
        x, w, y = normal(tokens, channels), normal(channels, taps), empty(tokens, channels)
        grid = (triton.cdiv(tokens, 16), triton.cdiv(channels, 256))
        return lambda: conv1d_kernel[grid](x, w, y, tokens, channels, TAPS=taps, BT=16, BC=256)
    yield "Triton", each(copies, make)


PEERS = {
    "Linear": dense,
    "HeadLinear": heads_product,
    "GroupedLinear": experts_product,
    "GatedGroupedLinear": gated_product,
    "MlaPrefillAttention": mla_prefill,
    "GqaPrefillAttention": gqa_prefill,
    "MlaDecodeAttention": mla_decode,
    "GqaDecodeAttention": gqa_decode,
    "RmsNorm": lambda s, copies: norm(s, copies, False),
    "AddRmsNorm": lambda s, copies: norm(s, copies, True),
    "Add": add,
    "SwiGlu": lambda s, copies: activation(s, copies, True),
    "SquaredRelu": lambda s, copies: activation(s, copies, False),
    "GatherRows": gather,
    "Combine": combine,
    "IndexTopK": lambda s, copies: top_k(s, copies, int(s["width"]), "torch.topk"),
    "Route": lambda s, copies: top_k(s, copies, int(s["experts"]), "torch.topk alone"),
    "CausalConv1d": conv1d,
}


# ---- checks of our own kernels -----------------------------------------------------------------------------------------

def require_close(name, actual, expected):
    error = ((actual.double() - expected.double()).norm() / expected.double().norm()).item()
    if not error < 1e-2:
        sys.exit(f"peers: {name} is wrong: relative error {error:.3g}")


def check_kernels():
    x, r, g = normal(3, 1000), normal(3, 1000), normal(1000)
    total, y = empty(3, 1000), empty(3, 1000)
    add_rms_norm_kernel[(3,)](x, r, g, total, y, 1000, 1e-6, ADD=True, B=1024)
    require_close("add_rms_norm", y, F.rms_norm(x.float() + r.float(), (1000,), g.float(), 1e-6))
    x = normal(3, 2000)
    activation_kernel[(3, 1)](x, y, 1000, GATED=True, B=1024)
    require_close("swiglu", y, F.silu(x[:, :1000].float()) * x[:, 1000:].float())
    x, w, y = normal(37, 300), normal(300, 4), empty(37, 300)
    conv1d_kernel[(3, 2)](x, w, y, 37, 300, TAPS=4, BT=16, BC=256)
    padded = F.pad(x.float().t(), (3, 0))
    require_close("conv1d", y, F.silu(F.conv1d(padded[None], w.float()[:, None], groups=300)[0].t()))
    for queries in (1, 2):
        see = torch.arange(300, device="cuda")[None, :] <= 300 - queries + torch.arange(queries, device="cuda")[:, None]
        q, cache = normal(2, queries, 128, 576), normal(2, 300, 576)
        s = torch.einsum("bqhd,bnd->bhqn", q.float(), cache.float()) * 192 ** -0.5
        p = torch.softmax(s.masked_fill(~see, -math.inf), -1)
        require_close("mla decode", decode(q, cache, cache, 192 ** -0.5, queries, True, 3, 32)(),
                      torch.einsum("bhqn,bnd->bqhd", p, cache.float()[..., :512]))
        q, k, v = normal(2, queries, 32, 128), normal(2, 300, 2, 128), normal(2, 300, 2, 128)
        s = torch.einsum("bqhd,bnhd->bhqn", q.float(), k.float().repeat_interleave(16, 2)) * 128 ** -0.5
        p = torch.softmax(s.masked_fill(~see, -math.inf), -1)
        require_close("gqa decode", decode(q, k, v, 128 ** -0.5, queries, False, 3, 64)(),
                      torch.einsum("bhqn,bnhd->bqhd", p, v.float().repeat_interleave(16, 2)))


# ---- tables ------------------------------------------------------------------------------------------------------------

def fastest(row):
    """(name, microseconds) of the fastest peer, or what stands in its place."""
    sizes = dict(pair.split("=", 1) for pair in row["sizes"].split(" "))
    if ":" in row["sizes"] or row["operator"] not in PEERS:
        return "", None
    best, refusal = ("", None), ""
    try:
        for name, launches in PEERS[row["operator"]](sizes, int(row["copies"])):
            try:
                micros = microseconds(launches() if callable(launches) else launches)
                if best[1] is None or micros < best[1]:
                    best = (name, micros)
            except Exception as e:  # a backend that does not take the shape says so in its own way
                refusal = f"{name}: {str(e).splitlines()[0][:80]}"
            del launches
            torch.cuda.synchronize()
            torch.cuda.empty_cache()
    except Exception as e:  # no room for the operands
        refusal = str(e).splitlines()[0][:80]
    return best if best[1] is not None else (refusal, None)


def number(text, digits=1):
    return f"{float(text):,.{digits}f}" if text not in ("", None) else "–"


def write(path, joined, device):
    with open(path + ".csv.unfinished", "w", newline="", encoding="utf-8") as file:
        columns = ["operator", "shape", "sizes", "path", "copies", "cache", "limit_us", "bound", "median_us", "ratio",
                   "peer", "peer_us", "of_peer"]
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        table.writerows(joined)
    with open(path + ".md.unfinished", "w", encoding="utf-8") as file:
        file.write(f"Peers: PyTorch {torch.__version__}, Triton {triton.__version__} on {device}, in the same run.\n\n")
        file.write("| operator | shape | cache | limit µs | measured µs | ratio | peer | peer µs | of peer |\n")
        file.write("|---|---|---|---:|---:|---:|---|---:|---:|\n")
        for row in joined:
            file.write("| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n".format(
                row["operator"] + (f", {row['path']}" if row["path"] else ""), row["shape"], row["cache"],
                number(row["limit_us"]), number(row["median_us"]), number(row["ratio"], 2), row["peer"] or "–",
                number(row["peer_us"]), number(row["of_peer"], 2)))
    os.replace(path + ".csv.unfinished", path + ".csv")
    os.replace(path + ".md.unfinished", path + ".md")


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--seconds", type=float, default=math.inf)
    options.add_argument("output")
    options.add_argument("operators", nargs="+")
    options = options.parse_args()
    end = time.monotonic() + options.seconds
    torch.manual_seed(1)
    check_kernels()
    rows = {}
    for name in options.operators:
        with open(name, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                rows.setdefault((row["operator"], row["shape"], row["sizes"], row["path"]), row)
    joined, left, peers = [], 0, {}
    for row in rows.values():
        shape = (row["operator"], row["sizes"], row["copies"])
        if shape not in peers:
            if time.monotonic() > end:
                left += 1
                continue
            peers[shape] = fastest(row)
        peer, micros = peers[shape]
        joined.append({**row, "peer": peer, "peer_us": "" if micros is None else f"{micros:.3f}",
                       "of_peer": "" if micros is None else f"{float(row['median_us']) / micros:.3f}"})
    write(options.output, joined, torch.cuda.get_device_name())
    timed = sum(1 for row in joined if row["peer_us"])
    print(f"{len(joined)} rows, {timed} with a peer, {left} left out for want of time: {options.output}.md")


if __name__ == "__main__":
    main()
