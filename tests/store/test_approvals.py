"""Draft, reviewed, approved: by whom, in which role, when, and of what exactly."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from planner import ForbiddenError, StoreError
from tests.store.stand_ins import ANN, BOB, CFO, EVE, save


def test_a_version_goes_from_draft_to_reviewed_to_approved(store):
    saved = save(store)
    link = store.links.share(ANN, saved)
    store.approvals.review(BOB, saved, link=link)
    assert store.scenarios.open(ANN, saved.document_id).state == "reviewed"
    store.approvals.approve(CFO, saved)
    assert store.scenarios.listed(ANN)[0].state == "approved"
    steps = store.approvals.of(ANN, saved.document_id, 1)
    assert [(s.state, s.name, s.role) for s in steps] == [
        ("reviewed", "bob", "editor"),
        ("approved", "cfo", "approver"),
    ]
    assert {step.content_hash for step in steps} == {saved.content_hash}
    assert all(abs(datetime.now(UTC) - step.at) < timedelta(minutes=1) for step in steps)


def test_nothing_is_approved_before_it_is_reviewed(store):
    saved = save(store)
    with pytest.raises(StoreError, match="must be reviewed before it is approved"):
        store.approvals.approve(CFO, saved)
    assert store.approvals.of(ANN, saved.document_id, 1) == []


def test_a_step_is_taken_once(store):
    saved = save(store)
    store.approvals.review(ANN, saved)
    with pytest.raises(StoreError, match=r"ann reviewed version 1 of 'Axiom Cloud' at .* already"):
        store.approvals.review(CFO, saved)
    store.approvals.approve(CFO, saved)
    with pytest.raises(StoreError, match="cfo approved version 1"):
        store.approvals.approve(CFO, saved)
    with pytest.raises(StoreError, match="ann reviewed version 1"):
        store.approvals.review(CFO, saved)


def test_a_new_version_is_a_draft_again(store):
    first = save(store)
    store.approvals.review(ANN, first)
    second = save(store, after=first, demand_scale=2.0)
    assert second.state == "draft"
    assert [held.state for held in store.scenarios.history(ANN, first.document_id)] == [
        "draft",
        "reviewed",
    ]


def test_what_is_signed_is_what_was_looked_at(store):
    saved = save(store)
    with pytest.raises(StoreError, match="is not what you opened"):
        store.approvals.review(ANN, replace(saved, content_hash="0" * 64))


def test_a_link_lets_a_viewer_see_approvals_of_its_version_and_give_none(store):
    saved = save(store)
    store.approvals.review(ANN, saved)
    link = store.links.share(ANN, saved)
    assert [s.state for s in store.approvals.of(EVE, saved.document_id, 1, link=link)] == [
        "reviewed"
    ]
    assert store.approvals.of(EVE, saved.document_id, 2, link=link) == []
    with pytest.raises(ForbiddenError, match="reviewing takes editor"):
        store.approvals.review(EVE, saved, link=link)


@pytest.mark.parametrize(
    "changes", [{"demand_scale": 2.0}, {"name": "Other"}, {"headline": {"tax_frac": 0.2}}], ids=str
)
def test_the_hash_is_of_all_that_decides_and_of_the_answer(store, changes):
    same = {"headline": {"tax_frac": 0.1}}
    assert save(store, **same).content_hash == save(store, **same).content_hash
    assert save(store, **same).content_hash != save(store, **(same | changes)).content_hash
