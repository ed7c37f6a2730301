"""Published figures of the accelerators, and who can get which."""

import math

import pytest

from planner.errors import CatalogError
from planner.facts.accelerators import ACCESS, PRECISIONS, STATUS, accelerators_from
from planner.facts.catalog import load_catalog

TERA, GIGA = 1e12, 1e9
CHIPS = load_catalog().accelerators

# The maker's own sheets and architecture papers, dense.
DENSE_TFLOPS = {
    ("h100-sxm", "bf16"): 989.4,
    ("h100-sxm", "fp8"): 1978.9,
    ("h200-sxm", "bf16"): 989.4,
    ("b200-sxm", "bf16"): 2250,
    ("b200-sxm", "fp4"): 9000,
    ("gb200-nvl72", "bf16"): 2500,
    ("gb200-nvl72", "fp4"): 10000,
    ("mi300x", "bf16"): 1307.4,
    ("mi300x", "fp8"): 2614.9,
    ("mi355x", "fp8"): 5033.2,
    ("tpu-v6e", "bf16"): 918,
    ("tpu7x", "fp8"): 4614,
    ("trainium3", "fp8"): 2517,
    ("maia-200", "fp4"): 10145,
    ("groq-lpu-v1", "int8"): 750,
    ("spad-prefill", "bf16"): 1920,
    ("spad-decode", "bf16"): 540,
}

# What the same makers print for two-to-four sparsity, or as a headline without saying.
SPARSE_TFLOPS = {
    ("a100-80-sxm", "bf16"): 624,
    ("h100-sxm", "bf16"): 1978.9,
    ("h100-sxm", "fp8"): 3957.8,
    ("h200-sxm", "fp8"): 3957.8,
    ("l40s", "fp8"): 1466,
    ("b200-sxm", "fp8"): 9000,
    ("b200-sxm", "fp4"): 18000,
    ("gb200-nvl72", "fp8"): 10000,
    ("gb200-nvl72", "fp4"): 20000,
    ("rtx-pro-6000-se", "fp4"): 4000,
    ("mi300x", "bf16"): 2614.9,
    ("mi300x", "fp8"): 5229.8,
    ("mi355x", "bf16"): 5033,
    ("mi355x", "fp8"): 10066,
    ("mi455x", "fp4"): 40300,
    ("mi455x", "fp8"): 20100,
    ("rubin-vr200", "fp4"): 50000,
    ("rubin-cpx", "fp4"): 30000,
}

ARTICLE = {
    "h100-sxm": "buy",
    "h200-sxm": "buy",
    "b200-sxm": "buy",
    "gb200-nvl72": "buy",
    "mi300x": "buy",
    "mi350x": "buy",
    "mi355x": "buy",
    "tpu-v5e": "rent",
    "tpu-v5p": "rent",
    "tpu-v6e": "rent",
    "tpu7x": "rent",
    "trainium3": "rent",
    "mtia-v2": "captive",
    "mtia-300": "captive",
    "maia-200": "captive",
    "groq-lpu-v1": "rent",
    "spad-prefill": "paper",
    "spad-decode": "paper",
}


@pytest.mark.parametrize("key", DENSE_TFLOPS, ids="-".join)
def test_dense_peak_is_the_published_one(key):
    chip, precision = key
    assert CHIPS[chip].flop_per_s[precision].value == pytest.approx(DENSE_TFLOPS[key] * TERA)


@pytest.mark.parametrize("key", SPARSE_TFLOPS, ids="-".join)
def test_no_sparse_figure_passes_for_dense(key):
    chip, precision = key
    assert CHIPS[chip].flop_per_s[precision].high < 0.8 * SPARSE_TFLOPS[key] * TERA


def test_a_part_known_only_by_its_sparse_peak_has_no_peak():
    assert CHIPS["cerebras-wse3"].flop_per_s == {}
    assert "125 PF is a sparse" in CHIPS["cerebras-wse3"].notes


