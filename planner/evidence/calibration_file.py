"""A calibration as the text of `calibration.toml`."""

from collections.abc import Iterator

from planner.evidence.calibrate import SOURCE
from planner.facts.calibration import Band, Calibrated, Calibration, Effect

HEADER = """\
# Written by `python -m planner calibrate`; do not edit. What each number means is in
# planner/physics/efficiency.py, how it was fitted in fit.toml and docs/validation.md. `value` holds
# for everybody; effects of the groups that a point belongs to add to its logit (law "share") or
# logarithm (law "positive"). low and high enclose 80 %; rows are those of the group. Bands enclose
# the central 80 % of measured over predicted where a fit had not seen the row, the pair of model
# and chip, or the chip; errors are median absolute ones of the same.
"""
DIGITS = 4
PLACES = 3


def as_toml(held: Calibration) -> str:
    """The file of a calibration; the same calibration gives the same text."""
    return "\n".join([HEADER, *_lines(held), ""])


def without_date(text: str) -> str:
    """The text without the line that says when it was made."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("date = "))


def _lines(held: Calibration) -> Iterator[str]:
    yield f'date = "{held.date}"'
    yield f'source = "{SOURCE}"'
    yield "pairs = ["
    yield from (f'    "{pair}",' for pair in sorted(held.pairs))
    yield "]"
    for name, number in held.numbers.items():
        yield from _number(name, number)
    for name, bands in held.bands.items():
        yield f"\n[bands.{name}]"
        yield from (f'"{scope}" = {_band(band)}' for scope, band in bands.items())
    for name, errors in held.errors.items():
        yield f"\n[errors.{name}]"
        yield from (f"{scope} = {error:.{PLACES}f}" for scope, error in errors.items())


def _number(name: str, held: Calibrated) -> Iterator[str]:
    whole = held.whole
    yield f"\n[{name}]"
    yield f'law = "{held.law}"'
    yield f'unit = "{whole.unit}"'
    yield from (f"{end} = {getattr(whole, end):.{DIGITS}g}" for end in ("value", "low", "high"))
    yield f"rows = {held.n_rows}"
    for level, groups in held.effects.items():
        yield f'\n[{name}."{level}"]'
        yield from (f'"{group}" = {_effect(effect)}' for group, effect in groups.items())


def _effect(held: Effect) -> str:
    shown = (f"{end} = {getattr(held, end):.{PLACES}f}" for end in ("value", "low", "high"))
    return f"{{ {', '.join(shown)}, rows = {held.n_rows} }}"


def _band(held: Band) -> str:
    shown = (f"{end} = {value:.{PLACES}f}" for end, value in _ends(held))
    return f"{{ {', '.join(shown)}, rows = {held.n_rows} }}"


def _ends(held: Band) -> tuple[tuple[str, float], ...]:
    return ("low", held.low_frac), ("high", held.high_frac)
