"""The audit trail tells who changed what, and an edit anywhere in the store is found."""

import re

import pytest
from sqlalchemy import text

import planner
from planner import StoreError
from tests.store.stand_ins import ANN, BOB, CFO, EVE, save, scenario


def test_each_changed_field_is_a_line_with_who_when_old_new_and_model(store):
    first = save(store)
    link = store.links.share(ANN, first, right="edit")
    second = store.scenarios.save(
        BOB, scenario(demand_scale=2.0, name="Twice"), after=first, link=link
    )
    told = [line for line in store.trail.of(ANN, first.document_id) if line.version == 2]
    assert [(line.field, line.old, line.new) for line in told] == [
        ("content", f'"{first.content_hash}"', f'"{second.content_hash}"'),
        ("demand_scale", "400.0", "2.0"),
        ("name", '"Axiom Cloud"', '"Twice"'),
    ]
    assert {(line.who, line.role, line.action) for line in told} == {("bob", "editor", "save")}
    assert {line.model_version for line in told} == {planner.MODEL_VERSION}
    assert all(abs((line.at - second.saved_at).total_seconds()) < 5 for line in told)


def test_the_lines_are_numbered_without_a_gap_across_all_documents(store):
    for who in (ANN, BOB):
        save(store, who, after=save(store, who), demand_scale=2.0)
    assert [line.n for line in store.trail.whole(CFO)] == list(range(1, 7))


def test_what_is_refused_leaves_no_line(store):
    first = save(store)
    save(store, after=first, demand_scale=2.0)
    with pytest.raises(StoreError):
        save(store, after=first, demand_scale=3.0)
    assert {line.new for line in store.trail.whole(CFO) if line.field == "demand_scale"} == {"2.0"}


def test_a_viewer_reads_the_trail_of_no_document_through_a_link_to_view(store):
    first = save(store)
    link = store.links.share(ANN, first)
    with pytest.raises(StoreError, match="opens version 1 and no other"):
        store.trail.of(EVE, first.document_id, link=link)


EDITS = {
    "a line's user": ("trail", "UPDATE trail SET who = 'bob' WHERE n = 2", "Line 2 of"),
    "a line's time": ("trail", "UPDATE trail SET at = '2020-01-01' WHERE n = 3", "Line 3 of"),
    "a line's old value": ("trail", "UPDATE trail SET old = '1' WHERE n = 3", "Line 3 of"),
    "a line's hash": ("trail", "UPDATE trail SET hash = 'f00' WHERE n = 1", "Line 1 of"),
    "a missing line": ("trail", "DELETE FROM trail WHERE n = 2", "Lines 2 to 2 of"),
    "the last line of a save": (
        "trail",
        "DELETE FROM trail WHERE n = 4",
        "tells otherwise of how Version 2",
    ),
    "a scenario": (
        "versions",
        "UPDATE versions SET content = replace(content, '400.0', '4.0')",
        "is not as it was saved",
    ),
    "a headline": ("versions", "UPDATE versions SET headline = '{}'", "is not as it was saved"),
    "an owner": ("versions", "UPDATE versions SET owner = 'bob'", "is not the one that"),
    "an author": ("versions", "UPDATE versions SET author = 'bob'", "is not the one that"),
    "a moment": ("versions", "UPDATE versions SET saved_at = '2020-01-01'", "is not the one that"),
    "a link's right": ("links", "UPDATE links SET \"right\" = 'edit'", "A link to Version 1"),
    "a revoked link": ("links", "UPDATE links SET revoked_at = NULL", "A link to Version 1"),
    "a version and its hash": (
        "versions",
        "UPDATE versions SET content_hash = 'f00' WHERE version = 1",
        "not the one that the audit trail tells of",
    ),
    "an approval's name": (
        "approvals",
        "UPDATE approvals SET name = 'bob'",
        "tells otherwise of how Version 2",
    ),
    "an approval's hash": (
        "approvals",
        "UPDATE approvals SET content_hash = 'f00'",
        "is not what ann reviewed",
    ),
    "a missing approval": ("approvals", "DELETE FROM approvals", "was reviewed is missing"),
    "the facts of then": (
        "catalogs",
        "UPDATE catalogs SET files = replace(files, '700', '701')",
        "are not as they were",
    ),
    "missing facts": ("catalogs", "DELETE FROM catalogs", "kept files of catalog .* missing"),
}


@pytest.mark.parametrize(("table", "order", "said"), EDITS.values(), ids=EDITS.keys())
def test_s3_an_edit_is_found_even_when_the_guards_are_dropped(store, table, order, said):
    first = save(store, headline={"tax_frac": 0.1})
    second = save(store, after=first, demand_scale=2.0)
    store.approvals.review(ANN, second)
    store.links.revoke(ANN, store.links.share(ANN, first))
    store.links.share(ANN, first)
    clean = store.check(CFO)
    assert (clean.problems, clean.n_lines, clean.n_versions) == ((), 7, 2)
    with store._database.engine.begin() as connection:
        act = "delete" if order.startswith("DELETE") else "update"
        on = "" if connection.dialect.name == "sqlite" else f" ON {table}"
        if table != "links":
            connection.execute(text(f"DROP TRIGGER {table}_kept_{act}{on}"))
        connection.execute(text(order))
    problems = " ".join(store.check(CFO).problems)
    assert re.search(said, problems), problems


def test_s3_a_trail_rewritten_from_some_line_on_no_longer_holds_an_earlier_head(store, tmp_path):
    first = save(store)
    store.backup(CFO, tmp_path / "copy.jsonl")
    save(store, after=first, demand_scale=2.0)
    head = store.check(CFO).head
    save(store, after=store.scenarios.open(ANN, first.document_id), demand_scale=3.0)
    assert store.check(CFO, holds=head).problems == ()
    store.restore(CFO, tmp_path / "copy.jsonl")
    assert store.check(CFO).problems == ()
    assert store.check(CFO, holds=head).problems == (
        f"The audit trail no longer holds the line {head}: it was rewritten.",
    )
