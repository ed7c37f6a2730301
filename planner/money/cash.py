"""Cash of a change against as-built, quarter by quarter: NPV, IRR, payback, cost of waiting."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.facts.units import QUARTERS_PER_YEAR

Floats = NDArray[np.float64]
HIGHEST_RATE = 10.0
ROOT_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to serve, in cash terms; each field a number or an array over samples.

    purchase_usd: new chips all in, after owned ones are reused. resale_usd, written_off_usd:
    proceeds and lost book value of owned chips no longer used. running_usd_per_year: cash
    opex. revenue_usd_per_year: at the planning month's demand and today's prices.
    setup_usd: spent at the decision; team_usd_per_year: for as long as the plan runs.
    start_quarters: from decision to first benefit.
    """

    purchase_usd: Any
    resale_usd: Any
    written_off_usd: Any
    running_usd_per_year: Any
    revenue_usd_per_year: Any
    setup_usd: Any
    team_usd_per_year: Any
    start_quarters: Any


@dataclass(frozen=True, slots=True)
class Terms:
    """How cash is counted: horizon, rates, and how demand and prices move."""

    horizon_years: Any
    wacc_frac: Any
    tax_frac: Any
    life_years: Any
    price_erosion_frac_per_year: Any
    component_drift_frac_per_year: Any
    gap_closing_frac_per_year: Any


def quarters(terms: Terms) -> Floats:
    """Quarter numbers 0…4·horizon, a row to broadcast against samples."""
    return np.arange(round(float(terms.horizon_years) * QUARTERS_PER_YEAR) + 1, dtype=float)


def flows_usd(plan: Plan, base: Plan, terms: Terms, delay_quarters: float = 0.0) -> Floats:
    """After-tax cash of `plan` less `base` by quarter (..., quarters).

    Before its start the plan is run as the base is. Purchases fall at the start, at prices that
    drift; revenue falls with token prices; savings of a delayed start shrink as software closes
    the gap. Book value touches only tax.
    """
    q = quarters(terms)
    years = q / QUARTERS_PER_YEAR
    start = _column(plan.start_quarters) + delay_quarters
    running = _between(q, start)
    price = (1 - _column(terms.price_erosion_frac_per_year)) ** years
    closing = (1 - _column(terms.gap_closing_frac_per_year)) ** (delay_quarters / QUARTERS_PER_YEAR)
    earned = _column(_less(plan, base, "revenue_usd_per_year")) * price
    saved = _column(_less(base, plan, "running_usd_per_year"))
    margin = (earned + saved) * closing / QUARTERS_PER_YEAR * running
    team = _column(plan.team_usd_per_year) / QUARTERS_PER_YEAR * (q > delay_quarters)
    capital = _capital_usd(plan, base, terms, q, start)
    setup = _column(plan.setup_usd) * (q == delay_quarters)
    taxed = margin - team - _write_downs_usd(plan, base, terms, q, start) - setup
    return np.asarray(margin - team + capital - setup - _column(terms.tax_frac) * taxed)


def _capital_usd(plan: Plan, base: Plan, terms: Terms, q: Floats, start: Floats) -> Floats:
    """Purchases less resale at the start, and what is left of new chips at the horizon."""
    drift = (1 + _column(terms.component_drift_frac_per_year)) ** (start / QUARTERS_PER_YEAR)
    bought = _column(_less(plan, base, "purchase_usd")) * drift
    sold = _column(_less(plan, base, "resale_usd"))
    at_start = _at(q, start)
    age = (q[-1] - start) / QUARTERS_PER_YEAR
    left = np.maximum(1 - age / _column(terms.life_years), 0)
    return np.asarray((sold - bought) * at_start + bought * left * (q == q[-1]))


def _write_downs_usd(plan: Plan, base: Plan, terms: Terms, q: Floats, start: Floats) -> Floats:
    """Depreciation of purchases and loss on displaced chips, which lower taxes."""
    drift = (1 + _column(terms.component_drift_frac_per_year)) ** (start / QUARTERS_PER_YEAR)
    bought = _column(_less(plan, base, "purchase_usd")) * drift
    age = (q - start) / QUARTERS_PER_YEAR
    in_use = (age > 0) & (age <= _column(terms.life_years))
    yearly = bought / _column(terms.life_years)
    loss = _column(plan.written_off_usd - plan.resale_usd) - _column(
        base.written_off_usd - base.resale_usd
    )
    return np.asarray(yearly / QUARTERS_PER_YEAR * in_use + loss * _at(q, start))


def npv_usd(flows: Floats, terms: Terms) -> Any:
    """Present value of quarterly flows at the yearly cost of capital. Returns: [USD]"""
    rate = np.log1p(_column(terms.wacc_frac)) / QUARTERS_PER_YEAR
    return (flows * np.exp(-rate * np.arange(flows.shape[-1]))).sum(axis=-1)


def waiting_usd_per_quarter(plan: Plan, base: Plan, terms: Terms) -> Any:
    """NPV of starting now less NPV of starting a quarter later; negative means waiting pays."""
    now = npv_usd(flows_usd(plan, base, terms), terms)
    return now - npv_usd(flows_usd(plan, base, terms, delay_quarters=1), terms)


def irr_frac(flows: Floats) -> tuple[float | None, str]:
    """Yearly internal rate of return of one row of quarterly flows, or None and the reason."""
    if not np.any(flows > 0) or not np.any(flows < 0):
        return None, "The cash flows never change sign, so there is no internal rate of return."
    roots = np.roots(flows[::-1])
    real = roots[np.isreal(roots)].real
    rates = (1 / real[real > 0]) ** QUARTERS_PER_YEAR - 1
    found = np.unique(np.round(rates[(rates > -1) & (rates < HIGHEST_RATE)], ROOT_DECIMALS))
    if len(found) == 1:
        return float(found[0]), ""
    count = "no" if not len(found) else f"{len(found)}"
    return None, f"The cash flows have {count} internal rates of return."


def payback_years(flows: Floats) -> tuple[float | None, str]:
    """Years until the cumulated flows stay positive, or None and the reason."""
    total = np.cumsum(flows)
    if total[-1] <= 0:
        return None, "The outlay is not earned back within the horizon."
    negative = np.flatnonzero(total < 0)
    return (float(negative[-1] + 1) / QUARTERS_PER_YEAR if len(negative) else 0.0), ""


def _less(one: Plan, other: Plan, field: str) -> Any:
    return getattr(one, field) - getattr(other, field)


def _column(value: Any) -> Floats:
    """A number or samples as a column against the row of quarters."""
    return np.asarray(value, dtype=float)[..., None]


def _between(q: Floats, start: Floats) -> Floats:
    """Share of the quarter ending at q that lies after the start."""
    return np.asarray(np.clip(q - start, 0, 1))


def _at(q: Floats, start: Floats) -> NDArray[np.bool_]:
    """The first quarter mark not before the start, within the horizon."""
    return np.asarray(q == np.minimum(np.ceil(start), q[-1]))
