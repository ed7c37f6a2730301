"""The commands that write documents: brief, workbook, appendix, export and schema."""

import argparse
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.demand import profiles
from planner.demand.scenario import Scenario
from planner.errors import ExportError
from planner.export.kinds import KINDS, PAPERS

if TYPE_CHECKING:
    from planner.decision.plan import Plan

N_SAMPLES = 1024
VARIANTS = Path(__file__).with_name("schema.toml")
KEYS = Path(__file__).with_name("keys.toml")
SCHEMA_TITLE = "plan/1"
Maker = Callable[["Plan", argparse.Namespace], bytes]


class Documents:
    """Adds the commands to a parser.

    command: adds one by name, what it runs and what it is about. read: a scenario file.
    """

    def __init__(
        self,
        command: Callable[[str, Callable[[argparse.Namespace], None], str], Any],
        read: Callable[[Path | None], Scenario],
    ) -> None:
        self._command, self._read = command, read
        self._document("brief", _brief, "the one page that gets signed, as PDF", paper=True)
        self._document("workbook", _workbook, "the plan as live formulas, as XLSX")
        about = "method, validation, every option and assumption, as PDF"
        self._document("appendix", _appendix, about, paper=True)
        export = self._command("export", self._export, "all of it: tables, charts and documents")
        self._scenario(export)
        export.add_argument("-o", "--output", type=Path, required=True, help="the folder to fill")
        kinds = f"any of {', '.join(KINDS)}; nothing: all of them"
        export.add_argument("--only", action="append", choices=KINDS, metavar="KIND", help=kinds)
        schema = self._command("schema", _schema, "JSON Schema of what plan --json prints")
        schema.add_argument("-o", "--output", type=Path, help="the file to write; nothing: print")

    def _document(self, name: str, make: Maker, about: str, *, paper: bool = False) -> None:
        parser = self._command(name, self._writing(make), about)
        self._scenario(parser)
        parser.add_argument("-o", "--output", type=Path, required=True, help="the file to write")
        if paper:
            parser.add_argument("--paper", choices=PAPERS, default=PAPERS[0])

    def _scenario(self, parser: Any) -> None:
        what = "TOML or JSON with any scenario fields; nothing: the default scenario"
        parser.add_argument("scenario", nargs="?", type=Path, help=what)

    def _writing(self, make: Maker) -> Callable[[argparse.Namespace], None]:
        return lambda options: _written(options.output, make(self._planned(options), options))

    def _planned(self, options: argparse.Namespace) -> "Plan":
        return _plan(self._read(options.scenario))

    def _export(self, options: argparse.Namespace) -> None:
        from planner.export.bundle import Bundle  # noqa: PLC0415 - heavy: only when asked for

        held = Bundle(self._planned(options))
        for kind in options.only or KINDS:
            for name, content in held.files(kind).items():
                _written(options.output / name, content)


def _brief(answer: "Plan", options: argparse.Namespace) -> bytes:
    from planner.export.brief import brief_pdf  # noqa: PLC0415

    return brief_pdf(answer, paper=options.paper)


def _workbook(answer: "Plan", _: argparse.Namespace) -> bytes:
    from planner.export.workbook.making import workbook  # noqa: PLC0415

    return workbook(answer)


def _appendix(answer: "Plan", options: argparse.Namespace) -> bytes:
    from planner.export.appendix import appendix_pdf  # noqa: PLC0415

    return appendix_pdf(answer, paper=options.paper)


def _plan(scenario: Scenario, n_samples: int = N_SAMPLES) -> "Plan":
    from planner.decision.plan import plan  # noqa: PLC0415

    return plan(scenario, n_samples=n_samples)


def plan_schema() -> dict[str, Any]:
    """JSON Schema of the document `plan/1`, from the plans of every starting scenario."""
    from planner.export.schema import schema_of  # noqa: PLC0415

    starts = [Scenario.read({"profile": name}) for name in profiles.names()]
    variants = tomllib.loads(VARIANTS.read_text(encoding="utf-8"))["variant"]
    rest = [*starts, *map(Scenario.read, variants)]
    bare = [_plan(each, n_samples=n).as_dict(flips=False) for each in rest for n in (0, N_SAMPLES)]
    whole = [_plan(start).as_dict() for start in starts]
    return schema_of([*bare, *whole], SCHEMA_TITLE, meanings())


def meanings() -> dict[str, str]:
    """What each key of the document `plan/1` means; `above.key` goes before `key`."""
    return tomllib.loads(KEYS.read_text(encoding="utf-8"))


def _schema(options: argparse.Namespace) -> None:
    said = json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"
    if options.output:
        _written(options.output, said.encode())
    else:
        print(said, end="")


def _written(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error}.") from None
