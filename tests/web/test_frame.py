"""The frame: three sliders, four figures, links, and what is said of a value that is refused."""

import re
from datetime import UTC, datetime

import pytest

from pages.ui import comparing, explain, glossary, kpis, tables
from planner import Scenario, plan, profiles, text
from planner.export.content import content
from planner.export.words import OPTIONS
from tests.stand_ins import swept
from tests.web.conftest import PAGES, shown, words


def tiles(screen):
    return {bare(metric.label): bare(metric.value) for metric in screen.metric}


def bare(words):
    """Markdown as it reads."""
    return words.replace("\\", "").replace("\u2060", "")


def warnings(screen):
    return [bare(said.value) for said in screen.warning]


def test_four_figures_each_with_its_range_and_a_note(show):
    screen = show()
    assert len(tiles(screen)) == 4
    assert sum("P10–P90" in said.value.replace("\\", "") for said in screen.caption) == 4


def test_master_check_model_and_catalog_stand_under_every_page(show):
    foot = words(show())
    assert "Master check passed" in foot
    assert "model " in foot
    assert "catalog " in foot


def test_the_ratio_slider_moves_the_saving_of_the_best_split_and_the_cost(show):
    screen = show()
    before = tiles(screen)
    ratio = shown(screen.select_slider, "ratio-slider")
    ratio.set_value(ratio.options[-1] if isinstance(ratio.options[-1], float) else 20.0).run()
    after = tiles(screen)
    assert screen.session_state["scenario"].decode_to_prefill_token_ratio == pytest.approx(20)
    first, _, cost, _ = after
    assert (first, after[first]) not in before.items()
    assert before[cost] != after[cost]


def test_the_ratio_reads_both_ways_round_with_the_clock_beside_it(show):
    screen = show(decode_to_prefill_token_ratio=0.2)
    assert "1 : 5.0" in shown(screen.select_slider, "ratio-slider").options
    assert "reading prompts" in words(screen)


def test_the_power_slider_moves_the_worth_and_not_the_bridge(show):
    screen = show()
    before = tiles(screen)
    shown(screen.slider, "power-slider").set_value(6.0).run()
    after = tiles(screen)
    assert before["NPV against as built"] != after.get("NPV against as built")
    assert before["Best split saves a year"] == after["Best split saves a year"]


def test_the_mix_slider_moves_the_proposed_mix(show):
    screen = show()
    shown(screen.select_slider, "mix-slider").set_value(40).run()
    assert screen.session_state["scenario"].fleet_mix == pytest.approx(0.4)
    some = words(screen)
    shown(screen.select_slider, "mix-slider").set_value(100).run()
    assert "Your mix:" in some
    assert "at stated values" in some  # the tile is the median of the futures
    assert some != words(screen)


def test_a_box_and_its_slider_agree(show):
    screen = show()
    shown(screen.number_input, "power-box").set_value(8.5).run()
    assert shown(screen.slider, "power-slider").value == pytest.approx(8.5)
    shown(screen.slider, "power-slider").set_value(9.0).run()
    assert shown(screen.number_input, "power-box").value == pytest.approx(9.0)


def test_an_emptied_box_means_audited_and_auto(show):
    screen = show(decode_to_prefill_token_ratio=1.0, fleet_mix=0.5)
    shown(screen.number_input, "ratio-box").set_value(None).run()
    shown(screen.number_input, "mix-box").set_value(None).run()
    scenario = screen.session_state["scenario"]
    assert scenario.decode_to_prefill_token_ratio is None
    assert scenario.fleet_mix == "auto"


@pytest.mark.parametrize(
    ("key", "typed", "allowed"),
    [
        ("ratio-box", 50.0, "0.010 to 20"),
        ("ratio-box", -1.0, "0.010 to 20"),
        ("power-box", -3.0, "0 to 100,000 MW"),
        ("power-box", 1e308, "0 to 100,000 MW"),
        ("mix-box", 140.0, "0 to 100 %"),
    ],
)
def test_nonsense_is_refused_with_what_is_allowed_and_kept_as_typed(show, key, typed, allowed):
    screen = show()
    before = screen.session_state["scenario"]
    screen.number_input(key=key).set_value(typed).run()
    assert screen.number_input(key=key).value == typed
    assert screen.session_state["scenario"] == before
    (said,) = warnings(screen)
    assert allowed in said


def test_a_corrected_value_takes_its_warning_away(show):
    screen = show()
    shown(screen.number_input, "power-box").set_value(-3.0).run()
    shown(screen.number_input, "power-box").set_value(5.0).run()
    assert not warnings(screen)
    assert screen.session_state["scenario"].power_budget_mw == 5.0


