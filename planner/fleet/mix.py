"""The proposed fleet: how much of the serving power goes to split pools.

First version: a blend of the best monolithic and the best split option, all of the cheapest
where nothing is forced. The optimiser over owned and new chips takes this place later.
"""

from collections.abc import Mapping
from dataclasses import replace

from planner.fleet.pools import Fleet, Units

PROPOSED = "proposed"
LABEL = "Proposed plan"


def proposed(
    fleets: Mapping[str, Fleet],
    cost_usd_per_year: Mapping[str, float],
    facility_w: Mapping[str, float],
    split_power_frac: float | None,
    units: Units,
) -> Fleet:
    """The cheapest feasible option, or the forced blend of the best of both kinds.

    split_power_frac: share of serving power in split pools, None to let cost decide.
    """
    feasible = [name for name in cost_usd_per_year if fleets[name].feasible]
    ranked = sorted(feasible or cost_usd_per_year, key=lambda name: cost_usd_per_year[name])
    whole = [name for name in ranked if not fleets[name].split]
    divided = [name for name in ranked if fleets[name].split]
    if split_power_frac is None:
        return _named(fleets[ranked[0]])
    if not divided or not whole:
        kind = "split" if not divided else "monolithic"
        caveat = f"No {kind} option is feasible, so the forced mix cannot be formed."
        return replace(_named(fleets[ranked[0]]), caveats=(caveat,))
    share = demand_share(split_power_frac, facility_w[divided[0]], facility_w[whole[0]])
    return _blend(fleets[whole[0]], fleets[divided[0]], share, units)


def demand_share(power_frac: float, split_w: float, whole_w: float) -> float:
    """Demand to send to split pools so that they hold a share of the power. Returns: [frac]"""
    return power_frac * whole_w / (split_w * (1 - power_frac) + power_frac * whole_w)


def _blend(whole: Fleet, divided: Fleet, share: float, units: Units) -> Fleet:
    """Both plans side by side, each for its share of the demand."""
    parts = [
        fleet.scaled(part, units).pools
        for fleet, part in ((whole, 1 - share), (divided, share))
        if part
    ]
    return Fleet(
        id=PROPOSED,
        label=LABEL,
        pools=tuple(pool for pools in parts for pool in pools),
        feasible=whole.feasible and divided.feasible,
        reason=" ".join(filter(None, (whole.reason, divided.reason))),
    )


def _named(fleet: Fleet) -> Fleet:
    return replace(fleet, id=PROPOSED, label=LABEL)
