"""The export menu and the approval of a saved version, without a browser."""

import pytest

from pages.ui import export, keeping, state
from planner import StoreError
from planner.export.kinds import KINDS
from planner.export.seal import seal_of
from tests.web.conftest import sound, words


def labels(screen):
    return [button.label for button in screen.get("download_button")]


def test_one_menu_offers_every_kind_of_file(show):
    found = labels(show("brief", profile="enterprise"))
    wanted = ["One-page brief, PDF", *(label for _, label, *_ in (*export.SINGLE, *export.PACKED))]
    assert [label for label in found if label in wanted] == wanted
    offered = {kind for kind, _, _ in export.SINGLE}
    offered |= {kind for kinds, _, _ in export.PACKED for kind in kinds}
    assert offered | {"pdf"} == set(KINDS)


def test_files_have_names_of_their_own(show):
    screen = show("brief", profile="enterprise", name="../=Ünï <b>")
    found = [button.proto.id for button in screen.get("download_button")]
    assert len(set(found)) == len(found)


def test_an_unsaved_scenario_is_told_to_be_saved_first(show):
    assert "Save this scenario first" in words(show("brief", profile="enterprise"))


def pressed(screen, label):
    (button,) = [each for each in screen.button if each.label == label]
    return sound(button.click().run())


@pytest.fixture
def saved(show):
    """The brief page over a version that was just saved."""
    screen = show("brief", profile="enterprise")
    scenario = screen.session_state["scenario"]
    held = keeping.save(scenario, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "opened", lambda: held)
        yield sound(screen.run()), held, scenario


def test_a_saved_version_is_reviewed_then_approved_then_stamped(saved):
    screen, _, scenario = saved
    screen = pressed(screen, "Mark as reviewed")
    assert "**Reviewed** by" in words(screen)
    assert "Brief stamped reviewed, PDF" in labels(screen)
    screen = pressed(screen, "Approve")
    assert "**Approved** by" in words(screen)
    assert not [each for each in screen.button if each.label == "Approve"]
    assert "Brief stamped approved, PDF" in labels(screen)
    assert scenario.name in words(screen)


def test_what_was_changed_after_saving_is_not_what_gets_approved(saved):
    screen, _, scenario = saved
    screen.session_state["scenario"] = scenario.model_copy(update={"demand_scale": 2.0})
    shown = sound(screen.run())
    assert "Save this scenario first" in words(shown)
    assert not [each for each in shown.button if each.label == "Mark as reviewed"]


def test_a_refusal_is_said_in_words(saved, monkeypatch):
    def refuse(*_, **__):
        raise StoreError("eve is viewer here, and reviewing takes editor.")

    screen, *_ = saved
    monkeypatch.setattr(type(keeping.store().approvals), "review", refuse)
    assert "reviewing takes editor" in words(pressed(screen, "Mark as reviewed"))


def test_the_stamped_page_carries_an_intact_seal(saved, monkeypatch):
    screen, held, scenario = saved
    plan = export.answers.plan_of(scenario)
    monkeypatch.setitem(vars(plan), "flips", ())
    pressed(screen, "Mark as reviewed")
    seal = seal_of(export._stamped(held, scenario))
    assert seal.intact
    assert seal.status == "REVIEWED"


def test_the_preview_is_the_page_as_it_prints(show):
    screen = show("brief", profile="enterprise")
    (picture,) = screen.get("image")
    assert picture.proto.imgs[0].caption.startswith("The page as it prints")
