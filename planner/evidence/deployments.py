"""What rows of a benchmark file describe: models, chips, layouts, lengths and loads, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.evidence import conventions
from planner.evidence.conventions import SPLIT
from planner.evidence.layouts import Cut, monolithic_cut, pool_cuts, silent, spread
from planner.facts.catalog import Catalog
from planner.physics.efficiency import groups, model_kind
from planner.physics.layout import Layout
from planner.physics.machines import Sheet, sheet, stacked_sheets
from planner.physics.profile import Profile, profile, stacked

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rules:
    """What engines do when nobody says otherwise; arrays of one a point (`engines.toml`).

    mixed: prompts share steps with decode. step_tokens: most prompt tokens of a step.
    memory_frac: of all memory in use; free_frac: of what weights leave of it, for the cache.
    kept_frac: part of its answer that a request must still have room for when it is admitted.
    """

    mixed: Flags
    step_tokens: Floats
    memory_frac: Floats
    free_frac: Floats
    max_batch: Floats
    kept_frac: Floats
    reserve_bytes: Floats


@dataclass(frozen=True, slots=True)
class Deployments:
    """Points as arrays of one a row.

    requests: in flight (nan: as many as fit). decode: replicas that decode, or do both phases.
    prefill: those that only prefill, in a split deployment. drawn_frac: spread of drawn lengths
    over their mean, 0 where all are equal. drafts: speculated tokens of a step; gained: tokens that
    it yields; draft_layers: time of one draft in layers. requests_sent: of a run that ends, or nan.
    """

    load: NDArray[np.str_]
    profile: Profile
    sheet: Sheet
    rules: Rules
    n_accelerators: Floats
    decode: Cut
    prefill: Cut
    input_tokens: Floats
    cached_tokens: Floats
    output_tokens: Floats
    drawn_frac: Floats
    requests: Floats
    requests_per_s: Floats
    requests_sent: Floats
    requests_per_slot: Floats
    drafts: Floats
    draft_layers: Floats
    gained: Floats

    def at(self, places: Places) -> "Deployments":
        """Some of the points."""
        found: Deployments = taken(self, places)
        return found


@dataclass(frozen=True, slots=True)
class Described:
    """Deployments with the groups of each distinct configuration, and the one of each row."""

    points: Deployments
    groups: tuple[Mapping[str, str], ...]
    which: Places


def taken(held: Any, places: Places) -> Any:
    """A dataclass of arrays at some places, whatever it is nested from."""
    if isinstance(held, np.ndarray):
        return held[places]
    if isinstance(held, dict):
        return {name: taken(each, places) for name, each in held.items()}
    if isinstance(held, tuple):
        return tuple(taken(each, places) for each in held)
    return type(held)(**{f.name: taken(getattr(held, f.name), places) for f in fields(held)})


def described(table: pd.DataFrame, catalog: Catalog) -> Described:
    """The rows of a checked table that have no problems."""
    engine = conventions.engines(table["engine"], catalog)
    weights = conventions.weight_precisions(table, catalog)
    keys = pd.DataFrame(
        {
            "model": table["model"],
            "chip": table["accelerator"],
            "weights": weights,
            "cache": conventions.cache_precisions(table, engine, weights, catalog),
            "engine": engine,
            "release": conventions.releases(table),
        }
    )
    which, rows = _distinct(keys)
    models = [catalog.models[row["model"]] for row in rows]
    chips = [catalog.accelerators[row["chip"]] for row in rows]
    profiles = [
        profile(model, row["weights"], row["cache"])
        for model, row in zip(models, rows, strict=True)
    ]
    sheets = [
        sheet(chip, row["weights"], lambda name: catalog.fact(name).value)
        for chip, row in zip(chips, rows, strict=True)
    ]
    return Described(
        points=_points(
            table, catalog, engine, stacked(profiles, which), stacked_sheets(sheets, which)
        ),
        groups=tuple(
            groups(model_kind(model), chip, row["weights"], row["engine"], row["release"])
            for model, chip, row in zip(models, chips, rows, strict=True)
        ),
        which=which,
    )


def _distinct(keys: pd.DataFrame) -> tuple[Places, list[dict[str, str]]]:
    """The place of each row among the distinct ones, and those."""
    places = keys.groupby(list(keys), sort=False, dropna=False).ngroup().to_numpy()
    return places, keys.drop_duplicates().to_dict("records")  # type: ignore[return-value]


def _points(
    table: pd.DataFrame, catalog: Catalog, engine: pd.Series, held: Profile, peaks: Sheet
) -> Deployments:
    load = conventions.loads(table)
    decode, prefill = _cuts(table, load, held, peaks)
    is_drawn = conventions.drawn(table, catalog)
    least = catalog.number("engines.benchmarks.drawn_from_frac").value
    mean = np.where(is_drawn, (1 + least) / 2, 1.0)
    n_drafts = conventions.drafts(table, engine, catalog)
    slots = catalog.number("engines.benchmarks.requests_per_slot").value
    chips = decode.n_chips + np.where(load == SPLIT, prefill.n_chips, 0.0)
    return Deployments(
        load=load,
        profile=held,
        sheet=peaks,
        rules=_rules(engine, catalog),
        n_accelerators=table["n_accelerators"].fillna(pd.Series(chips, table.index)).to_numpy(),
        decode=decode,
        prefill=prefill,
        input_tokens=table["input_tokens"].to_numpy() * mean,
        cached_tokens=table["cached_input_tokens"].fillna(0).to_numpy() * mean,
        output_tokens=table["output_tokens"].to_numpy() * mean,
        drawn_frac=np.where(is_drawn, (1 - least) / mean, 0.0),
        requests=conventions.requests(table),
        requests_per_s=table["request_rate_per_s"].to_numpy(float),
        requests_sent=conventions.requests_sent(table),
        requests_per_slot=np.full(len(table), slots),
        drafts=n_drafts,
        draft_layers=np.full(len(table), catalog.number("engines.drafts.layer_cost").value),
        gained=conventions.gained(n_drafts, catalog),
    )


def _cuts(
    table: pd.DataFrame, load: NDArray[np.str_], held: Profile, peaks: Sheet
) -> tuple[Cut, Cut]:
    """The decoding replicas, or those of both phases, and the prefilling ones."""
    n = table["n_accelerators"].to_numpy(float)
    whole = spread(monolithic_cut(table), n, silent(table), held, peaks.memory_bytes)
    prefill, decode = pool_cuts(table)
    split = load == SPLIT

    def chosen(apart: Floats, together: Floats) -> Floats:
        return np.where(split, apart, together)

    layout = Layout(
        *(
            chosen(getattr(decode.layout, f.name), getattr(whole.layout, f.name))
            for f in fields(Layout)
        )
    )
    return Cut(chosen(decode.workers, whole.workers), layout), prefill


def _rules(engine: pd.Series, catalog: Catalog) -> Rules:
    """The rules of each row's engine; of the first one where the engine is unknown."""
    tables: Any = catalog.tables["engines"]
    known = [name for name, table in tables.items() if isinstance(table, dict) and "names" in table]
    place = engine.map({name: n for n, name in enumerate(known)}).fillna(0).astype(int).to_numpy()

    def column(name: str) -> Floats:
        return np.array([tables[each][name].value for each in known])[place]

    reserve = catalog.number("engines.reserve.memory_bytes").value
    kept = catalog.number("engines.reserve.kept_frac").value
    return Rules(
        mixed=np.array([tables[each]["schedules"] == "mixed" for each in known])[place],
        step_tokens=column("step_tokens"),
        memory_frac=column("memory_frac"),
        free_frac=column("free_frac"),
        max_batch=column("max_batch"),
        kept_frac=np.full(len(place), kept),
        reserve_bytes=np.full(len(place), reserve),
    )
