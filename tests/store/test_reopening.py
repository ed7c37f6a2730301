"""A saved answer under another release: then, now, and which inputs, facts or formulas moved it."""

import pytest

import planner
from planner import Scenario
from planner.facts.catalog import catalog_of, shipped_files
from planner.money import tax
from planner.store import documents, kinds
from tests.store.stand_ins import ANN, BOB, START, overlay, save, scenario
from tests.store.test_migrations import AXIOM, UNICODE, kept_under

__all__ = ["kept_under"]
TODAY = planner.plan(Scenario.read({}))
HEADLINE = planner.headline_of(TODAY)


def older_files():
    """The catalog of another day: the H100 drew 650 W then."""
    head, chip, rest = shipped_files()["accelerators.toml"].partition("[h100-sxm]")
    power = "tdp_w = { value = 700, low = 700, high = 700"
    assert power in rest
    older = rest.replace(power, "tdp_w = { value = 650, low = 650, high = 650", 1)
    return {**shipped_files(), "accelerators.toml": head + chip + older}


@pytest.fixture
def saved_then(store, monkeypatch):
    """Saves the default scenario under an older catalog, with the answer it gave then."""

    def save_then(files, headline=None, **changes):
        catalog = catalog_of(files)
        answer = planner.plan(Scenario.read(scenario(**changes), catalog), catalog)
        with monkeypatch.context() as then:
            then.setattr(documents, "load_catalog", lambda: catalog)
            then.setattr(documents, "shipped_files", lambda: files)
            return save(store, headline=headline or planner.headline_of(answer), **changes)

    return save_then


def test_f6_nothing_moves_where_nothing_changed(store):
    saved = save(store, headline=HEADLINE)
    opened = store.reopen(ANN, saved)
    assert (opened.inputs, opened.facts, opened.moved, opened.reason) == ((), (), (), "")
    assert planner.headline_of(opened.plan) == HEADLINE


def test_f6_a_changed_fact_is_named_with_what_it_moved(store, saved_then):
    saved = saved_then(older_files())
    opened = store.reopen(ANN, saved)
    fact = {change.field: (change.old, change.new) for change in opened.facts}
    assert fact["accelerators.h100-sxm.tdp_w"] == (650, 700)
    assert len(fact) == 1
    assert opened.moved
    for row in opened.moved:
        assert row.then == pytest.approx(row.between, rel=1e-9), "formulas moved nothing"
    figures = {row.figure: row for row in opened.moved}
    joules = figures["j_per_useful_token"]
    assert joules.then == saved.headline["j_per_useful_token"]
    assert joules.now == HEADLINE["j_per_useful_token"] != joules.then
    assert "because of facts (accelerators.h100-sxm.tdp_w from 650 to 700)" in opened.reason


def test_f6_changed_formulas_are_told_from_changed_facts(store, saved_then, monkeypatch):
    saved = saved_then(older_files())
    before = tax.tax_frac
    monkeypatch.setattr(tax, "tax_frac", lambda *given: before(*given) / 2)
    opened = store.reopen(ANN, saved)
    figures = {row.figure: row for row in opened.moved}
    taxed = figures["tax_frac.p50"]
    assert taxed.between == pytest.approx(taxed.then / 2)
    assert taxed.now == pytest.approx(HEADLINE["tax_frac"]["p50"] / 2)
    joules = figures["j_per_useful_token"]
    assert joules.between == pytest.approx(joules.then)
    assert "facts (accelerators.h100-sxm.tdp_w" in opened.reason
    assert f"formulas (model {planner.MODEL_VERSION}" in opened.reason


def test_f6_formulas_alone(store, monkeypatch):
    saved = save(store, headline=HEADLINE)
    monkeypatch.setattr(tax, "tax_frac", lambda *given: 0.0)
    opened = store.reopen(ANN, saved)
    assert opened.facts == ()
    assert all(row.between == row.now for row in opened.moved)
    assert "because of formulas" in opened.reason
    assert "facts" not in opened.reason