def test_a_warning_can_be_put_away(show):
    screen = show()
    shown(screen.number_input, "power-box").set_value(-3.0).run()
    screen.button(key="forget").click().run()
    assert not warnings(screen)
    assert shown(screen.number_input, "power-box").value == 12.0


def test_reset_goes_back_to_the_start_and_says_so(show):
    screen = show(power_budget_mw=3.0, fleet_mix=0.5)
    assert any("vs start" in metric.delta for metric in screen.metric)
    next(button for button in screen.button if button.label == "Reset").click().run()
    assert screen.session_state["scenario"] == Scenario()
    assert all("same as start" in metric.delta for metric in screen.metric)


def test_another_profile_starts_afresh(show):
    screen = show(power_budget_mw=3.0)
    screen.selectbox(key="profile").select("enterprise").run()
    assert screen.session_state["scenario"] == Scenario(profile="enterprise")


def test_a_link_opens_the_scenario_it_was_made_from(follow):
    wanted = Scenario.read(
        {"profile": "neocloud", "fleet_mix": 0.25, "site": {"usd_per_kwh": 0.2}, "name": "Tuesday"}
    )
    screen = follow(**wanted.to_query())
    assert screen.session_state["scenario"] == wanted
    assert not warnings(screen)


def test_the_address_repeats_the_scenario(show):
    screen = show(power_budget_mw=7.5)
    assert screen.query_params["power_budget_mw"] == "7.5"


def test_a_link_keeps_what_is_right_and_says_what_is_not(follow):
    screen = follow(power_budget_mw="-4", fleet_mix="0.5", colour="red")
    scenario = screen.session_state["scenario"]
    assert scenario.fleet_mix == 0.5
    assert scenario.power_budget_mw == Scenario().power_budget_mw
    said = warnings(screen)
    assert len(said) == 2
    assert any("power_budget_mw" in sentence for sentence in said)
    assert any("colour" in sentence for sentence in said)


def test_a_link_to_an_unknown_profile_says_what_is_shown_instead(follow):
    said = " ".join(warnings(follow(profile="martian", fleet_mix="0.5")))
    assert "martian" in said
    assert Scenario().name in said


HOSTILE = (
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "![x](http://127.0.0.1:9/x.png)",
    "<img src=http://127.0.0.1:9/x.png>",
    "$\\int x$ and `code` and :red[paint]",
    "../../etc/passwd",
    "\u202eesrever",
    "😀",
)


@pytest.mark.parametrize("name", swept(HOSTILE, HOSTILE[1:6:2]))
def test_a_hostile_name_is_only_text(show, name):
    from pages.ui.widgets import plain

    for page in ("start", "brief"):
        screen = show(page, name=name)
        shown = [element.value for element in (*screen.markdown, *screen.caption)]
        assert not [said for said in shown if name in said and plain(name) not in said]


def test_explain_opens_the_formula_and_its_inputs_with_sources(show):
    held = plan(Scenario(), n_samples=32)
    document = held.as_dict(flips=False)
    for tile in kpis.strip(held, document, held):
        found = explain.of(tile.id, held, document)
        inputs = explain.assumptions(held, document, found.behind)
        assert found.formula
        assert found.steps
        assert set(inputs.columns) == {"Input", "Value", "Range", "Kind", "Source"}
        assert len(inputs)


SCALES = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "": 1.0}


@pytest.fixture(scope="module")
def drawn():
    """Plan, document, tiles and brief of each profile, with few draws."""
    found = {}
    for name in profiles.names():
        held = plan(Scenario(profile=name), n_samples=256)
        vars(held)["flips"] = ()
        document = held.as_dict(flips=False)
        page = content(held, made_at=datetime(2026, 11, 26, tzinfo=UTC), author="", status="DRAFT")
        found[name] = (held, document, kpis.strip(held, document, held), page["tiles"])
    return found


def test_the_first_tile_is_the_best_splits_and_says_what_the_plan_saves_itself(drawn):
    held, document, (first, *_), (printed, *_) = drawn["axiom"]
    cost = {row["id"]: row["cost_usd_per_year"] for row in document["options"]}
    assert held.verdict.option_id == "monolithic-software"
    own = text.usd(cost["as-built"] - cost["monolithic-software"], place=5)
    assert first.label == printed["name"] == "Best split saves a year"
    for note in (first.note, printed["note"]):
        assert f"et (this plan: {own})" in note


