"""What is measured, in order of need: rest, memory traffic, products, and phases of serving."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch

from benchmarks.gpu import kernels
from benchmarks.gpu.meter import graph_s
from benchmarks.gpu.transformer import LLAMA_8B, LLAMA_70B_SHARD, TINY, Shape, Transformer

GIB = 2**30
L2_BYTES = 16 * 2**20
STREAM_BYTES = 4 * GIB
L2_REPEATS = 400
SLEEP_CYCLES = 10_000_000
SLEEP_CYCLES_PER_S = 1.98e9
BUSY = (0.25, 0.5, 0.75)
PROGRAMS = (16, 33, 66, 132, 264)
INNER, OUTER, N_MATRICES = 4096, 14336, 8
ROWS = (1, 8, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
NARROW_ROWS = (1, 8, 32, 128, 512, 2048, 8192)
N_EXPERTS, EXPERT_INNER, EXPERT_OUTER = 128, 2048, 1536
EXPERT_ROWS = (1, 4, 16, 64)
CACHE_BYTES = 50 * GIB

PREFILL = (128, 512, 2048, 8192, 32768)
DECODE = tuple((b, c) for c in (512, 2048, 8192) for b in (1, 8, 32, 64, 128, 256))
MIXED = tuple((b, 2048, chunk) for chunk in (512, 2048) for b in (8, 32, 128))
PAUSED = ((32, 2048, 0), (0, 0, 2048))
ATTENDED = ((8, 8192, 0), (32, 8192, 0), (64, 2048, 0), (64, 8192, 0))
SHARD = (
    (1, 2048, 0), (8, 2048, 0), (32, 2048, 0), (128, 2048, 0), (256, 2048, 0), (64, 8192, 0),
    (0, 0, 512), (0, 0, 2048), (0, 0, 8192), (32, 2048, 2048),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One thing to repeat; empty fields do not apply. step: None is rest."""

    phase: str
    kernel: str
    step: Callable[[], object] | None
    model: str = ""
    tp: int | None = None
    precision: str = ""
    batch: int | None = None
    context_tokens: int | None = None
    prompt_tokens: int | None = None
    rows: int | None = None
    n_programs: int | None = None
    busy_frac: float = 1.0
    cache_bytes: float = 0.0
    flop: float = 0.0
    moved_bytes: float = 0.0


def cases(device: str, *, tiny: bool) -> Iterator[Case]:
    """Every case, its memory made when it is asked for. tiny: dimensions for a CPU."""
    yield Case("rest", "context loaded", None)
    yield from _streams(device, tiny=tiny)
    yield from _products(device, tiny=tiny)
    yield from _serving(TINY if tiny else LLAMA_8B, _plan_8b(), device, tiny=tiny)
    yield from _serving(TINY if tiny else LLAMA_70B_SHARD, SHARD, device, tiny=tiny)
    yield Case("rest", "after work", None)


def _plan_8b() -> tuple[tuple[int, int, int], ...]:
    """Batch, context and prompt of each step."""
    decode = tuple((batch, context, 0) for batch, context in DECODE)
    prompts = tuple((0, 0, prompt) for prompt in PREFILL)
    return decode + prompts + MIXED


