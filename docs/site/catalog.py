"""The format of the hardware catalog as tables, from the typed models that read it."""

import math
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from docs.site.markdown import code, number, page, table
from planner import load_catalog
from planner.facts import accelerators, models
from planner.facts.accelerators import Accelerator
from planner.facts.attention import KINDS as ATTENTION
from planner.facts.catalog import catalog_folder
from planner.facts.quantities import KINDS, SIGNED_WORDS, SOURCE_KINDS, Quantity, Source
from planner.facts.units import UNITS

OPENING = (
    "For whoever adds or changes a fact: each file of `hardware_catalog/`, its tables and fields, "
    "their units and rules."
)
USE = """
What a number must have beside it, and how ranges are set, is told in [the hardware
catalog](../../hardware_catalog/README.md); here is what the reader accepts. Whatever is missing,
unknown or contradictory is refused in one sentence that names file, entry and field. `python -m
planner plan` reads the catalog, so it is also the check after an edit.
""".strip()
TEXT, NEEDED = "text", "text, needed"
OWN = """
Numbers and words under any names. Each number is cited as above; the planner asks for it by its
path, as in `sites.us.usd_per_kwh`.
""".strip()
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
HEAD = ["field", "means", "holds"]
Rules = dict[str, str]


def meanings() -> dict[str, Rules]:
    """What each field means, by kind of table."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def written() -> str:
    """The page on the catalog."""
    parts = [
        USE,
        *_section("A number", "number", Quantity, _number_rule),
        f"A number below zero needs one of these words in its name: {_words(SIGNED_WORDS)}.",
        "## Units",
        "A physical number becomes the unit on the right; money keeps the unit it is named in.",
        table(["written", "read as"], _units()),
        *_section("`sources.toml`", "source", Source, _source_rule),
        *_section("`accelerators.toml`", "accelerator", Accelerator, _accelerator_rule),
        *_section("`models.toml`", "model", None, _model_rule),
        *_below("Dimensions: `dims`", "dimensions", _dimension_rule),
        *_below("Rows of `checkpoints`", "checkpoint", _checkpoint_rule),
        "### Rows of `attention`",
        "Each row names its `kind` and holds whole numbers; a field with a value may be left out.",
        table(["kind", "what it is", "fields"], _attention()),
        "## Files that keep their own shape",
        OWN,
        *(part for stem in load_catalog().tables for part in _own_shape(stem)),
    ]
    return page("The catalog's format", OPENING, *parts)


def _section(
    title: str, kind: str, typed: type | None, rule: Callable[[str], str]
) -> Iterator[str]:
    """A heading and the fields of a table, in the order of the type that holds them."""
    said = meanings()[kind]
    names = [field.name for field in fields(typed)] if typed else list(said)
    yield f"## {title}"
    yield table(HEAD, [[code(name), said[name], rule(name)] for name in names])


def _below(title: str, kind: str, rule: Callable[[str], str]) -> Iterator[str]:
    yield f"### {title}"
    yield table(HEAD, [[code(name), said, rule(name)] for name, said in meanings()[kind].items()])


def _words(words: Iterable[str]) -> str:
    return ", ".join(map(code, words))


def _number_rule(name: str) -> str:
    rules = {"kind": f"one of {_words(KINDS)}", "unit": NEEDED, "source": NEEDED, "note": TEXT}
    rules |= {"value": "number, needed", "low": "number, ≤ value", "high": "number, ≥ value"}
    return rules[name]


def _source_rule(name: str) -> str:
    rules = {"kind": f"one of {_words(SOURCE_KINDS)}", "retrieved": "true or false, needed"}
    return (rules | {"id": "the table's name", "title": NEEDED}).get(name, TEXT)


def _accelerator_rule(name: str) -> str:
    rules: Rules = {
        name: f"number above 0, in {unit}".removesuffix(", in 1")
        for name, unit in accelerators._NUMBERS.items()
    }
    by_precision = f"a number for any of {_words(accelerators.PRECISIONS)}"
    rules |= dict.fromkeys(("name", "vendor"), NEEDED)
    rules |= {
        "id": "the table's name",
        "flop_per_s": f"{by_precision}, in FLOP/s",
        "matmul_frac": "a share for any of the precisions above",
        "status": f"one of {_words(accelerators.STATUS)}",
        "access": f"one of {_words(accelerators.ACCESS)}",
        "price_scope": f"one of {_words(accelerators.PRICE_SCOPE)}",
        "sources": "list of ids",
    }
    return rules.get(name, TEXT)


def _model_rule(name: str) -> str:
    rules = dict.fromkeys(("name", "vendor", "released"), NEEDED)
    rules |= {
        "id": "the table's name",
        "native_precision": f"one of {_words((*models.PRECISIONS, 'unknown'))}",
        "published_kv_bytes_per_token": "number above 0, in bytes/token",
        "checkpoints": "list of tables",
        "dims": "table, needed unless `missing` is given",
    }
    rules |= dict.fromkeys(
        ("published_total_params", "published_active_params", "vision_params"), "number above 0"
    )
    return rules.get(name, TEXT)


def _dimension_rule(name: str) -> str:
    if name in {"tied_embeddings", "gated_mlp"}:
        return "true or false, needed"
    rules = dict.fromkeys(models._NEEDED, "whole number, needed")
    rules |= dict.fromkeys(models._OPTIONAL, "whole number")
    return (rules | {"source": NEEDED, "attention": "list of tables, needed"})[name]


def _checkpoint_rule(name: str) -> str:
    if name == "source":
        return NEEDED
    choice = f"one of {_words(models.PRECISIONS)}"
    return f"{choice}, needed" if name == "precision" else "one of these; nothing: as `precision`"


def _attention() -> Iterator[list[str]]:
    for kind, typed in ATTENTION.items():
        named = [
            field.name if field.default is MISSING else f"{field.name} = {_default(field.default)}"
            for field in fields(typed)
        ]
        about = " ".join((typed.__doc__ or "").split())
        yield [code(kind), about, _words(named)]


def _default(value: Any) -> str:
    return "none" if value is None else str(value).lower()


def _units() -> Iterator[list[str]]:
    """Each base unit once, with everything that converts to it."""
    into: dict[str, list[str]] = defaultdict(list)
    for unit, (base, factor) in UNITS.items():
        into[base].append(code(unit) if factor == 1 else f"{code(unit)} (× {_factor(factor)})")
    for base, written_as in into.items():
        yield [", ".join(written_as), code(base)]


def _factor(factor: float) -> str:
    """A factor, large and small ones as powers of ten."""
    power = round(math.log10(factor))
    whole = math.isclose(factor, 10.0**power)
    return f"10{str(power).translate(RAISED)}" if whole and abs(power) > 2 else number(factor)


def _own_shape(stem: str) -> Iterator[str]:
    """A file with what its first lines say, and its tables with how many numbers of which units."""
    yield f"### `{stem}.toml`"
    yield _about(stem)
    held = {name: list(_inside(tree)) for name, tree in load_catalog().tables[stem].items()}
    rows = [
        [code(name), str(len(units)), _words(dict.fromkeys(units))]
        for name, units in held.items()
        if units
    ]
    if rows:
        yield table(["table", "numbers", "units"], rows)


def _inside(tree: Any) -> Iterator[str]:
    """The unit of each number of a tree."""
    if isinstance(tree, Quantity):
        yield tree.unit
    elif isinstance(tree, Mapping | list | tuple):
        for inner in tree.values() if isinstance(tree, Mapping) else tree:
            yield from _inside(inner)


def _about(stem: str) -> str:
    """The comment at the head of a file."""
    lines = (catalog_folder() / f"{stem}.toml").read_text(encoding="utf-8").splitlines()
    head = []
    for line in lines:
        if not line.startswith("#"):
            break
        head.append(line.lstrip("# "))
    return " ".join(head)
