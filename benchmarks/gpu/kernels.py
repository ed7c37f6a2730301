"""The small kernels between the products of a transformer, and a reader of memory, in Triton.

On a machine without CUDA plain PyTorch stands in, so that the model can be tried with tiny
dimensions; `check` sets one beside the other.
"""

import torch
from torch import Tensor

try:
    import triton
    import triton.language as tl
except ImportError:  # a machine without CUDA
    triton = None

EPS = 1e-5
READ_BLOCK = 8192
READ_WARPS = 16

if triton is not None:

    @triton.jit
    def _rms_norm(x, weight, out, width, BLOCK: tl.constexpr, EPSILON: tl.constexpr):
        row = tl.program_id(0).to(tl.int64)
        at = tl.arange(0, BLOCK)
        held = tl.load(x + row * width + at, mask=at < width, other=0.0).to(tl.float32)
        scale = tl.rsqrt(tl.sum(held * held, axis=0) / width + EPSILON)
        by = tl.load(weight + at, mask=at < width, other=0.0).to(tl.float32)
        tl.store(out + row * width + at, (held * scale * by).to(tl.bfloat16), mask=at < width)

    @triton.jit
    def _gated(both, out, width, BLOCK: tl.constexpr):
        row = tl.program_id(0).to(tl.int64)
        at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
        gate = tl.load(both + row * 2 * width + at, mask=at < width, other=0.0).to(tl.float32)
        up = tl.load(both + row * 2 * width + width + at, mask=at < width, other=0.0)
        made = gate * tl.sigmoid(gate) * up.to(tl.float32)
        tl.store(out + row * width + at, made.to(tl.bfloat16), mask=at < width)

    @triton.jit
    def _rotate(
        qkv, q, k, v, cos, sin, first_position, position_step, row_stride, head_stride, place,
        N_Q: tl.constexpr, N_KV: tl.constexpr, HALF: tl.constexpr,
    ):  # fmt: skip
        row, head = tl.program_id(0).to(tl.int64), tl.program_id(1)
        at = tl.arange(0, HALF)
        come = qkv + (row * (N_Q + 2 * N_KV) + head) * 2 * HALF
        low, high = tl.load(come + at).to(tl.float32), tl.load(come + HALF + at).to(tl.float32)
        angle = (first_position + row * position_step) * HALF + at
        c, s = tl.load(cos + angle), tl.load(sin + angle)
        if head < N_Q:
            go = q + (row * N_Q + head) * 2 * HALF
        elif head < N_Q + N_KV:
            go = k + row * row_stride + (head - N_Q) * head_stride + place
        else:
            go = v + row * row_stride + (head - N_Q - N_KV) * head_stride + place
            c, s = c * 0 + 1, s * 0
        tl.store(go + at, (low * c - high * s).to(tl.bfloat16))
        tl.store(go + HALF + at, (high * c + low * s).to(tl.bfloat16))

    @triton.jit
    def _read(x, out, n, repeats, BLOCK: tl.constexpr):
        at = tl.arange(0, BLOCK)
        total = tl.zeros((BLOCK,), dtype=tl.int32)
        for turn in range(repeats):
            first = (tl.program_id(0) + turn) % tl.num_programs(0)
            for start in range(first * BLOCK, n, tl.num_programs(0) * BLOCK):
                total += tl.load(x + start + at, cache_modifier=".cg")
        tl.store(out + tl.program_id(0), tl.sum(total, axis=0))


def rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    """Rows over their root mean square, times a weight. x: (rows, width)."""
    if not x.is_cuda:
        return torch.nn.functional.rms_norm(x, x.shape[1:], weight, EPS)
    out, width = torch.empty_like(x), x.shape[1]
    block = triton.next_power_of_2(width)
    _rms_norm[(len(x),)](x, weight, out, width, BLOCK=block, EPSILON=EPS, num_warps=8)
    return out


def gated(both: Tensor) -> Tensor:
    """SiLU of the first half of each row times its second half. both: (rows, 2 width)."""
    width = both.shape[1] // 2
    if not both.is_cuda:
        return torch.nn.functional.silu(both[:, :width]) * both[:, width:]
    out, block = both.new_empty((len(both), width)), 1024
    _gated[(len(both), triton.cdiv(width, block))](both, out, width, BLOCK=block)
    return out


