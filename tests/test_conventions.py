"""How the house writes: units, numbers, words about functions, and facts that somebody reads."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields

import pytest

from planner.facts.accelerators import Accelerator
from planner.facts.models import Model
from tests.sources import ENGINE, PLANNER, ROOT, SERVER, WEB, tree

# What the name of a numeric field may end in: units, and nouns that count themselves.
UNITS = {
    "accelerator", "bytes", "chips", "days", "files", "flop", "frac", "hour", "kwh", "mm2", "month",
    "months", "mw", "node", "params", "probability", "quarters", "replicas", "request", "requests",
    "rows", "s", "scv", "step", "tokens", "us", "us2", "usd", "w", "year", "years",
}  # fmt: skip
# Public names of the scenario and the plan, and numbers that are pure by their nature.
UNITLESS = {
    "attention_dp", "batch", "bend_order", "by_time_ratio", "by_tokens_ratio",
    "decode_to_prefill_token_ratio", "demand_scale", "dispersion", "drafts", "engineers", "ep",
    "fleet_mix", "high", "least_slack", "line_ratio", "load", "low", "min_confidence", "minute",
    "n", "peak_minute", "peak_to_mean", "planning_month", "pp", "pue", "ratio_in_18_months",
    "refused", "row", "scale_up_domain", "schema_version", "seed", "slack", "tp", "unreadable",
    "usd_per_mtok_cached", "usd_per_mtok_input", "usd_per_mtok_output", "utilization", "value",
    "version", "which",
}  # fmt: skip
# One unit for every field, told by the class itself.
CLASS_UNITS = {
    "BatchLaw": "probabilities",
    "Buckets": "requests, and sums of what is measured",
    "Calibrated": "the unit that its quantity names",
    "Cut": "replicas and chips",
    "Fit": "the scale of each number's law",
    "Deployments": "what the field counts; times and shares name their unit",
    "Layout": "chips",
    "Lengths": "tokens",
    "Limits": "counts of what the field names",
    "Loop": "requests, steps and shares",
    "Measured": "one a row",
    "Number": "the unit that it names, and the scale of its law",
    "Parts": "parameters",
    "Profile": "counts of a model's dimensions, as the papers name them",
    "Rise": "the unit that its metric names",
    "Row": "the unit that the row names",
    "Rules": "counts and shares",
    "Solved": "the unit of the costs and of the rows",
    "Stalled": "shares, factors and counts",
    "Stream": "counts of a model's dimensions, as the papers name them",
    "Sweep": "dollars, and names of options",
    "TimeShares": "shares of busy time",
    "Turn": "the unit of its assumption",
    "Work": "counts of what the field names",
}
# Transformer dimensions are counts by nature and keep the names their papers give them.
DIMENSIONS = {
    "planner/facts/models.py",
    "planner/facts/attention.py",
    "planner/physics/attention.py",
}

# Numbers other than 0, 1 and 2: unit tables, the limits that stand on their fields, and constants
# by name. A new constant is a new assumption: it belongs in hardware_catalog unless it is here.
NUMBERS_ALLOWED_IN = {
    "planner/facts/units.py": "unit definitions",
    "planner/text.py": "prefixes and the rounding rule",
    "planner/demand/parts.py": "limits on their fields",
    "planner/demand/scenario.py": "limits on their fields",
    "planner/demand/logs/limits.py": "limits on their fields",
    "planner/demand/logs/progress.py": "shares of a progress bar",
    "planner/evidence/points.py": "limits on their columns",
}
UNIT_CONSTANTS = {
    "BITS_PER_BYTE", "BITS_PER_GBIT", "BYTES_PER_ELEMENT", "CENTRAL_80", "DAYS_PER_WEEK",
    "DISPERSION_WINDOWS_S", "HOURS_PER_YEAR", "HOUR_S", "LEVELS", "MICROSECONDS", "MINUTE_S",
    "MONTHS_PER_YEAR", "PERCENTILES", "PERT", "QUARTERS_PER_YEAR", "RATIO_MONTHS",
    "SECONDS_PER_YEAR", "SECOND_PER", "TOKENS_PER_MTOK", "TO_NINETY", "UPPER_80", "W_PER_KW",
    "W_PER_MW",
}  # fmt: skip
# Grids, tolerances and lengths of text: no reader's answer depends on them.
NUMERICAL_CONSTANTS = {
    "ALL_TOKENS", "BIN_WIDTH", "BLOCK_TOKENS", "BROKEN_OFF", "CLOSE", "DIFFERENCE", "DIGITS",
    "ENDS", "FAINT", "FARTHEST", "FEW", "FLAT", "FULL", "FULLNESS", "HEADROOM", "HIGHEST_RATE",
    "HIGHEST_SHARE", "LAST_DAYS", "LEAST_BATCH", "LEAST_GAP", "LEAST_REQUESTS", "LEAST_ROWS",
    "LENGTH_BITS", "LINE_POINTS", "LONGEST_NAME", "LOOKBACK_S", "LOWEST_RATE", "MOST_CHOSEN",
    "MOST_LIKE", "MOST_LOG", "MOST_NODES", "NAME_CHARACTERS", "NEARLY_DONE", "NEARLY_ONE",
    "N_BATCHES", "N_BLOCK_VALUES", "N_CATALOGS", "N_COLUMNS", "N_DRAWS", "N_FITTED", "N_HALVINGS",
    "N_LIFE_NODES", "N_LIVES", "N_LOADS", "N_POINTS", "N_PROMPTS", "N_SAMPLES", "N_STEPS",
    "N_TERMS", "N_TICKS", "N_TRIED", "N_TURNS", "PATIENCE_S", "PLACES", "PRECISION", "PRIVATE",
    "RATIOS", "ROOT_DECIMALS", "ROOT_TOLERANCE", "ROUNDING", "ROWS_HIGH", "SCREEN_PPI", "SHARPEST",
    "SHARPNESS", "SHORTEST_LIFE", "SHORTEST_PROMPT", "SHOWN_CHARACTERS", "SHOWN_NAMES",
    "SHOWN_PROBLEMS", "SHOWN_ROWS", "SHOWN_ZONES", "SLIVER", "SMALLEST", "SPAN", "SPLIT_FRACS",
    "STAGES", "STAGE_CHIPS", "STILL", "STRICTNESSES", "TICK_S", "TITLE_PAD_POINTS", "TOLERANCE",
    "TRICKLE_PER_S", "UPLOAD_S", "WAIT_STEP",
    # How documents are laid out on paper.
    "LINE_CHARACTERS", "LOOKS", "MARGIN_INCHES", "POINTS_PER_INCH", "PRINT_DPI", "ROW_PT", "WIDTHS",
    "ZIP_DATE",
}  # fmt: skip
CONSTANTS = UNIT_CONSTANTS | NUMERICAL_CONSTANTS

# What hands back a value in the unit in which it was given.
UNIT_OF_GIVEN = {
    "at_least_one", "finite", "mean", "non_negative", "number", "open_fraction", "positive",
    "quantile", "read", "whole_servers",
}  # fmt: skip
# Numbers written for a machine, or with the digits that a table of errors asks for.
FORMATS_ALLOWED_IN = {
    "planner/text.py": "where numbers are written",
    "planner/__main__.py": "columns of the terminal",
    "planner/evidence/calibration_file.py": "a file that is read again",
    "planner/evidence/commands.py": "columns of the terminal",
    "planner/export/auditing.py": "progress on the terminal",
    "planner/evidence/simulated.py": "three digits of an input",
    "planner/evidence/studies/goodput.py": "a quotient in a note",
    "planner/evidence/tables.py": "three digits of what was fitted",
    "pages/ui/comparing.py": "what a scenario holds, to its last digit",
}
# Numbers of a chip or a model that no formula reads, and why the catalog keeps them.
FACTS_BESIDE = {
    "matmul_frac": "one author's benchmark; what serving reaches is fitted instead",
    "on_chip_bytes": "kept for readers",
    "peer_bytes_per_s": "kept for readers; a copy spans no more chips than one switch joins",
    "manufacturing_memory_usd": "checked against the paper that prices it",
    "published_total_params": "checked against what we count",
    "published_active_params": "checked against what we count",
    "published_kv_bytes_per_token": "checked against what we count",
}


def numeric_fields(path: str) -> Iterator[tuple[str, str]]:
    """Class and name of each number that a public dataclass or model holds."""
    for node in ast.walk(tree(path)):
        public = isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        if not public or node.name in CLASS_UNITS:
            continue
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                kind = ast.unparse(field.annotation)
                number = re.search(r"\b(float|int|Quantity|NDArray|Floats?|Array)\b", kind)
                container = re.search(r"\b(Mapping|dict|list|tuple|Sequence|ClassVar)\b", kind)
                if number and not container:
                    yield node.name, field.target.id


@pytest.mark.parametrize("path", [p for p in ENGINE if p not in DIMENSIONS])
def test_every_number_carries_its_unit_in_its_name(path):
    for owner, name in numeric_fields(path):
        known = name in UNITLESS or name.startswith("n_") or name.split("_")[-1] in UNITS
        assert known, f"{path}: {owner}.{name} names no unit"


def bare_numbers(path: str) -> Iterator[str]:
    """Numbers other than 0, 1 and 2 outside of a listed constant and of a `quantile` default."""
    allowed: set[ast.AST] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if ast.unparse(target) in CONSTANTS:
                allowed |= set(ast.walk(node))
        elif isinstance(node, ast.FunctionDef):
            with_default = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            allowed |= {default for arg, default in with_default if arg.arg == "quantile"}
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "quantile":
            allowed |= set(ast.walk(node))
    for node in ast.walk(tree(path)):
        number = isinstance(node, ast.Constant) and type(node.value) in {int, float}
        if number and node not in allowed and node.value not in {0, 1, 2}:
            yield f"{path}:{node.lineno} {node.value}"


@pytest.mark.parametrize("path", [p for p in ENGINE if p not in NUMBERS_ALLOWED_IN])
def test_no_number_stands_in_the_code(path):
    assert not list(bare_numbers(path))


def test_every_name_that_these_rules_excuse_is_still_there():
    fields_held = {name for path in ENGINE for _, name in numeric_fields(path)}
    owners = {
        n.name for path in ENGINE for n in ast.walk(tree(path)) if isinstance(n, ast.ClassDef)
    }
    assert not {name for name in UNITLESS if name not in fields_held}
    assert not {unit for unit in UNITS if not any(n.split("_")[-1] == unit for n in fields_held)}
    assert not CLASS_UNITS.keys() - owners
    assert not CONSTANTS - {target for path in ENGINE for target in assigned(path)}


def assigned(path: str) -> Iterator[str]:
    """Names that are given a value outside of functions."""
    for node in tree(path).body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            yield ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)


def public(path: str) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Public classes and functions of a module, and the public methods of its public classes."""
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            methods = node.body if isinstance(node, ast.ClassDef) else []
            yield from (
                m for m in methods if isinstance(m, ast.FunctionDef) and not m.name.startswith("_")
            )


