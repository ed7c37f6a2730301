"""Everything that leaves with a plan, as files by name: one list for the page and the command."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from planner.decision.plan import Plan
from planner.errors import ExportError
from planner.export.appendix import appendix_pdf
from planner.export.brief import brief_pdf
from planner.export.charts import charts
from planner.export.figures import Chart, image
from planner.export.kinds import KINDS, PAPERS
from planner.export.lines import Lines, image_of_lines
from planner.export.scenario_file import scenario_toml
from planner.export.series import series
from planner.export.tables import csv, tables
from planner.export.workbook.making import workbook

ZIP_DATE = (1980, 1, 1, 0, 0, 0)


class Bundle:
    """The files of one plan, each made when asked for. The plan needs samples for its charts."""

    def __init__(self, plan: Plan, *, made_at: datetime | None = None, author: str = "") -> None:
        self.plan, self.author = plan, author
        self.made_at = made_at or datetime.now(UTC)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The document `plan/1`, its searches included."""
        return self.plan.as_dict()

    @cached_property
    def charts(self) -> dict[str, Chart]:
        """Every chart by name."""
        return charts(self.plan, self.document)

    @cached_property
    def series(self) -> dict[str, Lines]:
        """Every chart of lines by name; each plans a dozen scenarios anew."""
        return series(self.plan, self.document)

    def files(self, kind: str) -> dict[str, bytes]:
        """The files of one kind by name. Raises: ExportError where the kind is unknown."""
        if kind not in KINDS:
            raise ExportError(f"{kind!r} is no kind of file; kinds are {', '.join(KINDS)}.")
        return MAKERS[kind](self)

    def zipped(self, *kinds: str) -> bytes:
        """All files of some kinds, or of all, in one archive whose bytes repeat."""
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
            for kind in kinds or KINDS:
                for name, content in self.files(kind).items():
                    packed.writestr(zipfile.ZipInfo(name, ZIP_DATE), content)
        return held.getvalue()


def _pdf(held: Bundle) -> dict[str, bytes]:
    return {
        f"brief-{paper}.pdf": brief_pdf(
            held.plan, paper=paper, made_at=held.made_at, author=held.author
        )
        for paper in PAPERS
    }


def _appendix(held: Bundle) -> dict[str, bytes]:
    return {"appendix.pdf": appendix_pdf(held.plan, made_at=held.made_at)}


def _xlsx(held: Bundle) -> dict[str, bytes]:
    return {"workbook.xlsx": workbook(held.plan, made_at=held.made_at)}


def _csv(held: Bundle) -> dict[str, bytes]:
    made = tables(held.plan, held.document)
    return {f"tables/{name}.csv": csv(table) for name, table in made.items()}


def _json(held: Bundle) -> dict[str, bytes]:
    return {"plan.json": as_json(held.document)}


def _toml(held: Bundle) -> dict[str, bytes]:
    return {"scenario.toml": scenario_toml(held.plan.scenario).encode()}


def _images(kind: str) -> Callable[[Bundle], dict[str, bytes]]:
    return lambda held: {
        **{f"charts/{name}.{kind}": image(chart, kind) for name, chart in held.charts.items()},
        **{f"charts/{name}.{kind}": image_of_lines(c, kind) for name, c in held.series.items()},
    }


def as_json(document: Mapping[str, Any]) -> bytes:
    """A document as it is published; never NaN or infinity."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False).encode()


MAKERS = dict(
    zip(
        KINDS,
        (_pdf, _appendix, _xlsx, _csv, _json, _toml, _images("svg"), _images("png")),
        strict=True,
    )
)