def rotated(qkv: Tensor, k: Tensor, v: Tensor, table: tuple[Tensor, Tensor], start: int, *, place):
    """Rotary positions; keys and values go to where attention reads them. Returns: the queries.

    qkv: (rows, heads of q, k and v, width of a head). k, v: (rows, kv heads, entries, width) to
    write entry `place` of, or (1, kv heads, rows, width) where place is None. start: position of
    all rows, or of the first where place is None.
    """
    n_kv, width = k.shape[1], k.shape[-1]
    rows, n_q = len(qkv), qkv.shape[1] - 2 * n_kv
    prompt = place is None
    if not qkv.is_cuda:
        return _rotated_plainly(qkv, k, v, table, start, place)
    q = qkv.new_empty((rows, n_q, width))
    _rotate[(rows, qkv.shape[1])](
        qkv, q, k, v, *table, start, int(prompt), k.stride(2 if prompt else 0), k.stride(1),
        0 if prompt else place * k.stride(2), N_Q=n_q, N_KV=n_kv, HALF=width // 2, num_warps=1,
    )  # fmt: skip
    return q


def _rotated_plainly(qkv, k, v, table, start, place):
    n_kv, half = k.shape[1], k.shape[-1] // 2
    at = start + torch.arange(len(qkv)) if place is None else torch.full((len(qkv),), start)
    cos, sin = (each[at][:, None, :].to(qkv.device) for each in table)
    turned, values = qkv[:, :-n_kv].float(), qkv[:, -n_kv:]
    low, high = turned[..., :half], turned[..., half:]
    turned = torch.cat([low * cos - high * sin, high * cos + low * sin], -1).to(qkv.dtype)
    q, keys = turned[:, :-n_kv], turned[:, -n_kv:]
    if place is None:
        k[0].copy_(keys.transpose(0, 1))
        v[0].copy_(values.transpose(0, 1))
    else:
        k[:, :, place] = keys
        v[:, :, place] = values
    return q


def read(x: Tensor, out: Tensor, n_programs: int, repeats: int = 1) -> None:
    """Read a tensor of 32-bit numbers as often as asked, past the first cache, adding them up."""
    if not x.is_cuda:
        out[0] = x.sum()
        return
    _read[(n_programs,)](x, out, x.numel(), repeats, BLOCK=READ_BLOCK, num_warps=READ_WARPS)


def check(device: str) -> dict[str, float]:
    """Relative difference of each kernel from plain PyTorch on random rows; for the log."""
    make = {"device": device, "dtype": torch.bfloat16}
    x, weight = torch.randn(7, 4096, **make), torch.randn(4096, **make)
    both = torch.randn(7, 2 * 3584, **make)
    qkv = torch.randn(5, 32 + 16, 128, **make)
    table = rotary_table(64, 128, device)
    spots = [torch.zeros(5, 8, 16, 128, **make) for _ in range(4)]
    prompt = [torch.zeros(1, 8, 5, 128, **make) for _ in range(4)]
    numbers = torch.randint(-9, 9, (4 * READ_BLOCK * 132,), dtype=torch.int32, device=device)
    summed = torch.zeros(264, dtype=torch.int32, device=device)
    read(numbers, summed, 264, 2)
    near = {
        "rms_norm": (rms_norm(x, weight), rms_norm(x.cpu(), weight.cpu())),
        "gated": (gated(both), gated(both.cpu())),
        "read": (summed.sum()[None], 2 * numbers.sum()[None].cpu()),
    }
    for name, held, place in (("decode", spots, 15), ("prompt", prompt, None)):
        ours = rotated(qkv, *held[:2], table, 15, place=place)
        plain = [each.cpu() for each in held[2:]]
        q = rotated(qkv.cpu(), *plain, tuple(t.cpu() for t in table), 15, place=place)
        near |= {f"rotated {name}": (ours, q), f"keys {name}": (held[0], plain[0])}
        near[f"values {name}"] = (held[1], plain[1])
    return {name: _distance(*pair) for name, pair in near.items()}


def _distance(ours: Tensor, plain: Tensor) -> float:
    ours, plain = ours.cpu().double(), plain.cpu().double()
    return float((ours - plain).norm() / plain.norm())


def rotary_table(n_positions: int, width: int, device: str) -> tuple[Tensor, Tensor]:
    """Cosine and sine by position and pair of a head's width, as Llama 3 has them."""
    pairs = torch.arange(width // 2, device=device, dtype=torch.float32)
    angle = torch.arange(n_positions, device=device)[:, None] * 500_000.0 ** (-2 * pairs / width)
    return angle.cos().contiguous(), angle.sin().contiguous()