def _streams(device: str, *, tiny: bool) -> Iterator[Case]:
    """Clock up and nothing moved; memory read by few and many programs; cache read; a copy."""
    if device == "cuda":
        yield Case("stream", "awake", lambda: torch.cuda._sleep(SLEEP_CYCLES))
    n = 2**12 if tiny else STREAM_BYTES // 4
    low, high = -(2**31), 2**31 - 1
    numbers = torch.randint(low, high, (n,), dtype=torch.int32, device=device)
    out = torch.zeros(1024, dtype=torch.int32, device=device)
    for programs in PROGRAMS:
        yield Case(
            "stream", "read", lambda p=programs: kernels.read(numbers, out, p),
            n_programs=programs, moved_bytes=4 * n,
        )  # fmt: skip
    full = Case(
        "stream", "read", lambda: kernels.read(numbers, out, PROGRAMS[-1]),
        n_programs=PROGRAMS[-1], moved_bytes=4 * n,
    )  # fmt: skip
    yield from _with_pauses(full, device)
    small = numbers[: L2_BYTES // 4]
    for programs in (132, 264):
        yield Case(
            "stream", "read cache", lambda p=programs: kernels.read(small, out, p, L2_REPEATS),
            n_programs=programs, cache_bytes=4.0 * len(small) * L2_REPEATS,
        )  # fmt: skip
    other = torch.empty_like(numbers)
    yield Case("stream", "copy", lambda: other.copy_(numbers), moved_bytes=8 * n)
    numbers.zero_()
    yield Case(
        "stream", "read zeros", lambda: kernels.read(numbers, out, PROGRAMS[-1]),
        n_programs=PROGRAMS[-1], moved_bytes=4 * n,
    )  # fmt: skip


def _with_pauses(case: Case, device: str) -> Iterator[Case]:
    """The same step with a wait after it, the clock kept up, as when the host lets a chip wait."""
    if device != "cuda":
        return
    taken = graph_s(case.step)
    for busy in BUSY:
        cycles = int(taken * (1 / busy - 1) * SLEEP_CYCLES_PER_S)

        def step(cycles: int = cycles) -> None:
            case.step()
            torch.cuda._sleep(cycles)

        yield replace(case, step=step, busy_frac=busy)


def _products(device: str, *, tiny: bool) -> Iterator[Case]:
    """Rows times matrices that no cache holds together, in 16 bits; the largest in 8 bits too."""
    inner, outer, n = (64, 96, 2) if tiny else (INNER, OUTER, N_MATRICES)
    make = {"device": device, "dtype": torch.bfloat16}
    matrices = [torch.empty(outer, inner, **make).normal_() for _ in range(n)]
    for rows in ROWS[:3] if tiny else ROWS:
        x = torch.empty(rows, inner, **make).normal_()
        outs = [torch.empty(rows, outer, **make) for _ in range(n)]
        yield _product("bf16", rows, outs, lambda m, o, x=x: torch.mm(x, m.t(), out=o), matrices)
    x, outs = torch.zeros(rows, inner, **make), outs[:1]
    zeros = [torch.zeros_like(matrices[0])]
    case = _product("bf16", rows, outs, lambda m, o: torch.mm(x, m.t(), out=o), zeros)
    yield replace(case, kernel="product of zeros")
    if device == "cuda":
        yield from _eight_bit(matrices)
        del matrices, outs, x
        yield from _experts(device)


def _eight_bit(matrices: list) -> Iterator[Case]:
    eights = [m.to(torch.float8_e4m3fn) for m in matrices]
    one = torch.ones((), device=eights[0].device)
    for rows in NARROW_ROWS:
        x = torch.randn(rows, INNER, device=one.device).to(torch.float8_e4m3fn)

        def multiply(m, _, x=x):
            return torch._scaled_mm(
                x, m.t(), one, one, out_dtype=torch.bfloat16, use_fast_accum=True
            )

        yield _product("fp8", rows, [None], multiply, eights)


def _experts(device: str) -> Iterator[Case]:
    """The same number of rows times each of many small matrices, in one call."""
    make = {"device": device, "dtype": torch.bfloat16}
    weights = torch.empty(N_EXPERTS, EXPERT_OUTER, EXPERT_INNER, **make).normal_(0, 1)
    for rows in EXPERT_ROWS:
        x = torch.randn(N_EXPERTS * rows, EXPERT_INNER, **make)
        ends = torch.arange(1, N_EXPERTS + 1, device=device, dtype=torch.int32) * rows
        yield Case(
            "product", "experts",
            lambda x=x, ends=ends: torch._grouped_mm(x, weights.transpose(-2, -1), offs=ends),
            precision="bf16", rows=rows,
            flop=2.0 * weights.numel() * rows,
            moved_bytes=2.0 * (weights.numel() + x.numel() + len(x) * EXPERT_OUTER),
        )  # fmt: skip


def _product(precision: str, rows: int, outs: list, multiply: Callable, matrices: list) -> Case:
    outer, inner = matrices[0].shape
    n, width = len(matrices), matrices[0].element_size()

    def step() -> None:
        for place, matrix in enumerate(matrices):
            multiply(matrix, outs[place % len(outs)])

    return Case(
        "product", "product", step, precision=precision, rows=rows,
        flop=2.0 * rows * inner * outer * n,
        moved_bytes=n * (width * (inner * outer + rows * inner) + 2 * rows * outer),
    )  # fmt: skip


def _serving(
    shape: Shape, plan: tuple[tuple[int, int, int], ...], device: str, *, tiny: bool
) -> Iterator[Case]:
    """Steps of a model whose cache fits."""
    room = 4096 if tiny else int(CACHE_BYTES / shape.token_bytes)
    room = min(room, max(batch * context for batch, context, _ in plan))
    model = Transformer(shape, room, device)
    for batch, context, prompt in plan:
        if batch * context > room or (tiny and prompt > 1024):
            continue
        case = _step(model, batch, context, prompt)
        yield case
        if shape.tp == 1 and (batch, context, prompt) in PAUSED:
            yield from _with_pauses(case, device)
        if (batch, context, prompt) in ATTENDED:
            yield _attention(model, batch, context)


def _step(model: Transformer, batch: int, context: int, prompt: int) -> Case:
    shape = model.shape
    ids = torch.randint(shape.vocab, (batch + prompt,), device=model.device)
    return Case(
        ("mixed" if prompt else "decode") if batch else "prefill",
        "step", lambda: model.step(ids, batch, context),
        model=shape.model, tp=shape.tp, precision="bf16", batch=batch,
        context_tokens=context, prompt_tokens=prompt,
        flop=shape.flop(batch, context, prompt),
        moved_bytes=shape.moved_bytes(batch, context, prompt),
    )  # fmt: skip


def _attention(model: Transformer, batch: int, context: int) -> Case:
    """Attention of a decode step alone, all layers."""
    s = model.shape
    qkv = torch.randn(
        batch, s.n_heads + 2 * s.n_kv_heads, s.head_width, device=model.device
    ).bfloat16()
    return Case(
        "attention", "step", lambda: model.attend(qkv, context),
        model=s.model, tp=s.tp, precision="bf16", batch=batch, context_tokens=context,
        prompt_tokens=0,
        flop=4.0 * s.n_heads * s.head_width * batch * context * s.n_layers,
        moved_bytes=s.token_bytes * batch * context,
    )  # fmt: skip
