"""Opening what an older model or catalog answered: its result then, now, and what moved it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from math import isclose
from typing import Any

from planner import text
from planner.decision.assumptions import ledger_of
from planner.decision.plan import Plan, plan
from planner.demand.scenario import Scenario
from planner.errors import CatalogError, SwitchyardError
from planner.facts.catalog import Catalog
from planner.store.comparing import changes, flat, told
from planner.store.database import Database
from planner.store.documents import catalog_with, files_of_then, pinned
from planner.store.identity import Identity
from planner.store.kinds import upgraded
from planner.store.records import Change, Saved
from planner.version import MODEL_VERSION

TOLERANCE = 1e-9
SAMPLES = "n_samples"
FIRST = ("tax_frac.p50", "recovered_mw", "stranded_mw.p50", "cost_usd_per_mtok")
"""Figures that are told first."""
VALUE, RANGE = ".value", ("low", "high")
DECIDING = ("status", "access", "owner", "price_scope", "phase_fit")
"""What the catalog says of a chip in words and a plan depends on."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A figure of the headline that is not what it was.

    between: what today's formulas answer with the facts of then, None where those are not known:
    formulas moved it from `then` to `between`, facts from `between` to `now`.
    """

    figure: str
    then: Any
    between: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Reopened:
    """A saved scenario under this release.

    plan: today's answer; None where this release refuses it, and then `refused` says why.
    inputs: fields that the scenario's newer schema filled in or changed. facts: numbers behind
    the answer that the catalog now gives otherwise. moved: figures that differ. reason: all that
    in a sentence, "" when nothing moved.
    """

    saved: Saved
    plan: Plan | None
    refused: str
    inputs: tuple[Change, ...]
    facts: tuple[Change, ...]
    moved: tuple[Moved, ...]
    reason: str


def headline_of(answer: Plan) -> dict[str, Any]:
    """The figures to save with a scenario, and how many samples their ranges rest on."""
    return {SAMPLES: answer.n_samples, **answer.as_dict(flips=False)["headline"]}


def reopened(database: Database, who: Identity, saved: Saved, link: str | None = None) -> Reopened:
    """Answer a saved scenario again and say what made the difference, if there is one."""
    with database.reading() as connection:
        files = files_of_then(connection, saved.catalog_version)
        overlays = pinned(connection, who, saved, link)
        today = catalog_with(connection, who, overlays, overlays)
        try:
            then = files and catalog_with(connection, who, overlays, overlays, files)
        except CatalogError:
            then = None
    try:
        scenario = Scenario.read(upgraded(saved.content, saved.schema_version), today)
        now = plan(scenario, today, n_samples=_n_samples(saved))
    except SwitchyardError as error:
        return Reopened(saved, None, str(error), (), (), (), f"This release refuses it: {error}")
    before = now if then is today else _answered(scenario, then or None, now.n_samples)
    inputs = changes(saved.content, scenario.model_dump(mode="json"))
    facts = tuple(_facts(before, now)) if before and before is not now else ()
    moved = tuple(sorted(_moved(saved.headline, before, now), key=_order))
    return Reopened(saved, now, "", inputs, facts, moved, _reason(saved, inputs, facts, moved))


def _n_samples(saved: Saved) -> int:
    held = saved.headline.get(SAMPLES, 0)
    return held if isinstance(held, int) else 0


def _answered(scenario: Scenario, catalog: Catalog | None, n_samples: int) -> Plan | None:
    """The answer of today's formulas to other facts; None where they cannot answer."""
    if catalog is None:
        return None
    try:
        content = scenario.model_dump(mode="json")
        return plan(Scenario.read(content, catalog), catalog, n_samples=n_samples)
    except SwitchyardError:
        return None


