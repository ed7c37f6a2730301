"""The facts that ship: outside values, ranges, sources, and the data that comes along."""

import csv
import json
import math
import re
import statistics
from collections import Counter
from datetime import datetime

import pytest

from planner.facts.catalog import Quantity, catalog_folder, load_catalog

CATALOG = load_catalog()
FOLDER = catalog_folder()
NUMBERS = CATALOG.numbers
OWN_FILES = ("prices", "sites", "power", "software")

SUFFIX_UNITS = {
    "_frac": "frac", "_frac_of_tdp": "frac", "_frac_per_year": "frac/year",
    "_frac_per_quarter": "frac/quarter", "_usd": "USD", "usd_per_hour": "USD/h",
    "usd_per_kwh": "USD/kWh", "_usd_per_kw_month": "USD/kW-month", "usd_per_mw": "USD/MW",
    "_usd_per_mw_year": "USD/MW-year", "_usd_per_gb": "USD/GB", "_usd_per_mtok": "USD/Mtok",
    "_years": "years", "_months": "months", "_weeks": "weeks", "_w": "W", "_bytes": "bytes",
    "_hours": "hours", "bend_order": "1",
    "_s": "s", "_j_per_bit": "J/bit", "_j_per_flop": "J/FLOP", "_tokens": "tokens",
    "_tokens_per_step": "tokens/step", "_fte_per_mw": "FTE/MW", "_mm": "mm", "_mm2": "mm2",
    "_multiple": "1", "_layers": "1", "pue": "1", "_max_over_min": "1", "usd_per_eur": "1",
    "_log2_batch": "1",
}  # fmt: skip


def quantities(item):
    """Every quantity inside an entry."""
    if isinstance(item, Quantity):
        yield item
    elif isinstance(item, dict):
        for value in item.values():
            yield from quantities(value)
    elif hasattr(item, "__slots__"):
        for name in item.__slots__:
            yield from quantities(getattr(item, name))


def everything():
    yield from NUMBERS.values()
    for entry in (*CATALOG.accelerators.values(), *CATALOG.models.values()):
        yield from quantities(entry)


def rows(name):
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("prices.tco.h200.total_usd", 361_255),
        ("prices.inferencex.h200-sxm.hyperscaler_usd_per_hour", 1.41),
        ("prices.inferencex.h100-sxm.hyperscaler_usd_per_hour", 1.30),
        ("prices.per_mw.epoch_upfront_usd_per_mw", 38e9 / 1000),
        ("prices.manufacturing.wafer_usd", 20_000),
        ("sites.us-ohio.usd_per_kwh", 0.079),
        ("sites.pue.industry_pue", 1.54),
        ("sites.colocation.us_2024_usd_per_kw_month", 184.06),
        ("power.h100.hpl_w", 696),
        ("power.splitwise_constants.h100_capped_server_w", 7140),
        ("power.facility_all_in.h100-sxm_w", 1730),
        ("software.rate_matching.prefill_rate_frac", 0.90),
        ("software.rate_matching.decode_rate_frac", 0.92),
        ("software.kv_transfer.flowkv_before_s", 0.944),
        ("software.prefix_cache.hit_frac", 0.563),
    ],
)
def test_a_figure_is_the_published_one(path, value):
    assert CATALOG.number(path).value == pytest.approx(value)


def test_measured_drafts_do_not_follow_one_acceptance_rate():
    steps = [NUMBERS[f"software.speculative.drafts_{n}_tokens_per_step"].value for n in (1, 2, 3)]
    assert steps == [1.92, 2.58, 2.82]
    assert all(kept <= drafts + 1 for drafts, kept in enumerate(steps, start=1))


def test_flowkv_saves_what_its_own_pair_says():
    transfer = CATALOG.tables["software"]["kv_transfer"]
    saved = 1 - transfer["flowkv_after_s"].value / transfer["flowkv_before_s"].value
    assert transfer["flowkv_saving_frac"].value == pytest.approx(saved, abs=5e-4)
    assert transfer["flowkv_stated_saving_frac"].value == 0.96


