"""From catalog facts to machines: data sheets, fallbacks, links, and the ratios of paper chips."""

from dataclasses import fields

import numpy as np
import pytest

from planner.decision.assumptions import ledger_of
from planner.demand.scenario import Scenario
from planner.facts.catalog import load_catalog
from planner.physics.machines import compute_precision, fallback_caveat, machine, speed_name

CATALOG = load_catalog()
CHIPS = CATALOG.accelerators
LEDGER = ledger_of(Scenario(profile="axiom"), CATALOG)
TIMED = sorted(
    name
    for name, chip in CHIPS.items()
    if not chip.why_not("timing") and compute_precision(chip, "bf16")
)


def one(name, weights="bf16", n=1):
    made = machine([CHIPS[name]], [n], weights, LEDGER)
    return {f.name: float(np.ravel(getattr(made, f.name))[0]) for f in fields(made)}


class TestPrecision:
    @pytest.mark.parametrize(
        ("chip", "asked", "used"),
        [
            ("h100-sxm", "bf16", "bf16"),
            ("h100-sxm", "fp8", "fp8"),
            ("h100-sxm", "fp4", "fp8"),
            ("b200-sxm", "fp4", "fp4"),
            ("sn40l", "fp4", "bf16"),
            ("groq3-lpu", "bf16", "fp8"),
            ("crescent-island", "fp8", ""),
        ],
    )
    def test_a_chip_computes_in_the_next_precision_it_has(self, chip, asked, used):
        assert compute_precision(CHIPS[chip], asked) == used

    def test_a_fallback_is_said(self):
        sentence = fallback_caveat(CHIPS["h100-sxm"], "fp4")
        assert sentence == "H100 80GB SXM5 has no fp4 arithmetic; its fp8 rate is used."

    @pytest.mark.parametrize(("chip", "asked"), [("h100-sxm", "fp8"), ("spad-prefill", "fp8")])
    def test_nothing_is_said_where_nothing_falls_back(self, chip, asked):
        assert fallback_caveat(CHIPS[chip], asked) == ""


class TestDataSheets:
    def test_h100_at_eight_bits(self):
        made = one("h100-sxm", "fp8")
        assert made["flop_per_s"] == pytest.approx(1978.9e12)
        assert made["wide_flop_per_s"] == pytest.approx(989.4e12)
        assert made["memory_bytes_per_s"] == pytest.approx(3.35e12)
        assert made["memory_bytes"] == pytest.approx(80e9)

    def test_b200_at_four_bits_keeps_attention_at_sixteen(self):
        made = one("b200-sxm", "fp4")
        assert made["flop_per_s"] == pytest.approx(9e15)
        assert made["wide_flop_per_s"] == pytest.approx(2.25e15)

    @pytest.mark.parametrize("name", TIMED)
    def test_serving_never_reaches_more_than_the_peak(self, name):
        made = one(name)
        assert 0 < made["compute_frac"] <= 1
        assert 0 < made["memory_frac"] <= 1
        assert min(made.values()) >= 0


class TestLinks:
    @pytest.mark.parametrize(
        ("chip", "n", "gigabytes_per_s"),
        [
            ("h100-sxm", 8, 450),  # NVLink inside a server of eight
            ("h100-sxm", 16, 50),  # 400 Gb/s to the next server
            ("gb200-nvl72", 32, 900),  # all inside one rack
            ("l40s", 2, 25),
        ],
    )
    def test_groups_beyond_the_scale_up_domain_talk_over_the_network(
        self, chip, n, gigabytes_per_s
    ):
        assert one(chip, n=n)["link_bytes_per_s"] == gigabytes_per_s * 1e9

    def test_an_unpublished_link_takes_the_estimate(self):
        assumed = CATALOG.number("calibration.link_bytes_per_s").value
        assert one("sn40l", n=2)["link_bytes_per_s"] == assumed


class TestMeasuredSpeed:
    def test_a_measured_chip_has_its_own(self):
        assert speed_name("h100-sxm", LEDGER) == "calibration.speed.h100-sxm_frac"

    def test_any_other_chip_takes_that_of_the_others(self):
        assert speed_name("gaudi3", LEDGER) == "calibration.speed.other_frac"


class TestPaperChips:
    """SPAD, table 3: prefill chip 1.08 and 0.80, decode chip 0.69 and 0.97 of its own H100."""

    @pytest.mark.parametrize(
        ("chip", "prefill", "decode"), [("spad-prefill", 1.08, 0.80), ("spad-decode", 0.69, 0.97)]
    )
    def test_their_published_ratios_hold(self, chip, prefill, decode):
        own, base = one(chip), one("spad-h100")
        assert own["flop_per_s"] / base["flop_per_s"] == pytest.approx(prefill)
        assert own["memory_bytes_per_s"] / base["memory_bytes_per_s"] == pytest.approx(decode)
        assert own["compute_frac"] == base["compute_frac"]
        assert own["memory_frac"] == base["memory_frac"]

    def test_eight_bits_are_twice_as_fast_as_sixteen(self):
        narrow, wide = one("spad-decode", "fp8"), one("spad-decode", "bf16")
        assert narrow["flop_per_s"] == 2 * wide["flop_per_s"]
        assert narrow["wide_flop_per_s"] == wide["flop_per_s"]


def test_rows_are_the_machines_one_by_one():
    names, counts = ["h100-sxm", "mi300x", "gb200-nvl72"], [1, 8, 32]
    made = machine([CHIPS[name] for name in names], counts, "fp8", LEDGER)
    for row, (name, n) in enumerate(zip(names, counts, strict=True)):
        for field, value in one(name, "fp8", n).items():
            assert np.broadcast_to(getattr(made, field), (3,))[row] == value


def test_every_machine_needs_its_count():
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        machine([CHIPS["h100-sxm"], CHIPS["mi300x"]], [1], "bf16", LEDGER)
