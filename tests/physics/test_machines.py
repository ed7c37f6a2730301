"""From catalog facts to machines: data sheets, fallbacks, links, and the ratios of paper chips."""

from dataclasses import asdict, fields, replace

import numpy as np
import pytest

from planner.facts.catalog import load_catalog
from planner.facts.ledger import Assumption, Ledger
from planner.physics.efficiency import NAMES, compute_precision, efficiency, groups, model_kind
from planner.physics.layout import Layout
from planner.physics.machines import (
    ARITHMETIC,
    assembled,
    fallback_caveat,
    machines,
    sheet,
    speed_name,
    stacked_sheets,
)
from planner.physics.phases import step_time
from planner.physics.profile import profile
from planner.physics.transformer import decode_work, prefill_work
from tests.physics.stand_ins import USUAL

CATALOG = load_catalog()
CHIPS, MODELS, CALIBRATION = CATALOG.accelerators, CATALOG.models, CATALOG.calibration
TIMED = sorted(
    name
    for name, chip in CHIPS.items()
    if not chip.why_not("timing") and compute_precision(chip, "bf16")
)


def fact(name):
    return CATALOG.fact(name).value


def of(name, weights="bf16"):
    return sheet(CHIPS[name], weights, fact)


class TestDataSheets:
    def test_h100_at_eight_bits(self):
        found = of("h100-sxm", "fp8")
        assert found.flop_per_s["fp8"] == pytest.approx(1978.9e12)
        assert found.flop_per_s["bf16"] == pytest.approx(989.4e12)
        assert found.memory_bytes_per_s == pytest.approx(3.35e12)
        assert found.memory_bytes == pytest.approx(80e9)

    @pytest.mark.parametrize("weights", ["fp4", "mxfp4"])
    def test_b200_at_four_bits_keeps_attention_at_sixteen(self, weights):
        rates = of("b200-sxm", weights).flop_per_s
        assert rates["fp4"] == pytest.approx(9e15)
        assert rates["bf16"] == pytest.approx(2.25e15)

    @pytest.mark.parametrize("weights", ["fp4", "mxfp4"])
    def test_h100_multiplies_four_bit_weights_at_its_sixteen_bit_rate(self, weights):
        rates = of("h100-sxm", weights).flop_per_s
        assert rates["fp4"] == rates["bf16"] == pytest.approx(989.4e12)

    @pytest.mark.parametrize("name", TIMED)
    def test_every_chip_has_a_rate_for_every_precision(self, name):
        found = of(name)
        assert found.flop_per_s.keys() == set(ARITHMETIC)
        assert all(rate > 0 for rate in found.flop_per_s.values())
        assert found.domain_chips >= 1

    def test_a_chip_that_cannot_multiply_has_no_rate(self):
        assert np.isnan(of("crescent-island").flop_per_s["bf16"])


class TestCaveats:
    @pytest.mark.parametrize(
        ("chip", "asked", "sentence"),
        [
            ("h100-sxm", "fp4", "H100 80GB SXM5 has no fp4 arithmetic; its bf16 rate is used."),
            ("a100-80-sxm", "fp8", "A100 80GB SXM4 has no fp8 arithmetic; its int8 rate is used."),
            ("h100-sxm", "fp8", ""),
            ("spad-prefill", "fp8", ""),
        ],
    )
    def test_a_fallback_is_said(self, chip, asked, sentence):
        assert fallback_caveat(CHIPS[chip], asked) == sentence


class TestLinks:
    @pytest.mark.parametrize(
        ("chip", "domain", "inside", "outside"),
        [
            ("h100-sxm", 8, 450e9, 50e9),  # NVLink in a server of eight; 400 Gb/s to the next
            ("gb200-nvl72", 72, 900e9, 50e9),  # one rack
        ],
    )
    def test_within_the_scale_up_domain_and_beyond_it(self, chip, domain, inside, outside):
        found = of(chip)
        assert found.domain_chips == domain
        assert found.inside_bytes_per_s == pytest.approx(inside)
        assert found.outside_bytes_per_s == pytest.approx(outside)

    def test_an_unpublished_link_takes_the_estimate(self):
        assert CHIPS["sn40l"].scale_up_bytes_per_s is None
        assert of("sn40l").inside_bytes_per_s == fact("estimates.serving.link_bytes_per_s")

    def test_a_chip_without_a_domain_stands_alone(self):
        loner = replace(CHIPS["h100-sxm"], scale_up_domain=None)
        assert sheet(loner, "bf16", fact).domain_chips == 1

    def test_are_reached_in_part_and_start_late(self):
        links = assembled(of("h100-sxm"), USUAL).links
        assert links.inside_bytes_per_s == pytest.approx(0.3 * 450e9)
        assert links.outside_bytes_per_s == pytest.approx(0.3 * 50e9)
        assert links.latency_s == 15e-6


