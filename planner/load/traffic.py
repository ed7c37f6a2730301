"""The requests that one replica serves, checked once for every queueing function."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from planner.load.checks import Floats, at_least_one, non_negative, open_fraction, positive
from planner.load.results import Flags


@dataclass(frozen=True, slots=True)
class Traffic:
    """Poisson requests; lengths lognormal by mean and SCV; every field broadcasts.

    life_tokens: decode iterations of a request, all but its first output token (above 0, so that
    a request of one token has the time per token of its first iteration). level_frac: quantile.
    """

    rate_per_s: Floats
    prompt_tokens: Floats
    prompt_scv: Floats
    life_tokens: Floats
    life_scv: Floats
    level_frac: Floats

    def only(self, stable: Flags) -> "Traffic":
        """The same traffic with no requests where it would not be stable."""
        return replace(self, rate_per_s=np.where(stable, self.rate_per_s, 0))


def checked_traffic(
    requests_per_s: ArrayLike,
    mean_input_tokens: ArrayLike,
    input_scv: ArrayLike,
    mean_output_tokens: ArrayLike,
    output_scv: ArrayLike,
    quantile: ArrayLike,
) -> Traffic:
    """Checked traffic; ValueError on negative rates, empty prompts or answers."""
    return Traffic(
        rate_per_s=non_negative("requests_per_s", requests_per_s),
        prompt_tokens=positive("mean_input_tokens", mean_input_tokens),
        prompt_scv=non_negative("input_scv", input_scv),
        life_tokens=life_tokens(mean_output_tokens),
        life_scv=non_negative("output_scv", output_scv),
        level_frac=open_fraction("quantile", quantile),
    )


def life_tokens(mean_output_tokens: ArrayLike) -> Floats:
    """Decode iterations of a request: its output but for the first token, and above 0."""
    output = at_least_one("mean_output_tokens", mean_output_tokens)
    return np.maximum(output - 1, np.finfo(np.float64).eps)
