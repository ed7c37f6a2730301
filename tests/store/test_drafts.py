"""What a user was working on survives a restart and is nobody else's."""

import pytest

from planner import Scenario, ScenarioError
from tests.store.stand_ins import ANN, BOB, EVE, own_chip, save


def draft(**changes):
    return Scenario.read(changes)


def test_the_last_draft_of_each_user_survives_a_restart(store, address, opened_stores):
    store.drafts.keep(ANN, draft(demand_scale=1))
    store.drafts.keep(BOB, draft(demand_scale=9))
    store.drafts.keep(ANN, draft(demand_scale=2))
    reopened = opened_stores(address)
    assert reopened.drafts.of(ANN).content["demand_scale"] == 2
    reopened.drafts.drop(ANN)
    assert store.drafts.of(ANN) is None
    assert store.drafts.of(BOB).content["demand_scale"] == 9


def test_a_draft_remembers_which_version_it_began_as(store):
    saved = save(store)
    store.drafts.keep(ANN, draft(demand_scale=2), after=saved)
    held = store.drafts.of(ANN)
    assert (held.document_id, held.version) == (saved.document_id, 1)
    store.drafts.keep(ANN, draft(demand_scale=3))
    assert store.drafts.of(ANN).document_id is None


def test_a_viewer_has_a_draft_too(store):
    store.drafts.keep(EVE, draft(demand_scale=4))
    assert store.drafts.of(EVE).content["demand_scale"] == 4


def test_a_draft_rests_on_the_users_own_facts(store):
    chip = store.overlays.save(ANN, own_chip())
    references = [(chip.document_id, 1)]
    with pytest.raises(ScenarioError, match="acme-1"):
        draft(candidates=["acme-1"])
    mine = draft().model_copy(update={"candidates": ("acme-1",)})
    store.drafts.keep(ANN, mine, overlays=references)
    held = store.drafts.of(ANN)
    assert list(held.overlays) == references
    assert Scenario.read(held.content, store.catalog(ANN, held)).candidates == ("acme-1",)


def test_a_draft_that_is_no_scenario_is_refused(store):
    broken = draft().model_copy(update={"power_budget_mw": -1.0})
    with pytest.raises(ScenarioError, match="power_budget_mw"):
        store.drafts.keep(ANN, broken)
    assert store.drafts.of(ANN) is None
