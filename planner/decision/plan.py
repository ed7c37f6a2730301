"""The plan: every stage of the answer for one scenario, kept so that all of it can be explained."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from planner.decision import verdict as verdicts
from planner.decision.cashed import served_frac
from planner.decision.document import document
from planner.decision.flips import flips
from planner.decision.limits import beyond
from planner.decision.odds import Risk, risk
from planner.decision.payback import Payback, middle_and_ends
from planner.decision.proposing import proposed
from planner.decision.sized import Sized, sized
from planner.decision.valued import AS_BUILT, Valued, ladder_costs, valued
from planner.decision.verdict import Verdict
from planner.demand.scenario import Scenario
from planner.demand.workload import RATIO_MONTHS
from planner.errors import ScenarioError
from planner.facts.catalog import Catalog
from planner.facts.ledger import Ledger
from planner.fleet.mix import PROPOSED, Mix
from planner.fleet.options import PURCHASABLE
from planner.fleet.pools import ROLES, Fleet, Pool
from planner.fleet.watts import Watts, capped, fleet_watts, nameplate_w, pool_watts, provisioned_w
from planner.money.cash import Floats, flows_usd, payback_years, paybacks_years
from planner.money.stranded import Stranded, stranded
from planner.money.tax import Bridge, bridge, last_serving


@dataclass(frozen=True)
class Plan:
    """One scenario answered; stages in order: sized, valued, judged.

    fleets, watts: by option id, the proposed plan included. money: the deterministic values.
    sampled: the same over samples, with `sampled_stranded`; None where none were asked for.
    mix: what the optimiser found; None where it found nothing.
    barred: options beyond the limits of capital or space, and why.
    best: id of the cheapest purchasable option, before the friction of a split.
    """

    scenario: Scenario
    sized: Sized
    fleets: Mapping[str, Fleet]
    watts: Mapping[str, Watts]
    money: Valued
    sampled: Valued | None
    best: str
    stranded: Stranded
    sampled_stranded: Stranded | None
    n_samples: int
    mix: Mix | None
    seed: int
    bridge: Bridge
    verdict: Verdict
    barred: Mapping[str, str]

    @property
    def ledger(self) -> Ledger:
        """Every assumption used so far."""
        return self.sized.ledger

    @property
    def catalog(self) -> Catalog:
        """The catalog that the plan was made from."""
        return self.sized.catalog

    @property
    def ladder_costs(self) -> tuple[dict[str, Any], dict[str, bool]]:
        """Gross yearly cost and feasibility of the purchasable options."""
        return self.costs_along(self.money)

    def costs_along(self, money: Valued) -> tuple[dict[str, Any], dict[str, bool]]:
        """The same for other values of the assumptions, such as samples."""
        return ladder_costs(self.sized, money)

    def pool_watts(self, pool: Pool) -> Watts:
        """IT power of one pool."""
        return pool_watts(pool, self.catalog, self.ledger)

    def flows_usd(self, option: str) -> Floats:
        """After-tax cash of an option less that of as-built, by quarter from the decision. [USD]"""
        held = self.money.cash
        return flows_usd(held[option], held[AS_BUILT], self.money.terms)

    def sampled_flows_usd(self, option: str) -> Floats:
        """The same over samples (samples, quarters); without samples the stated ones. [USD]"""
        money = self.sampled or self.money
        return flows_usd(money.cash[option], money.cash[AS_BUILT], money.terms)

    @property
    def bridged(self) -> str:
        """The option that the bridge ends at: the best split, or the last that serves."""
        return last_serving(self.ladder_costs[1])

    def pays(self, option: str) -> bool:
        """Whether an option may be a verdict: it serves, within limits, and gains often enough."""
        npv = (self.sampled or self.money).npv_usd[option]
        able = self.fleets[option].feasible and option not in self.barred
        return able and verdicts.pays(npv, self.ledger["operator.min_confidence"])

    def gains_frac(self, option: str) -> float:
        """Share of futures in which an option gains, as the verdict counts it. [frac]"""
        return verdicts.odds((self.sampled or self.money).npv_usd[option])[1]

    def served_frac(self, option: str) -> float:
        """Demand that an option serves in cash terms: up to power budget and backlog. [frac]

        Cost a year, chips and megawatts of an option are at one, the demand planned for.
        """
        return float(served_frac(self.sized, self.fleets[option]))

    def payback(self, option: str) -> Payback:
        """When an option's cash is back, at stated values and over the draws. [years]"""
        stated, _ = payback_years(self.flows_usd(option))
        if self.sampled is None:
            return Payback(stated, None)
        return Payback(stated, middle_and_ends(paybacks_years(self.sampled_flows_usd(option))))

    @cached_property
    def flips(self) -> tuple[Mapping[str, Any], ...]:
        """Values of the headline sliders at which the verdict changes."""
        return flips(self, partial(judged, seed=self.seed))

    @cached_property
    def risk(self) -> Risk:
        """Ranges, odds and what matters most."""
        return risk(self, partial(judged, seed=self.seed))

    @cached_property
    def at_18_months(self) -> "Plan":
        """The plan with the fleet sized for month 18: itself where that is its month."""
        return self._sized_for(RATIO_MONTHS)

    @cached_property
    def today(self) -> "Plan":
        """The plan with the fleet sized for today's demand."""
        return self._sized_for(0)

    def _sized_for(self, month: float) -> "Plan":
        if self.scenario.planning_month == month:
            return self
        then = self.scenario.model_copy(update={"planning_month": float(month)})
        return plan(then, self.catalog, n_samples=self.n_samples, seed=self.seed)

    def as_dict(self, *, flips: bool = True, break_even: bool | None = None) -> dict[str, Any]:
        """The document `plan/1` of plain values; no NaN, no infinity.

        flips: whether to search where the verdict changes and to size for today: the slow parts.
        break_even: whether to search where a split begins to pay, as slow; None: with the flips.
        """
        return document(self, flips=flips, break_even=flips if break_even is None else break_even)