def test_f6_facts_that_were_not_kept_are_not_told_from_formulas(kept_under, address, opened_stores):
    kept_under("0001")
    store = opened_stores(address)
    opened = store.reopen(ANN, store.scenarios.open(ANN, AXIOM, 1))
    fields = {change.field for change in opened.inputs}
    assert "demand_scale" in fields
    assert "power_budget_mw" not in fields, "what was saved is kept"
    assert opened.plan.scenario.power_budget_mw == 14
    moved = {row.figure: row for row in opened.moved}
    assert (moved["tax_frac.p50"].then, moved["tax_frac.p50"].between) == (0.25, None)
    assert "inputs that the saved scenario left open" in opened.reason
    assert "the two cannot be told apart" in opened.reason


def test_f6_what_this_release_refuses_is_said_and_its_old_answer_kept(
    kept_under, address, opened_stores
):
    kept_under("0001")
    store = opened_stores(address)
    saved = store.scenarios.open(BOB, UNICODE)
    opened = store.reopen(BOB, saved)
    assert opened.plan is None
    assert (
        opened.reason == "This release refuses it: n: 1 is refused: extra inputs are not permitted."
    )
    assert opened.saved.content == {"n": 1, "profile": "axiom"}


def test_f6_a_chip_that_left_the_catalog_is_said(store, saved_then):
    files = older_files()
    renamed = files["accelerators.toml"].replace("[h200-sxm", "[h200-old")
    calibration = files["calibration.toml"].replace("h200-sxm", "h200-old")
    files = {**files, "accelerators.toml": renamed, "calibration.toml": calibration}
    saved = saved_then(files, candidates=["h200-old"])
    opened = store.reopen(ANN, saved)
    assert opened.plan is None
    assert "h200-old" in opened.reason
    assert opened.saved.headline == saved.headline


def test_f6_users_own_facts_stay_as_they_were_pinned(store):
    first = store.overlays.save(ANN, overlay())
    references = [(first.document_id, 1)]
    catalog = store.catalog(ANN, store.scenarios.save(ANN, START, overlays=references))
    headline = planner.headline_of(planner.plan(Scenario.read({}, catalog), catalog))
    saved = store.scenarios.save(ANN, START, overlays=references, headline=headline)
    store.overlays.save(ANN, overlay(tdp_w=overlay()["fields"]["tdp_w"] | {"low": 1}), after=first)
    assert headline != HEADLINE
    assert store.reopen(ANN, saved).reason == ""


def test_f6_ranges_are_drawn_again_with_as_many_samples(store):
    answer = planner.plan(Scenario.read({}), n_samples=64)
    saved = save(store, headline=planner.headline_of(answer))
    opened = store.reopen(ANN, saved)
    assert saved.headline["tax_frac"]["p10"] is not None
    assert opened.moved == ()


def test_f6_without_a_result_nothing_is_claimed(store):
    assert "No result was saved" in store.reopen(ANN, save(store)).reason


def test_f6_each_schema_is_read_through_every_step_after_it(store, monkeypatch):
    """Under a later release, schema 2 goes through its step and schema 1 through both."""
    steps = {**kinds.UPGRADES, 2: lambda content: {**content, "horizon_years": 9.0}}
    monkeypatch.setattr(kinds, "UPGRADES", steps)
    monkeypatch.setattr(kinds, "SCENARIO_SCHEMA", 3)
    opened = store.reopen(ANN, save(store, headline=HEADLINE))
    assert [(c.field, c.new) for c in opened.inputs] == [("horizon_years", 9.0)]
    assert "inputs" in opened.reason
    assert kinds.upgraded({"profile": "neocloud"}, 1)["horizon_years"] == 9.0


def test_f6_a_scenario_of_an_unknown_profile_is_refused_in_a_sentence():
    with pytest.raises(planner.ScenarioError, match="pirate"):
        kinds.upgraded({"profile": "pirate"}, 1)