def test_the_h200_model_gives_its_own_hourly_capital():
    """45,157 USD a GPU at 10.25 % over 72 months: 842 USD a month, 1.15 USD an hour."""
    tco = CATALOG.tables["prices"]["tco"]["h200"]
    month, n = tco["wacc_frac"].value / 12, tco["life_years"].value * 12
    monthly = tco["total_usd"].value / 8 * month / (1 - (1 + month) ** -n)
    assert monthly == pytest.approx(842, abs=1)
    assert monthly * 12 / 8760 == pytest.approx(tco["capital_usd_per_hour"].value, abs=0.005)


def test_the_h200_model_gives_its_own_power_rate():
    tco = CATALOG.tables["prices"]["tco"]["h200"]
    hours = 8760 / 12
    rate = tco["usd_per_kwh"].value * hours * tco["utilisation_frac"].value * tco["pue"].value
    assert rate == pytest.approx(tco["power_usd_per_kw_month"].value, abs=0.005)


@pytest.mark.parametrize(
    ("path", "value", "low", "high"),
    [
        ("all_in_over_chip_price_frac", 45_157 / 35_000, 31_250 / 30_000, 52_000 / 30_000),
        ("all_in_over_rack_price_frac", 3.9 / 3.1, 1 / (1 - 0.13 - 0.01), 1 / (1 - 0.23 - 0.015)),
        ("all_in_over_server_price_frac", 361_255 / 258_001, 250 / 190, 361_255 / 258_001),
    ],
)
def test_a_capital_multiple_is_the_quotient_of_its_sources(path, value, low, high):
    got = NUMBERS[f"prices.capital.{path}"]
    assert (got.value, got.low, got.high) == pytest.approx((value, low, high), abs=2e-3)


def test_the_power_curve_gives_its_own_points():
    curve = CATALOG.tables["power"]["h100_decode_curve"]
    base, span, middle = (curve[k].value for k in ("base_w", "span_w", "midpoint_log2_batch"))
    for batch, watts in ((1, 304), (8, 369), (32, 507), (128, 583)):
        drawn = base + span / (1 + math.exp(-(math.log2(batch) - middle)))
        assert drawn == pytest.approx(watts, abs=1.5)


def test_spads_power_model_gives_its_chips():
    """TDP = (area x 480 / 814 + memory) / 0.9: 596, 507 and 700 W."""
    model = CATALOG.tables["power"]["spad"]
    per_mm2 = model["die_w"].value / model["die_mm2"].value
    gddr7 = 2048e9 * 8 * NUMBERS["power.energy.gddr7_j_per_bit"].value
    hbm3 = 5 * model["hbm_package_w"].value
    for chip, memory_w in (("spad-prefill", gddr7), ("spad-decode", hbm3), ("spad-h100", hbm3)):
        entry = CATALOG.accelerators[chip]
        tdp = (entry.die_mm2.value * per_mm2 + memory_w) / (1 - model["overhead_frac"].value)
        assert entry.tdp_w.value == pytest.approx(tdp, abs=1)


def test_spad_tables_agree_with_the_catalogs_chips():
    tables = json.loads((FOLDER / "spad_tables.json").read_text(encoding="utf-8"))
    assert tables["source_id"] in CATALOG.sources
    for name, row in tables["chips"].items():
        chip = CATALOG.accelerators[f"spad-{name}"]
        assert chip.flop_per_s["bf16"].value == pytest.approx(row["tensor_pflops_fp16"] * 1e15)
        assert chip.memory_bytes_per_s.value == row["mem_gbps"] * 1e9
        assert chip.manufacturing_memory_usd.value == row["mem_cost_usd"]
        assert chip.tdp_w.value == row["tdp_w"]
    cost = tables["cost_model"]
    assert NUMBERS["prices.manufacturing.wafer_usd"].value == cost["wafer_usd"]
    assert NUMBERS["prices.memory.hbm3_usd_per_gb"].value == cost["hbm3_usd_gb"]
    assert NUMBERS["prices.memory.gddr7_usd_per_gb"].value == cost["gddr7_usd_gb"]


