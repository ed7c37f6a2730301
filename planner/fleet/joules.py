"""Where the joules go: a fleet's mean draw at the meter by what draws it."""

from collections.abc import Mapping

from planner.facts.catalog import Catalog
from planner.facts.ledger import Ledger
from planner.fleet import day
from planner.fleet.pools import Fleet, Pool
from planner.fleet.watts import chip_draw, overhead_w, pool_draws_w

LABELS = {
    "memory": "Memory traffic",
    "compute": "Arithmetic",
    "idle": "Idle chips",
    "server": "Servers, fans, network",
    "facility": "Cooling and power losses",
}
"""On-chip traffic is part of what it serves: the fit tells only these apart."""


def draw_by_cause_w(fleet: Fleet, catalog: Catalog, ledger: Ledger) -> dict[str, float]:
    """Mean facility draw by cause [W]; it sums to the fleet's mean draw times PUE."""
    total = dict.fromkeys(LABELS, 0.0)
    for pool in fleet.pools:
        for cause, watts in _pool_w(pool, catalog, ledger).items():
            total[cause] += watts
    it_w = sum(total.values())
    total["facility"] = it_w * (ledger["site.pue"] - 1)
    return total


def _pool_w(pool: Pool, catalog: Catalog, ledger: Ledger) -> Mapping[str, float]:
    """What a chip draws above idle is shared by traffic and arithmetic as they drive it."""
    chip, n = chip_draw(pool, catalog, ledger), pool.n_accelerators
    drawn = float(day.mean(pool_draws_w(pool, chip, day.half_day(pool))))
    idle = min(float(chip.idle_w), drawn)
    memory = float(chip.per_memory) * pool.mean.memory_util_frac
    compute = float(chip.per_compute) * pool.mean.compute_util_frac
    share = memory / (memory + compute) if memory + compute else 0.0
    server = overhead_w(pool.accelerator, catalog, ledger)
    return {
        "memory": n * (drawn - idle) * share,
        "compute": n * (drawn - idle) * (1 - share),
        "idle": n * idle,
        "server": n * float(server * ledger["estimates.power.overhead_draw_frac"]),
    }
