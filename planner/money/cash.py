"""Cash of a change against as-built, quarter by quarter: NPV, IRR, payback, cost of waiting."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner import text
from planner.facts.units import QUARTERS_PER_YEAR

Floats = NDArray[np.float64]
LOWEST_RATE = -0.99
HIGHEST_RATE = 10.0
ROOT_DECIMALS = 6
ROOT_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to serve, in cash terms; each field a number or an array over samples.

    revenue, energy: a year at the planning month's demand and today's prices; running: the cash
    opex that demand does not move. purchase_usd: new chips all in, after owned ones are reused.
    resale_usd, displaced_book_usd, displaced_years: proceeds, carrying amount and remaining life of
    owned chips that the change frees, sold at its start. surplus_…: the same of chips that neither
    it nor the base needs, sold at the decision whenever it starts. setup_usd: spent at the
    decision; team_usd_per_year: ever after.
    start_quarters: from decision to first benefit. interim_frac: how much of the base the owned
    chips alone can run until then.
    """

    revenue_usd_per_year: Any
    energy_usd_per_year: Any
    running_usd_per_year: Any
    purchase_usd: Any
    resale_usd: Any
    displaced_book_usd: Any
    displaced_years: Any
    setup_usd: Any
    team_usd_per_year: Any
    start_quarters: Any
    interim_frac: Any
    surplus_resale_usd: Any = 0.0
    surplus_book_usd: Any = 0.0
    surplus_years: Any = 0.0

    @property
    def written_off_usd(self) -> Any:
        """Book value less proceeds of all owned chips that are no longer used."""
        books = self.displaced_book_usd + self.surplus_book_usd
        return books - self.resale_usd - self.surplus_resale_usd


@dataclass(frozen=True, slots=True)
class Terms:
    """How cash is counted: horizon, rates, and how demand and prices move.

    planning_years: when demand reaches what the fleet is sized for; beyond it the fleet is full.
    memory_share_frac: what of a purchase today buys memory, whose price drifts on its own.
    """

    horizon_years: Any
    planning_years: Any
    growth_frac_per_year: Any
    wacc_frac: Any
    tax_frac: Any
    life_years: Any
    price_erosion_frac_per_year: Any
    component_drift_frac_per_year: Any
    memory_drift_frac_per_year: Any
    memory_share_frac: Any
    gap_closing_frac_per_year: Any


def quarters(terms: Terms) -> Floats:
    """Quarter numbers 0…4·horizon, a row to broadcast against samples."""
    return np.arange(round(float(terms.horizon_years) * QUARTERS_PER_YEAR) + 1, dtype=float)


def flows_usd(plan: Plan, base: Plan, terms: Terms, delay_quarters: float = 0.0) -> Floats:
    """After-tax cash of `plan` less that of `base` by quarter (..., quarters).

    Each is counted on its own from the decision: until its start the owned chips run what they can
    of the base, then it serves. A delayed plan gains less, as software closes the gap.
    """
    closing = (1 - _column(terms.gap_closing_frac_per_year)) ** (delay_quarters / QUARTERS_PER_YEAR)
    tax = _column(terms.tax_frac)
    operating = _operating_usd(plan, base, terms, delay_quarters)
    gained = (operating - _operating_usd(base, base, terms, 0.0)) * closing
    capital = _capital_usd(plan, terms, delay_quarters) - _capital_usd(base, terms, 0.0)
    deducted = _deducted_usd(plan, terms, delay_quarters) - _deducted_usd(base, terms, 0.0)
    spent = _spent_usd(plan, terms, delay_quarters) - _spent_usd(base, terms, 0.0)
    return np.asarray(gained - spent + capital - tax * (gained - spent - deducted))


def _operating_usd(plan: Plan, base: Plan, terms: Terms, delay: float) -> Floats:
    """Revenue less energy and running cost by quarter, before and after the start."""
    q = quarters(terms)
    live = np.clip(q - _start(plan, delay), 0, 1)
    interim = _column(plan.interim_frac) * _margin_usd(base, terms, q)
    mixed = live * _margin_usd(plan, terms, q) + (1 - live) * interim
    return np.asarray(mixed / QUARTERS_PER_YEAR * (q > 0))


def _margin_usd(plan: Plan, terms: Terms, q: Floats) -> Floats:
    """A year's margin at each quarter: served demand grows until the fleet is full, prices fall."""
    years = q / QUARTERS_PER_YEAR
    growth = 1 + _column(terms.growth_frac_per_year)
    served = np.minimum(growth ** (years - _column(terms.planning_years)), 1)
    price = (1 - _column(terms.price_erosion_frac_per_year)) ** years
    moved = _column(plan.revenue_usd_per_year) * price - _column(plan.energy_usd_per_year)
    return np.asarray(served * moved - _column(plan.running_usd_per_year))


def _capital_usd(plan: Plan, terms: Terms, delay: float) -> Floats:
    """Purchases at the start and whenever a life ends, resale, and what is left at the horizon.

    Chips that were surplus before the change are sold at the decision, however late it starts.
    """
    q, start, life = quarters(terms), _start(plan, delay), _life(terms)
    price = _column(plan.purchase_usd) * _drift(terms, q)
    worn = np.floor((q - start) / life)
    bought = (q >= start) & (worn > np.floor((q - 1 - start) / life)) & (q < q[-1])
    left = _left_frac(q, start, life)
    sold = _column(plan.resale_usd) * _at(q, start) + _column(plan.surplus_resale_usd) * (q == 0)
    return np.asarray(sold - price * bought + price * left * (q == q[-1]))


