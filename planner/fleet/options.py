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
    """The split options: the time to first token is shared between prefill and decode's wait."""
    owned = tuple(sizing.owned_frac)
    anyone = (*owned, *sizing.purchasable)
    chips = {
        "split-same-chip": {PREFILL: owned, DECODE: owned},
        "split-mixed": {PREFILL: anyone, DECODE: anyone},
        "split-specialised": {role: _fit_for(sizing, role) for role in (PREFILL, DECODE)},
    }

    keys = [(option, demand) for option in chips for demand in sizing.demands]
    tried = [
        _at_wait(sizing, held, ways, chips, wait_share(sizing) / WAIT_STEP**step)
        for step in range(N_WAITS)
    ]
    drafts: dict[str, list[Draft]] = {option: [] for option in chips}
    for option, demand in keys:
        pairs = [pairs[option, demand.name] for pairs in tried if (option, demand.name) in pairs]
        best = min(pairs, key=lambda pair: pair.rank(held), default=None)
        drafts[option].append(_drafted(sizing, held, demand, best))
    return drafts


WAIT_STEP = 16
N_WAITS = 2
"""Waits before decode that are tried: the longest allowed, and next to none."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The pools of a split: prefill in what the wait before decode leaves of the limit."""

    prefill: Choice
    decode: Choice
    prompts: Question
    wait_s: float

    def rank(self, held: Candidates) -> tuple[float, float]:
        """Order of pairs: those that serve by cost [USD/year], then the others by lateness [1]."""
        slack = max(self.prefill.slack, self.decode.slack)
        chips = (self.prefill, self.decode)
        usd = sum(c.n_accelerators * held.unit.usd_per_chip_year[c.row] for c in chips)
        return (slack if slack > TOLERANCE else 0.0), float(usd)


def _at_wait(
    sizing: Sizing,
    held: Candidates,
    ways: Ways,
    chips: Mapping[str, Mapping[str, tuple[str, ...]]],
    share: float,
) -> dict[tuple[str, str], Pair]:
    """The cheapest pools where decode may keep a request waiting for a share of its limit."""
    limits = {row.name: row.source.p99_ttft_s for row in sizing.demands if row.name in ways.split}

    def answers(role: str) -> dict[tuple[str, str], tuple[Question, Choice]]:
        asked = {
            (option, name, of_role[role]): held.question(
                role,
                ways.split[name],
                of_role[role],
                ttft_s=limit * (share if role == DECODE else 1 - share),
                wait_s=0.0 if role == DECODE else limit * share,
            )
            for option, of_role in chips.items()
            for name, limit in limits.items()
        }
        found = held.answers(role, asked)
        return {key[:2]: (asked[key], choice) for key, choice in found.items() if choice}

    prefill, decode = answers(PREFILL), answers(DECODE)
    return {
        key: Pair(prefill[key][1], decode[key][1], prefill[key][0], limits[key[1]] * share)
        for key in prefill.keys() & decode.keys()
    }


def _fit_for(sizing: Sizing, role: str) -> tuple[str, ...]:
    """Paper chips designed for a role."""
    chips = sizing.catalog.accelerators
    return tuple(chip for chip in sizing.paper if chips[chip].phase_fit.startswith(role))


def _drafted(sizing: Sizing, held: Candidates, demand: Demand, pair: Pair | None) -> Draft:
    """The two pools of a class, and why they do not serve it."""
    if pair is None:
        return Draft((), (reasons.does_not_fit(sizing, demand),))
    first = held.pool(PREFILL, pair.prefill, demand)
    second = held.pool(DECODE, pair.decode, demand)
    problems = []
    if pair.prefill.slack > TOLERANCE:
        problems.append(reasons.late_prefill(sizing, held, demand, first, pair.prompts))
    if pair.decode.slack > TOLERANCE:
        problems.append(reasons.misses(demand, second, pair.wait_s))
    return Draft((first, second), tuple(problems))


def wait_share(sizing: Sizing) -> float:
    """Part of the time to first token that the wait for a place in decode may take. [frac]"""
    return float(sizing.ledger["estimates.serving.decode_wait_share_frac"])
