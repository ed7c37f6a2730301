"""Every command with its arguments and exit statuses, from the parsers themselves."""

import argparse
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from docs.site.markdown import code, page, table
from planner.__main__ import BAD_INPUT, BROKEN_OFF, _parser

OPENING = (
    "For whoever works at a terminal or automates: every command, what it takes, and what its exit "
    "status says."
)
USE = f"""
From the repository a command is run as `.venv/bin/python -m planner COMMAND`; `--help` after any
of them prints the same in short. What is asked for goes to standard output, a refusal as one
sentence to standard error.

| exit status | says |
| --- | --- |
| 0 | done |
| {BAD_INPUT} | refused: bad input; or `verify`, `store check`, `calibrate --check` find fault |
| {BROKEN_OFF} | broken off by Ctrl-C; nothing was kept |
""".strip()
WIDTH = 90
GLUE = "\N{NO-BREAK SPACE}"
MAKEFILE = Path(__file__).parents[2] / "Makefile"
TARGET = re.compile(r'@echo "(?P<target>make \w+) +(?P<about>[^"]+)"')


def written() -> str:
    """The page on commands."""
    found = list(_commands(_parser(), "planner"))
    listed = [[code(name.removeprefix("planner ")), about] for name, about, _ in found]
    parts = [
        USE,
        table(["command", "does"], listed),
        *(part for each in found for part in _section(*each)),
        "## What make does",
        "From the root of the repository; `make` alone lists these.",
        table(["target", "does"], _targets()),
    ]
    return page("Commands", OPENING, *parts)


def _commands(
    parser: argparse.ArgumentParser, name: str
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Each command with what it is about; one that holds others is given by these."""
    inner = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    for each in inner:
        for word, below in each.choices.items():
            yield from _commands(below, f"{name} {word}")
    if not inner:
        yield name, parser.description or "", parser


def _section(name: str, about: str, parser: argparse.ArgumentParser) -> list[str]:
    actions = [each for each in parser._actions if each.dest != "help"]
    typed = " ".join([f"python -m {name}", *(_usage(each).replace(" ", GLUE) for each in actions)])
    usage = textwrap.fill(typed, WIDTH, subsequent_indent="    ", break_on_hyphens=False).replace(
        GLUE, " "
    )
    rows = [[code(_typed(each)), _said(each)] for each in actions]
    words = f"{about[:1].upper()}{about[1:]}."
    parts = [f"## {name.removeprefix('planner ')}", words, f"```text\n{usage}\n```"]
    return [*parts, table(["argument", "is"], rows)] if rows else parts


def _typed(action: argparse.Action) -> str:
    """An argument as it is typed, with a word for its value."""
    if not action.option_strings:
        return _value(action)
    return ", ".join(action.option_strings) + (f" {_value(action)}" if action.nargs != 0 else "")


def _usage(action: argparse.Action) -> str:
    typed = _value(action) if not action.option_strings else action.option_strings[0]
    if action.option_strings and action.nargs != 0:
        typed += f" {_value(action)}"
    if isinstance(action, argparse._AppendAction):
        return f"[{typed}]..."
    needed = action.required if action.option_strings else action.nargs != "?"
    return typed if needed else f"[{typed}]"


def _value(action: argparse.Action) -> str:
    return str(action.metavar or action.dest.removeprefix("of_").upper())


def _said(action: argparse.Action) -> str:
    words = action.help or ""
    if action.choices and not words:
        words = f"{' or '.join(map(str, action.choices))}; {action.default}"
    return words


def _targets() -> Iterator[list[str]]:
    for found in TARGET.finditer(MAKEFILE.read_text(encoding="utf-8")):
        yield [code(found["target"]), found["about"].replace("$(PORT)", "8501")]
