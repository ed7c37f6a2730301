"""Links open what they were made for, hold no data, and can be revoked."""

import pytest

from planner import ForbiddenError, StoreError
from tests.store.stand_ins import ANN, BOB, CFO, EVE, save, scenario


def test_a_link_opens_its_version_after_later_changes_and_a_restart(store, address, opened_stores):
    first = save(store)
    link = store.links.share(ANN, first)
    save(store, after=first, demand_scale=2.0)
    assert opened_stores(address).links.open(EVE, link) == first


def test_a_link_to_view_opens_one_version_and_no_other(store):
    first = save(store)
    link = store.links.share(ANN, first)
    save(store, after=first, demand_scale=2.0)
    assert store.scenarios.open(EVE, first.document_id, link=link) == first
    with pytest.raises(StoreError, match="There is no scenario"):
        store.scenarios.open(EVE, first.document_id, 2, link=link)
    with pytest.raises(ForbiddenError, match="opens version 1 and no other"):
        store.scenarios.history(EVE, first.document_id, link=link)
    with pytest.raises(ForbiddenError, match="belongs to ann"):
        store.scenarios.save(BOB, scenario(), after=first, link=link)


def test_a_link_to_edit_lets_editors_and_only_editors_save(store):
    first = save(store)
    link = store.links.share(ANN, first, right="edit")
    with pytest.raises(ForbiddenError, match="eve is viewer here"):
        store.scenarios.save(EVE, scenario(), after=first, link=link)
    second = store.scenarios.save(BOB, scenario(demand_scale=2.0), after=first, link=link)
    assert store.scenarios.open(BOB, first.document_id, link=link) == second
    assert len(store.scenarios.history(BOB, first.document_id, link=link)) == 2


def test_a_revoked_link_opens_nothing_and_saves_nothing(store):
    first = save(store)
    link = store.links.share(ANN, first, right="edit")
    other = store.links.share(ANN, first)
    store.links.revoke(ANN, link)
    with pytest.raises(StoreError, match="revoked"):
        store.links.open(BOB, link)
    with pytest.raises(StoreError, match="There is no scenario"):
        store.scenarios.open(BOB, first.document_id, link=link)
    with pytest.raises(StoreError, match="There is no scenario"):
        store.scenarios.save(BOB, scenario(), after=first, link=link)
    assert store.links.open(BOB, other) == first
    held = {row.share_id: row.revoked_at for row in store.links.of(ANN, first.document_id)}
    assert held[link]
    assert held[other] is None


def test_only_its_maker_or_an_approver_revokes_a_link(store):
    first = save(store)
    link, other = store.links.share(ANN, first), store.links.share(ANN, first)
    with pytest.raises(ForbiddenError, match="no link of yours"):
        store.links.revoke(BOB, link)
    assert store.links.open(BOB, link) == first
    store.links.revoke(CFO, link)
    store.links.revoke(ANN, other)
    store.links.revoke(ANN, other)
    assert [line.action for line in store.trail.whole(CFO)].count("revoke") == 2


def test_only_the_owner_shares(store):
    first = save(store)
    link = store.links.share(ANN, first, right="edit")
    with pytest.raises(StoreError, match="There is no scenario"):
        store.links.share(BOB, first)
    with pytest.raises(ForbiddenError, match="Only ann shares this"):
        store.links.share(CFO, first)
    assert [row.share_id for row in store.links.of(ANN, first.document_id)] == [link]


def test_links_cannot_be_guessed_and_say_nothing(store):
    saved = save(store)
    links = {store.links.share(ANN, saved) for _ in range(20)}
    assert len(links) == 20
    assert all(len(link) == 43 for link in links), "256 random bits in base 64, and nothing else"


def test_the_trail_tells_of_a_link_without_holding_it(store):
    saved = save(store)
    link = store.links.share(ANN, saved)
    store.links.revoke(ANN, link)
    told = store.trail.of(ANN, saved.document_id)
    assert [line.action for line in told] == ["save", "share", "revoke"]
    assert link not in repr(told)


@pytest.mark.parametrize("link", ["", "x", "' OR 1=1 --", "\0", "\ud800", "é" * 5000])
def test_a_broken_link_opens_nothing(store, link):
    saved = save(store)
    with pytest.raises(StoreError, match="revoked or not copied whole"):
        store.links.open(ANN, link)
    with pytest.raises(StoreError, match="There is no scenario"):
        store.scenarios.open(BOB, saved.document_id, link=link)


def test_a_right_that_is_none_is_refused(store):
    with pytest.raises(StoreError, match="rights are view, edit"):
        store.links.share(ANN, save(store), right="own")
