"""Evidence: errors as the validation states them, and own rows held against the model."""

import io
import json
import re
from pathlib import Path

import pytest

import planner
from pages.ui import answers, bench, proofs
from planner import Scenario, load_catalog
from planner.errors import PredictError
from planner.evidence import sent
from tests.web.conftest import ROOT, turn, words

SERVING = ROOT / "hardware_catalog" / "measured" / "serving.csv"
REPORT = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")


def first_rows(n):
    return "\n".join(SERVING.read_text(encoding="utf-8").splitlines()[: n + 1]).encode()


@pytest.fixture
def here(monkeypatch):
    """Judge without a process of its own, which two other tests start."""

    def asked(question, _name):
        return json.loads(json.dumps(sent.answered(question)))

    monkeypatch.setattr(sent, "_asked", asked)


def view(show, name, **fields):
    screen = turn(show(**fields), "evidence")
    screen.session_state["proof-view"] = name
    return screen.run()


def test_the_shares_inside_the_range_are_those_of_the_validation():
    for row in proofs.agreement(answers.measured()["agreement"]).itertuples(index=False):
        line = re.search(rf"^\| {re.escape(row[0])} \| (\S+) \| (\S+) \|", REPORT, re.MULTILINE)
        assert row[-1] == line[2]


def test_errors_by_chip_are_those_of_the_validation():
    points = answers.measured()["points"]
    found = planner.accuracy(points[points["quantity"] == "tpot"], "chip").set_index("name")
    h100 = found.loc[load_catalog().accelerators["h100-sxm"].name]
    line = re.search(
        r"^\| h100-sxm \| 789 \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|", REPORT, re.MULTILINE
    )
    shown = [
        planner.text.percent(h100[f"error_{scope}_frac"]) for scope in ("seen", "rows", "pairs")
    ]
    assert shown == [line[1], line[3], line[4]]


def test_every_view_of_the_page_stands(show):
    screen = turn(show(), "evidence")
    for name, heading in (
        ("Measurements", "Predicted against measured"),
        ("Your benchmark", "Hold the model against your own measurements"),
        ("Assumptions", "Every number this plan rests on, what moves it most first"),
        ("Sources, limits", "What is not planned"),
    ):
        screen.session_state["proof-view"] = name
        screen.run()
        assert not screen.exception
        assert heading in [part.value for part in screen.subheader]


def test_published_results_stand_with_ours_and_a_reason_for_each_that_differs(monkeypatch, show):
    monkeypatch.setattr(planner, "STUDIES", planner.STUDIES[:5])
    screen = view(show, "Published results")
    assert not screen.exception
    rows = screen.dataframe[0].value
    assert len(rows) == sum(len(answers.study(n)) for n in range(5))
    outside = rows[rows["Within"] == "No"]
    assert len(outside)
    assert (outside["Reason"].str.len() > 0).all()


def test_the_register_holds_every_assumption_the_widest_first():
    held = answers.plan_of(Scenario())
    document = answers.document_of(Scenario())
    rows = proofs.register(document, held)
    assert len(rows) == len(document["ledger"])
    effects = [abs(row["npv_effect_usd"] or 0) for row in document["ledger"]]
    assert rows["Moves NPV by"].iloc[0] == planner.text.usd(max(effects))
    assert rows["Source"].str.len().min() > 0


def test_a_changed_input_is_marked_in_the_register():
    mine = Scenario(growth_frac_per_year=0.3)
    rows = proofs.register(answers.document_of(mine), answers.plan_of(mine))
    assert rows[rows["Assumption"] == "Growth"]["Yours"].item() == "changed"


def test_own_rows_are_predicted_as_the_command_predicts_them(tmp_path, here):
    (tmp_path / "mine.csv").write_bytes(first_rows(40))
    there = planner.predict(tmp_path / "mine.csv")
    judged = planner.judge(first_rows(40), "mine.csv")
    mine = judged.rows[judged.rows["quantity"] == "tpot"]
    wanted = there.loc[there["tpot_s"] != "", "predicted_tpot_s"]
    assert mine["predicted"].tolist() == pytest.approx(wanted.tolist())
    assert judged.n_rows == 40


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a text"),
        (b"PK\x03\x04\x00\x00", "not a text"),
        (b"\x1f\x8b\x08\x00", "not a text"),
        (b"a,b\n1,2\n", "lacks model, accelerator"),
        (b"x" * (9 * 2**20), "at most 8 MiB"),
    ],
)
def test_a_file_that_is_no_benchmark_is_refused_in_words(data, said):
    with pytest.raises(PredictError, match=said):
        planner.judge(data, "bad.csv")


def test_nothing_of_an_upload_stays_on_disk():
    folder = Path(sent.data_folder())
    before = {path for path in folder.rglob("*") if path.is_file()}
    planner.judge(first_rows(3), "mine.csv")
    assert {path for path in folder.rglob("*") if path.is_file()} == before


def test_a_calibration_is_kept_by_name_used_and_deleted(here):
    rows = first_rows(60)
    judged = planner.judge(rows, "mine.csv", keep_as="ours")
    assert planner.kept_names() == ["ours"]
    again = planner.judge(rows, "mine.csv", calibration="ours")
    assert again.rows.equals(judged.rows)
    assert not again.rows.equals(planner.judge(rows, "mine.csv").rows)
    planner.forget_kept("ours")
    assert planner.kept_names() == []
    with pytest.raises(PredictError, match="no calibration 'ours'"):
        planner.judge(rows, "mine.csv", calibration="ours")


def test_an_uploaded_benchmark_shows_its_errors(show, here):
    screen = view(show, "Your benchmark")
    assert "No benchmark yet" in words(screen)
    held = io.BytesIO(first_rows(20))
    screen.file_uploader(key="bench-file").upload("mine.csv", held.getvalue(), "text/csv").run()
    assert not screen.exception
    shown = {m.label.replace("\\", ""): m.value.replace("\\", "") for m in screen.metric}
    judged = planner.judge(first_rows(20), "mine.csv")
    labels = [label for label, *_ in bench.summary(judged)]
    assert [shown[label] for label in labels] == [value for _, value, *_ in bench.summary(judged)]
