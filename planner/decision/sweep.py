"""NPV over a grid of ratios and power ceilings, thousands of points at once.

Money is exact at every power ceiling. Fleets are sized anew at `N_POINTS` ratios, spaced evenly on
the log scale; between them NPV is interpolated, for sizing thousands of fleets takes minutes. An
option that serves at only one of two neighbouring ratios counts as infeasible between them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.decision.plan import Plan
from planner.decision.sized import sized
from planner.decision.valued import AS_BUILT, valued
from planner.errors import ScenarioError
from planner.fleet.options import PURCHASABLE

Floats = NDArray[np.float64]
N_POINTS = 9


@dataclass(frozen=True)
class Sweep:
    """NPV [USD] against as-built by option (ratios, powers); NaN where an option does not serve.

    best: the option with the highest, as-built where none gains a dollar; never one that needs more
    capital or racks than the plan has.
    """

    ratios: Sequence[float]
    powers_mw: Sequence[float]
    npv_usd: Mapping[str, Floats]
    best: NDArray[np.str_]


def sweep(plan: Plan, ratios: Sequence[float], powers_mw: Sequence[float]) -> Sweep:
    """The options of a plan at stated values, over output : input tokens and power ceilings.

    Raises:
        ScenarioError: a ratio or a ceiling is not above zero.
    """
    if min(*ratios, *powers_mw) <= 0:
        raise ScenarioError("sweep: a ratio or a power ceiling is not above 0; all must be.")
    nodes = np.geomspace(min(ratios), max(ratios), N_POINTS if np.ptp(ratios) else 1)
    rows = [_row(plan, float(node), np.asarray(powers_mw, float)) for node in nodes]
    npv = {
        name: _between(np.log(nodes), np.array([row[name] for row in rows]), np.log(ratios))
        for name in PURCHASABLE
    }
    worth = np.array([npv[name] for name in PURCHASABLE])
    worth[0] = 1.0
    worth[[name in plan.barred for name in PURCHASABLE]] = np.nan
    best = np.array(PURCHASABLE)[np.where(np.isnan(worth), -np.inf, worth).argmax(axis=0)]
    return Sweep(ratios, powers_mw, npv, best)


def _row(plan: Plan, ratio: float, powers_mw: Floats) -> dict[str, Floats]:
    """NPV of every option at one ratio, NaN where it does not serve."""
    nothing = np.full(powers_mw.shape, np.nan)
    scenario = plan.scenario.model_copy(update={"decode_to_prefill_token_ratio": ratio})
    held = sized(scenario, plan.catalog)
    fleets = {name: held.fleets[name] for name in PURCHASABLE}
    if not fleets[AS_BUILT].serves(demand.name for demand in held.demands):
        return dict.fromkeys(PURCHASABLE, nothing)
    npv: Mapping[str, Any] = valued(
        held, held.ledger.drawn({"power_budget_mw": powers_mw}), fleets
    ).npv_usd
    serves = {name for name in npv if name == AS_BUILT or fleets[name].feasible}
    return {
        name: np.broadcast_to(npv[name], powers_mw.shape) if name in serves else nothing
        for name in PURCHASABLE
    }


def _between(nodes: Floats, values: Floats, wanted: Floats) -> Floats:
    """Linear between nodes along the first axis."""
    if len(nodes) == 1:
        return np.repeat(values, len(wanted), axis=0)
    above = np.clip(np.searchsorted(nodes, wanted), 1, len(nodes) - 1)
    share = ((wanted - nodes[above - 1]) / (nodes[above] - nodes[above - 1]))[:, None]
    return np.asarray(values[above - 1] + share * (values[above] - values[above - 1]))