def _facts(before: Plan, now: Plan) -> Iterator[Change]:
    """The facts behind either answer that the two catalogs give otherwise."""
    used = sorted(before.ledger.used.keys() | now.ledger.used.keys())
    found = changes(*(_facts_of(answer, used) for answer in (before, now)))
    values = {change.field.removesuffix(VALUE) for change in found if change.field.endswith(VALUE)}
    for change in found:
        fact, _, end = change.field.rpartition(".")
        if end not in RANGE or fact not in values:
            yield Change(change.field.removesuffix(VALUE), change.old, change.new)


def _facts_of(answer: Plan, used: Iterable[str]) -> dict[str, Any]:
    """Numbers by their name in the register; of chips and models what is in no register."""
    scenario, catalog = answer.scenario, answer.catalog
    owned = [row.accelerator for row in scenario.owned]
    paper = [chip.id for chip in catalog.accelerators.values() if chip.access == "paper"]
    chips = {*scenario.candidates, *owned, scenario.default_accelerator, *paper}
    models = {row.model for row in scenario.classes}
    return {
        **{name: _range(answer, name) for name in used},
        **{f"accelerators.{name}": _words(catalog, name) for name in chips},
        **{f"models.{name}": asdict(catalog.models[name]) for name in models},
    }


def _range(answer: Plan, name: str) -> dict[str, float]:
    try:
        row = ledger_of(answer.scenario, answer.catalog).find(name)
    except (CatalogError, LookupError):
        return {}
    return {"value": row.value, "low": row.low, "high": row.high}


def _words(catalog: Catalog, chip: str) -> dict[str, str]:
    return {field: getattr(catalog.accelerators[chip], field) for field in DECIDING}


def _moved(headline: Mapping[str, Any], before: Plan | None, now: Plan) -> Iterator[Moved]:
    figures = flat(headline_of(now))
    between = {} if before is None else figures if before is now else flat(headline_of(before))
    for name, then in flat(headline).items() if headline else ():
        if not _same(then, figures.get(name)):
            yield Moved(name, then, between.get(name), figures.get(name))


def _order(row: Moved) -> int:
    return FIRST.index(row.figure) if row.figure in FIRST else len(FIRST)


def _same(then: Any, now: Any) -> bool:
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (then, now))
    return isclose(then, now, rel_tol=TOLERANCE) if numbers else then == now


def _reason(
    saved: Saved,
    inputs: tuple[Change, ...],
    facts: tuple[Change, ...],
    moved: tuple[Moved, ...],
) -> str:
    if not saved.headline:
        return "No result was saved with it, so nothing can be said of what moved."
    if not moved:
        return ""
    causes = list(_causes(saved, inputs, facts, moved))
    first = told(tuple(Change(row.figure, row.then, row.now) for row in moved), _figures)
    figures = text.count(len(moved), "figure")
    return (
        f"Since {saved.author} saved it at {saved.saved_at:%Y-%m-%d %H:%M} UTC, {figures} moved "
        f"({first}), because of {'; '.join(causes)}."
    )


def _causes(
    saved: Saved,
    inputs: tuple[Change, ...],
    facts: tuple[Change, ...],
    moved: tuple[Moved, ...],
) -> Iterator[str]:
    if inputs:
        yield f"inputs that the saved scenario left open ({told(inputs)})"
    if any(row.between is None and row.now is not None for row in moved):
        yield (
            f"facts or formulas (model {saved.model_version}, now {MODEL_VERSION}; the facts of "
            "then were not kept or cannot be used, so the two cannot be told apart)"
        )
        return
    if any(not _same(row.between, row.now) for row in moved):
        yield f"facts ({told(facts, _figures) or 'words of the catalog that no register holds'})"
    if any(not _same(row.then, row.between) for row in moved):
        yield f"formulas (model {saved.model_version}, now {MODEL_VERSION})"


def _figures(old: Any, new: Any) -> str:
    """Both values, to the digit that shows how they differ."""
    if not all(isinstance(value, int | float) for value in (old, new)):
        return f"from {old} to {new}"
    place = text.justified_place(old, new)
    return f"from {text.number(old, place=place)} to {text.number(new, place=place)}"
