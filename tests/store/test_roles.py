"""Who may do what: checked in the store, whatever the web shows."""

import pytest

from planner import ForbiddenError, Identity, Scenario, StoreError
from tests.store.stand_ins import ANN, BOB, CFO, EVE, START, overlay, save, scenario

GUESTS = [EVE, BOB]


@pytest.mark.parametrize("role", ["admin", "", "Viewer"])
def test_an_unknown_role_is_refused(role):
    with pytest.raises(StoreError, match="roles are viewer, editor, approver"):
        Identity("ann", role)


@pytest.mark.parametrize("user", ["", " ", "a\nb", "x" * 201])
def test_a_user_without_a_readable_name_is_refused(user):
    with pytest.raises(StoreError, match="1 to 200 printable characters"):
        Identity(user, "viewer")


def calls(store, saved, file):
    """Every function that takes more than a viewer, with the least role that may call it."""
    return {
        "save a scenario": ("editor", lambda who: store.scenarios.save(who, START)),
        "save an overlay": ("editor", lambda who: store.overlays.save(who, overlay())),
        "share": ("editor", lambda who: store.links.share(who, saved)),
        "review": ("editor", lambda who: store.approvals.review(who, saved)),
        "approve": ("approver", lambda who: store.approvals.approve(who, saved)),
        "read the trail": ("approver", store.trail.whole),
        "check": ("approver", store.check),
        "backup": ("approver", lambda who: store.backup(who, file)),
        "restore": ("approver", lambda who: store.restore(who, file)),
        "import": ("approver", lambda who: store.import_everything(who, file)),
    }


def test_s3_what_a_role_may_not_do_is_refused_and_changes_nothing(store, tmp_path):
    saved = save(store)
    for act, (least, call) in calls(store, saved, tmp_path / "copy.jsonl").items():
        below = {"editor": [EVE], "approver": [EVE, ANN]}[least]
        for who in below:
            with pytest.raises(ForbiddenError, match=f"{who.user} is {who.role} here") as refused:
                call(who)
            assert f"takes {least}" in str(refused.value), act
    assert [line.action for line in store.trail.whole(CFO)] == ["save"]
    assert list(tmp_path.glob("copy*")) == []


@pytest.mark.parametrize("who", GUESTS, ids=lambda who: who.role)
def test_s3_nobody_opens_what_was_not_shared_with_them(store, who):
    saved = save(store)
    calls = [
        lambda: store.scenarios.open(who, saved.document_id),
        lambda: store.scenarios.history(who, saved.document_id),
        lambda: store.approvals.of(who, saved.document_id, 1),
        lambda: store.trail.of(who, saved.document_id),
        lambda: store.links.of(who, saved.document_id),
        lambda: store.reopen(who, saved),
        lambda: store.catalog(who, saved),
    ]
    for call in calls:
        with pytest.raises(StoreError) as refused:
            call()
        absent = str(refused.value).replace(saved.document_id, "nothing")
        with pytest.raises(StoreError) as unknown:
            store.scenarios.open(who, "nothing")
        assert absent == str(unknown.value), "whether it exists must not show"
    assert store.scenarios.listed(who) == []


def test_s3_nobody_saves_over_what_is_not_theirs(store):
    saved = save(store)
    with pytest.raises(StoreError, match="There is no scenario"):
        save(store, BOB, after=saved)
    with pytest.raises(ForbiddenError, match="belongs to ann"):
        save(store, CFO, after=saved)
    assert len(store.scenarios.history(ANN, saved.document_id)) == 1


def test_a_scenario_stays_its_owners_when_somebody_else_saves_the_next_version(store):
    saved = save(store)
    link = store.links.share(ANN, saved, right="edit")
    theirs = store.scenarios.save(BOB, scenario(demand_scale=2.0), after=saved, link=link)
    assert (theirs.owner, theirs.author) == ("ann", "bob")
    assert [held.author for held in store.scenarios.listed(ANN)] == ["bob"]


def test_an_approver_opens_everything_saved_but_no_draft(store):
    saved = save(store)
    store.drafts.keep(ANN, Scenario.read({"demand_scale": 3}))
    assert store.scenarios.open(CFO, saved.document_id) == saved
    assert store.drafts.of(CFO) is None


def test_a_document_is_opened_as_what_it_is(store):
    chip = store.overlays.save(ANN, overlay())
    with pytest.raises(StoreError, match="There is no scenario"):
        store.scenarios.open(ANN, chip.document_id)
    with pytest.raises(ForbiddenError, match="saved overlay"):
        save(store, after=chip)
