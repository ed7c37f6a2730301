"""Commands on saved scenarios: save, list, review, approve, issue a brief, verify one."""

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import StoreError
from planner.export.kinds import PAPERS
from planner.store.identity import Identity
from planner.store.records import Saved

if TYPE_CHECKING:
    from planner.decision.plan import Plan
    from planner.demand.scenario import Scenario
    from planner.store.store import Store

N_SAMPLES = 1024
Opened = Callable[[], AbstractContextManager[tuple["Store", Identity]]]


class Approving:
    """Adds the commands to the parsers of `planner` and of `planner store`."""

    def __init__(
        self,
        outer: Callable[..., Any],
        inner: Callable[..., Any],
        store: Opened,
        read: Callable[[Path | None], "Scenario"],
    ) -> None:
        self._store, self._read = store, read
        verify = outer("verify", self._verify, "who approved a brief, and whether it was altered")
        verify.add_argument("file", type=Path, help="the PDF")
        save = inner("save", self._save, "save a scenario or its next version; prints its id")
        save.add_argument("scenario", type=Path, help="TOML or JSON with any scenario fields")
        save.add_argument("--after", metavar="ID", help="the saved scenario it is a version of")
        inner("list", self._list, "every saved scenario with its id, version and state")
        self._on_one(inner("review", self._review, "write down that you have reviewed a version"))
        self._on_one(inner("approve", self._approve, "write down that you approve a version"))
        brief = inner("brief", self._brief, "the brief of a version, stamped with who signed it")
        self._on_one(brief)
        brief.add_argument("-o", "--output", type=Path, required=True, help="the PDF to write")
        brief.add_argument("--paper", choices=PAPERS, default=PAPERS[0])

    def _on_one(self, parser: Any) -> None:
        parser.add_argument("id", help="as `store list` shows it")
        parser.add_argument("--version", type=int, dest="of_version", help="nothing: the latest")

    def _verify(self, options: argparse.Namespace) -> None:
        from planner.store.briefs import told  # noqa: PLC0415

        try:
            pdf = options.file.read_bytes()
        except OSError as error:
            raise StoreError(f"{options.file} cannot be read: {error}.") from None
        with self._store() as (store, who):
            print("\n".join(told(store.briefs.verified(who, pdf))))

    def _save(self, options: argparse.Namespace) -> None:
        from planner.decision.plan import plan  # noqa: PLC0415 - heavy: only when asked for
        from planner.store.reopening import headline_of  # noqa: PLC0415

        scenario = self._read(options.scenario)
        headline = headline_of(plan(scenario, n_samples=N_SAMPLES))
        with self._store() as (store, who):
            after = store.scenarios.open(who, options.after) if options.after else None
            content = scenario.model_dump(mode="json")
            saved = store.scenarios.save(who, content, headline=headline, after=after)
        print(saved.document_id)

    def _list(self, _: argparse.Namespace) -> None:
        with self._store() as (store, who):
            for each in store.scenarios.listed(who):
                print(f"{each.document_id}  {each.version:>4}  {each.state:8}  {each.name}")

    def _review(self, options: argparse.Namespace) -> None:
        with self._store() as (store, who):
            store.approvals.review(who, _opened(store, who, options))

    def _approve(self, options: argparse.Namespace) -> None:
        with self._store() as (store, who):
            store.approvals.approve(who, _opened(store, who, options))

    def _brief(self, options: argparse.Namespace) -> None:
        with self._store() as (store, who):
            saved = _opened(store, who, options)
            answer = _planned(store, who, saved)
            pdf = store.briefs.issue(who, saved, answer, paper=options.paper)
        try:
            options.output.write_bytes(pdf)
        except OSError as error:
            raise StoreError(f"{options.output} cannot be written: {error}.") from None


def _opened(store: "Store", who: Identity, options: argparse.Namespace) -> Saved:
    return store.scenarios.open(who, options.id, options.of_version)


def _planned(store: "Store", who: Identity, saved: Saved) -> "Plan":
    """Today's answer to a saved version, with the facts that it rests on."""
    from planner.decision.plan import plan  # noqa: PLC0415 - heavy: only when asked for

    catalog = store.catalog(who, saved)
    return plan(store.scenario(who, saved), catalog, n_samples=N_SAMPLES)
