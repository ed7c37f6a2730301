"""Draws of uncertain numbers: a Latin hypercube whose columns may move together.

Every number has a column of its own, seeded by its name, so that its draws stay the same whatever
else a plan uses. Numbers of one group of `correlations.toml` share the column of their cause::

    z = √s₁·z₁ + √s₂·z₂ + … + √(1 − Σs)·z₀        normal scores of the causes, and its own

The ranks of z, spread by the own column within their slices, are the draws: a Gaussian copula that
keeps one draw in each of n equally likely slices (Packham and Schmidt, Latin hypercube sampling
with dependence, Journal of Computational Finance 13(3), 2010).
"""

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import Any

import numpy as np
import scipy  # its parts load when they are first used: scipy.stats takes a second
from numpy.typing import NDArray
from scipy.special import ndtri

from planner.errors import CatalogError
from planner.facts.catalog import Catalog
from planner.facts.quantities import Quantity

Floats = NDArray[np.float64]
FILE = "correlations"
N_COLUMNS = 1024
WITHIN = ("", "class", "family")


@dataclass(frozen=True, slots=True)
class Tie:
    """A cause that a number shares with others, and the share of its variance that it explains."""

    cause: str
    strength_frac: float


Ties = Callable[[str], tuple[Tie, ...]]
"""The causes that a number of the register shares."""


def independent(_: str) -> tuple[Tie, ...]:
    """Nothing moves together."""
    return ()


def ties_of(catalog: Catalog) -> Ties:
    """The groups of `correlations.toml`; nothing moves together where there is none.

    Raises:
        CatalogError: a group is not laid out as the file says, or strengths exceed 1.
    """
    groups = {name: _checked(name, held) for name, held in catalog.tables.get(FILE, {}).items()}

    @cache
    def ties(parameter: str) -> tuple[Tie, ...]:
        found = tuple(
            Tie(f"{name} {_kin(parameter, held['within'], catalog)}", held["strength_frac"].value)
            for name, held in groups.items()
            if any(fnmatchcase(parameter, pattern) for pattern in held["parameters"])
        )
        if sum(tie.strength_frac for tie in found) > 1:
            raise CatalogError(
                f"{FILE}.toml: the groups of {parameter} explain more than all of it; "
                "allowed are strengths that add up to 1."
            )
        return found

    return ties


def unit_draws(parameters: Iterable[str], n: int, seed: int, ties: Ties) -> dict[str, Floats]:
    """N draws between 0 and 1 of each number by its name, one in each of n equal slices."""

    @cache
    def score(cause: str) -> Floats:
        return np.asarray(ndtri(_column(f"cause {cause}", n, seed)))

    return {name: _drawn(_column(name, n, seed), ties(name), score) for name in parameters}


def _drawn(own: Floats, shared: tuple[Tie, ...], score: Callable[[str], Floats]) -> Floats:
    """A number's own column, or the ranks of its mixture with those of its causes."""
    if not shared:
        return own
    alone = 1 - sum(tie.strength_frac for tie in shared)
    mixed = np.sqrt(alone) * ndtri(own)
    for tie in shared:
        mixed = mixed + np.sqrt(tie.strength_frac) * score(tie.cause)
    rank = np.empty(len(own))
    rank[mixed.argsort(kind="stable")] = np.arange(len(own))
    return np.asarray((rank + own * len(own) % 1) / len(own))


@lru_cache(maxsize=N_COLUMNS)
def _column(name: str, n: int, seed: int) -> Floats:
    """The same for every scenario, so it is drawn once and never written to."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    drawn = np.array(scipy.stats.qmc.LatinHypercube(d=1, rng=rng).random(n)[:, 0])
    drawn.setflags(write=False)
    return drawn


def _kin(parameter: str, within: str, catalog: Catalog) -> str:
    """What the members of a group have in common: nothing more, their class, or their family."""
    parts = parameter.split(".")
    if within == "class":
        return ".".join(parts[1:-1])
    if within == "family":
        chips = (catalog.accelerators.get(part.removesuffix("_frac")) for part in parts)
        return next((chip.family for chip in chips if chip), parameter)
    return ""


def _checked(name: str, held: Any) -> Mapping[str, Any]:
    """A group as the file lays it out, else a refusal that names it."""
    place = f"{FILE}.toml, {name}"
    if not isinstance(held, Mapping) or set(held) != {"parameters", "within", "strength_frac"}:
        raise CatalogError(f"{place}: a group has parameters, within and strength_frac, no more.")
    if held["within"] not in WITHIN:
        raise CatalogError(f'{place}, within: allowed are "", "class" and "family".')
    names, strength = held["parameters"], held["strength_frac"]
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise CatalogError(f"{place}, parameters: allowed is a list of names, * for anything.")
    if not isinstance(strength, Quantity) or not 0 <= strength.value <= 1:
        raise CatalogError(f"{place}, strength_frac: allowed is a quantity from 0 to 1.")
    return held
