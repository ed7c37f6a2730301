"""How the chips of a benchmark row are cut: from its columns, else from its notes, else the usual.

Published tables say part of the layout in words: "TP4PP2", "DEP8", "prefill TP4 x2 workers EP4
dpattn=True; decode TP8 x5 workers EP8 dpattn=False", "1P1D workers TP2", "disagg-1p2d-dep4".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.evidence.points import DISAGGREGATED
from planner.physics.layout import Layout
from planner.physics.profile import Profile

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Four = tuple[float, float, float, float]
Said = dict[str, str | None]

UNSAID = float("nan")
ONE_STAGE = re.compile(r"\b(?P<kind>DEP|TP)(?P<n>\d+)(?:PP(?P<stages>\d+))?(?=;|$|\s)")
FILE_STAGE = re.compile(r"(?P<kind>tp)(?P<n>\d+)\+pp(?P<stages>\d+)\b")
WORKERS = (
    r"{role} TP(?P<{role}_tp>\d+) x(?P<{role}_n>\d*) ?workers "
    r"EP(?P<{role}_ep>\d*) dpattn=(?P<{role}_apart>\w+)"
)
BOTH_POOLS = re.compile(WORKERS.format(role="prefill") + "; " + WORKERS.format(role="decode"))
SHORT = r"{role} tp(?P<{role}_tp>\d+) ep(?P<{role}_ep>\d+) x(?P<{role}_n>\d+)"
SHORT_POOLS = re.compile(SHORT.format(role="prefill") + ", " + SHORT.format(role="decode"))
LIKE_POOLS = re.compile(r"(?P<prefill_n>\d+)P(?P<decode_n>\d+)D workers TP(?P<tp>\d+)")
NAMED_POOLS = re.compile(
    r"disagg-(?P<prefill_n>\d+)p(?P<decode_n>\d+)d-(?P<prefill_kind>dep|tp)(?P<prefill_tp>\d+)"
    r"(?:-to-(?P<decode_kind>dep|tp)(?P<decode_tp>\d+))?"
)


@dataclass(frozen=True, slots=True)
class Cut:
    """Replicas of one pool and the layout of each; arrays of one a row."""

    workers: Floats
    layout: Layout

    @property
    def n_chips(self) -> Floats:
        """Chips of the pool."""
        return np.asarray(self.workers * self.layout.n_chips)


def monolithic_cut(table: pd.DataFrame) -> Cut:
    """Replicas that do both phases. Chips that no layout names hold further replicas."""
    said = _stages(table)
    columns = table[["tp", "ep", "attention_dp", "pp"]].to_numpy(float)
    tp, ep, groups, pp = np.where(np.isnan(said), columns, said).T
    n = table["n_accelerators"].to_numpy(float)
    stages, own = np.nan_to_num(pp, nan=1.0), np.nan_to_num(groups, nan=1.0)
    n = np.where(np.isnan(n), np.nan_to_num(tp, nan=1.0) * own * stages, n)
    tp = np.where(np.isnan(tp), np.maximum(n / (own * stages), 1), tp)
    ep = np.nan_to_num(ep, nan=1.0)
    stage = np.minimum(np.maximum(tp * own, ep), np.maximum(n / stages, 1))
    return _cut(n, stage, own, ep, stages)


def _cut(n: Floats, stage: Floats, own: Floats, ep: Floats, stages: Floats) -> Cut:
    """Whole replicas of `stage` chips, of which `own` groups attend by themselves."""
    apart = np.minimum(own, stage)
    layout = Layout(tp=stage / apart, attention_dp=apart, ep=np.minimum(ep, stage), pp=stages)
    return Cut(np.maximum(np.floor(n / (stage * stages)), 1), layout)


def spread(cut: Cut, n: Floats, silent: Flags, held: Profile, memory_bytes: Floats) -> Cut:
    """The cut, with all chips holding one copy of the weights where the row leaves that open.

    So benchmarks are run that name one chip per replica and several chips: experts are spread and
    attention is cut over all. The same holds where a replica as stated cannot hold the weights;
    one of several chips is then a stage of a pipeline.
    silent: rows that name neither expert nor pipeline parallel.
    """
    layout = cut.layout
    short = held.weight_bytes > layout.n_chips * memory_bytes
    open_ = silent & (layout.n_chips == 1) & (np.asarray(held.n_experts) > 0)
    once = (short | open_) & (n > layout.n_chips)
    stages = once & (layout.n_chips > 1)
    flat = once & ~stages
    return Cut(
        np.where(once, 1.0, cut.workers),
        Layout(
            tp=np.where(flat, n, layout.tp),
            attention_dp=layout.attention_dp,
            ep=np.where(flat, n, layout.ep),
            pp=np.where(stages, n / layout.n_chips * layout.pp, layout.pp),
        ),
    )


def silent(table: pd.DataFrame) -> Flags:
    """Rows that name neither expert nor pipeline parallel, in columns or notes."""
    words = np.isnan(_stages(table)[:, 0])
    named = table[["ep", "attention_dp", "pp"]].notna().any(axis=1).to_numpy()
    return np.asarray(words & ~named)


def pool_cuts(table: pd.DataFrame) -> tuple[Cut, Cut]:
    """The prefill pool and the decode pool of disaggregated rows."""
    said = [
        _pools(notes, prefill, decode) if mode == DISAGGREGATED else (_BLANK, _BLANK)
        for mode, notes, prefill, decode in zip(
            table["mode"],
            table["notes"],
            table["prefill_accelerators"],
            table["decode_accelerators"],
            strict=True,
        )
    ]
    return _pool_cut(table, "prefill", said, 0), _pool_cut(table, "decode", said, 1)


def _pool_cut(table: pd.DataFrame, role: str, said: list[tuple[Four, Four]], place: int) -> Cut:
    """Columns where one of them is filled, else what the notes say; nan where neither says it.

    Workers that are not counted fill the pool's chips; a width that is not given shares them.
    """
    names = [f"{role}_{part}" for part in ("workers", "tp", "ep", "attention_dp")]
    words = np.array([pools[place] for pools in said], float).reshape(-1, len(names))
    columns = table[names].to_numpy(float)
    known = ~np.isnan(columns).all(axis=1, keepdims=True)
    workers, tp, ep, own = np.where(known, columns, words).T
    chips = table[f"{role}_accelerators"].to_numpy(float)
    own, ep = np.nan_to_num(own, nan=1.0), np.nan_to_num(ep, nan=1.0)
    tp = np.where(np.isnan(tp), np.maximum(chips / workers / own, 1.0), tp)
    stage = np.maximum(tp * own, ep)
    workers = np.where(np.isnan(workers), np.maximum(np.floor(chips / stage), 1.0), workers)
    layout = Layout(tp=stage / own, attention_dp=own, ep=ep, pp=np.ones_like(own))
    return Cut(workers, layout)


_BLANK: Four = (UNSAID, UNSAID, UNSAID, UNSAID)


def _stages(table: pd.DataFrame) -> Floats:
    """(tp, ep, attention_dp, pp) by notes, else by the name of the file that a row is from."""
    texts = zip(table["notes"], table["source_ref"], strict=True)
    return np.array([_stage(*each) for each in texts], float).reshape(-1, len(_BLANK))


@cache
def _stage(notes: str, source_ref: str = "") -> Four:
    """(tp, ep, attention_dp, pp) of "TP4PP2", "DEP8" or ".../tp8+pp2.json"; nan for the unsaid."""
    found = ONE_STAGE.search(notes) or FILE_STAGE.search(source_ref)
    if not found:
        return _BLANK
    n, stages = float(found["n"]), float(found["stages"] or 1)
    return (1.0, n, n, stages) if found["kind"] == "DEP" else (n, 1.0, 1.0, stages)


def _pools(notes: str, prefill_chips: float, decode_chips: float) -> tuple[Four, Four]:
    """(workers, tp, ep, attention_dp) of both pools from the notes, else one worker in each."""
    for pattern, read in _READERS:
        if found := pattern.search(notes):
            said = found.groupdict()
            return read(said, "prefill", prefill_chips), read(said, "decode", decode_chips)
    return (1.0, prefill_chips, 1.0, 1.0), (1.0, decode_chips, 1.0, 1.0)


def _worded(said: Said, role: str, chips: float) -> Four:
    """One pool of "TP4 x2 workers EP4 dpattn=True"; workers not counted fill the pool's chips."""
    tp = float(said[f"{role}_tp"] or 1)
    workers = float(said[f"{role}_n"] or chips / tp)
    ep = float(said[f"{role}_ep"] or 1)
    apart = said.get(f"{role}_apart") == "True"
    return (workers, 1.0, max(ep, tp), tp) if apart else (workers, tp, ep, 1.0)


def _like(said: Said, role: str, _: float) -> Four:
    """One pool of "1P2D workers TP2"."""
    return float(said[f"{role}_n"] or 1), float(said["tp"] or 1), 1.0, 1.0


def _named(said: Said, role: str, chips: float) -> Four:
    """One pool of "disagg-1p2d-dep4-to-dep8"; like prefill where decode is not named.

    Some files count nodes, not workers: the pool's chips, where the row has them, decide.
    """
    of = role if said[f"{role}_tp"] else "prefill"
    workers, n = float(said[f"{role}_n"] or 1), float(said[f"{of}_tp"] or 1)
    workers = workers if np.isnan(chips) else max(chips // n, 1.0)
    return (workers, 1.0, n, n) if said[f"{of}_kind"] == "dep" else (workers, n, 1.0, 1.0)


_READERS: tuple[tuple[re.Pattern[str], Callable[[Said, str, float], Four]], ...] = (
    (BOTH_POOLS, _worded),
    (SHORT_POOLS, _worded),
    (LIKE_POOLS, _like),
    (NAMED_POOLS, _named),
)
