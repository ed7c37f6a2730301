"""The command that audits a log: what it tells, and the scenario that it may write."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.decision.apart import Question, audit_apart
from planner.decision.told import told
from planner.demand.adopting import adopted
from planner.demand.logs.limits import LAST_DAYS
from planner.demand.logs.progress import unheard
from planner.demand.scenario import Scenario
from planner.errors import ExportError
from planner.export.scenario_file import scenario_toml

if TYPE_CHECKING:
    from planner.demand.logs.results import Audit


class Auditing:
    """Adds the command to a parser.

    command: adds one by name, what it runs and what it is about. read: a scenario file.
    """

    def __init__(
        self,
        command: Callable[[str, Callable[[argparse.Namespace], None], str], Any],
        read: Callable[[Path | None], Scenario],
    ) -> None:
        self._read = read
        _arguments(command("audit", self._audit, "what a request log really asks for"))

    def _audit(self, options: argparse.Namespace) -> None:
        scenario = self._read(options.scenario) if options.scenario else None
        found = audit_apart(
            _question(options, scenario), report=_progress if sys.stderr.isatty() else unheard
        )
        if options.adopt:
            _adopt(scenario or self._read(None), found, options.adopt)
        if options.json:
            print(json.dumps(found.as_dict(), indent=2, ensure_ascii=False, allow_nan=False))
        else:
            print(told(found))


def _arguments(audit: argparse.ArgumentParser) -> None:
    what = "CSV, CSV.gz, JSONL, Parquet, a folder or a glob of them; metrics of an engine; a "
    what += "Prometheus, http://HOST:PORT; a table, with --backend postgresql://..."
    audit.add_argument("log", help=what)
    audit.add_argument("--json", action="store_true", help="the whole audit")
    where = "duckdb (the default), spark://HOST:PORT or postgresql://USER@HOST/DATABASE"
    audit.add_argument("--backend", default="duckdb", metavar="URL", help=where)
    pair = "a column by its name, such as input_tokens=n_in; may be repeated"
    audit.add_argument("--column", action="append", default=[], metavar="ROLE=NAME", help=pair)
    audit.add_argument("--time-unit", help="s, ms, us or ns, where the log does not say")
    audit.add_argument("--time-zone", help="of dates that name none; UTC", metavar="ZONE")
    audit.add_argument("--days", type=float, help="how far back Prometheus is asked; 7")
    audit.add_argument("--scenario", type=Path, help="whose chips and growth count; TOML or JSON")
    file = "write the scenario with the log's classes as its workload, as TOML"
    audit.add_argument("--adopt", type=Path, metavar="FILE", help=file)


def _question(options: argparse.Namespace, scenario: Scenario | None) -> Question:
    return Question(
        source=options.log,
        columns=dict(pair.partition("=")[::2] for pair in options.column),
        time_unit=options.time_unit,
        time_zone=options.time_zone,
        backend=options.backend,
        days=options.days or LAST_DAYS,
        scenario=scenario,
    )


def _adopt(scenario: Scenario, found: "Audit", file: Path) -> None:
    """The scenario as it asks for what was audited."""
    try:
        file.write_text(scenario_toml(adopted(scenario, found)), encoding="utf-8")
    except OSError as error:
        raise ExportError(f"{file} cannot be written: {error}.") from None


def _progress(step: str, done_frac: float) -> None:
    print(f"\r{step} ({done_frac:.0%}) \033[K\r", end="", file=sys.stderr, flush=True)
