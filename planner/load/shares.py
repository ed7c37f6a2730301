"""How unevenly a minute's requests come: the share of them that falls into a shorter window.

Of a minute's requests a window of t seconds holds t/60 on average. An index of dispersion above
1 tells that they come in bursts. The share then follows a beta law, exact for arrivals that are a
gamma process (its shares are Dirichlet).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, ndtri

from planner.facts.units import MINUTE_S
from planner.load.birth_death import TINY
from planner.load.checks import Floats, non_negative
from planner.load.waiting import EPS

N_POINTS = 96
N_STEPS = 14
SMALLEST = 1e-5
FRACTIONS = np.geomspace(SMALLEST, 1, N_POINTS)


@dataclass(frozen=True, slots=True)
class Unevenness:
    """Bursts inside minutes, by length of window; arrays of shape (..., windows).

    window_s: from the shortest window known up to the minute. share_scv: v of a share whose mean
    is p and whose variance beyond Poisson is v·p(1 − p). growth_frac: the slope s of the
    dispersion as a power of the window, 0 for bursts much shorter than it, 1 for longer ones.
    """

    window_s: Floats
    share_scv: Floats
    growth_frac: Floats

    def with_noise(self, noise_scv: Floats) -> "Unevenness":
        """The same with the counting noise of each minute, which has no bursts (s = 0)."""
        total = np.minimum(self.share_scv + noise_scv[..., None], 1)
        return Unevenness(self.window_s, total, self.share_scv / total * self.growth_frac)

    def log_tails(self, *, safe: bool = False) -> Floats:
        """Ln P(share behind an arrival > each of `FRACTIONS`), shape (..., windows, fractions). [1]

        Bursts are likelier to hold the arrival (size bias), and H = (1 + s)/2 of the one that does
        lies behind it: half of a short burst, all of a long one. A window holds no more than any
        longer one. The chance that some window exceeds is up to exp(−z²/2), z the normal score of
        one window's tail P (Brownian motion, exact; `safe`). It is nearer to P by the weight
        √(1 − s), which is within 0.15 of fractional Brownian motion, and by the share of other
        bursts in the window, where the arrival's own is too short to rise in steps (1 − s).
        """
        lumps = np.maximum(1 / np.maximum(self.share_scv, TINY) - 1, EPS)
        part = self.window_s / MINUTE_S
        behind = lumps * part + (1 + self.growth_frac) / 2
        elsewhere = np.maximum(lumps * (1 - part), EPS)
        one = 1 - betainc(behind[..., None], elsewhere[..., None], FRACTIONS)
        tight = np.maximum(np.minimum.accumulate(one[..., ::-1, :], axis=-2)[..., ::-1, :], TINY)
        steps = 1 - np.maximum(self.growth_frac, 0)
        weight = 1 if safe else (np.sqrt(steps) * (lumps * part / behind) ** steps)[..., None]
        some = -(np.maximum(-ndtri(tight), 0) ** 2) / 2
        tails: Floats = weight * some + (1 - weight) * np.log(tight)
        return tails


def unevenness(dispersion: Mapping[str, float], requests_per_minute: float) -> Unevenness:
    """Bursts of minutes that hold `requests_per_minute`, weighted by request.

    dispersion: index of dispersion inside minutes by length of window in seconds, 1 for Poisson
    arrivals. Between windows it follows a power of their length, outside it is constant.
    Raises ValueError on no window shorter than a minute, and on other than finite values ≥ 0.
    """
    known = sorted(
        (float(window), float(non_negative("dispersion", value)))
        for window, value in dispersion.items()
        if 0 < float(window) < MINUTE_S
    )
    if not known:
        raise ValueError("dispersion must hold a window of above 0 and below 60 seconds.")
    log_length = np.log([window for window, _ in known])
    log_index = np.log(np.maximum([value for _, value in known], EPS))
    window = np.geomspace(known[0][0], MINUTE_S, N_STEPS)
    index = np.exp(np.interp(np.log(window), log_length, log_index))
    excess = np.maximum(index - 1, EPS)
    slopes = np.append(np.diff(log_index) / np.diff(log_length), 0)
    growth = slopes[np.searchsorted(log_length[1:], np.log(window))] * index / excess
    scv = np.minimum(excess / max(requests_per_minute, EPS), 1)
    return Unevenness(window, scv, np.clip(growth, -1, 1))


def inside_minutes(dispersion: Mapping[str, float]) -> dict[str, float]:
    """What is left of a log's indices of dispersion inside its minutes.

    dispersion: by length of window in seconds, the minute ("60") among them. The variance between
    minutes adds (t/60)·I(60) to I(t), and leaves 1 − t/60 of the rest (analysis of variance).
    Raises ValueError on other than finite values ≥ 0 and on a missing minute.
    """
    minute = str(MINUTE_S)
    if minute not in dispersion:
        raise ValueError(f"dispersion must hold the minute ({minute} s); got {list(dispersion)}.")
    between = float(non_negative("dispersion", dispersion[minute]))
    within = {}
    for window, value in dispersion.items():
        part = float(window) / MINUTE_S
        if 0 < part < 1:
            total = float(non_negative("dispersion", value))
            within[window] = max(total - part * between, 0) / (1 - part)
    return within
