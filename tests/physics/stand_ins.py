"""Machines and models for tests that compute by hand: the data sheet of an H100, reached whole or
in part, and steps of catalog models on it."""

from dataclasses import replace

from planner.facts.catalog import load_catalog
from planner.physics.efficiency import NAMES, efficiency
from planner.physics.layout import Layout
from planner.physics.machines import Sheet, assembled
from planner.physics.phases import step_time
from planner.physics.profile import profile
from planner.physics.transformer import decode_work, prefill_work

SHEET = Sheet(
    flop_per_s={"bf16": 989.4e12, "fp8": 1978.9e12, "int8": 1978.9e12, "fp4": 989.4e12},
    memory_bytes_per_s=3.35e12,
    memory_bytes=80e9,
    domain_chips=8.0,
    inside_bytes_per_s=450e9,
    outside_bytes_per_s=50e9,
)


def perfect(name):
    """All of a share, nothing of an overhead, and the plain maximum of bounds."""
    if name.endswith("_order"):
        return float("inf")
    return float(name.endswith("_frac") or name in ("slowdown", "expert_imbalance"))


WHOLE = efficiency(perfect)
"""All of every peak, and nothing beside it."""

USUAL = replace(
    WHOLE,
    compute_frac=0.6,
    expert_compute_frac=0.6,
    attention_compute_frac=0.6,
    memory_frac=0.8,
    expert_memory_frac=0.8,
    cache_memory_frac=0.8,
    link_frac=0.3,
    link_latency_s=15e-6,
    layer_overhead_s=40e-6,
    iteration_overhead_s=0.5e-3,
    roof_order=3.0,
)
REACHED = set(NAMES)
SHARES = sorted(name for name in REACHED if name.endswith("_frac") and name != "matching_frac")
WAITS = sorted(
    name
    for name in REACHED
    if name.endswith(("_s", "_rows")) and name not in ("handoff_s", "request_overhead_s")
)
"""Overheads of a step; those left out are of a request."""

RATES = ("flop_per_s", "memory_bytes_per_s", "inside_bytes_per_s", "outside_bytes_per_s")
ONE = Layout()


def h100(reached=USUAL, **changes):
    """The H100 with some numbers of its data sheet, or of what is reached of it, changed."""
    shares = {name: changes.pop(name) for name in REACHED & changes.keys()}
    return assembled(replace(SHEET, **changes), replace(reached, **shares))


def times(factor, name):
    """A rate of the data sheet, or a number of the usual shares, multiplied: {name: value}."""
    if name == "flop_per_s":
        return {name: {key: rate * factor for key, rate in SHEET.flop_per_s.items()}}
    return {name: getattr(USUAL if name in REACHED else SHEET, name) * factor}


def of(model, weights="bf16", kv="bf16"):
    """The numbers of a catalog model in a checkpoint."""
    return profile(MODELS[model], weights, kv)


MODELS = load_catalog().models
IDEAL, PLAIN = h100(WHOLE), h100()
LLAMA_8B, LLAMA_70B, MIXTRAL = of("llama-3.1-8b"), of("llama-3.3-70b"), of("mixtral-8x7b")
DEEPSEEK = of("deepseek-v3", "fp8")


def decode(machine=PLAIN, batch=1, context=1000, held=LLAMA_8B, layout=ONE):
    return step_time(held, machine, layout, decode_work(held, batch, context))


def prefill(machine=PLAIN, tokens=1000, held=LLAMA_8B, layout=ONE):
    return step_time(held, machine, layout, prefill_work(held, tokens))
