"""Cost and revenue: DeepSeek's published day, an H200 by the hour, InferenceX's constants."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from planner.evidence.studies.rows import Row, explained, published, tolerance
from planner.facts.catalog import Catalog
from planner.facts.ledger import Assumption, Ledger
from planner.facts.units import (
    HOURS_PER_DAY,
    HOURS_PER_YEAR,
    MONTHS_PER_YEAR,
    TOKENS_PER_MTOK,
    W_PER_KW,
    W_PER_MW,
)
from planner.money.prices import all_in_usd, paid_monthly_frac

HOURS_PER_MONTH = HOURS_PER_YEAR / MONTHS_PER_YEAR
KW_PER_MW = W_PER_MW / W_PER_KW


def deepseek_day(catalog: Catalog) -> Iterator[Row]:
    """Cost and theoretical revenue of a published day."""
    day = {
        name: catalog.number(f"published.deepseek_day.{name}").value
        for name in (
            "nodes", "chips_per_node", "rent_usd_per_hour", "input_tokens", "cached_tokens",
            "output_tokens", "cached_usd_per_mtok", "input_usd_per_mtok", "output_usd_per_mtok",
            "cost_usd", "revenue_usd", "usd_per_mtok_output",
        )
    }  # fmt: skip
    exact = catalog.number("published.tolerance.exact_frac").value
    cost = day["nodes"] * day["chips_per_node"] * HOURS_PER_DAY * day["rent_usd_per_hour"]
    revenue = (
        (day["input_tokens"] - day["cached_tokens"]) * day["input_usd_per_mtok"]
        + day["cached_tokens"] * day["cached_usd_per_mtok"]
        + day["output_tokens"] * day["output_usd_per_mtok"]
    ) / TOKENS_PER_MTOK
    each = cost / (day["output_tokens"] / TOKENS_PER_MTOK)
    source = "DeepSeek production day"
    yield Row(source, "cost", day["cost_usd"], cost, "USD/day", exact)
    yield Row(source, "theoretical revenue", day["revenue_usd"], revenue, "USD/day", exact)
    yield Row(source, "cost of output", day["usd_per_mtok_output"], each, "USD/Mtok", exact)


def h200(catalog: Catalog) -> Iterator[Row]:
    """An H200 by the hour: capital and the whole, in both sets of notes."""
    tco = _numbers(catalog, "prices.tco.h200")
    chips = catalog.number("estimates.serving.server_chips").value
    it_kw = catalog.number("power.server.h200_server_w").value / W_PER_KW / chips
    allowed = catalog.number("published.tolerance.money_frac").value
    payment = float(paid_monthly_frac(tco["wacc_frac"], tco["life_years"]))
    capital = tco["total_usd"] / chips * payment / HOURS_PER_YEAR
    power = tco["usd_per_kwh"] * HOURS_PER_MONTH * tco["utilisation_frac"] * tco["pue"]
    told = tco["power_usd_per_kw_month"]
    yield Row(H200, "capital", tco["capital_usd_per_hour"], capital, "USD/h", allowed)
    yield Row(H200, "electricity", told, power, "USD/kW-month", allowed)
    note = "power and colocation alone; 0.03 USD/h of running cost are not described"
    whole = capital + (power + tco["colocation_usd_per_kw_month"]) * it_kw / HOURS_PER_MONTH
    yield Row(H200, "an hour", tco["usd_per_hour"], whole, "USD/h", allowed, note)
    yield _other_h200(catalog, power, it_kw, allowed)


H200 = "SemiAnalysis H200 TCO"


def _other_h200(catalog: Catalog, power: float, it_kw: float, allowed: float) -> Row:
    """The other notes, which give no life."""
    tco = _numbers(catalog, "prices.tco.h200-other")
    study = published(catalog, "tco_h200_other")
    payment = float(paid_monthly_frac(tco["wacc_frac"], study["life_years"].value))
    hosted = (power + tco["colocation_usd_per_kw_month"]) * it_kw / HOURS_PER_MONTH
    ours = tco["capital_usd"] * payment / HOURS_PER_YEAR + hosted
    told = tco["usd_per_hour"]
    return Row(H200, "an hour, other notes", told, ours, "USD/h", allowed, study["note"])


def inferencex(catalog: Catalog) -> Iterator[Row]:
    """What an accelerator-hour costs, from capital, rate, life, power and hall."""
    study, allowed = published(catalog, "inferencex"), tolerance(catalog, "money")
    for buyer in BUYERS:
        for chip in catalog.tables["prices"]["inferencex"]:
            told = catalog.number(f"prices.inferencex.{chip}.{buyer}_usd_per_hour").value
            known = _known_capital_usd(study, chip, buyer)
            capital = known or float(all_in_usd(chip, catalog, Ledger(_finder(catalog))))
            ours = _usd_per_hour(catalog, chip, buyer, capital)
            words = study["capital_known" if known else "capital_open"]
            name = f"{chip}, {buyer}"
            note = f"{words}; {study['assumed']}"
            row = Row("InferenceX", name, told, ours, "USD/h", allowed, note)
            yield explained(row, study["missed"])


BUYERS = ("hyperscaler", "neocloud")


def _finder(catalog: Catalog) -> Callable[[str], Assumption]:
    return lambda name: Assumption.of(name, catalog.fact(name))


def _known_capital_usd(study: Mapping[str, Any], chip: str, buyer: str) -> float | None:
    """Capital of a chip all in, where a source states it for this buyer."""
    cases = (case for case in study["capital"] if (case["chip"], case["buyer"]) == (chip, buyer))
    return next((float(case["all_in_usd"].value) for case in cases), None)


def _usd_per_hour(catalog: Catalog, chip: str, buyer: str, capital_usd: float) -> float:
    """Annuity, electricity and hall of one accelerator. Its kilowatts include the facility's."""
    number = catalog.number
    own = buyer == "hyperscaler"
    rate = number(f"prices.{'finance.wacc_hyperscaler_frac' if own else 'tco.h200.wacc_frac'}")
    life = number("prices.life.planning_years")
    facility_kw = number(f"power.facility_all_in.{chip}_w").value / W_PER_KW
    it_kw = facility_kw / number("power.facility_all_in.over_it_frac").value
    power = number("prices.tco.h200.usd_per_kwh").value * facility_kw
    power *= number("prices.tco.h200.utilisation_frac").value
    if own:
        halls = number("sites.facility.usd_per_mw").value * it_kw / KW_PER_MW
        built = paid_monthly_frac(rate.value, number("prices.life.facility_years").value)
        hall = halls * float(built) / HOURS_PER_YEAR
    else:
        rent = number("prices.tco.h200.colocation_usd_per_kw_month").value
        hall = rent * it_kw / HOURS_PER_MONTH
    annuity = float(paid_monthly_frac(rate.value, life.value))
    return capital_usd * annuity / HOURS_PER_YEAR + power + hall


def _numbers(catalog: Catalog, path: str) -> dict[str, float]:
    """All numbers straight under a path."""
    found = {
        name.removeprefix(f"{path}."): q.value
        for name, q in catalog.numbers.items()
        if name.startswith(f"{path}.")
    }
    return {name: value for name, value in found.items() if "." not in name}
