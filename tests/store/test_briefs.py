"""Briefs of saved versions: stamped with who signed, sealed, and known again later."""

import re

import pytest

from planner import StoreError
from planner.__main__ import main
from planner.export.brief import brief_pdf
from planner.export.seal import keywords, seal_of, sealed
from planner.store import briefs, commands
from planner.store.briefs import told
from tests.export.printing import AT, page_text, planned
from tests.store.stand_ins import ANN, BOB, CFO, EVE
from tests.store.test_commands import edit


def saved_plan(store, who=ANN, **fields):
    held = planned("enterprise", **fields)
    return store.scenarios.save(who, held.scenario.model_dump(mode="json")), held


def approved(store):
    saved, held = saved_plan(store)
    store.approvals.review(ANN, saved)
    store.approvals.approve(CFO, saved)
    return saved, held


def test_an_approved_brief_names_who_signed_it_and_when(store):
    saved, held = approved(store)
    said = page_text(store.briefs.issue(ANN, saved, held, made_at=AT))
    assert " APPROVED " in said
    assert "DRAFT" not in said
    assert re.search(r"Reviewed by ann editor, \d{4}-\d\d-\d\d \d\d:\d\d UTC", said)
    assert re.search(r"Approved by cfo approver, \d{4}-\d\d-\d\d \d\d:\d\d UTC", said)


def test_each_state_is_stamped(store):
    saved, held = saved_plan(store)
    assert " DRAFT " in page_text(store.briefs.issue(ANN, saved, held))
    store.approvals.review(ANN, saved)
    said = page_text(store.briefs.issue(ANN, saved, held))
    assert " REVIEWED " in said
    assert "Approved, date" in said


def test_an_approved_brief_is_known_again(store):
    saved, held = approved(store)
    pdf = store.briefs.issue(ANN, saved, held)
    found = store.briefs.verified(EVE, pdf)
    assert found.saved.document_id == saved.document_id
    assert [step.name for step in found.approvals] == ["ann", "cfo"]
    first, *steps = told(found)
    assert "Enterprise" in first
    assert "APPROVED, issued by ann" in first
    assert steps[1].startswith("Approved by cfo (approver) at ")


def test_a_brief_vouches_only_for_the_steps_that_it_is_stamped_with(store):
    saved, held = saved_plan(store)
    draft = store.briefs.issue(ANN, saved, held)
    store.approvals.review(ANN, saved)
    store.approvals.approve(CFO, saved)
    assert store.briefs.verified(ANN, draft).approvals == ()


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_changed_byte_is_found(store, place):
    saved, held = approved(store)
    pdf = bytearray(store.briefs.issue(ANN, saved, held))
    pdf[int(len(pdf) * place)] ^= 1
    with pytest.raises(StoreError, match="was altered"):
        store.briefs.verified(ANN, bytes(pdf))


def test_a_file_with_something_appended_is_altered(store):
    saved, held = approved(store)
    with pytest.raises(StoreError, match="was altered"):
        store.briefs.verified(ANN, store.briefs.issue(ANN, saved, held) + b" ")


def test_who_seals_a_forgery_themselves_is_found_out(store):
    """A seal is no secret: a page that only claims approval is in no trail."""
    forged = brief_pdf(planned("enterprise"), made_at=AT, status="APPROVED")
    assert seal_of(forged).intact
    with pytest.raises(StoreError, match="says APPROVED, but this store has issued no such brief"):
        store.briefs.verified(ANN, forged)


def test_an_altered_file_that_is_sealed_again_is_found_out(store):
    saved, held = approved(store)
    pdf = store.briefs.issue(ANN, saved, held)
    again = sealed(pdf.replace(b"Enterprise", b"Enterprize"))
    assert again != pdf
    assert seal_of(again).intact
    with pytest.raises(StoreError, match="no such brief"):
        store.briefs.verified(ANN, again)