def _deducted_usd(plan: Plan, terms: Terms, delay: float) -> Floats:
    """What lowers taxes: depreciation of purchases, and the loss on chips that are sold."""
    q, start, life = quarters(terms), _start(plan, delay), _life(terms)
    used = (q > start) & (start < q[-1])
    bought = start + life * np.maximum(np.floor((q - 1 - start) / life), 0)
    depreciation = _column(plan.purchase_usd) * _drift(terms, bought) / life * used
    freed = plan.displaced_book_usd, plan.displaced_years, plan.resale_usd
    surplus = plan.surplus_book_usd, plan.surplus_years, plan.surplus_resale_usd
    lost = _lost_usd(q, start, *freed) + _lost_usd(q, np.zeros_like(q[:1]), *surplus)
    return np.asarray(depreciation + lost + _fallen_usd(plan, terms, delay))


def _lost_usd(q: Floats, sold_at: Floats, book_usd: Any, years: Any, resale_usd: Any) -> Floats:
    """Loss on chips that are sold, by quarter; what they would have depreciated is negative.

    They stop depreciating when they are sold and their remaining book is written off.
    """
    book, rest = _column(book_usd), np.maximum(_column(years) * QUARTERS_PER_YEAR, 1)
    then = book * np.maximum(1 - sold_at / rest, 0)
    ended = book / rest * np.clip(rest - (q - 1), 0, 1) * (q > sold_at)
    return np.asarray((then - _column(resale_usd)) * _at(q, sold_at) - ended)


def _fallen_usd(plan: Plan, terms: Terms, delay: float) -> Floats:
    """Book of what is left at the horizon over what it fetches then."""
    q, start, life = quarters(terms), _start(plan, delay), _life(terms)
    last = start + life * np.floor((q[-1] - start) / life)
    fall = _drift(terms, last) - _drift(terms, q[-1:])
    at_end = _column(plan.purchase_usd) * fall * _left_frac(q, start, life)
    return np.asarray(at_end * (q == q[-1]))


def _left_frac(q: Floats, start: Floats, life: Floats) -> Floats:
    """Share of the last purchase's life that the horizon leaves over."""
    used = (q[-1] - start) % life
    return np.where((start < q[-1]) & (used > 0), 1 - used / life, 0)


def _spent_usd(plan: Plan, terms: Terms, delay: float) -> Floats:
    """Set-up at the decision and the team from then on."""
    q = quarters(terms)
    team = _column(plan.team_usd_per_year) / QUARTERS_PER_YEAR * (q > delay)
    return np.asarray(team + _column(plan.setup_usd) * (q == delay))


def _start(plan: Plan, delay: float) -> Floats:
    """The quarter mark at which a plan starts: whole quarters, so that cash falls on a mark."""
    return np.ceil(_column(plan.start_quarters)) + delay


def _life(terms: Terms) -> Floats:
    return np.maximum(np.round(_column(terms.life_years) * QUARTERS_PER_YEAR), 1)


def _drift(terms: Terms, q: Floats) -> Floats:
    """Hardware price at a quarter over today's."""
    years, memory = q / QUARTERS_PER_YEAR, _column(terms.memory_share_frac)
    rest_drift = (1 + _column(terms.component_drift_frac_per_year)) ** years
    memory_drift = (1 + _column(terms.memory_drift_frac_per_year)) ** years
    return np.asarray((1 - memory) * rest_drift + memory * memory_drift)


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
    real = roots[abs(roots.imag) < ROOT_TOLERANCE].real
    rates = (1 / real[real > 0]) ** QUARTERS_PER_YEAR - 1
    found = rates[(rates > LOWEST_RATE) & (rates < HIGHEST_RATE)]
    if len(np.unique(np.round(found, ROOT_DECIMALS))) == 1:
        return float(found.mean()), ""
    if not len(found):
        about = f"{text.percent(LOWEST_RATE)} and {text.percent(HIGHEST_RATE)}"
        return None, f"No internal rate of return lies between {about} a year."
    return None, f"The cash flows have {len(found)} internal rates of return."


def payback_years(flows: Floats) -> tuple[float | None, str]:
    """Years until the cumulated flows stay positive, or None and the reason."""
    years = float(paybacks_years(flows))
    if np.isinf(years):
        return None, "The outlay is not earned back within the horizon."
    return years, ""


def paybacks_years(flows: Floats) -> Floats:
    """Years until the cumulated flows of each row (..., quarters) stay positive; else infinite.

    Returns: (...) [years]
    """
    total = np.cumsum(flows, axis=-1)
    n = total.shape[-1]
    after = n - np.argmax(total[..., ::-1] < 0, axis=-1)
    quarters_out = np.where((total < 0).any(axis=-1), after, 0)
    return np.where(total[..., -1] > 0, quarters_out / QUARTERS_PER_YEAR, np.inf)


def _column(value: Any) -> Floats:
    """A number or samples as a column against the row of quarters."""
    return np.asarray(value, dtype=float)[..., None]


def _at(q: Floats, start: Floats) -> NDArray[np.bool_]:
    """The quarter mark of the start, where it lies within the horizon."""
    return np.asarray((q == start) & (start < q[-1]))
