"""A surge hour: how busy the machines of the spikiest class are before, during and after it."""

from dataclasses import dataclass

from planner.decision.plan import Plan
from planner.fleet.pools import Activity, Pool

IDLE = Activity(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Surge:
    """As-built machines of one class.

    during: while prompts are read; after: while answers are written; whole: both together at the
    peak rate.
    """

    class_name: str
    accelerator: str
    n_accelerators: int
    peak_to_mean: float
    before: Activity
    during: Activity
    after: Activity
    whole: Activity


def surge(plan: Plan) -> Surge:
    """The spikiest class of a plan on its as-built machines."""
    spikiest = max(plan.scenario.classes, key=lambda row: row.peak_to_mean)
    pools = [p for p in plan.fleets["as-built"].pools if p.class_name == spikiest.name]
    largest = max(pools, key=_size)
    return Surge(
        class_name=spikiest.name,
        accelerator=largest.accelerator,
        n_accelerators=sum(map(_size, pools)),
        peak_to_mean=spikiest.peak_to_mean,
        before=IDLE,
        during=largest.in_prefill or IDLE,
        after=largest.in_decode or IDLE,
        whole=largest.peak,
    )


def _size(pool: Pool) -> int:
    return pool.n_accelerators
