"""The cheapest replicas that meet the p99 service levels at the peak minute, one failure allowed.

A question names the configurations that may serve a class in a role. Each has a least cost, from
the rate that it could carry if nobody waited (`bounds`); the cheapest are tried under load, a few
at a time, until no other could be cheaper. The answer is that of trying all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.facts.accelerators import Accelerator
from planner.fleet.tables import LOADS, Lazy, Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ROUNDING = 1e-9
TOLERABLE = 1 + 1 / len(LOADS)
N_TRIED = 4
"""Configurations of a question that are put under load at once."""


@dataclass(frozen=True, slots=True)
class Buying:
    """What a pool costs and comes in: yearly cost by chip, chips per server, replicas for N+1."""

    usd_per_chip_year: Mapping[str, float]
    server_chips: int
    spare_replicas: int


@dataclass(frozen=True, slots=True)
class Unit:
    """What replicas of each row of a grid come in (rows,).

    n_chips: of a replica; server_chips: bought together; usd: yearly cost of a chip.
    """

    n_chips: Ints
    server_chips: Ints
    usd_per_chip_year: Floats
    spare_replicas: int

    def n_accelerators(self, rows: Ints, n_replicas: Floats) -> Ints:
        """Chips of pools of whole replicas, the spare included, in whole servers."""
        n = np.ceil(n_replicas - ROUNDING) + self.spare_replicas
        server = self.server_chips[rows]
        chips: Ints = (np.ceil(n * self.n_chips[rows] / server) * server).astype(np.int64)
        return chips


def unit_of(chips: Sequence[Accelerator], chip: Ints, n_chips: Ints, buying: Buying) -> Unit:
    """What replicas come in whose rows are of `chips[chip]`, `n_chips` each."""
    server = [server_chips(each, buying.server_chips) for each in chips]
    usd = [buying.usd_per_chip_year.get(each.id, np.inf) for each in chips]
    return Unit(n_chips, np.array(server)[chip], np.array(usd)[chip], buying.spare_replicas)


@dataclass(frozen=True, slots=True)
class Question:
    """Which of some rows serves a share of a class (demand_frac) in a role at the least cost.

    bound_per_s: requests per second that a replica of each row could carry at best; 0 if late for
    good. least_slack: the least that its latencies can be of their limits. ttft_s, tpot_s: limits.
    wait_s: how long caches wait for decode. matching_frac: share of ideal throughput left by
    imperfect routing.
    """

    rows: Ints
    bound_per_s: Floats
    least_slack: Floats
    peak_per_s: float
    ttft_s: float
    tpot_s: float
    wait_s: float = 0.0
    demand_frac: float = 1.0
    matching_frac: float = 1.0

    def slack(self, table: Table) -> Floats:
        """The worst of both percentiles and of the wait for decode over its limit, by load. [1]"""
        late = np.maximum(table.ttft_s / self.ttft_s, table.tpot_s / self.tpot_s)
        tiny = np.finfo(np.float64).tiny
        return np.maximum(late, self.wait_s / np.maximum(table.patience_s, tiny))


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen configuration (row) and its size; `slack` above 1 means no size serves."""

    row: int
    n_replicas: int
    n_accelerators: int
    n_needed: float
    load: float
    ttft_s: float
    tpot_s: float
    batch: float
    slack: float


def choose(
    questions: Sequence[Question], table: Lazy, unit: Unit, *, exhaustive: bool = False
) -> list[Choice | None]:
    """The cheapest feasible row of each question, else the one that comes closest.

    None where a question has no rows. exhaustive: try every row, whatever its bound.
    """
    searches = [_Search(question, unit, exhaustive) for question in questions]
    while True:
        asked = [search.next_rows() for search in searches]
        if not any(len(rows) for rows in asked):
            break
        table.at(np.concatenate(asked))
        for search, rows in zip(searches, asked, strict=True):
            search.learn(rows, table)
    return [search.answer(table) for search in searches]