@pytest.mark.parametrize("path", ENGINE + SERVER)
def test_what_is_public_says_what_it_is_and_takes(path):
    for node in public(path):
        assert ast.get_docstring(node), f"{path}: {node.name} says nothing"
        if isinstance(node, ast.FunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = {a.arg for a in given if a.annotation is None} - {"self", "cls"}
            assert node.returns, f"{path}: {node.name} does not say what it answers"
            assert not bare, f"{path}: {node.name} leaves types out"


@pytest.mark.parametrize("path", ENGINE + SERVER)
def test_a_number_that_is_answered_has_a_unit_in_its_name_or_its_docstring(path):
    for node in public(path):
        if isinstance(node, ast.FunctionDef) and answers_numbers(node):
            named = node.name.startswith("n_") or node.name.split("_")[-1] in UNITS
            said = re.search(r"\[[^\]]+\]", ast.get_docstring(node) or "")
            assert named or said or node.name in UNIT_OF_GIVEN, f"{path}: {node.name}"


@pytest.mark.parametrize("path", ENGINE + SERVER)
def test_an_error_that_a_function_raises_stands_in_its_docstring(path):
    for node in public(path):
        if isinstance(node, ast.FunctionDef):
            said = ast.get_docstring(node) or ""
            silent = {error for error in raised(node) if error not in said}
            assert not silent or "Raises" in said, f"{path}: {node.name} may raise {silent}"


def raised(node: ast.FunctionDef) -> Iterator[str]:
    """Errors by name that a function itself raises, functions inside it apart."""
    within = [n for n in ast.walk(node) if isinstance(n, ast.FunctionDef) and n is not node]
    inner = {each for function in within for each in ast.walk(function)}
    for each in ast.walk(node):
        if isinstance(each, ast.Raise) and each.exc and each not in inner:
            name = ast.unparse(each.exc).partition("(")[0]
            yield from [name] if name.endswith("Error") else []


def answers_numbers(node: ast.FunctionDef) -> bool:
    kinds = r"(tuple\[)?(float|Floats|Numbers?|Array|NDArray\[np\.float64\])(, .*\]| \| None)?"
    return bool(node.returns and re.fullmatch(kinds, ast.unparse(node.returns).strip("'")))


def formats(path: str) -> Iterator[str]:
    """How f-strings of a module write numbers; dates and widths of text are none."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FormattedValue) and node.format_spec:
            spec = ast.unparse(node.format_spec)[2:-1]
            if re.search(r",|[efg]$|\d%$", spec) and not spec.startswith("%"):
                yield f"{path}:{node.lineno} {spec}"


@pytest.mark.parametrize("path", PLANNER + WEB)
def test_one_module_writes_numbers(path):
    assert bool(list(formats(path))) == (path in FORMATS_ALLOWED_IN), list(formats(path))


def test_every_number_of_a_chip_and_a_model_is_read_or_says_why_not():
    source = "\n".join((ROOT / path).read_text() for path in PLANNER if "/facts/" not in path)
    for way in ("up", "out"):
        source += f" scale_{way}_bytes_per_s" * ("scale_{way}_bytes_per_s" in source)
    source = source.replace(KEPT_BY_NEW_CHIPS.search(source)[0], "")
    read = set(re.findall(r"\w+", source))
    held = [field for kind in (Accelerator, Model) for field in fields(kind)]
    numbers = {field.name for field in held if "Quantity" in str(field.type)}
    assert numbers - read == FACTS_BESIDE.keys()


KEPT_BY_NEW_CHIPS = re.compile(r"^_KEPT = \(.*?\)", re.DOTALL | re.MULTILINE)
