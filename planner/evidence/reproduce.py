"""Published results against ours, a row each; a result out of reach is printed as such.

The studies stand by subject in `planner.evidence.studies`, their figures in `published.toml`.
"""

from collections.abc import Callable, Iterator

from planner.evidence.studies import (
    chips,
    clusters,
    goodput,
    knees,
    money,
    phases,
    power,
    queues,
    reallocation,
)
from planner.evidence.studies.rows import Row
from planner.facts.catalog import Catalog, load_catalog

__all__ = ["STUDIES", "Row", "reproduce", "study"]

STUDIES: tuple[Callable[[Catalog], Iterator[Row]], ...] = (
    chips.spad_cost,
    chips.spad_speed,
    chips.spad_response,
    chips.llmcompass,
    phases.spad_latency,
    phases.splitwise,
    queues.distserve,
    queues.flowkv,
    knees.saturation,
    goodput.distserve,
    goodput.mlperf,
    clusters.clusters,
    clusters.pools,
    chips.spad_cluster_power,
    reallocation.reallocations,
    money.deepseek_day,
    phases.deepseek_phases,
    phases.sglang,
    money.h200,
    money.inferencex,
    power.draws,
)


def study(place: int, catalog: Catalog | None = None) -> list[Row]:
    """The rows of one of the studies, for a reader who watches them come in. place: in STUDIES."""
    return list(STUDIES[place](catalog or load_catalog()))


def reproduce(name: str = "", catalog: Catalog | None = None) -> list[Row]:
    """A row a published result, ours beside it: all, or those whose source contains a name."""
    held = catalog or load_catalog()
    rows = (row for study in STUDIES for row in study(held))
    return [row for row in rows if name.lower() in row.source.lower()]
