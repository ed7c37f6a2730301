"""What leaves with a plan: tables, charts, scenario and documents, from one list."""

import csv as csv_files
import io
import json
import tomllib
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from planner import Scenario, profiles
from planner.__main__ import main
from planner.errors import ExportError
from planner.export import bundle, tables
from planner.export.bundle import Bundle
from planner.export.charts import charts
from planner.export.kinds import KINDS
from planner.export.scenario_file import scenario_toml
from planner.export.words import OPTIONS
from tests.export.printing import AT, planned


@pytest.fixture(scope="module")
def held():
    made = Bundle(planned("enterprise"), made_at=AT)
    vars(made)["document"] = planned("enterprise").as_dict(break_even=False)
    return made


def rows(content):
    return list(csv_files.DictReader(io.StringIO(content.decode())))


def test_every_list_of_records_is_a_table(held):
    files = held.files("csv")
    names = {
        "bridge", "options", "options-pools", "options-by_class", "stranded-causes",
        "stranded-worth", "ledger", "risk-options", "risk-tornado", "proposed-pools",
        "views-iso_power-options", "views-iso_cost-options", "cash-by-quarter", "figures",
        "scenario-classes", "scenario-owned",
    }  # fmt: skip
    assert {f"tables/{name}.csv" for name in names} <= files.keys()


def test_a_table_holds_the_plan_s_own_numbers(held):
    bridge = rows(held.files("csv")["tables/bridge.csv"])
    document = held.document
    assert [float(row["usd_per_year"]) for row in bridge] == [
        step["usd_per_year"] for step in document["bridge"]
    ]
    pools = rows(held.files("csv")["tables/options-pools.csv"])
    assert len(pools) == sum(len(option["pools"]) for option in document["options"])
    assert {row["option_id"] for row in pools} == {row["id"] for row in document["options"]}


def test_the_cash_of_every_quarter_adds_up_to_the_flows_of_the_plan(held):
    table = rows(held.files("csv")["tables/cash-by-quarter.csv"])
    flows = held.plan.flows_usd("split-mixed")
    assert [float(row["split-mixed"]) for row in table] == pytest.approx(list(flows))


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_b4_text_that_looks_like_a_formula_is_quoted_and_negative_numbers_stay(name):
    table = pd.DataFrame([{"name": name, "usd": -1.5}])
    (row,) = rows(tables.csv(table))
    assert row == {"name": f"'{name}", "usd": "-1.5"}


def test_every_chart_comes_as_svg_and_png(held):
    for kind, magic in (("svg", b"<?xml"), ("png", b"\x89PNG")):
        files = held.files(kind)
        assert len(files) == len(held.charts) + len(held.series) == 16
        assert all(content.startswith(magic) for content in files.values())
    for content in held.files("png").values():
        assert min(Image.open(io.BytesIO(content)).size) > 300


@pytest.mark.parametrize("profile", profiles.names())
def test_every_starting_scenario_has_its_charts(profile):
    document = planned(profile).as_dict(break_even=False)
    found = charts(planned(profile), document)
    assert all(chart.bars and chart.title for chart in found.values())
    net = found["bridge"].bars[-1].spans[0][1]
    assert net == pytest.approx(document["net"]["usd_per_year"], rel=0.02, abs=1e4)


def test_lines_run_through_the_plans_own_figures(held):
    document, lines = held.document, held.series
    (built, *_) = lines["day"].lines
    record = document["options"][0]
    assert max(built.ys) * 1e6 == pytest.approx(record["facility_peak_w"])
    assert len(lines["ratio"].lines) >= 2
    assert lines["ratio"].upright[0] == document["headline"]["decode_to_prefill_token_ratio"]
    (line,) = (each for each in lines["service"].lines if each.label == OPTIONS["as-built"])
    allowed = min(row.p99_ttft_s for row in held.plan.scenario.classes)
    sold = dict(zip(line.xs, line.ys, strict=True))[allowed]
    assert sold == pytest.approx(record["cost_usd_per_mtok"])


@pytest.mark.parametrize("profile", profiles.names())
def test_a_scenario_reads_back_from_its_toml(profile):
    held = planned(profile).scenario
    assert Scenario.read(tomllib.loads(scenario_toml(held))) == held


@pytest.mark.parametrize(
    "fields",
    [
        {"ratio_in_18_months": None},
        {"decode_to_prefill_token_ratio": 0.2},
        {"fleet_mix": 0.25},
        {"name": '"""\\n = [x]\n\x00é\U0001f389'},
        {"site": {"n_racks": 40}},
        {"owned": []},
        {"classes": [{"name": "a.b c=[1]"}, {"name": "#"}]},
    ],
)
def test_odd_scenarios_read_back_too(fields):
    held = Scenario.read({"profile": "axiom", **fields})
    assert Scenario.read(tomllib.loads(scenario_toml(held))) == held


def test_the_plan_is_written_whole(held):
    (content,) = held.files("json").values()
    assert json.loads(content) == held.document


def test_an_archive_holds_the_files_and_repeats(held):
    packed = held.zipped("csv", "toml")
    names = zipfile.ZipFile(io.BytesIO(packed)).namelist()
    assert set(names) == {*held.files("csv"), *held.files("toml")}
    assert packed == held.zipped("csv", "toml")


def test_an_unknown_kind_is_refused_in_words(held):
    with pytest.raises(ExportError, match="'docx' is no kind of file; kinds are pdf, appendix"):
        held.files("docx")


def test_the_command_writes_what_is_asked_for(tmp_path, monkeypatch):
    scenario = tmp_path / "mine.toml"
    scenario.write_text('profile = "enterprise"\n')
    out = tmp_path / "out"
    arguments = ["--only", "toml", "--only", "xlsx"]
    assert main(["export", str(scenario), "-o", str(out), *arguments]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["scenario.toml", "workbook.xlsx"]


def test_the_command_writes_all_of_it(tmp_path, monkeypatch):
    made = {kind: lambda held, kind=kind: {f"{kind}.x": b"x"} for kind in KINDS}
    monkeypatch.setattr(bundle, "MAKERS", made)
    assert main(["export", "-o", str(tmp_path / "out")]) == 0
    assert {path.stem for path in (tmp_path / "out").iterdir()} == set(KINDS)


@pytest.mark.parametrize("command", ["workbook", "export", "appendix"])
def test_a_place_that_cannot_be_written_exits_2(command, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "below"
    extra = ["--only", "toml"] if command == "export" else []
    scenario = tmp_path / "mine.toml"
    scenario.write_text('profile = "enterprise"\n')
    assert main([command, str(scenario), "-o", str(place), *extra]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_schema_is_published_beside_the_documents():
    assert json.loads(Path("docs/plan.schema.json").read_text())["title"] == "plan/1"
