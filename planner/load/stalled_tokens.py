"""Time per token of a request whose decode stands still for whole prompts."""

import numpy as np

from planner.load.birth_death import TINY
from planner.load.checks import Floats
from planner.load.first_token import Delay
from planner.load.lengths import length_bins, length_quantile_frac, third_moment_frac
from planner.load.spread import batch_excess_s
from planner.load.stalls import late_s, passage_moments, stall, variation
from planner.load.waiting import EPS, pollaczek_wait_s
from planner.load.whole_prompts import Stalled

SHORTEST_LIFE = -3.0
N_LIVES = 7
"""Bins of answers, the shortest of which hold the late times per token."""

LARGE = np.log(np.finfo(np.float64).max)
"""The largest exponent that does not overflow."""


def own_time(state: Stalled, prompt_s: Floats) -> Delay:
    """Time per token: steps stretched by the stalls of a life, and the first stall spread over it.

    Batch mates of one cluster run together, so the batch that a token sees is crowded by them. What
    clusters add to the variance of the batch comes with late stalls, the rest of it does not.
    """
    traffic = state.traffic
    drift = np.maximum(1 - state.tokens_per_s * state.slope_s, EPS)
    crowd = np.minimum((state.dispersion - 1) / drift, state.room)
    first_s = _first_mean_s(state, prompt_s) / traffic.life_tokens
    mean_s = state.token_decode_s * state.stretch + crowd * state.slope_s + first_s
    wide_s = state.stretch * batch_excess_s(
        state.law,
        state.grid_decode_s,
        state.slope_s,
        state.tokens_per_s,
        traffic.life_scv,
        traffic.level_frac,
        state.dispersion,
    )
    stalled = _stalled_time(state, prompt_s)
    alike = np.sqrt(1 - 1 / state.dispersion)
    longer_s = stalled.excess_s
    both_s = np.sqrt(longer_s**2 + wide_s**2 + 2 * alike * longer_s * wide_s)
    late = state.token_decode_s + stalled.mean_s + both_s
    return Delay(mean_s, np.maximum(late - mean_s, 0))


def _first_mean_s(state: Stalled, prompt_s: Floats) -> Floats:
    """Mean stall behind the own prompt, by those that came during the own wait and prompt. [s].

    Taken as exponential where the batch has room for fewer.
    """
    mean_s, square = _first_moments(state, prompt_s)
    limit = state.room * state.service_s * 2 * mean_s / np.maximum(square, EPS**2)
    reached: Floats = -np.expm1(-limit)
    return mean_s * reached


def _first_moments(state: Stalled, prompt_s: Floats) -> tuple[Floats, Floats]:
    """Mean [s] and second moment [s²] of the stall by prompts of the own sojourn, in M/G/1."""
    traffic = state.traffic
    rate, scv = traffic.rate_per_s, traffic.prompt_scv
    mean_s, variance = passage_moments(rate, prompt_s, state.service_s, scv)
    spread = (state.busy * state.stretch) ** 2 * _sojourn_square(state)
    return mean_s, variance + spread


def _sojourn_square(state: Stalled) -> Floats:
    """E[T²] of wait and prompt in M/G/1 (Takács). [s²]."""
    traffic, busy, service_s = state.traffic, state.busy, state.service_s
    line_s = pollaczek_wait_s(traffic.rate_per_s, service_s, traffic.prompt_scv)
    third = service_s**2 * third_moment_frac(traffic.prompt_scv)
    waits = 2 * line_s**2 + busy * third / ((1 + 2) * (1 - busy))
    return waits + 2 * line_s * service_s + service_s**2 * (1 + traffic.prompt_scv)


def _stalled_time(state: Stalled, prompt_s: Floats) -> Delay:
    """Stalls of a life per token of it, over requests.

    Given its length, a life stalls behind its prompt, if the system is not empty then, and through
    prompts that come during its other steps.
    """
    traffic, rate = state.traffic, state.traffic.rate_per_s
    lives, share = _lives(state)
    exposed_s = (lives - 1) * state.token_decode_s
    first_s, first_square = _first_moments(state, prompt_s)
    later_s, variance = passage_moments(rate, exposed_s, state.service_s, traffic.prompt_scv)
    mean_s = first_s + later_s
    square = first_square + 2 * first_s * later_s + variance + later_s**2
    chance = -np.expm1(np.log1p(-state.busy) - rate * exposed_s)
    each = stall(chance, mean_s / lives, square / lives**2)
    log_most, bluntness = _most_per_token(state, lives)

    def tail(time_s: Floats) -> Floats:
        beyond = (np.log(np.maximum(time_s, TINY)) - log_most) / bluntness
        within = 1 / (1 + np.exp(np.minimum(beyond, LARGE)))
        longer: Floats = (share * each.longer_frac(time_s) * within).sum(axis=0)
        return longer

    average_s = (share * mean_s / lives).sum(axis=0)
    spread = variation(average_s, (share * square / lives**2).sum(axis=0))
    guess_s = average_s * length_quantile_frac(spread, traffic.level_frac)
    chance = (share * chance).sum(axis=0)
    late = late_s(tail, guess_s, traffic.level_frac, chance)
    return Delay(average_s, np.maximum(late - average_s, 0))


def _lives(state: Stalled) -> tuple[Floats, Floats]:
    """Steps of a life by bins, and the share of each.

    Answers are whole numbers of tokens; one of a single token has no time per token.
    """
    traffic = state.traffic
    bins, share = length_bins(traffic.life_scv, SHORTEST_LIFE, N_LIVES, state.n_dims)
    answer = (traffic.life_tokens + 1) * bins
    several = np.where(answer > 1 + 1 / 2, share, TINY)
    lives: Floats = np.maximum(answer - 1, 1)
    return lives, several / several.sum(axis=0)


def _most_per_token(state: Stalled, lives: Floats) -> tuple[Floats, Floats]:
    """Logarithm of the longest stall per token of a life, and how blunt that limit is.

    Of the prompts of a life only so many find a place: the free ones, and those that fall free as
    the others leave, one in a mean life each. Their lengths make the limit blunt.
    """
    cap, traffic = state.law.grid.cap, state.traffic
    prompts = state.room + (cap - state.room) * lives / traffic.life_tokens
    spread = np.log1p((1 + traffic.prompt_scv) / prompts)
    # a logistic law of that variance
    bluntness = np.sqrt(spread * (1 + 2)) / np.pi
    return np.log(prompts * state.service_s / lives) - spread / 2, bluntness
