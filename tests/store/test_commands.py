"""The commands on the store: they do it, and bad input exits 2 with one sentence."""

import pytest
from sqlalchemy import text

from planner.__main__ import main
from tests.store.stand_ins import ANN, CFO, save


@pytest.fixture
def store(address, opened_stores, monkeypatch):
    """The store that the environment names."""
    monkeypatch.setenv("SWITCHYARD_DATABASE_URL", address)
    return opened_stores()


def names(store):
    return {held.name for held in store.scenarios.listed(CFO)}


@pytest.mark.parametrize("command", ["check", "export", "import"])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as done:
        main(["store", command, "--help"])
    assert done.value.code == 0
    assert f"store {command}" in capsys.readouterr().out


def test_backup_and_restore_bring_everything_back(store, tmp_path, capsys):
    save(store, name="A")
    assert main(["backup", str(tmp_path / "all.jsonl.gz")]) == 0
    save(store, name="B")
    assert main(["restore", str(tmp_path / "all.jsonl.gz")]) == 0
    assert names(store) == {"A"}
    assert main(["store", "check"]) == 0
    kept = capsys.readouterr().out.partition("is kept in ")[2].splitlines()[0]
    assert main(["restore", kept]) == 0
    assert names(store) == {"A", "B"}


def test_check_says_how_much_it_checked_and_what_to_keep(store, capsys):
    save(store, after=save(store), demand_scale=2.0)
    assert main(["store", "check"]) == 0
    said = capsys.readouterr().out
    head = store.trail.whole(CFO)[-1].hash
    assert said.startswith("2 versions and 3 lines of the audit trail are as they were written.")
    assert head in said
    save(store)
    assert main(["store", "check", "--holds", head]) == 0


def test_check_finds_an_edited_line_and_exits_2(store, capsys):
    save(store, after=save(store), demand_scale=2.0)
    edit(store, "UPDATE trail SET new = '99.0' WHERE field = 'demand_scale'", "trail")
    assert main(["store", "check"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "Line 3 of the audit trail is not as it was written.\n"
    assert printed.err == "planner store: what is kept is not as it was written: 1 finding.\n"


def edit(store, order, table):
    """What somebody does who has the database's own key: drop the guard, and write."""
    with store._database.engine.begin() as connection:
        on = "" if connection.dialect.name == "sqlite" else f" ON {table}"
        connection.execute(text(f"DROP TRIGGER {table}_kept_update{on}"))
        connection.execute(text(order))


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["restore", "nowhere"], "There is no backup nowhere."),
        (["store", "import", "nowhere"], "There is no backup nowhere."),
        (["backup", "no folder/all.jsonl"], "cannot be written"),
        (["backup", "."], "exists already"),
        (["store", "check", "--holds", "0000"], "1 finding."),
    ],
    ids=" ".join,
)
def test_bad_input_exits_2_with_one_sentence(store, command, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(store, ANN)
    assert main(command) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert names(store) == {"Axiom Cloud"}


def test_a_database_that_is_none_exits_2_with_one_sentence(monkeypatch, capsys):
    monkeypatch.setenv("SWITCHYARD_DATABASE_URL", "mysql://ann:hunter2@h/d")
    assert main(["store", "check"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "allowed are sqlite:///FILE" in line
    assert "hunter2" not in line


def test_a_scenario_is_saved_and_its_next_version_after_it(store, tmp_path, capsys):
    file = tmp_path / "mine.toml"
    file.write_text('profile = "enterprise"\nname = "Mine"\n')
    assert main(["store", "save", str(file)]) == 0
    document = capsys.readouterr().out.strip()
    file.write_text('profile = "enterprise"\nname = "Mine, later"\n')
    assert main(["store", "save", str(file), "--after", document]) == 0
    held = store.scenarios.open(CFO, document)
    assert (held.version, held.name) == (2, "Mine, later")
    assert held.headline["cost_usd_per_mtok"] > 0
    assert main(["store", "save", str(file), "--after", "nothing"]) == 2