@pytest.mark.parametrize(
    ("chip", "gigabytes", "terabytes_per_s"),
    [
        ("h100-sxm", 80, 3.35), ("h200-sxm", 141, 4.8), ("b200-sxm", 180, 8.0),
        ("gb200-nvl72", 186, 8.0), ("mi300x", 192, 5.3), ("mi355x", 288, 8.0),
        ("trainium3", 154.6, 4.9), ("maia-200", 216, 7.0), ("groq-lpu-v1", 0.23, 80),
        ("spad-prefill", 64, 2.048), ("spad-decode", 80, 3.352),
    ],
)  # fmt: skip
def test_memory_is_the_published_one(chip, gigabytes, terabytes_per_s):
    assert CHIPS[chip].memory_bytes.value == pytest.approx(gigabytes * GIGA)
    assert CHIPS[chip].memory_bytes_per_s.value == pytest.approx(terabytes_per_s * TERA)


def test_power_and_links_of_the_h100_are_the_published_ones():
    h100 = CHIPS["h100-sxm"]
    assert h100.tdp_w.value == 700
    assert h100.server_w.value == 10_200 / 8
    assert (h100.idle_w.low, h100.idle_w.high) == (72.5, 75)
    assert h100.scale_up_domain.value == 8
    assert h100.scale_up_bytes_per_s.value == 450e9
    assert h100.scale_out_bytes_per_s.value == 400e9 / 8


def test_idle_draw_stands_only_where_it_was_measured():
    assert {chip.id for chip in CHIPS.values() if chip.idle_w} == {"h100-sxm", "a100-80-sxm"}


def test_a_gb200_costs_a_share_of_its_rack():
    gb200 = CHIPS["gb200-nvl72"]
    assert gb200.price_scope == "rack"
    assert gb200.price_usd.value * 72 == pytest.approx(3.4e6, rel=1e-3)
    assert CHIPS["h100-sxm"].price_scope == "accelerator"


@pytest.mark.parametrize(
    ("chip", "square_mm", "usd"),
    [("spad-prefill", 784, 301), ("spad-decode", 520, 187), ("spad-h100", 814, 315)],
)
def test_spad_dies_cost_what_a_wafer_of_20000_usd_gives(chip, square_mm, usd):
    """Dies of area A on a 300 mm wafer: pi 150^2 / A - pi 300 / sqrt(2 A)."""
    entry = CHIPS[chip]
    assert entry.die_mm2.value == square_mm
    dies = math.pi * 150**2 / square_mm - math.pi * 300 / math.sqrt(2 * square_mm)
    assert 20_000 / dies == pytest.approx(usd, abs=1)
    die_usd = entry.manufacturing_cost_usd.value - entry.manufacturing_memory_usd.value
    assert die_usd == pytest.approx(20_000 / dies, abs=1)


def test_spad_memory_costs_capacity_times_the_price_of_a_gigabyte():
    assert CHIPS["spad-prefill"].manufacturing_memory_usd.value == 64 * 3
    decode = CHIPS["spad-decode"].manufacturing_memory_usd
    assert (decode.low, decode.value, decode.high) == (80 * 6, 80 * 9, 80 * 12)


def test_spad_speeds_are_relative_to_its_own_h100():
    perf = {c: (CHIPS[c].prefill_perf_frac.value, CHIPS[c].decode_perf_frac.value) for c in CHIPS
            if CHIPS[c].prefill_perf_frac}  # fmt: skip
    assert perf == {
        "spad-prefill": (1.08, 0.80), "spad-decode": (0.69, 0.97), "spad-h100": (1.0, 1.0),
    }  # fmt: skip


@pytest.mark.parametrize("chip", ARTICLE)
def test_every_accelerator_of_the_article_is_there_with_its_access(chip):
    assert CHIPS[chip].access == ARTICLE[chip]


@pytest.mark.parametrize("chip", CHIPS.values(), ids=lambda chip: chip.id)
def test_an_entry_is_consistent(chip):
    assert chip.status in STATUS
    assert chip.access in ACCESS
    assert bool(chip.owner) == (chip.access == "captive")
    assert (chip.access == "paper") >= (chip.status == "modelled")
    assert set(chip.flop_per_s) <= set(PRECISIONS)
    assert chip.sources
    if chip.tdp_w and chip.server_w:
        assert chip.server_w.value >= chip.tdp_w.value
    if chip.price_usd and chip.rental_usd_per_hour:
        years_to_pay = chip.price_usd.value / chip.rental_usd_per_hour.value / 8760
        assert 0.2 < years_to_pay < 3