def plan(
    scenario: Scenario, catalog: Catalog | None = None, *, n_samples: int = 0, seed: int = 0
) -> Plan:
    """Answer a scenario.

    catalog: None is the one that the scenario was read against.
    n_samples: draws for the ranges and the confidence, sizing held fixed; 0 for none. seed: their
    start.

    Raises:
        ScenarioError: owned chips cannot serve as built, or cannot be timed, powered or priced.
    """
    return judged(sized(scenario, catalog or scenario.catalog), n_samples, seed)


def judged(held: Sized, n_samples: int = 0, seed: int = 0) -> Plan:
    """The plan of options that are already sized. Raises ScenarioError if as-built cannot serve."""
    if not held.fleets[AS_BUILT].serves(demand.name for demand in held.demands):
        raise ScenarioError(held.fleets[AS_BUILT].reason)
    first = valued(held, held.ledger, held.fleets)
    chosen, mix = proposed(held, first)
    fleets = {**held.fleets, PROPOSED: chosen}
    watts = {**held.watts, PROPOSED: fleet_watts(chosen, held.catalog, held.ledger)}
    money = valued(held, held.ledger, fleets, known=first)
    best, barred = _cheapest(held, money), beyond(held, money, fleets)
    wasted = _stranded(held, held.ledger, best)
    draws = held.ledger.sampled(n_samples, seed) if n_samples else None
    sampled = valued(held, draws, fleets) if draws else None
    return Plan(
        scenario=held.scenario,
        sized=held,
        fleets=fleets,
        watts=watts,
        money=money,
        sampled=sampled,
        best=best,
        stranded=wasted,
        sampled_stranded=_stranded(held, draws, best) if draws else None,
        n_samples=n_samples,
        mix=mix,
        seed=seed,
        bridge=bridge(*ladder_costs(held, money), money.extras),
        verdict=_verdict(held, sampled or money, fleets, barred),
        barred=barred,
    )


def _cheapest(held: Sized, money: Valued) -> str:
    gross, feasible = ladder_costs(held, money)
    allowed = [name for name in gross if feasible[name]] or list(gross)
    return min(allowed, key=lambda name: float(gross[name]))


def _stranded(held: Sized, ledger: Ledger, best: str) -> Stranded:
    """Stranded facility power of as-built against the best purchasable option."""
    pue, catalog, as_built = ledger["site.pue"], held.catalog, held.fleets["as-built"]
    harmless = capped(as_built, catalog, held.ledger, ROLES)
    owned = sum(n * nameplate_w(chip, catalog, ledger) for chip, n in held.owned.items()) * pue
    return stranded(
        owned if held.owned else None,
        fleet_watts(as_built, catalog, ledger).times(pue),
        provisioned_w(harmless, catalog, ledger) * pue,
        fleet_watts(held.fleets[best], catalog, ledger).times(pue),
    )


def _verdict(
    held: Sized, money: Valued, fleets: Mapping[str, Fleet], barred: Collection[str]
) -> Verdict:
    candidates = {
        name: money.npv_usd[name]
        for name in (*PURCHASABLE, PROPOSED)
        if name in money.npv_usd and name not in barred
    }
    general = verdicts.general_purpose(held.catalog)
    confidence = held.ledger["operator.min_confidence"]
    return verdicts.choose(candidates, fleets, confidence, general)
