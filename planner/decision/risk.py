"""A scenario answered with its uncertainty."""

from planner.decision.odds import Risk
from planner.decision.plan import plan
from planner.decision.tornado import Swing, swings
from planner.demand.scenario import Scenario

__all__ = ["Risk", "Swing", "sample", "swings"]


def sample(scenario: Scenario, n: int, seed: int = 0) -> Risk:
    """The plan of a scenario over n draws of every assumption with a range; errors as of `plan`."""
    return plan(scenario, n_samples=n, seed=seed).risk
