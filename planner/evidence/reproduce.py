"""Published results against ours, a row each; a result out of reach is printed as such."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from planner.facts.catalog import Catalog, load_catalog
from planner.facts.units import (
    BITS_PER_BYTE,
    BITS_PER_GBIT,
    BYTES_PER_GB,
    HOURS_PER_DAY,
    HOURS_PER_YEAR,
    TOKENS_PER_MTOK,
)
from planner.load.queueing import prefill_pool
from planner.money.prices import paid_monthly_frac
from planner.physics.silicon import design_power_w, die_usd
from planner.physics.transformer import kv_bytes

LOADS = (0.2, 0.5, 0.8)


@dataclass(frozen=True, slots=True)
class Row:
    """One published figure beside ours; tolerance is relative unless `absolute`."""

    source: str
    quantity: str
    published: float
    ours: float
    unit: str
    tolerance: float
    note: str = ""
    absolute: bool = False

    @property
    def within(self) -> bool:
        """Whether ours lies within the tolerance."""
        allowed = self.tolerance if self.absolute else self.tolerance * abs(self.published)
        return bool(abs(self.ours - self.published) <= allowed)

    def as_dict(self) -> dict[str, Any]:
        """The row as `reproduce --json` prints it."""
        return {k: v for k, v in asdict(self).items() if k != "absolute"} | {"within": self.within}


def reproduce(name: str = "", catalog: Catalog | None = None) -> list[Row]:
    """All rows, or those whose source contains a name."""
    held = catalog or load_catalog()
    rows = (row for study in STUDIES for row in study(held))
    return [row for row in rows if name.lower() in row.source.lower()]


def _spad(catalog: Catalog) -> Iterator[Row]:
    """Die cost, memory cost and TDP of the paper's chips from its stated model."""
    number, exact = catalog.number, catalog.number("published.tolerance.exact_frac").value
    wafer = [number(f"prices.manufacturing.wafer_{k}").value for k in ("usd", "diameter_mm")]
    for design in ("prefill", "decode", "h100"):
        area = catalog.accelerators[f"spad-{design}"].die_mm2
        if area is not None:
            told = number(f"published.spad.{design}_die_usd").value
            yield Row("SPAD", f"{design} die", told, die_usd(area.value, *wafer), "USD", exact)
    for design, memory in (("prefill", "gddr7"), ("decode", "hbm3")):
        held = catalog.accelerators[f"spad-{design}"].memory_bytes
        if held is not None:
            told = number(f"published.spad.{design}_memory_usd").value
            ours = held.value / BYTES_PER_GB * number(f"prices.memory.{memory}_usd_per_gb").value
            yield Row("SPAD", f"{design} memory", told, ours, "USD", exact)
    yield from _spad_power(catalog, exact)


def _spad_power(catalog: Catalog, exact: float) -> Iterator[Row]:
    number = catalog.number
    shared = {
        "reference_w": number("power.spad.die_w").value,
        "reference_mm2": number("power.spad.die_mm2").value,
        "overhead": number("power.spad.overhead_frac").value,
    }
    packages = number("published.spad.decode_hbm_packages").value
    hbm_w = packages * number("power.spad.hbm_package_w").value
    bandwidth = catalog.accelerators["spad-prefill"].memory_bytes_per_s
    per_bit = number("power.energy.gddr7_j_per_bit").value
    gddr_w = bandwidth.value * BITS_PER_BYTE * per_bit if bandwidth else 0.0
    for design, memory_w in (("prefill", gddr_w), ("decode", hbm_w), ("h100", hbm_w)):
        chip = catalog.accelerators[f"spad-{design}"]
        if chip.die_mm2 and chip.tdp_w:
            ours = design_power_w(chip.die_mm2.value, memory_w, **shared)
            yield Row("SPAD", f"{design} TDP", chip.tdp_w.value, ours, "W", exact)


def _distserve(catalog: Catalog) -> Iterator[Row]:
    """M/D/1 forms and the size and rate of OPT-66B's cache."""
    number, exact = catalog.number, catalog.number("published.tolerance.exact_frac").value
    service_s = 1.0
    for load in LOADS:
        told = service_s + load * service_s**2 / (2 * (1 - load * service_s))
        ours = service_s + float(prefill_pool(load, service_s, 0.0, 1).wait_mean_s)
        note = "D + RD²/(2(1 − RD)) with D = 1 s"
        yield Row("DistServe", f"M/D/1 first token at load {load}", told, ours, "s", exact, note)
    prompt = number("published.distserve.prompt_tokens").value
    ours = float(kv_bytes(catalog.models["opt-66b"], prompt, "bf16"))
    told = number("published.distserve.kv_bytes").value
    yield Row("DistServe", "cache of a 512-token prompt, OPT-66B", told, ours, "bytes", exact)
    rate = ours * number("published.distserve.requests_per_s").value * BITS_PER_BYTE
    told = number("published.distserve.kv_bytes_per_s").value * BITS_PER_BYTE
    note = number("published.distserve.kv_bytes_per_s").note
    yield Row(
        "DistServe",
        "fabric at 10 requests/s",
        told / BITS_PER_GBIT,
        rate / BITS_PER_GBIT,
        "Gbit/s",
        exact,
        note,
    )


def _flowkv(catalog: Catalog) -> Iterator[Row]:
    number = catalog.number
    before, after = (
        number(f"software.kv_transfer.flowkv_{k}_s").value for k in ("before", "after")
    )
    told = number("software.kv_transfer.flowkv_stated_saving_frac").value
    points = number("published.tolerance.points_frac").value
    note = "the paper's own pair, 0.944 s and 0.053 s, is 94.4 %, not 96 %"
    yield Row("FlowKV", "transfer time saved", told, 1 - after / before, "frac", points, note, True)


def _deepseek(catalog: Catalog) -> Iterator[Row]:
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


def _h200(catalog: Catalog) -> Iterator[Row]:
    """Capital of an H200 by the hour."""
    tco = {
        name: catalog.number(f"prices.tco.h200.{name}").value
        for name in ("total_usd", "wacc_frac", "life_years", "capital_usd_per_hour")
    }
    chips = catalog.number("estimates.serving.server_chips").value
    payment = float(paid_monthly_frac(tco["wacc_frac"], tco["life_years"]))
    ours = tco["total_usd"] / chips * payment / HOURS_PER_YEAR
    tolerance = catalog.number("published.tolerance.money_frac").value
    told = tco["capital_usd_per_hour"]
    yield Row("SemiAnalysis H200 TCO", "capital", told, ours, "USD/h", tolerance)


STUDIES: tuple[Callable[[Catalog], Iterator[Row]], ...] = (
    _spad,
    _distserve,
    _flowkv,
    _deepseek,
    _h200,
)
