"""The commands: they answer, they have help, and bad input exits 2 with one sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from planner import reproduce
from planner.__main__ import main

COMMANDS = (
    "plan", "audit", "brief", "workbook", "appendix", "export", "schema", "reproduce",
    "predict", "calibrate", "validate",
    "verify", "backup", "restore", "store",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as done:
        main([command, "--help"])
    assert done.value.code == 0
    assert command in capsys.readouterr().out


def test_plan_prints_the_verdict_and_a_bridge(capsys):
    assert main(["plan"]) == 0
    printed = capsys.readouterr().out
    assert "Net, a year" in printed


def test_plan_reads_toml_and_json_alike(tmp_path, capsys):
    (tmp_path / "a.toml").write_text('profile = "enterprise"\n[site]\npue = 1.4\n')
    (tmp_path / "a.json").write_text('{"profile": "enterprise", "site": {"pue": 1.4}}')
    documents = []
    for name in ("a.toml", "a.json"):
        assert main(["plan", str(tmp_path / name), "--json"]) == 0
        documents.append(json.loads(capsys.readouterr().out))
    assert documents[0] == documents[1]
    assert documents[0]["scenario"]["site"]["pue"] == 1.4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("site = { pue = 0.5 }", "site.pue"),
        ("colour = 1", "colour"),
        ("name = ", "cannot be read as TOML"),
        ("profile = 'pirate'", "pirate"),
    ],
)
def test_a_broken_scenario_exits_2_with_one_sentence(text, said, tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert main(["plan", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(path) in line
    assert said in line


def test_a_missing_file_exits_2(capsys):
    assert main(["plan", "nowhere.toml"]) == 2
    assert "nowhere.toml" in capsys.readouterr().err


def test_a_log_that_is_none_exits_2(tmp_path, capsys):
    path = tmp_path / "log.csv"
    path.write_text("a,b\n1,2\n")
    assert main(["audit", str(path)]) == 2
    assert "log.csv" in capsys.readouterr().err


def test_audit_prints_every_key_of_the_contract(capsys):
    assert main(["audit", "hardware_catalog/traces/azure_2023_code.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    keys = """rows requests input_tokens output_tokens cached_tokens arrivals by_model by_class
    by_hour decode_to_prefill_token_ratio prefill_time_frac dropped caveats""".split()
    assert [key for key in keys if key not in found] == []
    assert 0 < found["prefill_time_frac"] < 1


def test_reproduce_prints_a_row_per_published_figure(capsys):
    assert main(["reproduce", "spad", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    keys = "source quantity published ours unit tolerance within note".split()
    assert len(rows) == len(reproduce("spad"))
    assert all(set(row) == set(keys) for row in rows)


def test_reproducing_the_unknown_exits_2(capsys):
    assert main(["reproduce", "astrology"]) == 2
    assert "astrology" in capsys.readouterr().err


def test_a_traceback_never_reaches_the_shell(tmp_path):
    path = tmp_path / "bad.json"
    path.write_bytes(b"\xff\xfe\x00")
    done = subprocess.run(
        [sys.executable, "-m", "planner", "plan", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


ROWS = """site,model,accelerator,n_accelerators,tp,engine,input_tokens,output_tokens,concurrency
north,llama-3.1-70b,h100-sxm,8,8,vllm,1000,200,32
south,llama-9,h100-sxm,8,8,vllm,1000,200,32
"""


def points(tmp_path, text=ROWS):
    path = tmp_path / "points.csv"
    path.write_text(text)
    return path


def test_predict_writes_the_columns_given_and_then_its_own(tmp_path, capsys):
    out = tmp_path / "out.csv"
    assert main(["predict", str(points(tmp_path)), "-o", str(out)]) == 0
    header, north, south = out.read_text().splitlines()
    names = header.split(",")
    assert names[:9] == ROWS.splitlines()[0].split(",")
    assert names[9] == "predicted_ttft_s"
    assert names[-1] == "refused"
    assert north.startswith(ROWS.splitlines()[1])
    assert float(north.split(",")[names.index("predicted_tpot_s")]) > 0
    assert "llama-9 is not in the catalog" in south
    said = capsys.readouterr().err
    assert "1 of 2 rows answered." in said
    assert "Row 3: model: llama-9" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "{points}", "-o", "{folder}"],
        ["predict", "{points}", "-o", "{out}", "--calibration", "nobodys"],
        ["predict", "{points}", "-o", "{out}", "--calibration", "../up"],
        ["predict", "{folder}", "-o", "{out}"],
        ["predict", "{broken}", "-o", "{out}"],
        ["calibrate", "{points}"],
        ["calibrate", "{broken}"],
        ["calibrate", "{folder}/nowhere.csv"],
        ["validate", "-o", "{folder}"],
    ],
)
def test_bad_points_exit_2_with_one_line(arguments, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "broken.csv").write_text("model,tp\nllama-3.1-70b,8\n")
    places = {
        "points": points(tmp_path), "folder": tmp_path, "out": tmp_path / "out.csv",
        "broken": tmp_path / "broken.csv",
    }  # fmt: skip
    assert main([each.format(**places) for each in arguments]) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith(f"planner {arguments[0]}: ")
    assert printed.out == ""
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.filterwarnings("ignore:'str' is not supported as a fill value")
def test_calibrate_keeps_a_name_that_predict_takes(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path / "data"))
    header, north, _ = ROWS.splitlines()
    path = points(tmp_path, f"{header},tpot_s\n{north},0.03\n")
    assert main(["calibrate", str(path), "--name", "ours"]) == 0
    assert "ours.toml" in capsys.readouterr().out
    times = []
    for arguments in ([], ["--calibration", "ours"]):
        out = tmp_path / "out.csv"
        assert main(["predict", str(path), "-o", str(out), *arguments]) == 0
        head, row = (line.split(",") for line in out.read_text().splitlines())
        times.append(float(row[head.index("predicted_tpot_s")]))
    assert abs(times[1] - 0.03) < abs(times[0] - 0.03)


def test_validate_writes_the_report_of_the_documentation(tmp_path):
    out = tmp_path / "validation.md"
    assert main(["validate", "-o", str(out)]) == 0
    assert out.read_text() == Path("docs/validation.md").read_text()


def test_a_profile_is_planned_by_its_name(capsys):
    assert main(["plan", "enterprise"]) == 0
    assert capsys.readouterr().out.startswith("Stay")


def test_a_missing_file_is_told_what_could_be_given(capsys):
    assert main(["plan", "nowhere.toml"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("planner plan: nowhere.toml: there is no such file;")
    assert "enterprise" in said
    assert said.count("\n") == 1


def test_a_folder_is_no_scenario(tmp_path, capsys):
    assert main(["plan", str(tmp_path)]) == 2
    assert "cannot be read: Is a directory." in capsys.readouterr().err