def test_a_draft_of_the_command_line_is_intact_and_nobody_approved_it(store):
    (said,) = told(store.briefs.verified(ANN, brief_pdf(planned("enterprise"), made_at=AT)))
    assert said == "The file is as it was made: a draft, which nobody approved."


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 nothing", b"\x00" * 99])
def test_other_files_carry_no_seal(store, content):
    with pytest.raises(StoreError, match="carries no seal"):
        store.briefs.verified(ANN, content)


def test_the_plan_must_be_of_the_version(store):
    saved, _ = saved_plan(store)
    with pytest.raises(StoreError, match="The plan is not of version 1 of 'Enterprise'"):
        store.briefs.issue(ANN, saved, planned("enterprise", demand_scale=2.0))


def test_what_was_approved_under_another_model_is_not_issued_anew(store, monkeypatch):
    saved, held = approved(store)
    monkeypatch.setattr(briefs, "MODEL_VERSION", "99.0.0")
    with pytest.raises(StoreError, match="was approved under another model or catalog"):
        store.briefs.issue(ANN, saved, held)


def test_only_who_may_open_a_version_may_issue_it(store):
    saved, held = saved_plan(store)
    with pytest.raises(StoreError):
        store.briefs.issue(BOB, saved, held)
    link = store.links.share(ANN, saved)
    assert store.briefs.issue(BOB, saved, held, link=link)


def test_issuing_is_a_line_of_the_trail_and_the_store_stays_sound(store):
    saved, held = approved(store)
    pdf = store.briefs.issue(ANN, saved, held)
    line = store.trail.of(ANN, saved.document_id)[-1]
    assert (line.action, line.field, line.who) == ("brief", "seal", "ann")
    assert seal_of(pdf).seal in line.new
    assert store.check(CFO).problems == ()


def test_an_edited_trail_vouches_for_nothing(store):
    saved, held = approved(store)
    pdf = store.briefs.issue(ANN, saved, held)
    edit(store, "UPDATE trail SET who = 'bob' WHERE n = 1", "trail")
    with pytest.raises(StoreError, match="Line 1 of the audit trail is not as it was written"):
        store.briefs.verified(ANN, pdf)


def test_a_title_that_looks_like_a_seal_changes_nothing(store):
    name = "/Keywords(" + ", ".join(keywords("APPROVED", "a" * 64))
    held = planned("enterprise", name=name[:190])
    seal = seal_of(brief_pdf(held, made_at=AT))
    assert seal.intact
    assert seal.status == "DRAFT"


def test_the_command_verifies_and_says_no_with_status_2(
    address, opened_stores, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("SWITCHYARD_DATABASE_URL", address)
    store = opened_stores()
    saved, held = approved(store)
    monkeypatch.setattr(commands, "_planned", lambda *_: held)
    out = tmp_path / "brief.pdf"
    assert main(["store", "list"]) == 0
    assert saved.document_id in capsys.readouterr().out
    assert main(["store", "brief", saved.document_id, "-o", str(out)]) == 0
    assert main(["verify", str(out)]) == 0
    assert "Approved by cfo (approver)" in capsys.readouterr().out
    out.write_bytes(out.read_bytes().replace(b"Enterprise", b"Enterprize"))
    assert main(["verify", str(out)]) == 2
    assert "was altered" in capsys.readouterr().err
    assert main(["verify", str(tmp_path / "nowhere.pdf")]) == 2


def test_the_command_answers_the_version_that_was_saved(store, monkeypatch):
    monkeypatch.setattr(commands, "N_SAMPLES", 0)
    saved, held = saved_plan(store)
    assert commands._planned(store, ANN, saved).scenario == held.scenario


def test_review_and_approve_from_the_command_line(address, opened_stores, monkeypatch):
    monkeypatch.setenv("SWITCHYARD_DATABASE_URL", address)
    store = opened_stores()
    saved, _ = saved_plan(store)
    assert main(["store", "approve", saved.document_id]) == 2
    assert main(["store", "review", saved.document_id]) == 0
    assert main(["store", "approve", saved.document_id, "--version", "1"]) == 0
    assert store.scenarios.open(ANN, saved.document_id).state == "approved"
