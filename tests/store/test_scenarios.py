"""What is saved stays as it was saved; the same on SQLite and on PostgreSQL."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.errors import StoreError

CONTENT = {"name": "Axiom Cloud", "power_budget_mw": 12.5, "classes": [{"model": "llama-3.3-70b"}]}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)  # fmt: skip


def save(store, content=CONTENT, **changes):
    known = {"name": "Axiom Cloud", "owner": "ann", "model_version": "0.1.0"}
    return store.save(content, **(known | changes))


def test_a_saved_scenario_opens_again_whole(store, address, opened_stores):
    saved = save(store, headline={"tax_frac": 0.12})
    assert opened_stores(address).load(saved.scenario_id) == saved
    assert saved.content == CONTENT
    assert saved.headline == {"tax_frac": 0.12}
    assert saved.version == 1


def test_a_moment_is_kept_in_utc(store):
    saved_at = store.load(save(store).scenario_id).saved_at
    assert saved_at.tzinfo == UTC
    assert abs(datetime.now(UTC) - saved_at) < timedelta(minutes=1)


def test_a_change_is_a_new_version_and_the_old_one_stays(store):
    first = save(store)
    second = save(store, {"power_budget_mw": 20}, after=first, owner="bob", name="Axiom 20")
    assert store.history(first.scenario_id) == [second, first]
    assert store.load(first.scenario_id) == second
    assert store.load(first.scenario_id, version=1) == first


def test_the_second_of_two_who_save_learns_who_was_first(store):
    opened = save(store)
    theirs = save(store, {"power_budget_mw": 20}, after=opened, owner="bob")
    with pytest.raises(StoreError, match=r"bob saved version 2 of 'Axiom Cloud' at .* UTC"):
        save(store, {"power_budget_mw": 30}, after=opened, owner="carol")
    assert store.load(opened.scenario_id) == theirs


def test_of_many_who_save_at_once_exactly_one_is_first(store):
    opened = save(store)
    refused = []

    def save_as(owner):
        try:
            save(store, after=opened, owner=owner)
        except StoreError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=save_as, args=(f"user {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = store.load(opened.scenario_id)
    assert [s.version for s in store.history(opened.scenario_id)] == [2, 1]
    assert len(refused) == 7
    assert all(sentence.startswith(first.owner) for sentence in refused)


def test_the_list_shows_the_latest_version_of_each(store):
    first = save(store, name="A")
    other = save(store, name="B", owner="bob")
    second = save(store, name="A2", after=first)
    assert store.latest() == [second, other]
    assert store.latest("bob") == [other]
    assert store.latest("nobody") == []


def test_a_link_opens_its_version_after_later_changes_and_a_restart(store, address, opened_stores):
    first = save(store)
    link = store.share(first, "ann")
    save(store, {"power_budget_mw": 20}, after=first)
    assert opened_stores(address).shared(link) == first


def test_links_cannot_be_guessed(store):
    saved = save(store)
    links = {store.share(saved, "ann") for _ in range(20)}
    assert len(links) == 20
    assert all(len(link) >= 22 for link in links), "128 bits in base 64 are 22 characters"


@pytest.mark.parametrize("link", ["", "x", "' OR 1=1 --", "\0", "\ud800", "é" * 5000])
def test_a_broken_link_opens_nothing(store, link):
    save(store)
    with pytest.raises(StoreError):
        store.shared(link)


def test_what_is_not_there_is_said(store):
    saved = save(store)
    with pytest.raises(StoreError, match="no scenario 'nothing' in this store"):
        store.load("nothing")
    with pytest.raises(StoreError, match="at version 9"):
        store.load(saved.scenario_id, version=9)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0b", "x" * 201, "right\u202eleft"])
def test_a_name_that_cannot_be_read_is_refused(store, name):
    with pytest.raises(StoreError, match="1 to 200 printable characters"):
        save(store, name=name)
    assert store.latest() == []


@pytest.mark.parametrize("content", [{"x": float("nan")}, {"x": float("inf")}, {"x": object()}])
def test_what_json_cannot_hold_is_refused(store, content):
    with pytest.raises(StoreError, match="cannot be kept as JSON"):
        save(store, content)
    assert store.latest() == []


def test_one_draft_for_each_owner_survives_a_restart(store, address, opened_stores):
    store.keep_draft("ann", {"step": 1})
    store.keep_draft("bob", {"step": 9})
    store.keep_draft("ann", {"step": 2})
    reopened = opened_stores(address)
    assert reopened.draft("ann") == {"step": 2}
    reopened.drop_draft("ann")
    assert store.draft("ann") is None
    assert store.draft("bob") == {"step": 9}


@given(content=st.dictionaries(st.text(), json_values))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_comes_back_as_it_was(store, content):
    assert store.load(save(store, content).scenario_id).content == content
