"""The house rules: which way imports go, and what is nowhere in the code."""

import ast
import io
import re
import statistics
import tokenize
from collections.abc import Iterator

import pytest

from tests.sources import ROOT, tracked, tree

ROOMS = (
    "errors", "text", "version", "facts", "demand", "physics", "load", "fleet", "money", "decision",
    "evidence", "export", "store", "__init__", "__main__",
)  # fmt: skip

# What the name of a numeric field may end in: units, and nouns that count themselves.
UNITS = {
    "accelerator", "byte", "bytes", "chips", "elements", "files", "flop", "frac", "hour", "j", "kw",
    "kwh", "mm2", "month", "months", "mtok", "mw", "node", "params", "probability", "quarter",
    "quarters", "replicas", "request", "requests", "rows", "s", "s2", "scv", "step", "token",
    "tokens", "us", "us2", "usd", "w", "year", "years",
    "days",
}  # fmt: skip
# Public names of the scenario and the plan, and numbers that are pure by their nature.
UNITLESS = {
    "attention_dp", "batch", "batch_cap", "bend_order", "batch_mean",
    "decode_to_prefill_token_ratio", "demand_scale",
    "dispersion", "engineers", "drafts", "ep", "fleet_mix", "high", "least_slack", "load",
    "load_at_cap", "low", "minute",
    "min_confidence", "n", "peak_minute", "peak_to_mean", "planning_month", "pp", "pue",
    "ratio_in_18_months", "refused", "roof_order", "row", "scale_up_domain", "schema_version",
    "seed", "slack", "tp",
    "unreadable", "by_time_ratio", "by_tokens_ratio", "line_ratio",
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
    "BITS_PER_BYTE", "BITS_PER_GBIT", "BYTES_PER_ELEMENT", "BYTES_PER_GBIT", "CENTRAL_80",
    "DAYS_PER_WEEK", "DISPERSION_WINDOWS_S", "TO_NINETY", "UPPER_80",
    "HOURS_PER_YEAR", "HOUR_S", "LEVELS", "MICROSECONDS", "MINUTE_S", "MONTHS_PER_YEAR",
    "PERCENTILES", "PERT", "QUARTERS_PER_YEAR", "RATIO_MONTHS", "SECONDS_PER_YEAR", "SECOND_PER",
    "TOKENS_PER_MTOK", "WATTS_PER_MW", "W_PER_KW", "W_PER_MW",
}  # fmt: skip
# Grids, tolerances and lengths of text: no reader's answer depends on them.
NUMERICAL_CONSTANTS = {
    "ALL_TOKENS", "BIN_WIDTH", "BLOCK_TOKENS", "BROKEN_OFF", "CLOSE", "DIFFERENCE", "DIGITS",
    "ENDS", "FARTHEST", "FEW", "FLAT", "FULLNESS", "HIGHEST_RATE", "HIGHEST_SHARE",
    "LAST_DAYS", "LEAST_BATCH",
    "LEAST_GAP", "LEAST_REQUESTS", "LEAST_ROWS", "LENGTH_BITS", "LOADS", "LOOKBACK_S",
    "LOWEST_RATE", "MOST_CHOSEN", "MOST_LIKE", "MOST_LOG", "MOST_NODES", "NAME_CHARACTERS",
    "NEARLY_DONE", "NEARLY_ONE", "N_BATCHES", "N_BLOCK_VALUES", "N_CATALOGS", "N_COLUMNS",
    "N_DRAWS",
    "N_FITTED", "N_HALVINGS", "N_LIFE_NODES", "N_LIVES", "N_LOADS", "N_POINTS", "N_PROMPTS",
    "N_SAMPLES", "N_STEPS", "N_TERMS", "N_TRIED", "N_TURNS", "N_WAITS", "PATIENCE_S", "PLACES",
    "PRECISION", "PRIVATE", "ROOT_DECIMALS", "ROOT_TOLERANCE", "ROUNDING", "SHORTEST_LIFE",
    "SHORTEST_PROMPT", "SHOWN_CHARACTERS", "SHOWN_NAMES", "SHOWN_PROBLEMS", "SHOWN_ROWS",
    "SHOWN_ZONES", "SMALLEST", "SPAN", "STAGES", "STAGE_CHIPS", "STILL", "TICK_S", "TOLERANCE",
    "FAINT", "FULL", "HEADROOM", "LINE_POINTS", "N_TICKS", "RATIOS", "ROWS_HIGH", "SPLIT_FRACS",
    "SCREEN_PPI", "SHARES", "SHARPEST", "SHARPNESS", "STRICTNESSES",
    "TITLE_PAD_POINTS", "TRICKLE_PER_S",
    "UPLOAD_S", "WAIT_STEP", "WIDEST",
    # How documents are laid out on paper.
    "LINE_CHARACTERS", "LOOKS", "MARGIN_INCHES", "POINTS_PER_INCH", "PRINT_DPI", "ROW_PT",
    "WIDTHS", "ZIP_DATE",
}  # fmt: skip
CONSTANTS = UNIT_CONSTANTS | NUMERICAL_CONSTANTS

