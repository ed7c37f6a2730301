"""Power of the chips of benchmark points, from how busy they are."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.evidence.bench import Outcome
from planner.evidence.deployments import Deployments
from planner.facts.catalog import Catalog
from planner.physics.power import activity_frac, chip_draw_w, work_rate

Floats = NDArray[np.float64]


def chip_watts(
    points: Deployments,
    found: Outcome,
    chips: pd.Series,
    numbers: Mapping[str, float],
    catalog: Catalog,
) -> Floats:
    """Mean draw of a chip over a run; pools of a split deployment by their chips. Returns: [W]

    numbers: memory_j_per_byte, compute_weight and expert_order. nan for a chip whose power
    is not published.
    """
    idle, tdp = idle_and_tdp_w(chips, catalog)
    bend_order = catalog.number("power.bend_order").value

    def draw(compute: Floats, memory: Floats) -> Floats:
        rate = work_rate(
            compute,
            memory * points.sheet.memory_bytes_per_s,
            tdp - idle,
            points.profile.n_experts,
            memory_j_per_byte=numbers["memory_j_per_byte"],
            compute_weight=numbers["compute_weight"],
            expert_order=numbers["expert_order"],
        )
        return chip_draw_w(idle, tdp, activity_frac(rate, bend_order))

    own = draw(found.compute_util_frac, found.memory_util_frac)
    other = draw(found.prefill_compute_util_frac, found.prefill_memory_util_frac)
    share = found.prefill_chips_frac
    return np.asarray(own * (1 - share) + other * share)


def idle_and_tdp_w(chips: pd.Series, catalog: Catalog) -> tuple[Floats, Floats]:
    """Draw at rest, the usual share of TDP where nobody measured it, and TDP. Returns: [W]"""
    usual = catalog.number("power.idle_frac_of_tdp").value
    tdp = {n: c.tdp_w.value if c.tdp_w else np.nan for n, c in catalog.accelerators.items()}
    idle = {
        n: c.idle_w.value if c.idle_w else usual * tdp[n] for n, c in catalog.accelerators.items()
    }
    return np.asarray(chips.map(idle), float), np.asarray(chips.map(tdp), float)
