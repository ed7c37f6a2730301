"""A benchmark file that somebody sent: read in a process of its own, and never written anywhere.

Run as a program it takes one question from its standard input and answers in one line of JSON.
"""

import io
import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from planner.decision.apart import MEMORY_BYTES, UPLOAD_S
from planner.demand.logs.limits import MIB
from planner.errors import PredictError, SwitchyardError
from planner.evidence import named
from planner.evidence import predict as predictions
from planner.evidence.calibrate import recalibrated
from planner.evidence.measured import own
from planner.evidence.points import measured_problems, read_points
from planner.evidence.predict import RATE, REFUSED
from planner.evidence.tables import WORDS
from planner.facts.catalog import load_catalog
from planner.facts.folders import data_folder
from planner.text import given, number

LARGEST_BYTES = 2 * 2 * 2 * MIB
PACKAGE = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "planner.evidence.sent")
SHOWN_PROBLEMS = 5

PAIRS = {
    "tpot": ("tpot_s", "predicted_tpot_s", "predicted_tpot_low_s", "predicted_tpot_high_s"),
    "ttft": ("ttft_s", "predicted_ttft_s", "predicted_ttft_low_s", "predicted_ttft_high_s"),
    "rate": (RATE.removeprefix("predicted_"), RATE, f"{RATE}_low", f"{RATE}_high"),
    "power": tuple(
        f"{part}power{end}_w_per_accelerator"
        for part, end in (
            ("", ""),
            ("predicted_", ""),
            ("predicted_", "_low"),
            ("predicted_", "_high"),
        )
    ),
    "energy": tuple(
        f"{part}energy{end}_j_per_output_token"
        for part, end in (
            ("", ""),
            ("predicted_", ""),
            ("predicted_", "_low"),
            ("predicted_", "_high"),
        )
    ),
}
"""Columns of what was measured, what is predicted, and both ends of its 80 % range."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the model says of somebody's rows.

    n_rows: of the file. problems: why rows, or their measured numbers, are left out, the first few
    by number; n_refused: how many rows have no prediction. rows: quantity, id, model, chip,
    measured, predicted, low, high, one for each measured number. kept: name of the calibration
    that was moved towards the rows and kept, "" for none.
    """

    n_rows: int
    n_refused: int
    problems: tuple[str, ...]
    rows: pd.DataFrame
    kept: str = ""


def judge(
    data: bytes | memoryview, name: str, *, calibration: str = "", keep_as: str = ""
) -> Judged:
    """Predict the rows of a file and lay them beside what it measured.

    calibration: the name of a kept one to predict with. keep_as: first move the shipped calibration
    towards the rows, keep it under this name, and predict with it.

    Raises:
        PredictError: the file is too large, is no CSV, lacks a column, or broke its reader off.
    """
    raw = bytes(data)
    _gate(raw, name)
    question = {"text": raw.decode("utf-8-sig"), "name": name, "calibration": calibration}
    answer = _asked(question | {"keep_as": keep_as}, name)
    if "error" in answer:
        raise PredictError(answer["error"])
    columns = ["quantity", "id", "model", "chip", "measured", "predicted", "low", "high"]
    rows = pd.DataFrame(answer["rows"], columns=columns)
    rows["chip"] = rows["chip"].map(lambda chip: load_catalog().accelerators[chip].name)
    return Judged(
        answer["n_rows"], answer["n_refused"], tuple(answer["problems"]), rows, answer["kept"]
    )


def kept_names() -> list[str]:
    """The calibrations kept by name."""
    return sorted(path.stem for path in _folder().glob("*.toml"))


def forget_kept(name: str) -> None:
    """Delete a kept calibration. Raises: PredictError for what is no name."""
    named.path_of(name, _folder()).unlink(missing_ok=True)


def _gate(raw: bytes, name: str) -> None:
    """Raises: PredictError for what is too large, empty, or no text at all."""
    if len(raw) > LARGEST_BYTES:
        raise PredictError(
            f"{name} is {number(len(raw) / MIB, place=0)} MiB; "
            f"at most {LARGEST_BYTES // MIB} MiB are read here."
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or not text.strip():
        raise PredictError(f"{name} is not a text in UTF-8; export it as CSV with a header row.")


def _asked(question: dict[str, str], name: str) -> dict[str, Any]:
    paths = [str(PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        told = subprocess.run(  # noqa: S603 - our own program
            PROGRAM,
            input=json.dumps(question).encode(),
            stdout=subprocess.PIPE,
            timeout=UPLOAD_S,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
    except subprocess.TimeoutExpired:
        sentence = f"{name} was not read within {given(UPLOAD_S)} s; give fewer rows."
        raise PredictError(sentence) from None
    if told.returncode or not told.stdout:
        raise PredictError(f"{name} broke its reader off; export it again or give fewer rows.")
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def answered(question: dict[str, str]) -> dict[str, Any]:
    """The answer of the reading process."""
    catalog, name = load_catalog(), question["name"]
    text = io.StringIO(question["text"])
    try:
        if question["keep_as"]:
            named.keep(recalibrated(own(text, catalog), catalog), question["keep_as"], _folder())
            text.seek(0)
        wanted = question["keep_as"] or question["calibration"]
        held = named.with_named(catalog, wanted, _folder()) if wanted else catalog
        points = read_points(text, held)
        answer = predictions.predict(points, held)
    except SwitchyardError as error:
        return {"error": str(error).replace(str(text), name)}
    problems = (answer[REFUSED] + " " + measured_problems(points)).str.strip()
    wrong = [f"Row {n + 2}: {said}" for n, said in enumerate(problems) if said]
    fine = points.table[problems == ""]
    return {
        "n_rows": len(answer),
        "n_refused": int((answer[REFUSED] != "").sum()),
        "problems": wrong[:SHOWN_PROBLEMS] + _more(len(wrong)),
        "rows": [row for quantity in WORDS for row in _compared(quantity, fine, answer)],
        "kept": question["keep_as"],
    }


def _more(n: int) -> list[str]:
    return [f"And {number(n - SHOWN_PROBLEMS, place=0)} more."] if n > SHOWN_PROBLEMS else []


def _compared(quantity: str, table: pd.DataFrame, answer: pd.DataFrame) -> list[list[Any]]:
    """Rows that measured a quantity, with what is predicted of it."""
    measured, *predicted = PAIRS[quantity]
    both = table[["id", "model", "accelerator", measured]].join(answer[predicted])
    usable = both.dropna(subset=[measured, predicted[0]])
    rows: list[list[Any]] = usable.to_numpy(object).tolist()
    return [[quantity, *row] for row in rows]


def _folder() -> Path:
    return data_folder() / "calibrations"


def main() -> None:
    """Answer the question on standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with answers:
        answers.write(json.dumps(answered(json.load(sys.stdin))))


if __name__ == "__main__":
    main()
