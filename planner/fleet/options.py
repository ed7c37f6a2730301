"""The ladder: the six ways to serve the same demand, each sized to the same service levels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from planner.demand.workload import Demand
from planner.fleet import reasons
from planner.fleet.candidates import Candidates
from planner.fleet.offers import Sizing, Ways
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL, Fleet, Pool
from planner.fleet.sizing import Choice, Question

LABELS = {
    "as-built": "Keep buying what is owned, software as it is",
    "monolithic-software": "Same chips, all software the operator could switch on",
    "split-same-chip": "Prefill and decode pools on the same chips",
    "split-capped": "The same split, decode pool power-capped",
    "split-mixed": "Best chip for each pool that can be bought or rented",
    "split-specialised": "Phase-specialised chips on paper",
}
PURCHASABLE = tuple(LABELS)[:-1]
TOLERANCE = 1 + 1e-6


@dataclass(frozen=True, slots=True)
class Draft:
    """Pools of one class, and why they do not serve it, if they do not."""

    pools: tuple[Pool, ...]
    problems: tuple[str, ...] = ()


Key = tuple[str, str, tuple[str, ...]]
"""An option, a class, and the chips that a pool may be of."""


def ladder(sizing: Sizing, held: Candidates | None, ways: Ways) -> tuple[Fleet, ...]:
    """The six options in the order of the bridge, of everything that is allowed."""
    drafts = _drafts(sizing, held, ways) if held else _none(sizing)
    fleets = {name: _fleet(name, drafts[name]) for name in drafts}
    same = fleets["split-same-chip"]
    fleets["split-capped"] = replace(same, id="split-capped", label=LABELS["split-capped"])
    return tuple(fleets[name] for name in LABELS)


def _drafts(sizing: Sizing, held: Candidates, ways: Ways) -> dict[str, list[Draft]]:
    """The pools of each class, option by option; the capped split is the split itself."""
    return {**_whole(sizing, held, ways), **_split(sizing, held, ways)}


def _none(sizing: Sizing) -> dict[str, list[Draft]]:
    """No chip holds any model."""
    every = [Draft((), (reasons.does_not_fit(sizing, demand),)) for demand in sizing.demands]
    return {name: every for name in LABELS if name != "split-capped"}


def _fleet(name: str, drafts: Sequence[Draft]) -> Fleet:
    problems = [problem for draft in drafts for problem in draft.problems]
    return Fleet(
        id=name,
        label=LABELS[name],
        pools=tuple(pool for draft in drafts for pool in draft.pools),
        feasible=not problems,
        reason=" ".join(dict.fromkeys(problems)),
    )


def _whole(sizing: Sizing, held: Candidates, ways: Ways) -> dict[str, list[Draft]]:
    """The two monolithic options: a pool for each owned type, in owned proportions.

    A class that no owned chip holds as built is shown on chips that could be bought.
    """
    named = {"as-built": ways.built, "monolithic-software": ways.remedied}
    apart = tuple((chip,) for chip in sizing.owned_frac)
    chips = {
        (option, demand.name): (sizing.purchasable,)
        if option == "as-built" and demand.name in ways.elsewhere
        else apart
        for option in named
        for demand in sizing.demands
    }

    def questions(share: Mapping[Key, float]) -> dict[Key, Question]:
        return {
            (option, demand.name, each): held.question(
                MONOLITHIC,
                offers[demand.name],
                each,
                ttft_s=demand.source.p99_ttft_s,
                demand_frac=share.get((option, demand.name, each), 1.0),
            )
            for option, offers in named.items()
            for demand in sizing.demands
            if demand.name in offers
            for each in chips[option, demand.name]
        }

    first = held.answers(MONOLITHIC, questions({}))
    share = _shares(sizing, first)
    several = len(sizing.owned_frac) > 1
    chosen = held.answers(MONOLITHIC, questions(share)) if several else first
    return {
        option: [
            _pools_of(sizing, held, ways, option, demand, chosen, share)
            for demand in sizing.demands
        ]
        for option in named
    }


def _shares(sizing: Sizing, chosen: Mapping[Key, Choice | None]) -> dict[Key, float]:
    """Share of a class by owned type such that chips stand in their owned proportions."""
    carried = {
        (option, name, chips): sizing.owned_frac.get(chips[0], 1.0) / choice.n_accelerators
        for (option, name, chips), choice in chosen.items()
        if choice
    }
    total: dict[tuple[str, str], float] = {}
    for (option, name, _), each in carried.items():
        total[option, name] = total.get((option, name), 0.0) + each
    return {key: each / total[key[0], key[1]] for key, each in carried.items()}


def _pools_of(
    sizing: Sizing,
    held: Candidates,
    ways: Ways,
    option: str,
    demand: Demand,
    chosen: Mapping[Key, Choice | None],
    share: Mapping[Key, float],
) -> Draft:
    """The monolithic pools of a class in an option."""
    mine = {
        key: choice for key, choice in chosen.items() if choice and key[:2] == (option, demand.name)
    }
    away = option == "as-built" and demand.name in ways.elsewhere
    problems = [reasons.does_not_fit(sizing, demand)] if away or not mine else []
    pools = []
    for key, choice in mine.items():
        pools.append(held.pool(MONOLITHIC, choice, demand, share[key]))
        if choice.slack > TOLERANCE:
            problems.append(reasons.misses(demand, pools[-1], demand.source.p99_ttft_s))
    return Draft(tuple(pools), tuple(problems))


def _split(sizing: Sizing, held: Candidates, ways: Ways) -> dict[str, list[Draft]]:
    """The split options: decode first, then prefill in what is left of the time to first token."""
    owned = tuple(sizing.owned_frac)
    anyone = (*owned, *sizing.purchasable)
    chips = {
        "split-same-chip": {PREFILL: owned, DECODE: owned},
        "split-mixed": {PREFILL: anyone, DECODE: anyone},
        "split-specialised": {role: _fit_for(sizing, role) for role in (PREFILL, DECODE)},
    }

    def questions(
        role: str, left_s: Mapping[tuple[str, str], float], wait_s: Mapping[tuple[str, str], float]
    ) -> dict[Key, Question]:
        return {
            (option, demand.name, allowed_chips[role]): held.question(
                role,
                ways.split[demand.name],
                allowed_chips[role],
                ttft_s=left_s[option, demand.name],
                wait_s=wait_s.get((option, demand.name), 0.0),
            )
            for option, allowed_chips in chips.items()
            for demand in sizing.demands
            if (option, demand.name) in left_s
        }

    limits = {
        (option, demand.name): demand.source.p99_ttft_s
        for option in chips
        for demand in sizing.demands
        if demand.name in ways.split
    }
    waits = {key: limit * wait_share(sizing) for key, limit in limits.items()}
    decode = _by_class(held.answers(DECODE, questions(DECODE, waits, {})))
    taken = {key: min(choice.ttft_s, waits[key]) for key, choice in decode.items()}
    left = {key: limits[key] - taken[key] for key in taken}
    late = questions(PREFILL, left, taken)
    prefill = _by_class(held.answers(PREFILL, late))
    prompts = {key[:2]: question for key, question in late.items()}
    return {
        option: [
            _pair(sizing, held, demand, prefill.get(key), decode.get(key), prompts.get(key))
            for demand in sizing.demands
            for key in [(option, demand.name)]
        ]
        for option in chips
    }


def _by_class(chosen: Mapping[Key, Choice | None]) -> dict[tuple[str, str], Choice]:
    return {key[:2]: choice for key, choice in chosen.items() if choice}


def _fit_for(sizing: Sizing, role: str) -> tuple[str, ...]:
    """Paper chips designed for a role."""
    chips = sizing.catalog.accelerators
    return tuple(chip for chip in sizing.paper if chips[chip].phase_fit.startswith(role))


def _pair(
    sizing: Sizing,
    held: Candidates,
    demand: Demand,
    prefill: Choice | None,
    decode: Choice | None,
    prompts: Question | None,
) -> Draft:
    """The two pools of a class, and why they do not serve it. prompts: asked of prefill."""
    if prefill is None or decode is None or prompts is None:
        return Draft((), (reasons.does_not_fit(sizing, demand),))
    first = held.pool(PREFILL, prefill, demand)
    second = held.pool(DECODE, decode, demand)
    problems = []
    if prefill.slack > TOLERANCE:
        problems.append(reasons.late_prefill(sizing, held, demand, first, prompts))
    if decode.slack > TOLERANCE:
        wait_s = demand.source.p99_ttft_s * wait_share(sizing)
        problems.append(reasons.misses(demand, second, wait_s))
    return Draft((first, second), tuple(problems))


def wait_share(sizing: Sizing) -> float:
    """Part of the time to first token that the wait for a place in decode may take."""
    return float(sizing.ledger["estimates.serving.decode_wait_share_frac"])