def test_what_the_best_split_would_cost_extra_reads_as_no_saving(drawn):
    held, _, (first, *_), (printed, *_) = drawn["enterprise"]
    assert float(held.bridge.net) < 0
    assert first.label == printed["name"] == "Best split costs extra"
    assert first.value == printed["value"] == text.usd(-float(held.bridge.net), place=3)
    low, middle, high = map(read, printed["spread"])
    assert 0 < low < middle < high
    assert "not taken" in first.note
    assert "not taken" in printed["note"]


@pytest.mark.parametrize("profile", profiles.names())
def test_screen_and_brief_say_the_same_of_the_first_tile(drawn, profile):
    _, _, (first, *_), (printed, *_) = drawn[profile]
    assert (first.label, first.value) == (printed["name"], printed["value"])
    assert first.note.lower() == printed["note"].rpartition(" (")[0].lower()
    assert "tax after software, before friction" in first.note


@pytest.mark.parametrize("profile", profiles.names())
def test_every_tile_names_the_option_that_it_is_of(drawn, profile):
    held, _, tiles_, printed = drawn[profile]
    rival = kpis.rival(held)
    for tile, option in zip(tiles_[1:], (held.best, rival, rival), strict=True):
        assert tile.note.startswith(tables.SHORT[option])
    for tile, option in zip(printed[1:], (held.best, rival, rival), strict=True):
        assert OPTIONS[option].lower() in tile["note"].lower()
    other = held.best != held.verdict.option_id
    assert ("not this plan" in tiles_[1].note) == ("not this plan" in printed[1]["note"]) == other


def test_compared_plans_share_a_row_that_goes_below_zero(drawn):
    rows = {}
    for name in ("axiom", "enterprise"):
        held, document, *_ = drawn[name]
        rows[name] = comparing.tiles(held, document)["Best split saves a year, net"].value
    assert rows["axiom"].startswith("$")
    assert rows["enterprise"].startswith("−$")


def read(shown):
    """A figure back from its words: "−$1.2M" is -1.2e6."""
    sign, digits, scale = re.match(r"([−+]?)\$?([\d.,]+)\s*([kMBT]?)", shown).groups()
    return float(digits.replace(",", "")) * SCALES[scale] * (-1 if sign == "−" else 1)


@pytest.mark.parametrize("profile", ["axiom", "hyperscaler"])
def test_each_headline_is_recomputed_from_what_its_panel_shows(profile):
    held = plan(Scenario(profile=profile), n_samples=64)
    document = held.as_dict(flips=False)
    shown = {tile.id: tile.value for tile in kpis.strip(held, document, held)}
    steps = {name: dict(explain.of(name, held, document).steps) for name in shown}
    *parts, net = list(steps["tax"].values())[: len(document["bridge"]) + 1]
    assert sum(map(read, parts)) == pytest.approx(read(net), abs=1)
    assert read(net) == read(shown["tax"])
    first, second, recovered, _ = map(read, steps["recovered"].values())
    assert first - second == pytest.approx(recovered, abs=0.011)
    assert recovered == pytest.approx(read(shown["recovered"]), rel=0.05)
    tokens, *costs = map(read, steps["cost"].values())
    assert costs[-2] / tokens * 1e6 == pytest.approx(costs[-1], rel=2e-3)
    assert costs[-1] == pytest.approx(read(shown["cost"]), rel=0.05)
    years = [read(usd) for name, usd in steps["worth"].items() if "value" in name or "At" in name]
    assert sum(years[:-1]) == pytest.approx(years[-1], rel=1e-6)
    option = kpis.rival(held)
    assert years[-1] == pytest.approx(float(held.money.npv_usd[option]), rel=0.01)


def spoken(screen):
    """Every tooltip of a screen."""
    kinds = ("select_slider", "slider", "selectbox", "text_input", "button", "number_input")
    kinds += ("caption", "metric", "markdown", "toggle", "file_uploader", "button_group")
    held = [element for kind in kinds for element in screen.get(kind)]
    return {said for said in (getattr(e, "help", None) or e.proto.help for e in held) if said}


@pytest.mark.parametrize("page", PAGES)
def test_a_tooltip_has_at_most_twenty_words(show, short, page):
    said = spoken(show(page))
    assert len(said) > 5
    assert not [words for words in said if len(words.split()) > 20]


def test_the_glossary_needs_at_most_twenty_words_each():
    assert not [said for said in glossary.WORDS.values() if len(said.split()) > 20]
