"""The house rules: which way imports go, and what is nowhere in the code."""

import ast
import io
import re
import statistics
import tokenize
from collections.abc import Iterator

import pytest

from tests.sources import PLANNER, ROOT, SERVER, WEB, tree

ROOMS = (
    "errors", "text", "version", "facts", "demand", "physics", "load", "fleet", "money", "decision",
    "evidence", "export", "store", "__init__", "__main__",
)  # fmt: skip

# Functions and modules that turn text into code, or start a shell.
FORBIDDEN_IMPORTS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}


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


@pytest.mark.parametrize("room", [r for r in ROOMS if (ROOT / "planner" / r).is_dir()])
def test_every_room_says_what_it_is_and_what_comes_in_and_goes_out(room):
    said = ast.get_docstring(tree(f"planner/{room}/__init__.py")) or ""
    assert re.fullmatch(r"[A-Z][^\n]+\.\n\nIn: .+\. Out: .+\.", said, re.DOTALL), said


def test_every_folder_and_module_is_named_for_what_it_holds():
    parts = {part for path in PLANNER + WEB for part in path.removesuffix(".py").split("/")}
    assert not parts & {"utils", "util", "helpers", "helper", "manager", "core", "common", "misc"}


# What the product itself does not call, and who does.
CALLED_BY_OTHERS = {
    "planner/demand/logs/spark.py: spark_engine": "loaded by name, where Spark is installed",
    "planner/physics/profile.py: kv_bytes_per_token": "known answers and worked examples",
    "planner/physics/weights.py: parameter_count": "known answers and worked examples",
    "planner/physics/weights.py: weight_bytes": "known answers and worked examples",
}


def test_nothing_is_written_that_nobody_uses():
    used = {name for path in PLANNER + WEB for name in taken(path)}
    unused = {
        f"{path}: {name}"
        for path in PLANNER + WEB
        if "/migrations/" not in path
        for name in made(path)
        if (module_of(path), name) not in used and name not in read_inside(path)
    }
    assert unused == CALLED_BY_OTHERS.keys()


def made(path: str) -> Iterator[str]:
    """Names of a module's functions, classes and values, but for those that Python itself reads."""
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
        else:
            continue
        yield from (name for name in names if not name.startswith("__"))


def read_inside(path: str) -> set[str]:
    names = (n for n in ast.walk(tree(path)) if isinstance(n, ast.Name))
    return {n.id for n in names if isinstance(n.ctx, ast.Load)}


def taken(path: str) -> Iterator[tuple[str, str]]:
    """Module and name of what a file imports, or reads off a module that it imports."""
    alias: dict[str, str] = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, each.name) for each in node.names)
            alias |= {
                each.asname or each.name: whole_name(node.module, each) for each in node.names
            }
        elif isinstance(node, ast.Import):
            alias |= {each.asname or each.name: each.name for each in node.names}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            first, _, rest = ast.unparse(node.value).partition(".")
            if first in alias:
                yield ".".join(part for part in (alias[first], rest) if part), node.attr


def whole_name(module: str, each: ast.alias) -> str:
    """Where a name comes from; of what `planner` passes on, the module that makes it."""
    public = [n for n in tree("planner/__init__.py").body if isinstance(n, ast.ImportFrom)]
    homes = {known.name: node.module for node in public for known in node.names}
    home = homes.get(each.name) if module == "planner" else module
    return f"{home or module}.{each.name}"
