"""Errors on what the fit has not seen: rows, whole pairs, and whole chips left out."""

from collections.abc import Iterator
from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from planner.evidence.fitting import Fit
from planner.evidence.measured import Measured
from planner.evidence.trained import ANSWERS, answers, trained
from planner.facts.catalog import Catalog

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
SEED = 0


def left_out(
    held: Measured, whole: Fit, scope: str, n_folds: int, catalog: Catalog, pool: Executor
) -> dict[str, Floats]:
    """Predict each row by a fit that has not seen its part, by quantity.

    scope: rows | pairs | chips. whole: the fit of all rows, to start from. pool: where fits run.
    """
    parts = list(folds(held, scope, n_folds))
    found = {name: np.full(len(held.table), np.nan) for name in ANSWERS}
    jobs = [pool.submit(_without, held, whole, fold, catalog) for fold in parts]
    for fold, job in zip(parts, jobs, strict=True):
        for name, values in job.result().items():
            found[name][fold] = values
    return found


def _without(held: Measured, whole: Fit, fold: Places, catalog: Catalog) -> dict[str, Floats]:
    """What a fit of all other rows says of a fold."""
    kept = np.flatnonzero(held.fit & ~np.isin(np.arange(len(held.table)), fold))
    return answers(held, fold, trained(held, kept, catalog, whole), catalog)


def folds(held: Measured, scope: str, n_folds: int) -> Iterator[Places]:
    """Places of the rows of each fold; what belongs together stays together.

    Copies stay with what they copy. Pairs go, the largest first, to the smallest fold.
    """
    labels = {
        "rows": held.original.astype(str),
        "pairs": held.pair.astype(str),
        "chips": held.table["accelerator"].to_numpy(str),
    }[scope]
    names, counts = np.unique(labels, return_counts=True)
    if scope == "chips":
        fold_of = {name: place for place, name in enumerate(names)}
    elif scope == "rows":
        shuffled = np.random.default_rng(SEED).permutation(len(names))
        fold_of = {name: int(shuffled[n] % n_folds) for n, name in enumerate(names)}
    else:
        fold_of = _balanced(names, counts, n_folds)
    fold = np.array([fold_of[label] for label in labels])
    for place in range(fold.max() + 1):
        rows = np.flatnonzero(fold == place)
        if held.fit[rows].any():
            yield rows


def _balanced(names: NDArray[np.str_], counts: Places, n_folds: int) -> dict[str, int]:
    sizes, found = np.zeros(n_folds), {}
    for place in sorted(range(len(names)), key=lambda n: (-counts[n], names[n])):
        smallest = int(sizes.argmin())
        found[str(names[place])] = smallest
        sizes[smallest] += counts[place]
    return found