class TestPaperChips:
    """SPAD, table 3: prefill chip 1.08 and 0.80, decode chip 0.69 and 0.97 of its own H100."""

    @pytest.mark.parametrize(
        ("chip", "prefill", "decode"), [("spad-prefill", 1.08, 0.80), ("spad-decode", 0.69, 0.97)]
    )
    @pytest.mark.parametrize("precision", ["bf16", "fp8"])
    def test_their_published_ratios_hold(self, chip, prefill, decode, precision):
        own, base = of(chip, precision), of("spad-h100", precision)
        ratio = own.flop_per_s[precision] / base.flop_per_s[precision]
        assert ratio == pytest.approx(prefill, rel=1e-3)
        assert own.memory_bytes_per_s / base.memory_bytes_per_s == pytest.approx(decode)

    def test_eight_bits_are_twice_as_fast_as_sixteen(self):
        rates = of("spad-decode").flop_per_s
        assert rates["fp8"] == 2 * rates["bf16"]


def fitted(chip, model, weights):
    return efficiency(
        lambda name: CALIBRATION.numbers[name].at(
            groups(model_kind(model), chip, weights, release=CALIBRATION.latest_release)
        )
    )


class TestRegister:
    """Machines from a register in which each calibrated number is its place in the list."""

    LEDGER = Ledger(
        lambda name: (
            Assumption(name, 1.0 + NAMES.index(name.split(".")[1]), "1", 0, 99, "measured", "here")
            if name.startswith("calibration.")
            else Assumption.of(name, CATALOG.fact(name))
        )
    )

    def test_a_number_is_looked_up_for_chip_kind_and_checkpoint(self):
        asked = []

        def find(name):
            asked.append(name)
            return self.LEDGER.find(name)

        machines([(CHIPS["h100-sxm"], "latent", "fp8")], Ledger(find))
        assert {f"calibration.{name}.h100-sxm.latent.fp8" for name in NAMES} <= set(asked)

    def test_each_number_lands_in_its_own_field(self):
        made = machines([(CHIPS["h100-sxm"], "dense", "bf16")], self.LEDGER)
        found = [float(value[0]) for value in asdict(made.efficiency).values()]
        assert found == [1.0 + place for place in range(len(NAMES))]

    def test_rows_are_the_machines_one_by_one(self):
        names = ["h100-sxm", "mi300x", "gb200-nvl72", "spad-decode"]
        pairs = [(CHIPS[name], "experts", "fp8") for name in names]
        made = machines(pairs, self.LEDGER)
        for row, pair in enumerate(pairs):
            alone = machines([pair], self.LEDGER)
            assert made.memory_bytes_per_s[row] == alone.memory_bytes_per_s[0]
            assert made.memory_bytes[row] == alone.memory_bytes[0]
            for precision in ARITHMETIC:
                assert made.flop_per_s[precision][row] == alone.flop_per_s[precision][0]
            for field in fields(made.links):
                value = getattr(made.links, field.name)
                assert value[row] == getattr(alone.links, field.name)[0]


def test_sheets_stack_in_any_order():
    names = ["h100-sxm", "b200-sxm", "a100-80-sxm"]
    which = np.array([2, 0, 0, 1])
    many = stacked_sheets([of(name) for name in names], which)
    for place, chip in enumerate(which):
        own = of(names[chip])
        assert many.memory_bytes_per_s[place] == own.memory_bytes_per_s
        assert {k: rates[place] for k, rates in many.flop_per_s.items()} == own.flop_per_s


def test_a_column_of_machines_stands_against_a_row():
    pairs = [(CHIPS[name], "dense", "bf16") for name in ("h100-sxm", "mi300x")]
    made = machines(pairs, TestRegister.LEDGER).column()
    assert made.memory_bytes_per_s.shape == (2, 1)
    assert made.flop_per_s["bf16"].shape == made.links.latency_s.shape == (2, 1)
    assert made.efficiency.slowdown.shape == (2, 1)


def test_the_register_tells_the_speed_of_each_chip():
    assert speed_name("h100-sxm") == "calibration.speed.h100-sxm_frac"


MEASURED = sorted(CALIBRATION.measured_chips)
SERVED = [
    ("llama-3.1-8b", Layout()),
    ("llama-3.1-405b", Layout(tp=16.0)),
    ("mixtral-8x22b", Layout(tp=8.0, ep=8.0)),
    ("qwen3-30b-a3b", Layout()),
    ("deepseek-v3", Layout(attention_dp=16.0, ep=16.0)),
    ("deepseek-v3.2", Layout(attention_dp=16.0, ep=16.0)),
    ("qwen3-next-80b-a3b", Layout(attention_dp=4.0, ep=4.0)),
]


def shortest_and_peak_s(chip, name, layout, weights):
    """Steps of every kind and size: time as fitted, and the roofline at all of every peak."""
    model, held = MODELS[name], profile(MODELS[name], weights, "bf16")
    made = assembled(of(chip, weights), fitted(CHIPS[chip], model, weights))
    sizes = 4.0 ** np.arange(9)
    for work in (
        decode_work(held, sizes, 100),
        decode_work(held, sizes[:6], 32_000),
        prefill_work(held, sizes),
    ):
        step = step_time(held, made, layout, work)
        yield step.total_s, np.maximum(step.peak_compute_s, step.peak_memory_s)


@pytest.mark.parametrize("chip", MEASURED)
@pytest.mark.parametrize(("name", "layout"), SERVED)
def test_no_fitted_step_is_faster_than_the_peaks_of_its_chip(chip, name, layout):
    for weights in ("bf16", "fp8", "fp4"):
        for fitted_s, peak_s in shortest_and_peak_s(chip, name, layout, weights):
            assert np.all(fitted_s >= peak_s)
