"""Rows of the fleet mix that force a share of its power into split pools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.fleet.mix import Entry
    from planner.fleet.programme import Programme

SMALLEST = 1e-3
"""Of a class's demand; smaller shares are rounding."""
CLOSE = 0.01
"""Share of power within which a forced mix is met."""
SLIVER = 0.01
"""Of a chip: what a pool of whole servers must lack of one server more."""


def forced_rows(
    build: Programme, menu: Sequence[Entry], wanted: float, spare_replicas: int
) -> None:
    """The share of split pools lies close to the one wanted, or is off by some watts.

    None and all are meant as they are. Columns ("servers", k), ("share", k), ("on", k) and "off_w"
    must stand.
    """
    around = CLOSE if 0 < wanted < 1 else 0.0
    for sign, least in ((1, wanted - around), (-1, wanted + around)):
        off = {
            ("servers", k): sign * entry.power_w * entry.server_chips * (entry.split - least)
            for k, entry in enumerate(menu)
        }
        build.row("mix", off | {"off_w": 1.0}, least=0.0)
    for k, entry in enumerate(menu):
        _busy_rows(build, k, entry, spare_replicas)


def _busy_rows(build: Programme, k: int, entry: Entry, spare_replicas: int) -> None:
    """No server without work, whose power would count towards the forced mix.

    A pool in use serves more than rounding, on as many replicas and servers as the plan builds.
    """
    running, spare = entry.needed_chips(spare_replicas)
    needed: dict[Any, float] = {("share", k): running, ("on", k): spare}
    build.row("used", {("share", k): 1.0, ("on", k): -2 * SMALLEST}, least=0.0)
    if entry.server_chips % entry.pool.replica_chips:
        each = float(entry.pool.replica_chips)
        build.column(("replicas", k), whole=True)
        _rounded_up(build, k, {("replicas", k): each}, needed)
        needed = {("replicas", k): each}
    _rounded_up(build, k, {("servers", k): float(entry.server_chips)}, needed)


def _rounded_up(
    build: Programme, k: int, held: Mapping[Any, float], needed: Mapping[Any, float]
) -> None:
    """What is held is what is needed and less than one more, in chips; one name in `held`."""
    left = {**held, **{name: -chips for name, chips in needed.items()}}
    build.row("enough", left, least=0.0)
    missing = {name: -chips for name, chips in left.items()}
    missing["on", k] = missing.get(("on", k), 0.0) + sum(held.values()) - SLIVER
    build.row("idle", missing, least=0.0)
