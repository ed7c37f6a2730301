"""The time of random steps against a twin that walks layers, chips and messages one by one."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from planner.facts.catalog import load_catalog
from planner.physics.efficiency import efficiency
from planner.physics.layout import Layout
from planner.physics.machines import assembled, sheet
from planner.physics.phases import step_time
from planner.physics.profile import profile
from planner.physics.transformer import decode_work, mixed_work, prefill_work
from tests.oracle import step_twin
from tests.oracle.transformer_twin import Sequence

CATALOG = load_catalog()
MODELS = sorted(name for name, model in CATALOG.models.items() if not model.missing)
CHIPS = sorted(
    name
    for name, chip in CATALOG.accelerators.items()
    if not chip.why_not("timing") and chip.prefill_perf_frac is None
    and {"bf16", "fp8", "int8"} & chip.flop_per_s.keys()
)  # fmt: skip
FORMATS = ("bf16", "fp8", "int8", "fp4", "mxfp4", "int4")
ESTIMATE = "estimates.serving.link_bytes_per_s"


def number(name):
    return CATALOG.fact(name).value


def drawn_share(name, rng):
    """Any value that a fit may find, and the ends of the ranges."""
    if name in ("roof_order", "launch_order"):
        return float(rng.choice([1, 1.7, 3, 12, np.inf]))
    if name in ("slowdown", "expert_imbalance"):
        return rng.uniform(0.3, 3)
    if name == "expert_padding_rows":
        return float(rng.choice([0, 32, 100]))
    if name.endswith("_s"):
        return float(rng.choice([0, 10 ** rng.uniform(-7, -3)]))
    return rng.uniform(0.05, 1)


def drawn_chip(rng, weights):
    """A chip of the catalog for the planner and for the twin, in domains of any size."""
    chip = CATALOG.accelerators[rng.choice(CHIPS)]
    domain = int(rng.choice([1, 2, 4, 8, 72]))
    peaks = replace(sheet(chip, weights, number), domain_chips=float(domain))
    published = {name: rate.value for name, rate in chip.flop_per_s.items()}
    up, out = chip.scale_up_bytes_per_s, chip.scale_out_bytes_per_s
    return peaks, step_twin.Chip(
        flop_per_s=published,
        memory_bytes_per_s=chip.memory_bytes_per_s.value,
        domain=domain,
        inside_bytes_per_s=up.value if up else number(ESTIMATE),
        outside_bytes_per_s=out.value if out else number(ESTIMATE),
    )


def drawn_step(rng, held):
    """A decode, a prefill or a mixed step: for the planner, and as single sequences."""
    batch, context, new = rng.integers(1, 40), rng.integers(0, 4000), int(rng.choice([1, 1, 1, 3]))
    chunks, chunk, before = rng.integers(1, 4), rng.integers(1, 400), rng.integers(0, 3000)
    ends = int(rng.choice([0, 1]))
    answers = [Sequence(new, int(context), True, new)] * batch
    prompts = [Sequence(int(chunk), int(before), False, ends)] * chunks
    kind = rng.choice(["decode", "prefill", "mixed"])
    if kind == "decode":
        return decode_work(held, batch, context, tokens_per_sequence=new), answers
    if kind == "prefill":
        return prefill_work(held, chunk, before, sequences=chunks, sampled=ends), prompts
    work = mixed_work(
        held, batch, context, chunk, before,
        tokens_per_sequence=new, chunks=chunks, chunk_sampled=ends,
    )  # fmt: skip
    return work, answers + prompts


def drawn_layout(rng):
    tp, groups = int(rng.choice([1, 2, 4, 8])), int(rng.choice([1, 1, 2, 8]))
    spread = int(rng.choice([1, tp * groups]))
    return {"tp": tp, "attention_dp": groups, "ep": spread, "pp": int(rng.choice([1, 1, 2, 4]))}


def both_times_s(seed):
    """The same random step by the planner and by the twin."""
    rng = np.random.default_rng(seed)
    model = CATALOG.models[rng.choice(MODELS)]
    weights, kv = str(rng.choice(FORMATS)), str(rng.choice(["bf16", "fp8"]))
    held, layout = profile(model, weights, kv), drawn_layout(rng)
    peaks, chip = drawn_chip(rng, weights)
    reached = efficiency(lambda name: drawn_share(name, rng))
    work, sequences = drawn_step(rng, held)
    ours = step_time(held, assembled(peaks, reached), Layout(**layout), work).total_s
    plain = asdict(reached)
    return float(ours), step_twin.time_s(model, sequences, weights, kv, chip, plain, layout)


@pytest.mark.parametrize("hundred", range(4))
def test_a_step_takes_what_its_twin_says(hundred):
    for seed in range(100 * hundred, 100 * hundred + 100):
        ours, twins = both_times_s(seed)
        assert ours == pytest.approx(twins, rel=1e-9), seed


@pytest.mark.sweep
@pytest.mark.parametrize("hundred", range(4, 64))
def test_thousands_of_steps_take_what_their_twins_say(hundred):
    for seed in range(100 * hundred, 100 * hundred + 100):
        ours, twins = both_times_s(seed)
        assert ours == pytest.approx(twins, rel=1e-9), seed
