"""What is saved stays as it was saved; the same on SQLite and on PostgreSQL."""

import secrets
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import planner
from planner import OvertakenError, ScenarioError, StoreError
from tests.store.stand_ins import ANN, BOB, CFO, START, save, scenario


def test_a_saved_scenario_opens_again_whole(store, address, opened_stores):
    saved = save(store, headline={"tax_frac": {"p50": 0.12}})
    assert opened_stores(address).scenarios.open(ANN, saved.document_id) == saved
    assert saved.content == START
    assert saved.headline == {"tax_frac": {"p50": 0.12}}
    assert (saved.name, saved.owner, saved.author) == ("Axiom Cloud", "ann", "ann")
    assert (saved.version, saved.schema_version, saved.state) == (1, 2, "draft")
    assert saved.model_version == planner.MODEL_VERSION
    assert saved.catalog_version == planner.load_catalog().version


def test_no_id_looks_like_an_option_of_a_command(store, monkeypatch):
    drawn = iter(["-first", "second"])
    monkeypatch.setattr(secrets, "token_urlsafe", lambda: next(drawn))
    assert save(store).document_id == "second"


def test_what_one_user_saved_lately_is_counted(store):
    before = datetime.now(UTC)
    first = save(store)
    save(store, after=first, growth_frac_per_year=0.1)
    save(store, who=BOB)
    assert store.scenarios.n_saved(ANN, before) == 2
    assert store.scenarios.n_saved(ANN, datetime.now(UTC)) == 0
    assert store.overlays.n_saved(ANN, before) == 0


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/St_Johns"])
def test_a_moment_is_kept_in_utc_wherever_the_machine_stands(store, monkeypatch, zone):
    with monkeypatch.context() as there:
        there.setenv("TZ", zone)
        time.tzset()
        saved = save(store)
        held = store.scenarios.open(ANN, saved.document_id).saved_at
    time.tzset()
    assert held == saved.saved_at
    assert held.tzinfo == UTC
    assert abs(datetime.now(UTC) - held) < timedelta(minutes=1)


def test_a_change_is_a_new_version_and_the_old_one_stays(store):
    first = save(store)
    second = save(store, after=first, power_budget_mw=20.0, name="Axiom 20")
    history = store.scenarios.history(ANN, first.document_id)
    assert [(held.version, held.name) for held in history] == [(2, "Axiom 20"), (1, "Axiom Cloud")]
    assert store.scenarios.open(ANN, first.document_id) == second
    assert store.scenarios.open(ANN, first.document_id, 1) == first


def test_what_is_saved_holds_every_field_of_a_scenario_given_in_part(store):
    saved = store.scenarios.save(ANN, {"profile": "neocloud", "power_budget_mw": 8})
    whole = planner.Scenario.read({"profile": "neocloud", "power_budget_mw": 8})
    assert saved.content == whole.model_dump(mode="json")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"power_budget_mw": -1}, "power_budget_mw"),
        ({"power_budget_mw": float("nan")}, "power_budget_mw"),
        ({"colour": "red"}, "colour"),
        ({"candidates": ["abacus"]}, "abacus"),
    ],
    ids=str,
)
def test_a_scenario_that_is_none_is_refused_and_nothing_is_kept(store, changes, said):
    with pytest.raises(ScenarioError, match=said):
        save(store, **changes)
    assert store.scenarios.listed(ANN) == []


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0b", "right\u202eleft"])
def test_a_name_that_cannot_be_read_is_refused(store, name):
    with pytest.raises(StoreError, match="1 to 200 printable characters"):
        save(store, name=name)
    assert store.scenarios.listed(ANN) == []


@pytest.mark.parametrize("headline", [{"x": float("nan")}, {"x": float("inf")}, {"x": object()}])
def test_a_headline_that_json_cannot_hold_is_refused(store, headline):
    with pytest.raises(StoreError, match="cannot be kept as JSON"):
        save(store, headline=headline)
    assert store.scenarios.listed(ANN) == []


def test_the_list_shows_the_latest_version_of_each_newest_first(store):
    first = save(store, name="A")
    other = save(store, name="B")
    second = save(store, name="A2", after=first)
    save(store, BOB, name="C")
    listed = store.scenarios.listed(ANN)
    assert [(held.name, held.version) for held in listed] == [("A2", 2), ("B", 1)]
    assert {held.document_id for held in listed} == {second.document_id, other.document_id}
    assert [held.name for held in store.scenarios.listed(CFO)] == ["C", "A2", "B"]