# Functions and modules that turn text into code, or start a shell.
FORBIDDEN_IMPORTS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}


PLANNER = [p for p in tracked() if p.startswith("planner/") and p.endswith(".py")]
ENGINE = [p for p in PLANNER if "/migrations/" not in p]
WEB = [
    p
    for p in tracked()
    if p == "app.py" or (p.startswith(("pages/", "server/")) and p.endswith(".py"))
]
SERVER = [p for p in WEB if p.startswith("server/")]


def module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def only_for_types(path: str) -> set[ast.AST]:
    """What stands under `if TYPE_CHECKING:` and never runs."""
    blocks = [n for n in ast.walk(tree(path)) if isinstance(n, ast.If)]
    names = [n for n in blocks if ast.unparse(n.test) == "TYPE_CHECKING"]
    return {inner for block in names for inner in ast.walk(block)}


def imported(path: str, *, running: bool = False) -> Iterator[str]:
    """Every module that a file imports; `from a import b` counts as a.b where that is a module."""
    modules = {module_of(p) for p in PLANNER}
    skipped = only_for_types(path) if running else set()
    for node in ast.walk(tree(path)):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from inner & modules or {node.module}


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def functions(path: str) -> Iterator[tuple[str, int]]:
    """Each function with the lines of its body, docstring apart."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            yield (
                f"{path}:{node.lineno} {node.name}",
                (body[-1].end_lineno - body[0].lineno + 1 if body else 0),
            )


@pytest.mark.parametrize("path", PLANNER)
def test_a_module_imports_only_from_rooms_above_its_own(path):
    own = ROOMS.index(room(module_of(path)))
    for module in imported(path):
        if module.split(".")[0] == "planner":
            assert ROOMS.index(room(module)) <= own, f"{path} imports {module}"


def test_no_import_comes_back_to_where_it_started():
    graph = {
        module_of(path): {m for m in imported(path, running=True) if m.startswith("planner.")}
        for path in PLANNER
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " → ".join((*trail, module))
        if module not in done:
            for target in graph.get(module, ()):
                visit(target, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("path", PLANNER)
def test_the_planner_knows_nothing_of_the_web(path):
    roots = {module.split(".")[0] for module in imported(path)}
    assert not roots & {"streamlit", "plotly", "pages", "app", "tests"}


@pytest.mark.parametrize("path", WEB)
def test_the_web_uses_only_what_the_planner_makes_public(path):
    import planner

    public = set(getattr(planner, "__all__", ()))
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("planner.") for alias in node.names), path
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "planner":
            assert node.module == "planner", f"{path} imports from {node.module}"
            assert {alias.name for alias in node.names} <= public, path
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "planner":
            assert node.attr in public, f"{path}:{node.lineno} planner.{node.attr}"


@pytest.mark.parametrize("path", SERVER)
def test_what_guards_the_dashboard_knows_nothing_of_its_pages(path):
    assert not {module.split(".")[0] for module in imported(path)} & {"pages", "app", "tests"}


@pytest.mark.parametrize("path", [p for p in WEB if p != "pages/ui/state.py"])
def test_only_one_module_touches_the_session_and_the_url(path):
    touched = {n.attr for n in ast.walk(tree(path)) if isinstance(n, ast.Attribute)}
    assert not touched & {"session_state", "query_params"}


@pytest.mark.parametrize("path", PLANNER + WEB)
def test_s4_no_text_becomes_code_markup_or_a_command(path):
    assert not {m.split(".")[0] for m in imported(path)} & FORBIDDEN_IMPORTS
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.keyword):
            assert node.arg != "unsafe_allow_html", path
            assert node.arg != "shell" or ast.unparse(node.value) == "False", path
        elif isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in FORBIDDEN_CALLS | {"os.system", "os.popen"}, path


@pytest.mark.parametrize("path", PLANNER + WEB)
def test_files_and_functions_stay_short(path):
    is_page = path.startswith("pages/") and "/ui/" not in path
    longest = 59 if path == "app.py" else 79 if is_page else 300
    assert len((ROOT / path).read_text().splitlines()) <= longest
    assert not {name: n for name, n in functions(path) if n > 50}


def test_most_functions_are_a_few_lines():
    lengths = [n for path in PLANNER + WEB for _, n in functions(path)]
    assert statistics.median(lengths) <= 10
    assert statistics.quantiles(lengths, n=10)[-1] <= 30


def test_comments_are_rare():
    """Names and docstrings say what; a comment says only why: at most one line in twenty."""
    comments = lines = 0
    for path in PLANNER + WEB:
        source = (ROOT / path).read_text()
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        comments += sum(t.type == tokenize.COMMENT and "noqa" not in t.string for t in tokens)
        lines += len(source.splitlines())
    assert comments <= 0.05 * lines


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