class _Search:
    """One question on its way to an answer."""

    def __init__(self, question: Question, unit: Unit, exhaustive: bool) -> None:
        self._question, self._unit = question, unit
        least = _least_usd(question, unit)
        if exhaustive:
            least = np.zeros(len(least))
        elif not np.isfinite(least).any():
            closest = question.least_slack.min(initial=np.inf)
            least = np.where(question.least_slack <= closest * TOLERABLE, 0, np.inf)
        order = np.lexsort((question.least_slack, least))
        self._rows, self._least = question.rows[order], least[order]
        self._tried: list[Ints] = []
        self._n = 0
        self._best_usd = np.inf

    def next_rows(self) -> Ints:
        """The next rows that could still be cheaper than the best so far."""
        rest = slice(self._n, self._n + N_TRIED)
        hopeful = np.isfinite(self._least[rest]) & (self._least[rest] <= self._best_usd)
        return self._rows[rest][hopeful]

    def learn(self, rows: Ints, table: Lazy) -> None:
        """Take rows that were put under load into account."""
        if not len(rows):
            return
        self._n += len(rows)
        self._tried.append(rows)
        sized = _sized(self._question, table.at(rows), self._unit, rows)
        usd = np.where(sized.feasible, sized.usd_per_year, np.inf)
        self._best_usd = min(self._best_usd, float(usd.min()))

    def answer(self, table: Lazy) -> Choice | None:
        """The best of what was tried."""
        if not self._tried:
            return None
        rows = np.concatenate(self._tried)
        held = table.at(rows)
        sized = _sized(self._question, held, self._unit, rows)
        cost = np.where(sized.feasible, sized.usd_per_year, np.inf)
        order = cost if sized.feasible.any() else sized.closest
        place = int(np.lexsort((rows, sized.n_accelerators, order))[0])
        return _chosen(
            self._question,
            held.at(np.array([place])),
            int(rows[place]),
            int(sized.n_accelerators[place]),
            int(self._unit.n_chips[rows[place]]),
        )


def _least_usd(question: Question, unit: Unit) -> Floats:
    """What a pool costs at the bound of each row; infinite where it is late for good."""
    able = (question.bound_per_s > 0) & (question.least_slack <= 1)
    per_s = np.where(able, question.bound_per_s, 1) * question.matching_frac
    n = question.peak_per_s * question.demand_frac / per_s
    usd = unit.n_accelerators(question.rows, n) * unit.usd_per_chip_year[question.rows]
    return np.where(able, usd, np.inf)


@dataclass(frozen=True, slots=True)
class _Sized:
    """Pools of rows under load. closest: their least slack."""

    n_accelerators: Ints
    usd_per_year: Floats
    feasible: NDArray[np.bool_]
    closest: Floats


def _sized(question: Question, table: Table, unit: Unit, rows: Ints) -> _Sized:
    slack = question.slack(table)
    column = _last_feasible(slack)
    n = _replicas_at_unit_slack(table.n_replicas, slack, column)
    n_accelerators = unit.n_accelerators(rows, n * question.demand_frac / question.matching_frac)
    return _Sized(
        n_accelerators=n_accelerators,
        usd_per_year=n_accelerators * unit.usd_per_chip_year[rows],
        feasible=slack[np.arange(len(rows)), column] <= 1,
        closest=slack.min(axis=1),
    )


def _last_feasible(slack: Floats) -> Ints:
    """Highest load that meets the service levels; where none does, the one nearly as good."""
    feasible = slack <= np.maximum(1, slack.min(axis=1, keepdims=True) * TOLERABLE)
    last: Ints = slack.shape[1] - 1 - feasible[:, ::-1].argmax(axis=1)
    return last


def _replicas_at_unit_slack(n_replicas: Floats, slack: Floats, column: Ints) -> Floats:
    """Replicas where the slack crosses 1 between two loads of the grid (linear in the slack)."""
    rows = np.arange(len(column))
    after = np.minimum(column + 1, slack.shape[1] - 1)
    low, high = slack[rows, column], slack[rows, after]
    usable = np.isfinite(high) & (high > low) & (low <= 1)
    low, high = np.where(usable, low, 0), np.where(usable, high, 1)
    step = np.where(usable, (1 - low) / (high - low), 0)
    n_low, n_high = n_replicas[rows, column], n_replicas[rows, after]
    ideal: Floats = n_low + np.clip(step, 0, 1) * (n_high - n_low)
    return ideal


def _chosen(
    question: Question, table: Table, row: int, n_accelerators: int, n_chips: int
) -> Choice:
    """A row at the load that its whole servers leave, percentiles read off its own curve."""
    n, full_per_s = n_accelerators // n_chips, float(table.full_per_s[0, 0])
    needed = question.peak_per_s * question.demand_frac / question.matching_frac / full_per_s
    loads, slack = question.peak_per_s / full_per_s / table.n_replicas[0], question.slack(table)

    def at_load(values: Floats) -> float:
        finite = np.isfinite(values[0])
        if not finite.any():
            return float("inf")
        return float(np.interp(needed / n, loads[finite], values[0][finite]))

    return Choice(
        row=row,
        n_replicas=n,
        n_accelerators=n_accelerators,
        n_needed=needed,
        load=needed / n,
        ttft_s=at_load(table.ttft_s),
        tpot_s=at_load(table.tpot_s),
        batch=at_load(table.batch),
        slack=at_load(slack),
    )


def server_chips(chip: Accelerator, at_most: int) -> int:
    """Chips that can only be bought together: a rack where sold as one, else a server."""
    domain = int(chip.scale_up_domain.value) if chip.scale_up_domain else 1
    return domain if chip.price_scope == "rack" else min(domain, at_most)
