"""Tokens, requests and revenue of a year, and how sampled demand and speed stretch a fleet."""

from dataclasses import dataclass
from typing import Any

from planner.demand.workload import Demand
from planner.facts.ledger import Ledger
from planner.facts.units import MONTHS_PER_YEAR, SECONDS_PER_YEAR, TOKENS_PER_MTOK
from planner.fleet.pools import Pool
from planner.physics.machines import speed_name


@dataclass(frozen=True, slots=True)
class Volumes:
    """A year at the planning month's demand; arrays over samples where demand is uncertain.

    Input tokens include cached ones; input revenue does not.
    """

    input_tokens: Any
    cached_tokens: Any
    output_tokens: Any
    useful_tokens: Any
    input_revenue_usd: Any
    cached_revenue_usd: Any
    output_revenue_usd: Any

    @property
    def revenue_usd(self) -> Any:
        """What fresh input, cached input and output earn together."""
        return self.input_revenue_usd + self.cached_revenue_usd + self.output_revenue_usd

    @property
    def total_tokens(self) -> Any:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens


def volumes(
    demands: tuple[Demand, ...], ledger: Ledger, nominal: Ledger, *, prefix_cache: bool
) -> Volumes:
    """Sum over the classes; useful tokens are those of requests inside both p99 limits.

    prefix_cache: whether the option caches; without it no input is billed as cached.
    """
    rows = [_class_volumes(demand, ledger, nominal, prefix_cache) for demand in demands]
    inputs, cached, outputs, *revenue = (sum(column) for column in zip(*rows, strict=True))
    both_slos = 1 - 2 * (1 - ledger["estimates.serving.slo_quantile"])
    realised = (1 - ledger["finance.discount_frac"]) * ledger["finance.sold_frac"]
    return Volumes(
        inputs, cached, outputs, outputs * both_slos, *(usd * realised for usd in revenue)
    )


def _class_volumes(
    demand: Demand, ledger: Ledger, nominal: Ledger, prefix_cache: bool
) -> tuple[Any, ...]:
    """Input, cached and output tokens, and the list price of fresh input, cached and output."""
    path = f"classes.{demand.name}"
    stretch = demand_factor(demand.name, ledger, nominal)
    requests = demand.mean_per_s * SECONDS_PER_YEAR * stretch
    inputs = requests * demand.input_tokens
    cached = inputs * ledger[f"{path}.cache_hit_frac"] * (1 if prefix_cache else 0)
    outputs = requests * demand.output_tokens
    sold = {"input": inputs - cached, "cached": cached, "output": outputs}
    listed = (
        tokens / TOKENS_PER_MTOK * ledger[f"{path}.usd_per_mtok_{kind}"]
        for kind, tokens in sold.items()
    )
    return inputs, cached, outputs, *listed


def demand_factor(class_name: str, ledger: Ledger, nominal: Ledger) -> Any:
    """Sampled over nominal requests of a class at the planning month."""
    names = (f"classes.{class_name}.requests_per_s", "demand_scale")
    factor: Any = 1.0
    for name in names:
        factor = factor * _over(ledger[name], nominal[name])
    years = nominal["planning_month"] / MONTHS_PER_YEAR
    grown = (1 + ledger["growth_frac_per_year"]) / (1 + nominal["growth_frac_per_year"])
    return factor * grown**years


def _over(sampled: Any, nominal: Any) -> Any:
    """Sampled over nominal, 1 where both are nothing."""
    return sampled / nominal if nominal else 1.0


def stretch(pool: Pool, ledger: Ledger, nominal: Ledger) -> Any:
    """Replicas of the pool's plan that a sample needs over those of the nominal plan.

    The plan (chip, parallelism, batch, load) is held; its count follows demand and speed.
    """
    slower = _slower(speed_name(pool.accelerator), ledger, nominal)
    return slower * demand_factor(pool.class_name, ledger, nominal)


def _slower(name: str, ledger: Ledger, nominal: Ledger) -> Any:
    return nominal[name] / ledger[name]
