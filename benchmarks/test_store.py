"""Speed of the store on this machine, on both databases: `make bench`."""

import pytest
from sqlalchemy import insert

import planner
from planner.store.records import content_hash
from planner.store.tables import versions
from tests.store.conftest import (
    address,
    opened_stores,
    postgres_address,
    postgres_server,
    sqlite_address,
    store,
)
from tests.store.stand_ins import ANN, CFO, save

__all__ = [
    "address", "opened_stores", "postgres_address", "postgres_server", "sqlite_address", "store",
]  # fmt: skip
N_LISTED = 10_000
SAVE_P95_S = 0.05
LISTING_S = 1


def p95_s(benchmark):
    ordered = sorted(benchmark.stats.stats.data)
    return ordered[int(0.95 * len(ordered))]


@pytest.fixture
def full_store(store):
    """Ten thousand scenarios of one user, each with the headline of a plan."""
    headline = planner.headline_of(planner.plan(planner.Scenario.read({}), n_samples=256))
    first = save(store, headline=headline)
    with store._database.writing() as connection:
        row = dict(connection.execute(versions.select()).mappings().one())
        rows = [row | {"document_id": f"d{n}", "name": f"s{n}"} for n in range(1, N_LISTED)]
        for each in rows:
            each["content_hash"] = content_hash(each)
        connection.execute(insert(versions), rows)
    return store, first


def test_save(benchmark, full_store):
    """A next version of a scenario with its headline, among 10,000: target p95 50 ms."""
    store, last = full_store
    held = [last]

    def save_next():
        scale = 1.0 + len(held)
        held.append(save(store, after=held[-1], demand_scale=scale, headline=last.headline))

    benchmark.pedantic(save_next, rounds=300, warmup_rounds=5)
    benchmark.extra_info["p95_ms"] = round(1000 * p95_s(benchmark), 1)
    assert p95_s(benchmark) <= SAVE_P95_S


@pytest.mark.parametrize("who", [ANN, CFO], ids=lambda who: who.role)
def test_list_10000(benchmark, full_store, who):
    """The latest version of each of 10,000 scenarios with its headline: target p95 1 s."""
    store, _ = full_store
    listed = benchmark.pedantic(store.scenarios.listed, (who,), rounds=20, warmup_rounds=1)
    assert len(listed) == N_LISTED
    benchmark.extra_info["p95_ms"] = round(1000 * p95_s(benchmark), 1)
    assert p95_s(benchmark) <= LISTING_S


def test_check_10000(benchmark, full_store):
    """Every hash of 10,000 scenarios again: no target."""
    store, _ = full_store
    benchmark.pedantic(store.check, (CFO,), rounds=3)
