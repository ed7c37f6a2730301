"""The blocks of a document, each run by its kind: what a page shows is what happens.

A document has one folder and one namespace. Its blocks are
`python` (run), `pycon` (its output compared), `console` (lines after `$ ` run by bash, their
output compared; `> ` goes on with a command), `toml scenario` (read by the planner), `toml` that
begins with `# FILE: name` (written into the folder), `text` (a picture), and `sh` that a comment
`<!-- not run: why -->` excuses. `...` stands for anything, within a line or for whole lines. A
command must end well, or in the status that a line `# exits with N` after its output names.
"""

import doctest
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from sybil import Document, Example, Region, Sybil
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.parsers.abstract.doctest import DocTestStringParser

import planner
from tests.sources import ROOT

FILE = re.compile(r"# FILE: (?P<name>[\w.-]+)$", re.MULTILINE)
STATUS = re.compile(r"# exits with (?P<status>\d+)$")
EXCUSE = re.compile(r"<!-- not run: .{9,} -->\s*$")
COPIED = "<!-- runs in a copy of the repository -->"
PATIENCE_S = 60
FOLDER = "folder of the document"
DOCTEST = DocTestEvaluator(doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)


@dataclass(frozen=True)
class Block:
    """A fenced or indented block: its kind, its text, its first line, and what stands before it."""

    kind: str
    text: str
    line: int
    before: str


@dataclass(frozen=True)
class Command:
    """What is typed, what should be seen, and the exit status."""

    typed: str
    shown: tuple[str, ...]
    status: int


def blocks(text: str) -> Iterator[Block]:
    """Every block of code of a document, whatever its kind; an indented one has none."""
    before = ""
    for token in MarkdownIt().parse(text):
        if token.type in {"fence", "code_block"}:
            yield Block(token.info.strip(), token.content, token.map[0], before)
        if token.type == "html_block":
            before = token.content
        elif token.level == 0 and token.nesting >= 0:
            before = ""


def commands(text: str) -> list[Command]:
    """The commands of a console block, each with what it should show."""
    lines = text.rstrip().splitlines()
    starts = [n for n, line in enumerate(lines) if line.startswith("$ ")]
    if not starts or starts[0]:
        raise ValueError("a console block begins with a line `$ command`.")
    return [_command(lines[first:last]) for first, last in pairwise([*starts, len(lines)])]


def _command(lines: list[str]) -> Command:
    n_typed = 1
    while n_typed < len(lines) and lines[n_typed].startswith("> "):
        n_typed += 1
    typed = "\n".join(line[2:] for line in lines[:n_typed])
    shown, status = lines[n_typed:], 0
    if shown and (found := STATUS.match(shown[-1])):
        shown, status = shown[:-1], int(found["status"])
    return Command(typed, tuple("\n".join(shown).rstrip().splitlines()), status)


def matches(wanted: tuple[str, ...], seen: str) -> bool:
    """Whether an output is the wanted one; spaces at the ends of lines do not count."""
    lines = [_pattern(line) for line in wanted]
    given = "".join(f"{line.rstrip()}\n" for line in seen.rstrip().splitlines())
    return re.fullmatch("".join(lines), given) is not None


def _pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*"
    return ".*".join(map(re.escape, line.rstrip().split("..."))) + r"\n"


def environment(folder: Path) -> dict[str, str]:
    """Of a reader who stands in the repository and has nothing of their own yet."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("SWITCHYARD_")}
    return kept | {
        "PATH": f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder if (folder / "planner").is_dir() else ROOT),
        "SWITCHYARD_DATA_DIR": str(folder / ".data"),
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def furnish(folder: Path) -> Path:
    """A folder in which `python` and `.venv/bin/python` are this interpreter."""
    home = folder / ".venv" / "bin"
    home.mkdir(parents=True)
    for name in ("python", "python3"):
        (home / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (home / name).chmod(0o755)
    return folder


def fault(each: Command, folder: Path, around: dict[str, str]) -> str:
    """What is wrong with what a command shows or how it ends, run in a folder; else nothing."""
    done = subprocess.run(
        ["bash", "-c", each.typed],
        cwd=folder,
        env=around,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE_S,
        text=True,
        check=False,
    )
    if done.returncode != each.status:
        return f"$ {each.typed}\nended in {done.returncode}, not {each.status}:\n{done.stdout}"
    if matches(each.shown, done.stdout):
        return ""
    wanted = "\n".join(each.shown)
    return f"$ {each.typed}\nshould show\n{wanted}\nbut shows\n{done.stdout}"


def _run_console(example: Example) -> str:
    folder = example.namespace[FOLDER]
    faults = (fault(each, folder, environment(folder)) for each in commands(example.parsed.text))
    return next(filter(None, faults), "")


def _run_python(example: Example) -> str:
    block = example.parsed
    source = "\n" * (block.line + 1) + block.text
    exec(compile(source, example.path, "exec", dont_inherit=True), example.namespace)
    return ""


def _read_toml(example: Example) -> str:
    block = example.parsed
    named = FILE.match(block.text)
    if named:
        (example.namespace[FOLDER] / named["name"]).write_text(block.text, encoding="utf-8")
    if block.kind == "toml scenario":
        planner.Scenario.read(tomllib.loads(block.text))
    elif not named:
        return "a block of toml is a scenario (`toml scenario`) or begins with `# FILE: name`."
    return ""


def _excused(example: Example) -> str:
    excused = EXCUSE.search(example.parsed.before)
    return "" if excused else "a block of sh needs `<!-- not run: why -->` before it."


def _refused(example: Example) -> str:
    kind = example.parsed.kind or "no kind"
    return f"a block of {kind} runs nowhere; known are {', '.join(RUN)} and pycon."


RUN = {
    "console": _run_console,
    "python": _run_python,
    "sh": _excused,
    "text": lambda _: "",
    "toml": _read_toml,
    "toml scenario": _read_toml,
}


def regions(document: Document) -> Iterator[Region]:
    """What Sybil runs: one region a block, and one a prompt of pycon."""
    starts = [0, *(found.end() for found in re.finditer("\n", document.text))]
    for block in blocks(document.text):
        start = starts[block.line]
        if block.kind == "pycon":
            inside = document.text.index("\n", start) + 1
            for region in DocTestStringParser(DOCTEST)(block.text, document.path):
                region.start, region.end = region.start + inside, region.end + inside
                yield region
        else:
            evaluator = RUN.get(block.kind, _refused)
            yield Region(start, start + len(block.text), block, evaluator)


SYBIL = Sybil(parsers=[regions])