def test_an_unconfirmed_claim_does_not_ship():
    """Continuous batching's recalled 36.9x and 2 to 4x were never opened."""
    assert all("batching" not in path for path in NUMBERS)


def test_every_number_is_cited_and_in_order():
    for number in everything():
        assert number.low <= number.value <= number.high
        assert number.source in CATALOG.sources


def test_every_source_is_used():
    used = {number.source for number in everything()}
    used |= {name for chip in CATALOG.accelerators.values() for name in chip.sources}
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.toml")
                   if path.name != "sources.toml")  # fmt: skip
    used |= set(re.findall(r'"([^"]*)"', text))
    assert set(CATALOG.sources) <= used


def test_every_document_stands_once():
    urls = Counter(source.url for source in CATALOG.sources.values() if source.url)
    assert [url for url, n in urls.items() if n > 1] == []


@pytest.mark.parametrize("path", [p for p in NUMBERS if p.partition(".")[0] in OWN_FILES])
def test_a_name_ends_in_the_unit_it_is_kept_in(path):
    fits = [unit for suffix, unit in SUFFIX_UNITS.items() if path.endswith(suffix)]
    assert NUMBERS[path].unit in fits


def test_a_spread_by_confidence_says_so():
    for number in everything():
        spread = re.search(r"±(\d+) %", number.note)
        if spread:
            assert number.high / number.value - 1 <= int(spread[1]) / 100 + 1e-3
            assert 1 - number.low / number.value == pytest.approx(int(spread[1]) / 100, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "n", "median_in", "median_out", "mean_in", "mean_out"),
    [("conversation", 19_366, 1020, 129, 1155, 211), ("code", 8_819, 1469, 13, 2048, 27.9)],
)
def test_an_azure_hour_is_whole(name, n, median_in, median_out, mean_in, mean_out):
    log = rows(f"traces/azure_2023_{name}.csv")
    lengths_in = [int(row["ContextTokens"]) for row in log]
    lengths_out = [int(row["GeneratedTokens"]) for row in log]
    assert len(log) == n
    assert (statistics.median(lengths_in), statistics.median(lengths_out)) == (
        median_in,
        median_out,
    )
    assert statistics.mean(lengths_in) == pytest.approx(mean_in, abs=0.5)
    assert statistics.mean(lengths_out) == pytest.approx(mean_out, abs=0.5)
    stamps = [datetime.fromisoformat(row["TIMESTAMP"][:26]) for row in (log[0], log[-1])]
    assert 3400 < (stamps[1] - stamps[0]).total_seconds() < 3600


def test_the_mooncake_excerpt_is_its_first_quarter_of_an_hour():
    lines = (FOLDER / "traces/mooncake_conversation_15min.jsonl").read_text("utf-8").splitlines()
    times = [json.loads(line)["timestamp"] for line in lines]
    assert len(lines) == 2728
    assert times == sorted(times)
    assert times[0] == 0 < times[-1] < 15 * 60 * 1000


def test_the_servegen_hour_is_an_hour():
    seconds = [float(row["seconds"]) for row in rows("traces/servegen_deepseek_r1_hour.csv")]
    assert len(seconds) == 39_332
    assert 3599 < seconds[-1] < 3600


@pytest.mark.parametrize(("name", "n"), [("serving", 3297), ("energy", 374)])
def test_measured_rows_carry_their_source_and_name_what_the_catalog_knows(name, n):
    points = rows(f"measured/{name}.csv")
    assert len(points) == n
    assert len({row["id"] for row in points}) == n
    assert all(row["source"] and row["source_ref"] for row in points)
    assert {row["accelerator"] for row in points} <= set(CATALOG.accelerators)
    assert {row["model"] for row in points} <= set(CATALOG.models)


@pytest.mark.parametrize("folder", ["measured", "traces"])
def test_data_that_ships_says_where_it_is_from(folder):
    readme = (FOLDER / folder / "README.md").read_text(encoding="utf-8")
    assert "licence" in readme.lower()
    data = [path.name for path in (FOLDER / folder).iterdir() if path.suffix != ".md"]
    assert data
    assert all(name in readme for name in data)
