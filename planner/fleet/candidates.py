"""Every configuration of a scenario, timed and bounded, and the questions asked of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from planner.demand.workload import Demand
from planner.facts.ledger import Ledger
from planner.fleet.bounds import (
    decode_bound_per_s,
    own_prefill_s,
    own_prompt_s,
    whole_bound_per_s,
)
from planner.fleet.building import pool
from planner.fleet.curves import Curves, curves
from planner.fleet.fabric import Link
from planner.fleet.grid import Grid, Offer, grid
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL, Pool
from planner.fleet.sizing import Buying, Choice, Question, Unit, choose, unit_of
from planner.fleet.tables import (
    Lazy,
    Offered,
    decode_table,
    prefill_table,
    sending,
    whole_table,
)
from planner.load.handoff import needed_link_bytes_per_s, transfer_s

Floats = NDArray[np.float64]
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Candidates:
    """Configurations and, by role, their tables under load and what bounds them.

    bound_per_s: requests per second of a replica if nobody waited. least_s: what of the time to
    first token none can be faster than; least_tpot_s: the same per output token.
    """

    curves: Curves
    unit: Unit
    tables: Mapping[str, Lazy]
    bound_per_s: Mapping[str, Floats]
    least_s: Mapping[str, Floats]
    least_tpot_s: Floats
    matching_frac: Mapping[str, float]
    sent_frac: float
    link: Link
    offered: Offered
    level_frac: float

    def question(
        self,
        role: str,
        offers: Collection[int],
        chips: Collection[str],
        *,
        ttft_s: float,
        wait_s: float = 0.0,
        demand_frac: float = 1.0,
    ) -> Question:
        """Which configuration of some offers, on some chips, serves a class in a role.

        ttft_s: what of the time to first token this pool may take. wait_s: of caches for decode.
        """
        held = self.curves.grid
        allowed = [index for index, chip in enumerate(held.chips) if chip.id in chips]
        rows = np.flatnonzero(np.isin(held.offer, list(offers)) & np.isin(held.chip, allowed))
        demand = held.offers[next(iter(offers))].demand
        limit_s = demand.source.p99_tpot_s
        slack = self.least_s[role][rows] / ttft_s
        if role != PREFILL:
            slack = np.maximum(slack, self.least_tpot_s[rows] / limit_s)
        return Question(
            rows=rows,
            bound_per_s=self.bound_per_s[role][rows],
            least_slack=slack,
            peak_per_s=demand.peak_per_s * self.sent_frac,
            ttft_s=ttft_s,
            tpot_s=limit_s,
            wait_s=wait_s,
            demand_frac=demand_frac,
            matching_frac=self.matching_frac.get(role, 1.0),
        )

    def answers(self, role: str, questions: Mapping[Key, Question]) -> dict[Key, Choice | None]:
        """The choice of each question, all of one role."""
        chosen = choose(list(questions.values()), self.tables[role], self.unit)
        return dict(zip(questions, chosen, strict=True))

    def pool(self, role: str, choice: Choice, demand: Demand, demand_frac: float = 1.0) -> Pool:
        """The pool of a choice, with the caches that it sends if it only prefills."""
        built = pool(role, self.curves, choice, demand, share=demand_frac, sent_frac=self.sent_frac)
        if role != PREFILL:
            return built
        kv_bytes_per_s, transfer_s = self._sent(choice.row)
        sent = kv_bytes_per_s * demand_frac
        return replace(built, kv_bytes_per_s=sent, kv_transfer_s=transfer_s)

    def instant(self) -> Lazy:
        """The prefill table if caches crossed in no time."""
        none = replace(self.link, bytes_per_s=INSTANT, piece_latency_s=0.0)
        return _prefill(self.curves, self.offered, none, self.unit, self.level_frac)

    def needed_bytes_per_s(self, choice: Choice, left_s: float) -> float:
        """The slowest fabric of a node whose hand-offs a choice could wait for; +inf: none. [1/s]

        left_s: what of the time to first token the choice leaves.
        """
        row, server = np.array([choice.row]), int(self.unit.server_chips[choice.row])
        nodes = np.full((1, 1), max(choice.n_accelerators // server, 1), float)
        sent = sending(self.curves, self.offered.at(row), self.link, nodes, self.level_frac, row)
        return float(needed_link_bytes_per_s(sent, left_s)[0, 0])

    def _sent(self, row: int) -> tuple[float, float]:
        """Cache that a class sends at its peak [bytes/s], and the time of a mean one alone [s]."""
        rows = np.array([row])
        asked = self.offered.at(rows)
        sent = sending(self.curves, asked, self.link, np.ones((1, 1)), self.level_frac, rows)
        kv_bytes, mechanism = np.asarray(sent.kv_bytes), sent.mechanism
        alone_s = transfer_s(kv_bytes, np.asarray(self.link.bytes_per_s), mechanism)
        bytes_per_s = asked.per_s * kv_bytes * mechanism.bytes_frac
        return float(bytes_per_s[0, 0]), float(alone_s[0, 0])


INSTANT = float(np.sqrt(np.finfo(np.float64).max))
"""Bytes per second that no cache takes any time at."""


def _prefill(curves: Curves, asked: Offered, link: Link, unit: Unit, level_frac: float) -> Lazy:
    compute = partial(prefill_table, curves, asked, link, unit.server_chips, level_frac)
    return Lazy(compute, len(curves.grid))


def candidates(
    offers: Sequence[Offer], link: Link, buying: Buying, ledger: Ledger
) -> Candidates | None:
    """All configurations of the offers; None where no chip holds any model."""
    held = grid(offers, ledger)
    if held is None:
        return None
    level_frac = ledger["estimates.serving.slo_quantile"]
    sent_frac = 1 / (1 - ledger["estimates.serving.retried_frac"])
    timed, asked = curves(held, ledger), _offered(held, sent_frac)
    unit = unit_of(held.chips, held.chip, held.n_chips, buying)
    tpot_s = held.of_offer([row.demand.source.p99_tpot_s for row in held.offers])
    first_s = timed.decode_s[:, 0]
    return Candidates(
        curves=timed,
        unit=unit,
        tables={
            MONOLITHIC: Lazy(partial(whole_table, timed, asked, level_frac), len(held)),
            DECODE: Lazy(partial(decode_table, timed, asked, level_frac), len(held)),
            PREFILL: _prefill(timed, asked, link, unit, level_frac),
        },
        bound_per_s={
            MONOLITHIC: whole_bound_per_s(timed, tpot_s),
            DECODE: decode_bound_per_s(timed, tpot_s),
            PREFILL: held.groups / (timed.prefill_s + timed.load_s),
        },
        least_s={
            MONOLITHIC: own_prompt_s(timed, level_frac),
            DECODE: first_s,
            PREFILL: own_prefill_s(timed, level_frac),
        },
        least_tpot_s=first_s / timed.tokens_per_step,
        matching_frac={
            role: ledger[f"software.rate_matching.{role}_rate_frac"] for role in (PREFILL, DECODE)
        },
        sent_frac=sent_frac,
        link=link,
        offered=asked,
        level_frac=level_frac,
    )


def _offered(held: Grid, sent_frac: float) -> Offered:
    def each(name: str) -> Floats:
        return held.of_offer([getattr(row.demand.source, name) for row in held.offers])

    return Offered(
        per_s=held.of_offer([row.demand.peak_per_s for row in held.offers]) * sent_frac,
        input_tokens=held.of_offer([row.demand.input_tokens for row in held.offers]),
        input_scv=each("input_scv"),
        output_scv=each("output_scv"),
        arrival_scv=each("arrival_scv"),
    )
