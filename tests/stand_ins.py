"""Small stand-ins for tests that compute by hand: a register of a few numbers, a class, a pool."""

from dataclasses import replace
from functools import cache

import pytest

from planner.decision.sized import Sized, sized
from planner.demand.scenario import Scenario
from planner.demand.workload import Demand
from planner.errors import CatalogError
from planner.facts.catalog import load_catalog
from planner.facts.ledger import Assumption, Ledger
from planner.fleet.pools import Activity, Fleet, Pool, TimeShares

PROFILES = ("axiom", "hyperscaler", "neocloud", "sovereign", "enterprise")


def register(numbers, ranges=(), otherwise=None):
    """A ledger of plain numbers, some with a low and a high; others from the ledger `otherwise`."""
    ends = dict(ranges)

    def find(name):
        if name not in numbers and otherwise is not None:
            return otherwise.find(name)
        if name not in numbers:
            raise CatalogError(f"No number {name}.")
        low, high = ends.get(name, (numbers[name], numbers[name]))
        return Assumption(name, numbers[name], "1", low, high, "assumption", "by-hand")

    return Ledger(find)


def demand(per_s=1.0, prompt=1000.0, answer=100.0, peak=1.0, **changes):
    """One class at a rate; `changes` are fields of the class."""
    row = Scenario(profile="axiom").classes[0].model_copy(update=changes)
    return Demand(row, per_s, per_s * peak, prompt, answer)


def pool(**changes):
    """Five monolithic replicas of two H100s that need four to carry the peak."""
    plain = Pool(
        role="monolithic",
        model="llama-3.3-70b",
        class_name="chat",
        accelerator="h100-sxm",
        n_accelerators=10,
        n_replicas=5,
        n_needed=4.0,
        tp=2,
        attention_dp=1,
        ep=1,
        pp=1,
        weight_precision="fp8",
        drafts=0,
        chunk_tokens=2048.0,
        batch=32.0,
        utilization=0.8,
        demand_frac=1.0,
        p99_ttft_s=1.0,
        p99_tpot_s=0.05,
        peak_to_mean=1.5,
        peak=Activity(0.3, 0.5),
        mean=Activity(0.15, 0.4),
        in_prefill=Activity(0.55, 0.15),
        in_decode=Activity(0.05, 0.75),
        shares=TimeShares(0.3, 0.1, 0.05, 0.05, 0.1, 0.3, 0.05, 0.05),
    )
    return replace(plain, **changes)


def fleet(*pools, name="as-built", **changes):
    """An option of the given pools, feasible unless said otherwise."""
    return replace(Fleet(name, name, pools, feasible=True), **changes)


@cache
def sized_profile(profile) -> Sized:
    """The options of a profile as it starts, sized once for all tests."""
    return sized(Scenario(profile=profile), load_catalog())


def swept(every, everyday):
    """All of some cases for `parametrize`; those that are not for every day wait for the sweep."""
    return [
        case if case in everyday else pytest.param(case, marks=pytest.mark.sweep) for case in every
    ]
