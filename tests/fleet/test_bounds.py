"""Bounds that spare configurations a look: by hand, and never below what is possible under load."""

from dataclasses import fields, is_dataclass
from functools import cache

import numpy as np
import pytest

from planner.decision import sized as sizing_of
from planner.demand.scenario import Scenario
from planner.facts.catalog import load_catalog
from planner.fleet import candidates as candidates_of
from planner.fleet.offers import allowed
from planner.fleet.options import ladder
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL
from planner.fleet.sizing import choose
from planner.fleet.tables import LOADS
from tests.stand_ins import PROFILES

CATALOG = load_catalog()
every_profile = pytest.mark.parametrize("profile", PROFILES)


@cache
def candidates(profile):
    held, _ = allowed(sizing_of.sizing(Scenario(profile=profile), CATALOG))
    return held


@every_profile
def test_nothing_that_meets_its_time_per_token_carries_more_than_its_bound(profile):
    """Under load, with every percentile in its limit, a replica carries less than in a fluid."""
    held = candidates(profile)
    curves, grid = held.curves, held.curves.grid
    limit_s = grid.of_offer([row.demand.source.p99_tpot_s for row in grid.offers])
    for role in (MONOLITHIC, DECODE):
        whole = grid.chunk_tokens > 0
        rows = np.flatnonzero(whole if role == MONOLITHIC else ~whole)[::5]
        table = held.tables[role].at(rows)
        within = table.tpot_s <= limit_s[rows][:, None]
        carried = np.where(within, LOADS * table.full_per_s, 0).max(axis=1)
        assert np.all(carried <= held.bound_per_s[role][rows] * (1 + 1e-2))
        assert curves.grid is grid


@every_profile
def test_no_first_token_comes_before_the_least_time(profile):
    held = candidates(profile)
    whole = held.curves.grid.chunk_tokens > 0
    for role in (MONOLITHIC, DECODE, PREFILL):
        rows = np.flatnonzero(whole if role == MONOLITHIC else ~whole)[::5]
        quickest = held.tables[role].at(rows).ttft_s.min(axis=1)
        assert np.all(quickest >= held.least_s[role][rows] * (1 - 1e-9))


def same_fleet(one, other):
    """Alike to nine digits: sums over curves of different length round differently."""
    assert type(one) is type(other)
    if is_dataclass(one):
        for field in fields(one):
            same_fleet(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, tuple | list):
        assert len(one) == len(other)
        for part, counterpart in zip(one, other, strict=True):
            same_fleet(part, counterpart)
    else:
        assert one == (pytest.approx(other, rel=1e-9) if isinstance(one, float) else other)


@every_profile
def test_trying_all_configurations_finds_the_same_fleets(profile, monkeypatch):
    asked = sizing_of.sizing(Scenario(profile=profile), CATALOG)
    quick = ladder(asked, *allowed(asked))
    monkeypatch.setattr(candidates_of, "choose", lambda *of: choose(*of, exhaustive=True))
    slow = ladder(asked, *allowed(asked))
    assert len(quick) == len(slow)
    for one, other in zip(quick, slow, strict=True):
        same_fleet(one, other)
