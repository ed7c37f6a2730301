"""Every number under More assumptions: nonsense is refused with its range and stays as typed."""

import pytest

from planner import Scenario
from tests.web.conftest import sound

FOLDS = {
    "start": "more-demand-horizon",
    "money": "more-finance-operator-horizon",
    "power": "more-site-owned",
    "workload": "more-classes-demand",
    "options": "more-software-available_software-fabric-owned-chips",
}


def opened(show, page):
    """A page with its fold of assumptions open."""
    screen = show(page)
    screen.session_state[FOLDS[page]] = True
    return sound(screen.run())


def boxes(screen):
    return [box.key for box in screen.number_input if box.key.startswith("field-")]


@pytest.mark.parametrize("page", FOLDS)
def test_b1_a_number_out_of_range_is_refused_with_what_is_allowed(show, page):
    screen = opened(show, page)
    before = screen.session_state["scenario"]
    names = boxes(screen)
    assert len(names) >= 5
    for key in names:
        screen.number_input(key=key).set_value(-(10**9))
    sound(screen.run())
    said = [warning.value.replace("\\", "") for warning in screen.warning]
    assert len(said) == len(names)
    assert all("is refused; allowed is " in sentence for sentence in said)
    assert screen.session_state["scenario"] == before
    assert {screen.number_input(key=key).value for key in names} == {-(10**9)}


@pytest.mark.parametrize("page", FOLDS)
def test_every_number_that_is_typed_within_its_range_is_taken(show, page):
    screen = opened(show, page)
    for key in boxes(screen):
        box = screen.number_input(key=key)
        before = box.value
        box.set_value(before * 1.25 + 1 if isinstance(before, float) else (before or 0) + 1)
        sound(screen.run())
        if screen.warning:  # beyond its range: a little less is within
            screen.number_input(key=key).set_value(before * 0.75 if before else 0).run()
        assert not screen.warning, (key, [said.value for said in screen.warning])
        held = reached(screen.session_state["scenario"], key.removeprefix("field-"))
        assert held != reached(Scenario(), key.removeprefix("field-"))


def reached(scenario, path):
    """A field by its dotted path."""
    for step in path.split("."):
        scenario = scenario[int(step)] if step.isdigit() else getattr(scenario, step)
    return scenario


def test_what_is_typed_in_percent_is_kept_as_a_share(show):
    screen = opened(show, "start")
    screen.number_input(key="field-growth_frac_per_year").set_value(35.0).run()
    assert screen.session_state["scenario"].growth_frac_per_year == pytest.approx(0.35)


def test_each_starting_value_names_its_source(show):
    screen = opened(show, "money")
    cited = [
        c.value for c in screen.caption if c.value.startswith(("estimate", "measured", "quote"))
    ]
    assert len(cited) >= 5


def test_b1_an_emptied_number_that_is_needed_is_refused(show):
    screen = opened(show, "start")
    screen.number_input(key="field-demand_scale").set_value(None).run()
    (said,) = screen.warning
    assert "Demand scale: an empty box is refused; allowed is 0 to" in said.value.replace("\\", "")
