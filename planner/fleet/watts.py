"""Power of pools: nameplate, provisioned at its caps, peak draw and mean draw, kept apart."""

from collections.abc import Container
from dataclasses import dataclass, fields, replace
from typing import Any

from planner.facts.catalog import Catalog
from planner.facts.ledger import Ledger
from planner.fleet.pools import DECODE, Activity, Fleet, Pool
from planner.physics.power import activity_frac, chip_draw_w, harmless_cap_frac, work_rate


@dataclass(frozen=True, slots=True)
class Watts:
    """IT power [W]; nameplate ≥ provisioned (at its caps) ≥ peak draw ≥ mean draw.

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


def pool_watts(pool: Pool, catalog: Catalog, ledger: Ledger) -> Watts:
    """IT power of one pool, servers, network and storage included."""
    tdp_w, n = tdp(pool.accelerator, ledger), pool.n_accelerators
    rest_w = overhead_w(pool.accelerator, catalog, ledger)
    drawn_rest_w = rest_w * ledger["estimates.power.overhead_draw_frac"]
    lean = pool.n_needed / pool.n_replicas if pool.n_replicas else 0.0

    def draw_w(activity: Activity, busier: float) -> Any:
        return _chip_draw_w(pool, activity, busier, catalog, ledger) + drawn_rest_w

    return Watts(
        nameplate_w=n * (tdp_w + rest_w),
        provisioned_w=n * (tdp_w * pool.power_cap_frac + rest_w),
        peak_w=n * draw_w(pool.peak, 1),
        mean_w=n * draw_w(pool.mean, 1),
        lean_peak_w=n * lean * draw_w(pool.peak, 1 / lean if lean else 1),
        lean_mean_w=n * lean * draw_w(pool.mean, 1 / lean if lean else 1),
    )


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
    cap = harmless_cap_frac(
        _idle_w(pool.accelerator, catalog, ledger),
        tdp(pool.accelerator, ledger),
        _activity(pool, pool.peak, 1, catalog, ledger),
        margin=ledger["estimates.power.cap_margin_frac"],
        floor=ledger["power.cap.decode_harmless_frac_of_tdp"],
    )
    return replace(pool, power_cap_frac=float(cap))


def _chip_draw_w(
    pool: Pool, activity: Activity, busier: float, catalog: Catalog, ledger: Ledger
) -> Any:
    idle_w = _idle_w(pool.accelerator, catalog, ledger)
    share = _activity(pool, activity, busier, catalog, ledger)
    return chip_draw_w(idle_w, tdp(pool.accelerator, ledger), share, pool.power_cap_frac)


def _activity(
    pool: Pool, activity: Activity, busier: float, catalog: Catalog, ledger: Ledger
) -> Any:
    bytes_per_s = ledger[f"accelerators.{pool.accelerator}.memory_bytes_per_s"]
    span_w = tdp(pool.accelerator, ledger) - _idle_w(pool.accelerator, catalog, ledger)
    rate = work_rate(
        min(activity.compute_util_frac * busier, 1.0),
        min(activity.memory_util_frac * busier, 1.0) * bytes_per_s,
        span_w,
        catalog.models[pool.model].n_experts,
        **{name: ledger[f"calibration.{name}"] for name in POWER_NUMBERS},
    )
    return activity_frac(rate)


POWER_NUMBERS = ("memory_j_per_byte", "compute_weight", "expert_order")


def _idle_w(accelerator: str, catalog: Catalog, ledger: Ledger) -> Any:
    if catalog.accelerators[accelerator].idle_w is None:
        return tdp(accelerator, ledger) * ledger["power.idle_frac_of_tdp"]
    return ledger[f"accelerators.{accelerator}.idle_w"]
