"""The menu of the fleet mix: for every class, the best pool of each chip in each role."""

from collections.abc import Iterator

from planner.demand.workload import Demand
from planner.fleet.candidates import Candidates
from planner.fleet.offers import Sizing, Ways
from planner.fleet.options import TOLERANCE, wait_share
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL, Pool
from planner.fleet.sizing import Question

Key = tuple[str, str]
"""A class and a chip."""


def menu_pools(sizing: Sizing, held: Candidates, ways: Ways) -> tuple[Pool, ...]:
    """Pools that meet the service levels, each for all of its class.

    Both phases on owned chips with the software that could be; one phase on any chip that is owned
    or can be bought or rented. Prefill leaves decode its whole share of the time to first token,
    so that any two may be paired.
    """
    demands = {demand.name: demand for demand in sizing.demands}
    asked = {
        MONOLITHIC: _asked(sizing, held, ways, MONOLITHIC),
        DECODE: _asked(sizing, held, ways, DECODE),
        PREFILL: _asked(sizing, held, ways, PREFILL),
    }
    return tuple(
        held.pool(role, choice, demands[name])
        for role, questions in asked.items()
        for (name, _), choice in held.answers(role, questions).items()
        if choice and choice.slack <= TOLERANCE
    )


def _asked(sizing: Sizing, held: Candidates, ways: Ways, role: str) -> dict[Key, Question]:
    """One question for each class and chip."""
    offers = ways.remedied if role == MONOLITHIC else ways.split
    return {
        (demand.name, chip): held.question(
            role,
            offers[demand.name],
            (chip,),
            ttft_s=demand.source.p99_ttft_s * _share(sizing, role),
            wait_s=demand.source.p99_ttft_s * wait_share(sizing) if role == PREFILL else 0.0,
        )
        for demand, chip in _pairs(sizing, role)
        if demand.name in offers
    }


def _pairs(sizing: Sizing, role: str) -> Iterator[tuple[Demand, str]]:
    chips = dict.fromkeys(
        sizing.owned_frac if role == MONOLITHIC else (*sizing.owned_frac, *sizing.purchasable)
    )
    return ((demand, chip) for demand in sizing.demands for chip in chips)


def _share(sizing: Sizing, role: str) -> float:
    """Part of the time to first token that a pool may take."""
    decode = wait_share(sizing)
    return {MONOLITHIC: 1.0, DECODE: decode, PREFILL: 1 - decode}[role]
