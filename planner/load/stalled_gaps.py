"""Gaps between the tokens of a request where decode stands still for whole prompts."""

import numpy as np

from planner.load.birth_death import TINY
from planner.load.checks import Floats
from planner.load.lengths import length_bins, length_quantile_frac, overlap_frac
from planner.load.stalls import (
    Stall,
    late_s,
    normal_tail,
    passage,
    passage_moments,
    stall,
    variation,
)
from planner.load.waiting import EPS
from planner.load.whole_prompts import Stalled

SHORTEST_PROMPT = -1.5
N_PROMPTS = 6
"""Bins of prompts, the longest of which hold the late gaps."""


def gap_quantile_s(state: Stalled) -> Floats:
    """Quantile over steps of the time between two tokens: a step and the stall before it.

    A stall comes between steps, with its first prompts; at the start after the replica had nothing
    to decode, behind its first prompt; or, with the batch full, by one prompt for a place set free.
    """
    traffic, rate = state.traffic, state.traffic.rate_per_s
    come = -np.expm1(-rate * state.token_decode_s)
    together = np.maximum(rate * state.token_decode_s / np.maximum(come, TINY), 1)
    bins, share = length_bins(traffic.prompt_scv, SHORTEST_PROMPT, N_PROMPTS, state.n_dims)
    first_s = state.service_s * bins * together
    between = passage(rate, first_s, state.service_s, traffic.prompt_scv)
    start = _behind_a_first(state)
    starts, singles = _starts_per_step(state), _singles_per_step(state)
    below = np.cumsum(share, axis=0) - share
    # prompts that fill the batch, and the spread of what they take
    blunt = np.sqrt(state.room * (1 + traffic.prompt_scv))

    def tail(time_s: Floats) -> Floats:
        one_longer = _longer_prompt_frac(state, time_s / together)
        part = np.clip(1 - one_longer - below, 0, share)
        longer = one_longer + (part * between.longer_frac(time_s - first_s)).sum(axis=0)
        clusters = come * longer + starts * start.longer_frac(time_s)
        beyond = (time_s / state.service_s - state.room) / blunt
        longest: Floats = clusters * normal_tail(beyond)
        return longest + singles * _longer_prompt_frac(state, time_s)

    chance = come + singles + starts * start.chance_frac
    late = late_s(tail, _typical_late_s(state, come, starts, start), traffic.level_frac, chance)
    batch_s = state.law.quantile(state.grid_decode_s, traffic.level_frac) - state.token_decode_s
    wide_s = np.maximum(batch_s, 0) * np.sqrt(state.dispersion)
    gap_s: Floats = state.token_decode_s + np.hypot(late, wide_s)
    return gap_s


def _behind_a_first(state: Stalled) -> Stall:
    """The stall behind a prompt that found the replica empty, by those that came while it ran.

    None came with the chance E[e^−λS], taken as for prompts of a gamma law.
    """
    rate, service_s, scv = state.traffic.rate_per_s, state.service_s, state.traffic.prompt_scv
    shape = 1 / np.maximum(scv, EPS)
    chance = -np.expm1(-shape * np.log1p(state.busy / shape))
    mean_s, variance = passage_moments(rate, service_s, service_s, scv)
    return stall(chance, mean_s, variance + mean_s**2 * (1 + scv))


def _typical_late_s(state: Stalled, come: Floats, starts: Floats, start: Stall) -> Floats:
    """Quantile over steps of a lognormal stall with the moments of theirs, to begin with. [s]."""
    traffic, rate = state.traffic, state.traffic.rate_per_s
    scv = traffic.prompt_scv
    mean_s, variance = passage_moments(rate, state.token_decode_s, state.service_s, scv)
    often = starts * start.chance_frac
    total_s = mean_s + often * start.mean_s
    square = variance + mean_s**2 + often * start.mean_s**2 * (1 + start.scv)
    share = np.minimum(come + often, 1)
    spread = variation(total_s, square * share)
    inner = np.maximum(1 - (1 - traffic.level_frac) / np.maximum(share, TINY), 1 / 2)
    late: Floats = total_s / np.maximum(share, TINY) * length_quantile_frac(spread, inner)
    return late


def _longer_prompt_frac(state: Stalled, time_s: Floats) -> Floats:
    """P(prompt > time_s), for a lognormal prompt."""
    sigma = np.sqrt(np.log1p(state.traffic.prompt_scv))
    over = np.log(np.maximum(time_s, TINY) / state.service_s) + sigma**2 / 2
    return normal_tail(over / np.maximum(sigma, EPS))


def _starts_per_step(state: Stalled) -> Floats:
    """How often per step the replica begins to decode after it had nothing to.

    Prompts of one cluster come in the same step, n of them with mean 1/(1 − ρ) by Borel's law, and
    the replica is empty again when the longest answer ends, after 1 + (1 − o)·log₂ n lives, with o
    the overlap of two. By M/G/∞ nobody decodes with the chance e^(−clusters·that). E[ln n] is
    taken halfway from the harmonic mean 1/(1 − ρ/2) to the arithmetic.
    """
    log_cluster = -(np.log1p(-state.busy) + np.log1p(-state.busy / 2)) / 2
    longest = 1 + (1 - overlap_frac(state.traffic.life_scv)) * log_cluster / np.log(2)
    alone = np.maximum(state.law.seen[..., 0], TINY) ** ((1 - state.busy) * longest)
    per_step = state.traffic.rate_per_s * state.token_decode_s
    starts: Floats = np.minimum(per_step * alone / np.maximum(1 - alone, EPS), 1)
    return starts


def _singles_per_step(state: Stalled) -> Floats:
    """How many prompts per step find the batch full, of clusters taken as exponential."""
    traffic = state.traffic
    limit = state.room * 2 / (state.stretch**2 * (1 + traffic.prompt_scv))
    return np.exp(-limit) * traffic.rate_per_s * state.token_decode_s * state.stretch
