"""The section of the validation report about single steps on one board, their time and draw."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from planner.evidence import board
from planner.evidence.tables import markdown
from planner.facts.catalog import Catalog
from planner.facts.units import BITS_PER_BYTE
from planner.text import given, number, percent, quantity, seconds

SAID = Path(__file__).with_suffix(".md")
"""What the section says around its tables."""

STREAMS = {
    "memory read, random bits": "stream-read-264",
    "the same, a third of the rate": "stream-read-16",
    "memory read, all zeros": "stream-read-zeros-264",
    "memory copied": "stream-copy",
    "second-level cache read": "stream-read-cache-264",
    "weights in decode, batch 1": "decode-step-llama-3.1-8b-bf16-1-512-0",
    "KV cache in attention, batch 8": "attention-step-llama-3.1-8b-bf16-8-8192-0",
}


def section(held: pd.DataFrame, catalog: Catalog) -> str:
    """The section in Markdown."""
    ours, waits = board.beside(held, catalog), board.mixed_by_time(held)
    waits = waits.assign(ours_w=board.ours_w(waits, catalog))
    time, power = ours["time_error_frac"], ours["power_error_frac"]
    limited = power[(ours["phase"] == board.DECODE) & ours["at_power_limit"]]
    over = (waits["ours_w"] / waits["power_w"] - 1).max()
    return "\n" + SAID.read_text(encoding="utf-8").format(
        steps=len(ours),
        time=percent(_median(time)),
        worst_time=percent(_largest(time)),
        power=percent(_median(power)),
        worst_power=percent(_largest(power)),
        limited=f"{percent(-float(limited.max()))} to {percent(-float(limited.min()))}",
        over=percent(float(over)),
        phases=_phases(ours),
        rest=_rest(held, catalog),
        bits=_bits(held, catalog),
        shares=_shares(waits),
        products=_products(held, catalog),
        each=_each(ours),
        **_again(held),
    )


def _median(errors: pd.Series) -> float:
    return float(errors.abs().median())


def _largest(errors: pd.Series) -> float:
    return float(errors.abs().max())


def _again(held: pd.DataFrame) -> dict[str, str]:
    """How far the two runs lie apart, where both have a case."""
    first, then = (held[held["run"] == run].set_index("id") for run in (1, 2))
    return {
        f"again_{name}": percent(_median((then[name] / first[name] - 1).dropna()))
        for name in ("step_s", "power_w")
    }


def _groups(ours: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for phase in (board.PREFILL, board.MIXED):
        yield phase, ours[ours["phase"] == phase]
    for _, rows in ours[ours["phase"] == board.DECODE].groupby("batch"):
        yield f"decode, batch {given(rows['batch'].iloc[0])}", rows


def _phases(ours: pd.DataFrame) -> str:
    columns = (
        "phase", "steps", "time: bias", "median error", "worst", "W measured", "W ours",
        "power: bias", "worst", "at the limit",
    )  # fmt: skip
    lines = []
    for name, rows in _groups(ours):
        time, power = rows["time_error_frac"], rows["power_error_frac"]
        lines.append(
            (
                name,
                _whole(len(rows)),
                _signed(time.median()),
                percent(_median(time)),
                percent(_largest(time)),
                _range(rows["power_w"]),
                _range(rows["ours_w"]),
                _signed(power.median()),
                percent(_largest(power)),
                percent(float(rows["at_power_limit"].mean())),
            )
        )
    return markdown(columns, lines)


def _whole(n: float) -> str:
    return number(float(n), place=0)


def _signed(error: Any) -> str:
    return percent(float(error), signed=True)


def _range(values: pd.Series) -> str:
    return f"{_whole(values.min())} to {_whole(values.max())}"


def _rest(held: pd.DataFrame, catalog: Catalog) -> str:
    """At rest, before and after a process holds the chip."""
    ours = _whole(board.idle_w(catalog))
    rows = [
        (str(name), _range(found["power_w"]), _range(found["temperature_c"]), ours)
        for name, found in held[held["phase"] == "rest"].groupby("kernel", sort=False)
    ]
    return markdown(("at rest", "W", "°C", "catalog, W"), rows)


def _shares(waits: pd.DataFrame) -> str:
    """Draw when a chip waits for a part of the time: measured, mixed by time, and ours."""
    lines = [
        (
            row["kernel"] if row["phase"] == "stream" else row["phase"],
            percent(row["busy"]),
            _whole(row["power_w"]),
            _whole(row["mixed_w"]),
            _signed(row["mixed_w"] / row["power_w"] - 1),
            _whole(row["ours_w"]),
            _signed(row["ours_w"] / row["power_w"] - 1),
        )
        for row in waits.to_dict("records")
    ]
    return markdown(("work", "busy", "W", "mixed by time", "error", "ours", "error"), lines)


def _bits(held: pd.DataFrame, catalog: Catalog) -> str:
    """Energy of a bit of traffic, above the awake board and of the whole board."""
    moved = held["moved_bytes"] + held["cache_bytes"]
    rows = held.assign(
        above_w=held["power_w"] - board.awake_w(held),
        bits_per_s=moved / held["step_s"] * BITS_PER_BYTE,
        ours_w=board.ours_w(held, catalog) - board.idle_w(catalog),
    )
    means = _means(rows, ["id"])
    found = {row["id"]: row for row in means}
    lines = [_bit(label, found[name]) for label, name in STREAMS.items()]
    columns = ("traffic", "rate", "W", "above awake", "whole board", "ours, above idle")
    return markdown(columns, lines)


def _bit(label: str, row: dict[Any, Any]) -> tuple[str, ...]:
    rate = row["bits_per_s"]
    return (
        label,
        quantity(rate / BITS_PER_BYTE, "byte/s"),
        _whole(row["power_w"]),
        *(quantity(row[name] / rate, "J/bit") for name in ("above_w", "power_w")),
        quantity(row["ours_w"] / rate, "J/bit") if row["moved_bytes"] else "",
    )


def _means(rows: pd.DataFrame, keys: list[str]) -> list[dict[Any, Any]]:
    """Means over the runs, in the order of the rows."""
    found = rows.groupby(keys, sort=False, as_index=False).mean(numeric_only=True)
    return list(found.to_dict("records"))


def _products(held: pd.DataFrame, catalog: Catalog) -> str:
    """One product by its rows: shares of both peaks, draw, clock and energy of a FLOP."""
    peaks, highest_hz = board.peaks(catalog), held["sm_clock_hz"].max()
    per_s = catalog.fact(f"accelerators.{board.CHIP}.memory_bytes_per_s").value
    keys = ["kernel", "precision", "rows"]
    rows = held[held["phase"] == "product"].sort_values(keys, kind="stable")
    lines = [
        (
            f"{row['kernel']}, {row['precision']}",
            _whole(row["rows"]),
            percent(row["flop"] / row["step_s"] / peaks[row["precision"]]),
            percent(row["moved_bytes"] / row["step_s"] / per_s),
            _whole(row["power_w"]),
            percent(row["sm_clock_hz"] / highest_hz),
            quantity(row["power_w"] * row["step_s"] / row["flop"], "J/FLOP"),
        )
        for row in _means(rows, keys)
    ]
    columns = ("product", "rows", "of peak FLOP/s", "of peak byte/s", "W", "clock", "whole board")
    return markdown(columns, lines)


def _each(ours: pd.DataFrame) -> str:
    """Every step, the mean of its runs."""
    keys = ["phase", "model", "batch", "context_tokens", "prompt_tokens"]
    highest_hz = ours["sm_clock_hz"].max()
    lines = [
        (
            f"{row['phase']}, {row['model']}",
            f"{_whole(row['batch'])} × {_whole(row['context_tokens'])}" if row["batch"] else "",
            _whole(row["prompt_tokens"]) if row["prompt_tokens"] else "",
            seconds(row["step_s"]),
            _signed(row["time_error_frac"]),
            _whole(row["power_w"]),
            _signed(row["power_error_frac"]),
            percent(row["sm_clock_hz"] / highest_hz),
            quantity(row["power_w"] * row["step_s"], "J"),
        )
        for row in _means(ours, keys)
    ]
    columns = (
        "step", "batch × context", "prompt", "measured", "ours", "W", "ours", "clock", "a step",
    )  # fmt: skip
    return markdown(columns, lines)
