"""The life of a scenario on screen: steps back and forth, drafts, versions, links and files."""

import json
from dataclasses import replace

import pytest

from pages.ui import keeping, life, state
from planner import Identity, Scenario, StoreError, headline_of, plan, read_file
from tests.web.conftest import shown, sound, turn, words


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    """A store of this test alone."""
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path))
    keeping.store.clear()
    yield
    keeping.store.clear()


def press(screen, label):
    button = next(b for b in screen.button if b.label.replace("\\", "") == label)
    return sound(button.click().run())


def held(screen):
    return screen.session_state[state.SCENARIO]


def moved(screen, mw):
    return sound(shown(screen.number_input, "power-box").set_value(mw).run())


def saved_elsewhere(**fields):
    """A version that somebody with the same name saved in another browser."""
    scenario = Scenario.read(fields)
    content, headline = scenario.model_dump(mode="json"), headline_of(plan(scenario))
    return keeping.store().scenarios.save(keeping.reader(), content, headline=headline)


def test_undo_and_redo_are_exact(show):
    screen = show()
    steps = [held(screen), *(held(moved(screen, mw)) for mw in (5.0, 6.0, 7.25))]
    for wanted in reversed(steps[:-1]):
        assert held(press(screen, "Undo")) == wanted
    for wanted in steps[1:]:
        assert held(press(screen, "Redo")) == wanted


def test_a_new_step_forgets_what_was_undone(show):
    screen = press(moved(show(), 5.0), "Undo")
    moved(screen, 6.0)
    assert next(b for b in screen.button if b.label == "Redo").disabled


def test_a_reset_can_be_undone(show):
    screen = press(show(power_budget_mw=3.0), "Reset")
    assert held(screen) == Scenario()
    assert held(press(screen, "Undo")).power_budget_mw == 3.0


def test_a_saved_scenario_waits_on_start_and_opens_as_it_was(show):
    press(show(power_budget_mw=8.0, name="Tuesday"), "Save as a new scenario")
    screen = show()
    screen.button_group(key="start-from").set_value("Saved").run()
    assert "Tuesday" in words(screen)
    assert held(press_open(screen)) == Scenario(name="Tuesday", power_budget_mw=8.0)


def press_open(screen):
    button = next(b for b in screen.button if b.label == "Open" and "open-" not in b.key)
    return sound(button.click().run())


def test_what_is_saved_again_is_the_next_version(show):
    screen = press(show(name="Tuesday"), "Save as a new scenario")
    moved(screen, 8.0)
    assert "changed since" in words(screen)
    press(screen, "Save as version 2")
    assert "Saved: Tuesday, version 2." in words(screen)
    (newest,) = keeping.newest()
    assert (newest.version, newest.content["power_budget_mw"]) == (2, 8.0)


def test_changes_are_measured_against_the_saved_version(show):
    screen = press(show(power_budget_mw=8.0), "Save as a new scenario")
    assert all(metric.delta == "same as saved" for metric in screen.metric)
    assert any("vs saved" in metric.delta for metric in moved(screen, 4.0).metric)


def test_of_two_who_save_the_second_is_told_and_overwrites_nothing(show):
    screen = press(show(name="Tuesday"), "Save as a new scenario")
    mine = screen.session_state[state.OPENED].saved
    content = Scenario(name="Tuesday", power_budget_mw=5.0).model_dump(mode="json")
    keeping.store().scenarios.save(keeping.reader(), content, after=mine)
    moved(screen, 9.0)
    press(screen, "Save as version 2")
    assert "saved version 2 of 'Tuesday'" in words(screen)
    assert keeping.newest()[0].content["power_budget_mw"] == 5.0


def restarted(app, **query):
    """Another browser, after the server was started anew."""
    keeping.store.clear()
    for key in (state.SCENARIO, state.OPENED, state.PAST, state.FUTURE, state.KEPT):
        if key in app.session_state:
            del app.session_state[key]
    app.query_params.clear()
    app.query_params.update(query)
    return sound(app.run())


def test_a_shared_link_opens_the_same_after_a_restart(show, app):
    screen = press(show(power_budget_mw=8.0, fleet_mix=0.25), "Make a link")
    shown, before = next(code.value for code in screen.code), held(screen)
    share_id = shown.split("s=")[1]
    opened = restarted(app, s=share_id)
    assert held(opened) == before
    assert opened.query_params[state.ID] == share_id


def test_a_link_that_opens_nothing_says_so(follow):
    screen = follow(s="nobody-made-this")
    (said,) = screen.warning
    assert "opens nothing" in said.value
    assert held(screen) == Scenario()