def test_measured_shares_of_peak_are_those_of_the_catalogs_own_peak():
    mi355x = CHIPS["mi355x"]
    measured = mi355x.matmul_frac["bf16"].value * mi355x.flop_per_s["bf16"].value
    assert measured == pytest.approx(1565 * TERA, rel=1e-3)
    assert all(0.4 < q.value < 1 for chip in CHIPS.values() for q in chip.matmul_frac.values())


def test_a_usable_part_has_no_reason_not_to_use_it():
    for need in ("timing", "power", "price", "access"):
        assert CHIPS["h100-sxm"].why_not(need) == ""


def test_a_paper_design_is_priced_from_what_it_costs_to_make():
    assert CHIPS["spad-decode"].why_not("price") == ""
    assert CHIPS["rubin-cpx"].why_not("price") != ""


@pytest.mark.parametrize(
    ("chip", "need", "reason"),
    [
        ("cerebras-wse3", "timing", "has no published dense peak compute"),
        ("crescent-island", "timing", "has no published dense peak compute"),
        ("trainium3", "power", "has no published chip power; enter one to use it for power."),
        ("mi350x", "price", "has no published purchase price or rental rate"),
        ("spad-prefill", "access", "is a design on paper; nobody makes it."),
        ("rubin-cpx", "access", "is a design on paper; nobody makes it."),
        ("maia-200", "access", "is captive to Microsoft; nobody else can get it."),
        ("mtia-300", "access", "is captive to Meta"),
        ("rubin-vr200", "access", "is announced, not shipping; it cannot be ordered today."),
    ],
)
def test_what_is_missing_is_said(chip, need, reason):
    assert reason in CHIPS[chip].why_not(need)
    assert CHIPS[chip].why_not(need).startswith(CHIPS[chip].name)


def test_an_unknown_need_is_refused():
    with pytest.raises(ValueError, match="need 'speed' is unknown; choose one of timing, power"):
        CHIPS["h100-sxm"].why_not("speed")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"access": "steal"}, "x1, access: 'steal' is unknown; allowed are buy, rent, captive"),
        ({"access": "captive"}, "x1, owner: a captive part, and only a captive part, names its o"),
        ({"owner": "Meta"}, "x1, owner: a captive part"),
        ({"status": "soon"}, "x1, status: 'soon' is unknown; allowed are shipping, announced"),
        ({"price_scope": "city"}, "x1, price_scope: 'city' is unknown; allowed are accelerator"),
        ({"flop_per_s": {"fp16_sparse": {}}}, "x1, flop_per_s: unknown key 'fp16_sparse'"),
        ({"colour": "red"}, "x1, colour: unknown key; allowed are access, availability"),
    ],
)
def test_a_wrong_entry_is_refused(change, sentence):
    table = {"name": "X1", "vendor": "V", "status": "shipping", "access": "buy"} | change
    with pytest.raises(CatalogError, match=sentence):
        accelerators_from({"x1": table}, ())


def test_a_share_above_the_peak_is_refused():
    def cited(value, unit):
        return {"value": value, "unit": unit, "kind": "exact", "source": "s"}

    table = {"name": "X1", "vendor": "V", "status": "shipping", "access": "buy"} | {
        "flop_per_s": {"bf16": cited(100, "TFLOP/s")},
        "matmul_frac": {"bf16": cited(1.2, "frac")},
    }
    with pytest.raises(CatalogError, match="is above 1; a share of peak is at most 1"):
        accelerators_from({"x1": table}, {"s"})
    del table["flop_per_s"]
    with pytest.raises(CatalogError, match="x1, matmul_frac: unknown key 'bf16'; allowed are none"):
        accelerators_from({"x1": table}, {"s"})
