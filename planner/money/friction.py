"""What only a split costs: the fabric, the team and its risk, and flexibility given up."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from planner.demand.scenario import Scenario
from planner.demand.workload import Demand
from planner.facts.catalog import Catalog
from planner.facts.ledger import Ledger
from planner.facts.units import BITS_PER_BYTE, BITS_PER_GBIT, HOURS_PER_YEAR, QUARTERS_PER_YEAR
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL, Fleet, Pool
from planner.fleet.sizing import server_chips
from planner.money.prices import capital_usd_per_year, is_rented
from planner.money.volumes import Volumes, stretch

PERT = ((1, "low"), (4, "value"), (1, "high"))


def fabric_usd_per_year(
    fleet: Fleet, scenario: Scenario, catalog: Catalog, ledger: Ledger, nominal: Ledger
) -> Any:
    """Network capital that carries caches instead of other traffic, annuitised. Returns: [USD/year]

    Of each prefill pool: the share of its servers' network speed that transfers take at peak,
    times the network's share of its capital. A rented chip's rate covers its network.
    """
    sending = [p for p in fleet.pools if p.role == PREFILL and p.n_accelerators]
    paid = [p for p in sending if not is_rented(p.accelerator, scenario, catalog)]
    return sum(
        (
            _network_used_frac(pool, catalog, ledger)
            * (pool.n_accelerators * stretch(pool, ledger, nominal))
            * capital_usd_per_year(pool.accelerator, scenario, catalog, ledger)
            * ledger["prices.capital.network_share_frac"]
            for pool in paid
        ),
        start=0.0,
    )


def _network_used_frac(pool: Pool, catalog: Catalog, ledger: Ledger) -> Any:
    """Share of the network speed of a prefill pool's servers that caches take at peak."""
    together = int(ledger["estimates.serving.server_chips"])
    server = server_chips(catalog.accelerators[pool.accelerator], together)
    nodes = np.ceil(pool.n_accelerators / server)
    sent = pool.kv_bytes_per_s * BITS_PER_BYTE / BITS_PER_GBIT
    return np.minimum(sent / nodes / ledger["fabric.gbit_per_s_per_node"], 1)


def team_usd_per_year(ledger: Ledger) -> Any:
    """Platform engineers that a split adds for good. Returns: [USD/year]"""
    return ledger["operator.engineers"] * ledger["operator.loaded_usd_per_year"]


def bad_quarter_usd(volumes: Volumes, energy_usd_per_year: Any, ledger: Ledger) -> Any:
    """Expected margin lost to one quarter that misses its service levels. Returns: [USD]"""
    margin = np.maximum(volumes.revenue_usd - energy_usd_per_year, 0) / QUARTERS_PER_YEAR
    lost = ledger["estimates.money.bad_quarter_margin_lost_frac"]
    return ledger["operator.bad_quarter_probability"] * margin * lost


def orchestration_usd_per_year(
    volumes: Volumes, energy_usd_per_year: Any, ledger: Ledger, horizon_years: float
) -> Any:
    """Team plus the expected bad quarter spread over the horizon. Returns: [USD/year]"""
    risk = bad_quarter_usd(volumes, energy_usd_per_year, ledger) / horizon_years
    return team_usd_per_year(ledger) + risk


def backfill_usd_per_year(monolithic: Fleet, scenario: Scenario, ledger: Ledger) -> Any:
    """What training work earns in the idle hours of a monolithic fleet. Returns: [USD/year]

    Only as many chips as training takes of the fleet can be filled.
    """
    hours = 0.0
    for pool in monolithic.pools:
        busy = min(pool.utilization * _mean_over_peak(pool), 1)
        hours += pool.n_accelerators * min(1 - busy, scenario.training_frac) * HOURS_PER_YEAR
    return hours * ledger["operator.backfill_usd_per_chip_hour"]


def _mean_over_peak(pool: Pool) -> float:
    busiest = pool.peak.compute_util_frac
    return pool.mean.compute_util_frac / busiest if busiest else 0.0


def drift_loss_frac(
    fleet: Fleet, demands: Sequence[Demand], drifts: Sequence[tuple[float, float, float]]
) -> float:
    """Expected share of a split's capacity that cannot serve when lengths drift. Returns: [frac]

    drifts: (weight, prompt factor, answer factor) of each case. Pools on the same chip change
    roles and lose nothing; pools on different chips serve only what the tighter one can.
    """
    total = sum(weight for weight, _, _ in drifts)
    names = [demand.name for demand in demands]
    lost = 0.0
    for weight, prompts, answers in drifts:
        served = [_served_frac(fleet, name, prompts, answers) for name in names]
        lost += weight / total * (1 - sum(served) / len(served))
    return lost


def _served_frac(fleet: Fleet, name: str, prompts: float, answers: float) -> float:
    """Share of a class that fixed pools carry when prompts and answers change length."""
    split = [p for p in fleet.pools if p.class_name == name and p.role != MONOLITHIC]
    chips = [{p.accelerator for p in split if p.role == role} for role in (PREFILL, DECODE)]
    if not split or chips[0] == chips[1]:
        return 1.0
    need = {PREFILL: prompts, DECODE: answers}
    room = min(1 / (pool.utilization * need[pool.role]) for pool in split)
    share = max(pool.demand_frac for pool in split)
    return 1 - share * (1 - min(1.0, room))