def test_a_draft_is_there_after_a_restart(show, app):
    moved(show(), 7.5)
    screen = restarted(app)
    assert held(screen).power_budget_mw == 7.5
    assert "going on from where you stopped" in words(screen)
    assert held(press(screen, "Start afresh")) == Scenario()


def test_f4_figures_stand_while_the_store_is_away(show, monkeypatch):
    def away(*_, **__):
        raise StoreError("The disk is full.")

    monkeypatch.setattr(keeping, "keep_draft", away)
    screen = show()
    assert "not being kept: The disk is full." in words(screen)
    assert len(screen.metric) == 4
    monkeypatch.undo()
    assert "not being kept" not in words(moved(screen, 7.0))


def test_an_older_version_opens_with_then_now_and_why(show, monkeypatch):
    saved = saved_elsewhere(name="Last year")
    older = replace(
        saved,
        model_version="0.0.9",
        headline=dict(saved.headline) | {"recovered_mw": 1.0},
    )
    monkeypatch.setattr(keeping, "newest", lambda: [older])
    screen = show()
    screen.button_group(key="start-from").set_value("Saved").run()
    shown = words(press_open(screen))
    assert "Saved under an earlier release" in shown
    assert "recovered_mw" in shown
    assert "formulas (model 0.0.9" in shown


def test_a_file_starts_a_scenario_and_a_bad_one_is_answered(show):
    screen = show()
    screen.button_group(key="start-from").set_value("A file").run()
    sent = screen.file_uploader(key="scenario-file")
    sent.upload("bad.toml", b"power_budget_mw = -4", "application/toml").run()
    assert any(
        "power_budget_mw: -4 is refused" in w.value.replace("\\", "") for w in screen.warning
    )
    content = json.dumps({"name": "From a file", "power_budget_mw": 4}).encode()
    screen.file_uploader(key="scenario-file").upload("s.json", content, "application/json").run()
    assert held(press(screen, "Open From a file")) == Scenario(
        name="From a file", power_budget_mw=4
    )


@pytest.mark.parametrize(
    ("pasted", "mw"),
    [("http://here/megawatts?profile=axiom&power_budget_mw=6", 6.0), ("nothing", None)],
)
def test_a_pasted_link_opens_or_is_answered(show, pasted, mw):
    screen = show()
    screen.button_group(key="start-from").set_value("A link").run()
    screen.text_input(key="pasted-link").set_value(pasted).run()
    if mw:
        assert held(screen).power_budget_mw == mw
    else:
        assert any("holds no scenario" in said.value for said in screen.warning)


def test_saved_plans_stand_side_by_side_rows_that_differ_first(show):
    saved_elsewhere(name="Small", power_budget_mw=4.0)
    saved_elsewhere(name="Large", power_budget_mw=40.0)
    screen = turn(show(), "compare")
    figures, inputs = (table.value for table in screen.table[:2])
    columns = [name.replace("\\", "") for name in figures.columns]
    assert columns[1:] == ["As on screen", "Large, version 1", "Small, version 1"]
    differs = [len(set(row[1:])) > 1 for row in figures.to_numpy().tolist()]
    assert differs == sorted(differs, reverse=True)
    (row,) = [r for r in inputs.to_numpy().tolist() if r[0] == "Power budget"]
    assert [cell.replace("\\", "") for cell in row[1:]] == ["12 MW", "40 MW", "4 MW"]


def test_with_nothing_saved_compare_says_what_to_do(show):
    assert "Save this scenario" in words(turn(show(), "compare"))


def test_who_asks_is_named_as_the_system_names_them():
    assert isinstance(keeping.reader(), Identity)
    assert keeping.reader().may("editor")


def test_an_address_points_to_the_front_page():
    assert life.address({"s": "x"}).endswith("/?s=x")


def test_a_file_of_a_plan_or_of_its_scenario_alone_comes_back(show):
    screen = show(power_budget_mw=6.5, fleet_mix=0.2)
    whole = json.dumps(plan(held(screen)).as_dict(flips=False)).encode()
    alone = json.dumps(held(screen).model_dump(mode="json")).encode()
    assert read_file("plan.json", whole) == read_file("s.json", alone) == held(screen)


def test_chips_and_classes_come_and_go(show):
    screen = show("fleet")
    screen.session_state["more-owned-chips-site"] = True
    sound(screen.run())
    before = held(screen).owned
    screen.button(key="add-owned").click().run()
    added = held(screen).owned
    assert len(added) == len(before) + 1
    assert added[-1].accelerator not in {row.accelerator for row in before}
    screen.button(key="delete-owned").click().run()
    assert held(screen).owned == added[1:]
