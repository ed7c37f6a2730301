"""Power of pools: nameplate, provisioned at its caps, peak draw and mean draw, kept apart."""

from collections.abc import Container
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.facts.catalog import Catalog
from planner.facts.ledger import Ledger
from planner.facts.units import HOURS_PER_DAY
from planner.fleet import day
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL, Fleet, Pool
from planner.physics.power import activity_frac, chip_draw_w, harmless_cap_frac, work_rate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Watts:
    """IT power [W]; nameplate ≥ provisioned (at its caps) ≥ peak draw ≥ mean draw over a day.

    lean_peak_w, lean_mean_w: draws of the same work on the replicas needed without reserve.
    """

    nameplate_w: Any
    provisioned_w: Any
    peak_w: Any
    mean_w: Any
    lean_peak_w: Any
    lean_mean_w: Any

    def __add__(self, other: "Watts") -> "Watts":
        return Watts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def times(self, factor: Any) -> "Watts":
        """Every power times a factor (a PUE, a count)."""
        return Watts(*(getattr(self, f.name) * factor for f in fields(self)))


def fleet_watts(fleet: Fleet, catalog: Catalog, ledger: Ledger) -> Watts:
    """IT power of all pools together."""
    total = Watts(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for pool in fleet.pools:
        total = total + pool_watts(pool, catalog, ledger)
    return total


def provisioned_w(fleet: Fleet, catalog: Catalog, ledger: Ledger) -> Any:
    """IT power that must be held for a fleet at its caps, without what it draws. Returns: [W]"""
    return sum(
        _held_w(pool, tdp(pool.accelerator, ledger), overhead_w(pool.accelerator, catalog, ledger))
        for pool in fleet.pools
    )


def split_power_frac(fleet: Fleet, catalog: Catalog, ledger: Ledger) -> float:
    """Share of a fleet's provisioned power that stands in pools of one phase. [frac]"""
    apart = replace(fleet, pools=tuple(pool for pool in fleet.pools if pool.role != MONOLITHIC))
    total_w = float(provisioned_w(fleet, catalog, ledger))
    return float(provisioned_w(apart, catalog, ledger)) / total_w if total_w else 0.0


def _held_w(pool: Pool, tdp_w: Any, rest_w: Any) -> Any:
    """IT power held for a pool at its cap; rest_w: beside each chip. Returns: [W]"""
    return pool.n_accelerators * (tdp_w * pool.power_cap_frac + rest_w)


def pool_watts(pool: Pool, catalog: Catalog, ledger: Ledger) -> Watts:
    """IT power of one pool, servers, network and storage included."""
    chip, n = chip_draw(pool, catalog, ledger), pool.n_accelerators
    rest_w = overhead_w(pool.accelerator, catalog, ledger)
    drawn_rest_w = rest_w * ledger["estimates.power.overhead_draw_frac"]
    lean = pool.n_needed / pool.n_replicas if pool.n_replicas else 0.0

    busier = 1 / lean if lean else 1.0
    usual = np.column_stack([_at_peak(pool), day.half_day(pool)])
    loads = np.hstack([usual, np.minimum(usual * busier, 1)])
    drawn = np.split(pool_draws_w(pool, chip, loads), 2)
    (peak, mean), (lean_peak, lean_mean) = ((each[0], day.mean(each[1:])) for each in drawn)
    return Watts(
        nameplate_w=n * (chip.tdp_w + rest_w),
        provisioned_w=_held_w(pool, chip.tdp_w, rest_w),
        peak_w=n * (peak + drawn_rest_w),
        mean_w=n * (mean + drawn_rest_w),
        lean_peak_w=n * lean * (lean_peak + drawn_rest_w),
        lean_mean_w=n * lean * (lean_mean + drawn_rest_w),
    )


def _steps(pool: Pool) -> Floats:
    """Shares of arithmetic and of bandwidth in use while a step of each of its phases runs."""
    steps = {PREFILL: (pool.in_prefill,), DECODE: (pool.in_decode,)}
    run = steps.get(pool.role, (pool.in_prefill, pool.in_decode))
    return np.transpose([(each.compute_util_frac, each.memory_util_frac) for each in run if each])


def _at_peak(pool: Pool) -> Floats:
    return np.array([pool.peak.compute_util_frac, pool.peak.memory_util_frac])


def draw_by_hour_w(fleet: Fleet, catalog: Catalog, ledger: Ledger) -> Floats:
    """IT draw of a fleet in each hour of an average day, from the busiest on (24,). [W]"""
    total = np.zeros(HOURS_PER_DAY)
    for pool in fleet.pools:
        loads = day.activities(pool, day.load_by_hour(pool.peak_to_mean))
        drawn = pool_draws_w(pool, chip_draw(pool, catalog, ledger), loads)
        rest_w = overhead_w(pool.accelerator, catalog, ledger)
        total += pool.n_accelerators * (
            drawn + rest_w * ledger["estimates.power.overhead_draw_frac"]
        )
    return total


@dataclass(frozen=True, slots=True)
class ChipDraw:
    """What the draw of one chip of a pool depends on, numbers or draws of them.

    per_memory, per_compute: how hard it works with all of its bandwidth, and all of its arithmetic.
    """

    idle_w: Any
    tdp_w: Any
    per_memory: Any
    per_compute: Any
    bend_order: Any

    def activity(self, loads: Floats) -> Floats:
        """How far between idle and TDP it draws under each load (loads, draws). [frac]

        loads: shares of arithmetic and of bandwidth in use (2, loads).
        """
        compute, memory = loads[..., None]
        rate = self.per_memory * memory + self.per_compute * compute
        return activity_frac(rate, self.bend_order)

    def draws_w(self, loads: Floats, cap_frac: float) -> Floats:
        """Its draw under each load and a cap (loads,), or (loads, draws) where it is drawn. [W]"""
        drawn = chip_draw_w(self.idle_w, self.tdp_w, self.activity(loads), cap_frac)
        return np.asarray(drawn if drawn.shape[-1] > 1 else drawn[:, 0])


def pool_draws_w(pool: Pool, chip: ChipDraw, loads: Floats) -> Floats:
    """Draw of a chip of a pool under loads over all time (2, loads), as `ChipDraw.draws_w`. [W]

    Chips that only prefill work at one pace or rest between prompts, and draw what they do in
    between in proportion, as `measured/h100_bench.csv` shows; those that decode hardly ever rest,
    and work slower.
    """
    if pool.role != PREFILL or pool.in_prefill is None:
        return chip.draws_w(loads, pool.power_cap_frac)
    busy = np.minimum(loads[0] / pool.in_prefill.compute_util_frac, 1)
    pace = _steps(pool)
    while_busy, at_rest = chip.draws_w(np.hstack([pace, 0 * pace]), pool.power_cap_frac)
    return np.asarray(at_rest + np.multiply.outer(busy, while_busy - at_rest))


def chip_draw(pool: Pool, catalog: Catalog, ledger: Ledger) -> ChipDraw:
    """What the draw of a chip of a pool depends on."""
    idle_w = _idle_w(pool.accelerator, catalog, ledger)
    tdp_w = tdp(pool.accelerator, ledger)
    bytes_per_s = ledger[f"accelerators.{pool.accelerator}.memory_bytes_per_s"]
    numbers = {name: ledger[f"calibration.{name}"] for name in POWER_NUMBERS}
    about = (tdp_w - idle_w, catalog.models[pool.model].n_experts)
    return ChipDraw(
        idle_w=idle_w,
        tdp_w=tdp_w,
        per_memory=work_rate(0.0, bytes_per_s, *about, **numbers),
        per_compute=work_rate(1.0, 0.0, *about, **numbers),
        bend_order=ledger["power.bend_order"],
    )


POWER_NUMBERS = ("memory_j_per_byte", "compute_weight", "expert_order")


def nameplate_w(accelerator: str, catalog: Catalog, ledger: Ledger) -> Any:
    """All-in nameplate of one chip with its share of server, network and storage. Returns: [W]"""
    return tdp(accelerator, ledger) + overhead_w(accelerator, catalog, ledger)


def tdp(accelerator: str, ledger: Ledger) -> Any:
    """Thermal design power of one chip. Returns: [W]"""
    return ledger[f"accelerators.{accelerator}.tdp_w"]


def overhead_w(accelerator: str, catalog: Catalog, ledger: Ledger) -> Any:
    """Server, network and storage power beside one chip. Returns: [W]"""
    network_w = ledger["estimates.power.network_storage_w"]
    chip = catalog.accelerators[accelerator]
    if chip.server_w is None:
        kind = "rack_nameplate" if chip.price_scope == "rack" else "nameplate"
        over_frac = ledger[f"power.server.{kind}_over_tdp_frac"] - 1
        return tdp(accelerator, ledger) * over_frac + network_w
    server_w = ledger[f"accelerators.{accelerator}.server_w"]
    return server_w - tdp(accelerator, ledger) + network_w


def capped(
    fleet: Fleet, catalog: Catalog, ledger: Ledger, roles: Container[str] = (DECODE,)
) -> Fleet:
    """The fleet with the pools of some roles under the lowest cap that slows nothing at peak."""
    pools = (_capped(pool, catalog, ledger) if pool.role in roles else pool for pool in fleet.pools)
    return replace(fleet, pools=tuple(pools))


def _capped(pool: Pool, catalog: Catalog, ledger: Ledger) -> Pool:
    chip = chip_draw(pool, catalog, ledger)
    cap = harmless_cap_frac(
        chip.idle_w,
        chip.tdp_w,
        chip.activity(np.column_stack([_steps(pool), _at_peak(pool)])).max(),
        margin=ledger["estimates.power.cap_margin_frac"],
        floor=ledger["power.cap.decode_harmless_frac_of_tdp"],
    )
    return replace(pool, power_cap_frac=float(cap))


def _idle_w(accelerator: str, catalog: Catalog, ledger: Ledger) -> Any:
    if catalog.accelerators[accelerator].idle_w is None:
        return tdp(accelerator, ledger) * ledger["power.idle_frac_of_tdp"]
    return ledger[f"accelerators.{accelerator}.idle_w"]
