"""The commands: `python -m planner plan | audit | brief …`; bad input exits 2 with one sentence."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import planner
from planner.errors import ScenarioError, SwitchyardError
from planner.export.auditing import Auditing
from planner.export.commands import Documents
from planner.store.commands import Approving

BAD_INPUT = 2
BROKEN_OFF = 130
N_SAMPLES = 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns: exit status, 2 on bad input."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads us has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except SwitchyardError as error:
        print(f"planner {options.command}: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print(f"planner {options.command}: broken off; nothing was kept.", file=sys.stderr)
        return BROKEN_OFF
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="planner", description=planner.__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=planner.MODEL_VERSION)
    commands = parser.add_subparsers(dest="command", required=True)
    plan = _command(
        commands, "plan", _plan, "the options, the bridge and the verdict of a scenario"
    )
    _scenario_argument(plan)
    plan.add_argument("--json", action="store_true", help="the whole document plan/1")
    Auditing(partial(_command, commands), read_scenario)
    Documents(partial(_command, commands), read_scenario)
    _evidence_commands(commands)
    again = _command(commands, "reproduce", _reproduce, "published results against ours")
    again.add_argument("name", nargs="?", default="", help="only sources with this name")
    again.add_argument("--json", action="store_true", help="the rows")
    _store_commands(commands)
    return parser


def _store_commands(commands: Any) -> None:
    """The commands on saved scenarios; the environment names the database."""
    backup = _command(commands, "backup", _backup, "everything that is kept, in one new file")
    backup.add_argument("file", type=Path, help="the file to write; .gz at its end compresses it")
    restore = _command(commands, "restore", _restore, "put a backup in the place of everything")
    restore.add_argument("file", type=Path, help="a file that backup or store export wrote")
    about = "look after what is kept"
    parts = commands.add_parser("store", help=about, description=about)
    inner = parts.add_subparsers(dest="part", required=True)
    check = _command(inner, "check", _check, "recompute every hash and find what was edited")
    check.add_argument("--holds", metavar="HASH", help="a last line of earlier: is it still there?")
    export = _command(inner, "export", _backup, "the same file as backup, for another database")
    export.add_argument("file", type=Path, help="the file to write; .gz at its end compresses it")
    into = _command(inner, "import", _import, "fill an empty store from an export or a backup")
    into.add_argument("file", type=Path, help="a file that store export or backup wrote")
    added = partial(_command, commands), partial(_command, inner)
    Approving(*added, _opened_store, read_scenario)


def _evidence_commands(commands: Any) -> None:
    predict = _command(
        commands, "predict", _predict, "latency, throughput and power of benchmark rows"
    )
    predict.add_argument("points", type=Path, help="CSV with the columns of measured/serving.csv")
    predict.add_argument("-o", "--output", type=Path, required=True, help="the CSV to write")
    predict.add_argument("--calibration", default="", help="a kept calibration, by its name")
    fit = _command(commands, "calibrate", _calibrate, "fit the model to measured points")
    fit.add_argument("points", nargs="?", type=Path, help="your own; nothing: the shipped ones")
    fit.add_argument("--name", default="", help="what to keep your calibration as")
    fit.add_argument("--check", action="store_true", help="fail if the shipped file is not the fit")
    validate = _command(commands, "validate", _validate, "errors of the model, as a report")
    validate.add_argument(
        "-o", "--output", type=Path, help="the Markdown file to write; its figure goes beside it"
    )


def _command(commands: Any, name: str, run: Any, about: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(run=run)
    return parser


def _scenario_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "scenario",
        nargs="?",
        type=Path,
        help="TOML or JSON with any scenario fields, or a profile; nothing: the default",
    )


def read_scenario(path: Path | None) -> planner.Scenario:
    """The scenario of a TOML or JSON file, or of a profile's name; nothing: the default one.

    Raises ScenarioError naming the file and every refused field.
    """
    if path is None:
        return planner.Scenario.read({})
    profiles = planner.profiles.names()
    if str(path) in profiles and not path.exists():
        return planner.Scenario.read({"profile": str(path)})
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ScenarioError(
            f"{path}: there is no such file; give a TOML or JSON file or a profile, one of "
            f"{', '.join(profiles)}."
        ) from None
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}.") from None
    return planner.read_file(str(path), content)


def _plan(options: argparse.Namespace) -> None:
    answer = planner.plan(read_scenario(options.scenario), n_samples=N_SAMPLES)
    if options.json:
        _print_json(answer.as_dict())
    else:
        print(_summary(answer))


def _summary(answer: "planner.Plan") -> str:
    """The verdict, the bridge and the megawatts in a dozen lines."""
    from planner.money.tax import LABELS  # noqa: PLC0415 - only a plan needs it

    text, bridge = planner.text, answer.bridge
    rows = [(LABELS[step], usd) for step, usd in bridge.steps.items()]
    lines = [
        answer.verdict.sentence,
        "",
        f"{'As-built, a year':32}{text.usd(float(bridge.base)):>12}",
        *(f"{label:32}{text.usd(float(usd), signed=True):>12}" for label, usd in rows),
        f"{'Net, a year':32}{text.usd(float(bridge.net), signed=True):>12}",
    ]
    return "\n".join(lines)


def _predict(options: argparse.Namespace) -> None:
    answer = planner.predict(options.points, calibration=options.calibration)
    _written(options.output, answer.to_csv(index=False))
    print(planner.answered(answer), file=sys.stderr)


def _calibrate(options: argparse.Namespace) -> None:
    if options.points:
        print(f"Kept in {planner.recalibrate(options.points, options.name)}.")
    elif options.check:
        planner.check_calibration()
        print("calibration.toml is the fit of measured/.")
    else:
        print(planner.calibrate(f"{datetime.now(UTC):%Y-%m-%d}"))


def _validate(options: argparse.Namespace) -> None:
    text = planner.validation_report()
    if options.output:
        _written(options.output, text)
        _written(options.output.with_suffix(".png"), planner.parity_plot())
    else:
        print(text)


def _written(path: Path, content: str | bytes) -> None:
    try:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise planner.SwitchyardError(f"{path} cannot be written: {error}.") from None


def _reproduce(options: argparse.Namespace) -> None:
    rows = planner.reproduce(options.name)
    if not rows:
        raise planner.SwitchyardError(f"{options.name!r} names no published result here.")
    if options.json:
        print(json.dumps([row.as_dict() for row in rows], indent=2, ensure_ascii=False))
        return
    for row in rows:
        mark = "ok " if row.within else "OUT"
        figures = f"{row.published:>12.5g} {row.ours:>12.5g} {row.unit}"
        print(f"{mark} {row.source:24} {row.quantity:38} {figures}  {row.note}".rstrip())


@contextmanager
def _opened_store() -> Iterator["tuple[planner.Store, planner.Identity]"]:
    """The store, and whoever is at the shell: they hold the database, so they may do all."""
    store = planner.Store()
    try:
        yield store, planner.Identity(_shell_user(), "approver")
    finally:
        store.close()


def _shell_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def _backup(options: argparse.Namespace) -> None:
    with _opened_store() as (store, who):
        print(f"{options.file} written, SHA-256 of its lines {store.backup(who, options.file)}")


def _restore(options: argparse.Namespace) -> None:
    with _opened_store() as (store, who):
        print(f"Restored; what was there before is kept in {store.restore(who, options.file)}")


def _import(options: argparse.Namespace) -> None:
    with _opened_store() as (store, who):
        rows = planner.text.count(store.import_everything(who, options.file), "row")
        print(f"{rows} imported from {options.file}")


def _check(options: argparse.Namespace) -> None:
    with _opened_store() as (store, who):
        found = store.check(who, holds=options.holds)
    for problem in found.problems:
        print(problem)
    if found.problems:
        findings = planner.text.count(len(found.problems), "finding")
        raise planner.StoreError(f"what is kept is not as it was written: {findings}.")
    lines = planner.text.count(found.n_lines, "line")
    versions = planner.text.count(found.n_versions, "version")
    print(f"{versions} and {lines} of the audit trail are as they were written.")
    if found.head:
        print(f"The last line is {found.head}; keep it elsewhere and check again with --holds.")


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


if __name__ == "__main__":
    sys.exit(main())
