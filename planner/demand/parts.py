"""The parts of a scenario, each input with its unit, limits and help on the field."""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Precision = Literal["bf16", "fp8", "fp4"]


def number(title: str, unit: str, low: float, high: float, about: str) -> Any:
    """A numeric field: what it is called, its unit, the allowed range, and a line of help."""
    return Field(
        title=title,
        description=about,
        ge=low,
        le=high,
        allow_inf_nan=False,
        json_schema_extra={"unit": unit},
    )


def limit(title: str, unit: str, high: float, about: str) -> Any:
    """A limit that need not be set: from 0, or empty for none."""
    return Field(
        default=None,
        title=title,
        description=f"{about}; empty: no limit.",
        ge=0,
        le=high,
        allow_inf_nan=False,
        json_schema_extra={"unit": unit},
    )


class Part(BaseModel):
    """Base of all parts: frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


AUDITED = (
    "input_tokens",
    "input_scv",
    "output_tokens",
    "output_scv",
    "cache_hit_frac",
    "requests_per_s",
    "peak_to_mean",
    "arrival_scv",
)
"""Fields of a class that a log tells; another value in one of them is counted no more."""
COUNTED_AS = "; counted as "
HASH_DIGITS = 8


def counted(log: str, values: Mapping[str, Any]) -> str:
    """What a class says of the log that its values were counted in: `WorkloadClass.audited`.

    values: of the class, `AUDITED` among them; they are hashed, so that a value that is changed
    later, in a file or a link too, does not pass for counted.
    """
    told = ",".join(repr(float(values[field])) for field in AUDITED)
    digest = hashlib.sha256(told.encode()).hexdigest()[:HASH_DIGITS]
    return f"{log}{COUNTED_AS}{digest}"


class WorkloadClass(Part):
    """One kind of request: lengths, arrivals, service levels and prices."""

    name: str = Field(title="Class", description="What these requests are.", min_length=1)
    model: str = Field(title="Model", description="The model that answers them.")
    input_tokens: float = number(
        "Prompt tokens", "tokens", 1, 2e6, "Mean prompt length, cached part included."
    )
    input_scv: float = number(
        "Prompt spread", "1", 0, 100, "Variance over squared mean of prompt lengths."
    )
    output_tokens: float = number("Output tokens", "tokens", 1, 1e6, "Mean answer length.")
    output_scv: float = number(
        "Answer spread", "1", 0, 100, "Variance over squared mean of answer lengths."
    )
    cache_hit_frac: float = number(
        "Cached share of prompt", "frac", 0, 0.99, "Prompt tokens that a prefix cache can serve."
    )
    requests_per_s: float = number(
        "Requests", "1/s", 0, 1e7, "Mean rate in the log, before the demand scale."
    )
    peak_to_mean: float = number(
        "Peak minute over mean", "1", 1, 100, "Busiest minute against the mean rate."
    )
    arrival_scv: float = number(
        "Burstiness", "1", 0, 1000, "Variance over squared mean of gaps inside the peak minute."
    )
    p99_ttft_s: float = number(
        "Time to first token", "s", 0.01, 600, "99 of 100 requests must start within this time."
    )
    p99_tpot_s: float = number(
        "Time per output token", "s", 0.001, 10, "99 of 100 requests must stream this fast."
    )
    usd_per_mtok_input: float = number(
        "Price of input", "USD/Mtok", 0, 1e4, "List price per million fresh input tokens."
    )
    usd_per_mtok_cached: float = number(
        "Price of cached input", "USD/Mtok", 0, 1e4, "List price per million cached input tokens."
    )
    usd_per_mtok_output: float = number(
        "Price of output", "USD/Mtok", 0, 1e4, "List price per million output tokens."
    )
    audited: str = Field(
        default="",
        title="Counted in",
        description="The log that lengths and arrivals were counted in, and their hash; "
        "empty: none.",
        max_length=200,
    )

    @property
    def counted_in(self) -> str:
        """The log that lengths and arrivals were counted in; "" where one of them is another."""
        log = self.audited.rpartition(COUNTED_AS)[0]
        return log if self.audited == counted(log, self.model_dump()) else ""


class OwnedFleet(Part):
    """Chips of one type that the operator already owns."""

    accelerator: str = Field(title="Chip", description="Catalog id of the owned chip.")
    n: int = number("Chips owned", "1", 0, 1e8, "How many are installed for serving.")
    age_years: float = number("Age", "years", 0, 20, "Time since purchase.")
    book_usd: float = number("Book value", "USD", 0, 1e7, "Carrying amount of one chip, all in.")
    resale_usd: float = number("Resale value", "USD", 0, 1e7, "What one chip would fetch today.")


class Software(Part):
    """Serving software that narrows the gap on unchanged chips; each is a mechanism."""

    chunked_prefill: bool = Field(
        title="Chunked prefill", description="Prompts enter in chunks beside running answers."
    )
    weight_precision: Precision = Field(
        title="Weight precision", description="Number format of the model weights."
    )
    kv_precision: Literal["bf16", "fp8"] = Field(
        title="Cache precision", description="Number format of the key-value cache."
    )
    prefix_cache: bool = Field(
        title="Prefix cache", description="Shared prompt beginnings are kept and reused."
    )
    kv_offload: bool = Field(
        title="Cache offload", description="Cold cache moves to host memory instead of being lost."
    )
    speculative: Literal["none", "mtp1", "mtp2", "mtp3"] = Field(
        title="Speculative decoding", description="Draft tokens verified together in one step."
    )


class Fabric(Part):
    """The network between the prefill and the decode pool."""

    gbit_per_s_per_node: float = number(
        "Fabric speed per node", "Gbit/s", 1, 1e5, "Network speed of one server."
    )
    transfer: Literal["naive", "contiguous", "compressed"] = Field(
        title="Cache transfer",
        description="Each layer of each block apart, whole blocks, or whole blocks compressed.",
    )
    overlap: Literal["none", "layerwise"] = Field(
        title="Transfer overlap", description="Whether layers travel while later ones compute."
    )


class Site(Part):
    """Where the fleet stands: power, cooling and what more of it would cost."""

    pue: float = number("PUE", "1", 1, 3, "Facility power over IT power.")
    usd_per_kwh: float = number("Electricity", "USD/kWh", 0, 5, "All-in price of energy.")
    colocation_usd_per_kw_month: float = number(
        "Colocation", "USD/kW-month", 0, 5e3, "Rent of powered space, energy apart."
    )
    new_power_usd_per_mw: float = number(
        "New power", "USD/MW", 0, 1e9, "Capital for a new megawatt, chips apart."
    )
    new_power_quarters: float = number(
        "Wait for new power", "quarters", 0, 80, "Time until a new megawatt is energised."
    )
    rack_limit_w: float = number("Rack limit", "W", 1e3, 1e7, "Power that one rack may draw.")
    n_racks: float | None = limit("Racks", "1", 1e6, "Racks that the halls have room for")
    cooling: Literal["air", "liquid"] = Field(
        title="Cooling", description="What the halls can cool."
    )
    retrofit_usd_per_mw: float = number(
        "Retrofit", "USD/MW", 0, 1e9, "Capital to re-equip a megawatt of the existing halls."
    )
    retrofit_quarters: float = number(
        "Retrofit time", "quarters", 0, 40, "Time until re-equipped halls serve again."
    )


class Operator(Part):
    """Who runs the fleet: the team a split needs and the risk the operator accepts."""

    engineers: float = number(
        "Platform engineers for a split", "FTE", 0, 1e4, "People that a split adds for good."
    )
    loaded_usd_per_year: float = number(
        "Cost of an engineer", "USD/year", 0, 5e6, "Loaded cost of one engineer."
    )
    licence_usd_per_chip_year: float = number(
        "Software licence",
        "USD/year",
        0,
        1e5,
        "Paid for the serving software of each chip; 0 for open source.",
    )
    build_quarters: float = number(
        "Time to build a split", "quarters", 0, 40, "Engineering time before the first benefit."
    )
    bad_quarter_probability: float = number(
        "Chance of a bad quarter", "frac", 0, 1, "Probability of a quarter that misses its SLO."
    )
    min_confidence: float = number(
        "Confidence required", "frac", 0, 1, "Least probability of gain before acting."
    )
    backfill_usd_per_chip_hour: float = number(
        "Backfill value", "USD/h", 0, 100, "What an idle chip-hour earns with training work."
    )


class Finance(Part):
    """How capital is bought, priced, taxed and written down."""

    basis: Literal["own", "rent", "colocate"] = Field(
        title="Basis", description="Chips and halls owned, chips rented, or halls rented."
    )
    wacc_frac: float = number("Cost of capital", "frac", 0, 1, "Weighted average, after tax.")
    life_years: float = number("Life of a chip", "years", 1, 20, "Straight-line depreciation.")
    tax_frac: float = number("Tax rate", "frac", 0, 0.9, "On operating profit.")
    price_erosion_frac_per_year: float = number(
        "Token price erosion", "frac/year", -1, 0.99, "Yearly fall of token prices."
    )
    component_drift_frac_per_year: float = number(
        "Hardware price drift", "frac/year", -0.9, 2, "Yearly change of hardware prices."
    )
    capital_budget_usd: float | None = limit(
        "Capital budget", "USD", 1e12, "Most that may be spent on new chips"
    )
    discount_frac: float = number("Discount", "frac", 0, 1, "Average discount on list prices.")
    sold_frac: float = number("Sold share", "frac", 0, 1, "Served tokens that are paid for.")