def test_the_second_of_two_who_save_learns_who_changed_what_and_when(store):
    opened = save(store)
    link = store.links.share(ANN, opened, right="edit")
    theirs = store.scenarios.save(
        BOB, scenario(power_budget_mw=20.0, demand_scale=2.0), after=opened, link=link
    )
    with pytest.raises(OvertakenError) as refused:
        save(store, after=opened, power_budget_mw=30.0)
    sentence = str(refused.value)
    assert (
        f"bob saved version 2 of 'Axiom Cloud' at {theirs.saved_at:%Y-%m-%d %H:%M:%S}" in sentence
    )
    assert "changed demand_scale from 400.0 to 2.0, power_budget_mw from 12.0 to 20.0" in sentence
    assert "power_budget_mw from 20.0 to 30.0" in sentence
    overtaking = refused.value.overtaking
    assert [(c.field, c.old, c.new) for c in overtaking.differing] == [
        ("demand_scale", 2.0, 400.0),
        ("power_budget_mw", 20.0, 30.0),
    ]
    ((newer, changed),) = overtaking.newer
    assert (newer.author, newer.version, len(changed)) == ("bob", 2, 2)
    assert store.scenarios.open(ANN, opened.document_id) == theirs


def test_whoever_is_two_versions_behind_learns_of_both(store):
    opened = save(store)
    second = save(store, after=opened, demand_scale=2.0)
    save(store, after=second, demand_scale=2.0, horizon_years=7.0)
    with pytest.raises(OvertakenError) as refused:
        save(store, after=opened, power_budget_mw=30.0)
    fields = [[c.field for c in changed] for _, changed in refused.value.overtaking.newer]
    assert fields == [["demand_scale"], ["horizon_years"]]


def test_a_change_inside_a_class_is_told_by_the_name_of_the_class(store):
    opened = save(store)
    classes = [dict(row) for row in START["classes"]]
    classes[0]["output_tokens"] = 123.0
    save(store, after=opened, classes=classes)
    with pytest.raises(OvertakenError, match=rf"classes\.{classes[0]['name']}\.output_tokens"):
        save(store, after=opened)


def test_a_version_saved_since_a_restore_is_no_longer_the_one_that_was_opened(store, tmp_path):
    first = save(store)
    store.backup(CFO, tmp_path / "copy.jsonl.gz")
    opened = save(store, after=first, demand_scale=2.0)
    store.restore(CFO, tmp_path / "copy.jsonl.gz")
    with pytest.raises(StoreError, match="restored from a backup"):
        save(store, after=opened, demand_scale=3.0)
    save(store, after=first, demand_scale=4.0)
    with pytest.raises(OvertakenError, match=r"demand_scale from 400\.0 to 4\.0"):
        save(store, after=opened, demand_scale=3.0)


@pytest.mark.parametrize("version", [0, -1, 9, 2**40])
def test_a_version_that_is_not_there_is_said(store, version):
    saved = save(store)
    with pytest.raises(StoreError, match="There is no scenario"):
        store.scenarios.open(ANN, saved.document_id, version)


@pytest.mark.parametrize("table", ["versions", "approvals", "trail", "catalogs"])
@pytest.mark.parametrize("act", ["UPDATE", "DELETE"])
def test_the_database_itself_refuses_to_change_what_was_kept(store, table, act):
    saved = save(store)
    store.approvals.review(ANN, saved)
    key = {"catalogs": "catalog_version", "trail": "n"}.get(table, "document_id")
    order = f"DELETE FROM {table}" if act == "DELETE" else f"UPDATE {table} SET {key} = {key}"
    with (
        pytest.raises(SQLAlchemyError, match=f"rows of {table} are never changed"),
        store._database.engine.begin() as connection,
    ):
        connection.execute(text(order))


texts = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=60)


@given(
    name=texts,
    mw=st.floats(0, 1e5),
    mix=st.just("auto") | st.floats(0, 1),
    ratio=st.none() | st.floats(0.01, 20),
    headline=st.dictionaries(st.text(), st.text() | st.floats(allow_nan=False) | st.none()),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_any_scenario_comes_back_as_it_was(store, name, mw, mix, ratio, headline):
    headline = {key: value for key, value in headline.items() if value not in (1e999, -1e999)}
    changes = {"name": name, "power_budget_mw": mw, "fleet_mix": mix}
    saved = save(store, headline=headline, decode_to_prefill_token_ratio=ratio, **changes)
    assert saved.content == scenario(decode_to_prefill_token_ratio=ratio, **changes)
    assert store.scenarios.open(ANN, saved.document_id) == saved
    assert saved.headline == headline
