"""Cost and revenue: DeepSeek's published day, and an H200 by the hour."""

from collections.abc import Iterator

from planner.evidence.studies.rows import Row
from planner.facts.catalog import Catalog
from planner.facts.units import HOURS_PER_DAY, HOURS_PER_YEAR, TOKENS_PER_MTOK
from planner.money.prices import paid_monthly_frac


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
    """Capital of an H200 by the hour."""
    tco = {
        name: catalog.number(f"prices.tco.h200.{name}").value
        for name in ("total_usd", "wacc_frac", "life_years", "capital_usd_per_hour")
    }
    chips = catalog.number("estimates.serving.server_chips").value
    payment = float(paid_monthly_frac(tco["wacc_frac"], tco["life_years"]))
    ours = tco["total_usd"] / chips * payment / HOURS_PER_YEAR
    allowed = catalog.number("published.tolerance.money_frac").value
    told = tco["capital_usd_per_hour"]
    yield Row("SemiAnalysis H200 TCO", "capital", told, ours, "USD/h", allowed)
