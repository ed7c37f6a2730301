"""The verdict: which option to take, how sure, in one sentence that a finance reader can repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner import text
from planner.facts.catalog import Catalog
from planner.fleet.mix import PROPOSED
from planner.fleet.pools import Fleet

AS_BUILT = "as-built"
ACTIONS_IN_ORDER = STAY, SOFTWARE, SPLIT, SPECIALISE = "stay", "software", "split", "specialise"
ACTIONS = {
    "as-built": STAY,
    "monolithic-software": SOFTWARE,
    "split-same-chip": SPLIT,
    "split-capped": SPLIT,
}
WORDS = {
    STAY: "Stay: keep the fleet as it is",
    SOFTWARE: "Switch on the software you already have access to, and keep one pool",
    SPLIT: "Split prefill and decode into two pools",
    SPECIALISE: "Rebuild on chips matched to each phase",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The recommended option; confidence_frac is P(NPV > 0), None without samples."""

    action: str
    option_id: str
    sentence: str
    confidence_frac: float | None


def choose(
    npv_usd: Mapping[str, Any],
    fleets: Mapping[str, Fleet],
    min_confidence: float,
    general_purpose: Sequence[str],
) -> Verdict:
    """The highest P50 NPV against as-built among those likely enough to gain; else as-built.

    npv_usd: by candidate, samples or one number. general_purpose: chips that serve any phase.
    """
    rivals = {name: odds(npv) for name, npv in npv_usd.items() if _open(name, fleets)}
    sampled = any(np.ndim(npv) for npv in npv_usd.values())
    likeliest = max((gain for _, gain in rivals.values()), default=0.0)
    good = {name: rivals[name][0] for name in rivals if pays(npv_usd[name], min_confidence)}
    if not good:
        sentence = _staying(likeliest if sampled else None, min_confidence)
        return Verdict(STAY, AS_BUILT, sentence, 1 - likeliest if sampled else None)
    best = max(good, key=lambda name: good[name])
    confidence = rivals[best][1] if sampled else None
    action = action_of(best, fleets[best], general_purpose)
    return Verdict(action, best, _acting(action, good[best], confidence), confidence)


def general_purpose(catalog: Catalog) -> list[str]:
    """Chips that are made for any phase."""
    return [c.id for c in catalog.accelerators.values() if "specialised" not in c.phase_fit]


def _open(name: str, fleets: Mapping[str, Fleet]) -> bool:
    return name != AS_BUILT and fleets[name].feasible


def pays(npv_usd: Any, min_confidence: float) -> bool:
    """Whether a worth, samples or one number, gains in the middle and in enough futures. [USD]"""
    middle, gain = odds(npv_usd)
    return middle > 0 and gain >= min_confidence


def odds(npv_usd: Any) -> tuple[float, float]:
    """P50 [USD] and the share [frac] of samples that gain a dollar, which is more than rounding."""
    values = np.atleast_1d(npv_usd)
    return float(np.median(values)), float((values > 1).mean())


def action_of(option: str, fleet: Fleet, general_purpose: Sequence[str]) -> str:
    """What taking an option means: stay, software, split or specialise."""
    if option in ACTIONS:
        return ACTIONS[option]
    if option == PROPOSED and not fleet.split:
        return SOFTWARE
    matched = all(pool.accelerator in general_purpose for pool in fleet.pools)
    return SPLIT if matched else SPECIALISE


def _staying(likeliest: float | None, asked: float) -> str:
    if likeliest is None:
        return f"{WORDS[STAY]}; no alternative pays for its risk."
    return (
        f"{WORDS[STAY]}: the best alternative gains in {text.percent(likeliest)} of futures, "
        f"and {text.percent(asked)} is asked."
    )


def _acting(action: str, npv: float, confidence: float | None) -> str:
    likely = "" if confidence is None else f", a gain in {text.percent(confidence)} of futures"
    return f"{WORDS[action]}: worth {text.usd(npv)} today against carrying on{likely}."
