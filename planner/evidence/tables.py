"""Tables of the validation report: errors by every split that a reader may ask for."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from planner.evidence.fitting import QUANTITIES
from planner.evidence.kept import SEEN, Compared
from planner.facts.calibration import Calibration
from planner.text import number, percent

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_ROWS = 5
SHORT = {"tpot": "TPOT", "ttft": "TTFT", "rate": "tokens/s"}
WORDS = {
    "tpot": "Time per output token",
    "ttft": "Time to first token",
    "rate": "Output tokens/s per chip",
    "power": "Board power",
    "energy": "J per output token",
}

Key = Callable[[Compared], Sequence[str]]


def _column(name: str) -> Key:
    return lambda held: list(held.measured.table[name].astype(str))


def _engine(held: Compared) -> Sequence[str]:
    return [held.measured.rows.groups[n]["engine"] for n in held.measured.rows.which]


def _load(held: Compared) -> Sequence[str]:
    return list(held.measured.rows.points.load)


def _release(held: Compared) -> Sequence[str]:
    return [held.measured.rows.groups[n]["release"] or "unsaid" for n in held.measured.rows.which]


SPLITS: dict[str, Key] = {
    "By load": _load,
    "By model": _column("model"),
    "By chip": _column("accelerator"),
    "By engine": _engine,
    "By weight precision": _column("weight_precision"),
    "By release of the software": _release,
}


def by_split(held: Compared, title: str, key: Key) -> str:
    """Errors of the fit, and on unseen rows and pairs, of each group of rows."""
    labels = np.array(key(held), dtype=object)
    rows = [
        (
            label,
            number((held.counted & (labels == label)).sum(), place=0),
            *_errors(held, labels == label),
        )
        for label in sorted(set(labels[held.counted]))
    ]
    columns = ["", "rows"]
    for quantity in QUANTITIES:
        short = SHORT[quantity]
        columns += [f"{short} seen", f"{short} bias", f"{short} rows", f"{short} pairs"]
    return f"\n## {title}\n\n" + markdown(columns, rows)


def _errors(held: Compared, chosen: Flags) -> Iterator[str]:
    """Size and bias of the fit, and sizes on unseen rows and pairs, by quantity."""
    mine = held.counted & chosen
    for quantity in QUANTITIES:
        seen = held.error(quantity, SEEN)[mine]
        yield _shown(np.abs(seen))
        yield _shown(seen, signed=True)
        yield from (
            _shown(np.abs(held.error(quantity, scope)[mine])) for scope in ("rows", "pairs")
        )


def _shown(error: Floats, *, signed: bool = False) -> str:
    usable = error[np.isfinite(error)]
    return percent(float(np.median(usable)), signed=signed) if len(usable) else ""


def by_pair(held: Compared) -> str:
    """Errors of fits that never saw a pair, by pair."""
    head = (
        "\n## Each pair of architecture and chip, left out whole\n\n"
        "Pairs with five rows or more; bias and size of errors of fits that never saw the pair.\n\n"
    )
    rows = []
    for pair in sorted(set(held.measured.pair[held.counted])):
        mine = held.counted & (held.measured.pair == pair)
        if mine.sum() >= LEAST_ROWS:
            cells = (
                _shown(each, signed=signed)
                for quantity in QUANTITIES
                for each, signed in (
                    (held.error(quantity, "pairs")[mine], True),
                    (np.abs(held.error(quantity, "pairs")[mine]), False),
                )
            )
            rows.append((pair, number(mine.sum(), place=0), *cells))
    columns = (
        "pair",
        "rows",
        "TPOT bias",
        "TPOT",
        "TTFT bias",
        "TTFT",
        "tokens/s bias",
        "tokens/s",
    )
    return head + markdown(columns, rows)


def weakest(held: Compared, least_rows: float, most_frac: float) -> str:
    """Combinations of so many rows that the fit misses by more, though it has seen them."""
    told = [
        f"{model}, {chip}, {engine}, {load}"
        for model, chip, engine, load in zip(
            *(key(held) for key in (_column("model"), _column("accelerator"), _engine, _load)),
            strict=True,
        )
    ]
    labels = np.array(told, dtype=object)
    rows = []
    for quantity, words in WORDS.items():
        error = held.error(quantity, SEEN)
        usable = held.counted & np.isfinite(error)
        for label in sorted(set(labels[usable])):
            mine = error[usable & (labels == label)]
            if len(mine) >= least_rows and np.median(np.abs(mine)) > most_frac:
                rows.append(
                    (label, words, f"{len(mine)}", _shown(np.abs(mine)), _shown(mine, signed=True))
                )
    return markdown(("what", "quantity", "rows", "error", "bias"), rows)


def by_chip(held: Compared) -> str:
    """Errors of fits that never saw a chip, by chip."""
    head = (
        "\n## Each chip, left out whole\n\n"
        "What a chip would get that nobody measured: its family's numbers, or everybody's.\n\n"
    )
    table = held.measured.table["accelerator"].to_numpy(object)
    rows = [
        (
            chip,
            number((held.counted & (table == chip)).sum(), place=0),
            *(
                _shown(np.abs(held.error(q, "chips")[held.counted & (table == chip)]))
                for q in WORDS
            ),
        )
        for chip in sorted(set(table[held.counted]))
    ]
    return head + markdown(("chip", "rows", *WORDS.values()), rows)


def number_table(calibration: Calibration) -> str:
    """The fitted numbers, and how far their groups lie apart."""
    head = (
        "\n## The numbers\n\n"
        "What holds for everybody, and how far the groups lie apart (standard deviation of their "
        "effects on the logit of a share or the logarithm of what is positive).\n\n"
    )
    rows = []
    for name, fitted in calibration.numbers.items():
        effects = [e.value for groups in fitted.effects.values() for e in groups.values()]
        spread = f"{np.std(effects):.2f}" if effects else ""
        whole = fitted.whole
        rows.append(
            (
                f"`{name}`", f"{whole.value:.3g}", f"{whole.low:.3g} to {whole.high:.3g}",
                whole.unit, str(len(effects)), spread,
            )
        )  # fmt: skip
    return head + markdown(("number", "value", "80 %", "unit", "effects", "spread"), rows)


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*lines, ""])
