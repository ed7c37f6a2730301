"""Every number under More assumptions: nonsense is refused with its range and stays as typed."""

import pytest

from tests.web.conftest import sound

FOLDS = {
    "start": "more-demand-horizon",
    "money": "more-finance-operator-horizon",
    "power": "more-site-owned",
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
    assert len(names) >= 7
    for key in names:
        screen.number_input(key=key).set_value(-(10**9))
    sound(screen.run())
    said = [warning.value.replace("\\", "") for warning in screen.warning]
    assert len(said) == len(names)
    assert all("is refused; allowed is " in sentence for sentence in said)
    assert screen.session_state["scenario"] == before
    assert {screen.number_input(key=key).value for key in names} == {-(10**9)}


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
