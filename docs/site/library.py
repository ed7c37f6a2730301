"""The public names of the library with signatures and docstrings, in reading order.

Docstrings are prose with names in backticks; they are taken over as Markdown, so that the page
reads the same in the repository.
"""

import importlib
import inspect
import re
import textwrap
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from docs.site.markdown import code, page, table

OPENING = (
    "For whoever plans from Python: every public name, in the order in which one meets it, with "
    "its signature and what its own documentation says."
)
USE = """
`import planner` is light; what is heavy is loaded when first asked for. Numbers are plain floats in
SI units with the unit at the end of the name, `_frac` is a share of one, and `n_` counts. Whatever
is refused raises a `SwitchyardError` whose text is one sentence.

```pycon
>>> import planner
>>> answer = planner.plan(planner.Scenario.read({"profile": "enterprise"}))
>>> answer.verdict.action
'stay'
```
""".strip()
WIDTH = 88
EXPLAINED = re.compile(r"^(?P<names>\w+(?:, \w+)*): (?P<rest>.+)$")
SECTION = re.compile(r"^(?P<name>Args|Raises|Returns|Yields):\s*(?P<rest>.*)$")


def groups() -> list[dict[str, Any]]:
    """The public names by group, in reading order."""
    told = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = told["group"]
    return found


def written() -> str:
    """The page on the library."""
    parts = [part for group in groups() for part in _group(**group)]
    return page("The library", OPENING, USE, *parts)


def _group(title: str, words: str, names: list[str], module: str = "planner") -> Iterator[str]:
    yield f"## {title}"
    yield words
    for name in names:
        yield from _entry(f"{module}.{name}", getattr(importlib.import_module(module), name))


def _entry(name: str, held: Any) -> Iterator[str]:
    yield f"### {name}"
    if isinstance(held, ModuleType):
        yield prose(held.__doc__)
        yield from _members(name, _functions(held))
    elif inspect.isclass(held):
        yield from _class(name, held)
    elif callable(held):
        yield from _function(name, held)
    else:
        yield _value(held)


def _class(name: str, held: type) -> Iterator[str]:
    yield prose(held.__doc__, getattr(held, "__annotations__", ()))
    if is_dataclass(held):
        rows = [[code(each.name), code(_kind(each.type))] for each in fields(held)]
        yield table(["field", "type"], rows)
    yield from _members(name, _methods(held))


def _function(name: str, held: Any) -> Iterator[str]:
    yield f"```text\n{_signature(name.rpartition('.')[2], held)}\n```"
    yield prose(held.__doc__, inspect.signature(held).parameters)


def _members(name: str, found: Iterable[tuple[str, Any]]) -> Iterator[str]:
    short = name.rpartition(".")[2]
    for member, held in found:
        if isinstance(held, property):
            yield f"**{code(f'.{member}')}** · {prose(held.fget.__doc__)}"
        else:
            yield f"**{code(f'{short}.{member}')}**"
            yield from _function(member, held)


def _methods(held: type) -> Iterator[tuple[str, Any]]:
    """What the class itself defines in public and documents."""
    for name, member in vars(held).items():
        plain = getattr(held, name) if isinstance(member, classmethod | staticmethod) else member
        shown = inspect.isfunction(plain) or inspect.ismethod(plain) or isinstance(plain, property)
        if name[0] != "_" and shown and plain.__doc__ and not hasattr(BaseModel, name):
            yield name, plain


def _functions(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, member in vars(module).items():
        if inspect.isroutine(member) and member.__module__ == module.__name__ and name[0] != "_":
            yield name, member


def _signature(name: str, held: Any) -> str:
    """A signature in one line, or an argument a line where it is long."""
    found = inspect.signature(held)
    arguments = [each for each in found.parameters.values() if each.name not in {"self", "cls"}]
    shown = str(found.replace(parameters=arguments))
    line = _short(f"{name}{shown}")
    if len(line) <= WIDTH:
        return line
    parts, star = [], False
    for each in arguments:
        if each.kind is each.KEYWORD_ONLY and not star:
            parts, star = [*parts, "*"], True
        parts.append(_short(str(each)))
    returned = _short(str(found.replace(parameters=()))).removeprefix("()")
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), f"){returned}"])


def _kind(kind: Any) -> str:
    return _short(kind if isinstance(kind, str) else inspect.formatannotation(kind))


def _short(text: str) -> str:
    """Types by their last name; where a default comes from does not matter."""
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z_a-z])", "", text)
    text = re.sub(r"ndarray\[tuple\[[^\]]*\], dtype\[(\w+)\]\]", r"ndarray[\1]", text)
    return re.sub(r"<(?:function|class) (\w+)[^>]*>", r"\1", text)


def _value(held: Any) -> str:
    if isinstance(held, str | int | float):
        return code(repr(held))
    return "\n".join(f"- {_named(each)}" for each in held)


def _named(held: Any) -> str:
    """A function by its name and its first line, anything else as it is."""
    if not callable(held):
        return str(held)
    return f"{code(held.__name__)}: {inspect.cleandoc(held.__doc__ or '').splitlines()[0]}"


def prose(doc: str | None, names: Iterable[str] = ()) -> str:
    """A docstring as Markdown: literal blocks fenced, sections in bold, explained names listed.

    names: arguments or fields; a line that begins with some of them is a point of a list.
    """
    known, out, block, section = set(names), [], [], False
    for line in [*inspect.cleandoc(doc or "").splitlines(), ""]:
        if block and line and not line.startswith("    "):
            out, block = [*out, *_block(block)], []
        if found := SECTION.match(line):
            section = not found["rest"]
            out += ["", f"**{found['name']}:** {found['rest']}".rstrip(), ""]
        elif line.endswith("::"):
            out.append(line[:-1])
            block = [""]
        elif block:
            block.append(line)
        else:
            out += _line(line, known, section=section)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out + _block(block))).strip()


def _line(line: str, known: set[str], *, section: bool) -> list[str]:
    """A line of prose; as a point of a list where it begins with names that it explains."""
    found = EXPLAINED.match(line.strip())
    words = found["names"].split(", ") if found else []
    if words and ((section and line.startswith("    ")) or known.issuperset(words)):
        return [f"- {', '.join(map(code, words))}: {found['rest']}"]
    return [f"  {line.strip()}" if line.startswith("    ") else line.strip()]


def _block(lines: list[str]) -> list[str]:
    text = textwrap.dedent("\n".join(lines)).strip("\n")
    return ["", "```text", text, "```", ""] if text else []
