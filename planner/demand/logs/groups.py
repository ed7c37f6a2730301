"""Small results of a database, one piece for each group of rows."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

Key = tuple[str, ...]
"""The values of the grouping columns; empty where nothing is grouped."""
Columns: TypeAlias = Mapping[str, NDArray[Any]]
"""The other columns of one group, by name."""


def groups(table: ir.Table, by: tuple[str, ...]) -> dict[Key, Columns]:
    """A table that is ordered by its grouping columns, run and split where their values change."""
    found = table.to_pyarrow()
    held = {name: found[name].to_numpy() for name in found.column_names}
    keys = [held.pop(name).astype(str) for name in by]
    if not by:
        return {(): held}
    changes = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    ends = [*(np.flatnonzero(changes) + 1).tolist(), len(found)]
    pieces = [slice(first, last) for first, last in zip([0, *ends], ends, strict=False)]
    return {
        tuple(str(key[piece.start]) for key in keys): {n: c[piece] for n, c in held.items()}
        for piece in pieces
        if piece.stop > piece.start
    }
