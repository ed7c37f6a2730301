"""Small results of a database, one piece for each group of rows."""

import ibis.expr.types as ir
import pandas as pd

Key = tuple[str, ...]
"""The values of the grouping columns; empty where nothing is grouped."""


def groups(table: ir.Table, by: tuple[str, ...]) -> dict[Key, pd.DataFrame]:
    """An aggregated table, run and split by its grouping columns, rows in the table's order."""
    frame = table.to_pyarrow().to_pandas()
    if not by:
        return {(): frame}
    return {tuple(map(str, key)): part for key, part in frame.groupby(list(by), sort=False)}
