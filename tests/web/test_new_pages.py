"""Fleet, risk and the outlooks on the options: the same figures as the plan's own document."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from pages.ui import (
    answers,
    comparing,
    curves,
    days,
    decisions,
    fleets,
    kpis,
    ladder,
    ledgers,
    risks,
    spreads,
    tables,
    trends,
)
from planner import Scenario, at_mix, at_ratio, latencies, plan, profiles, text
from planner.export.content import content
from planner.export.notes import ask
from tests.web.conftest import turn, words


def cells(table):
    """A table's cells as they read."""
    unsaid = str.maketrans("", "", "\\\u2060")
    return [[cell.translate(unsaid).strip("*") for cell in row] for row in table.value.to_numpy()]


@pytest.mark.parametrize("profile", ["axiom", "hyperscaler"])
def test_owned_and_new_chips_add_up_to_the_proposed_plan(profile):
    held = plan(Scenario(profile=profile))
    rows = fleets.assigned(held, "proposed")
    assert rows["total"].sum() == held.as_dict(flips=False)["proposed"]["n_accelerators"]
    assert (rows[fleets.OWNED] + rows[fleets.NEW]).tolist() == rows["total"].tolist()
    assert rows[fleets.OWNED].sum() <= sum(fleets.serving(held.scenario).values())


def test_a_forced_share_is_what_the_pools_hold_and_what_the_page_says(show, short):
    screen = turn(show(profile="hyperscaler", fleet_mix=0.4), "fleet")
    shown = {m.label.replace("\\", ""): m.value.replace("\\", "") for m in screen.metric}
    held = answers.plan_of(screen.session_state["scenario"])
    share = tables.split_power_frac(held, "proposed")
    assert shown["Power in split pools"] == text.percent(share, place=-2)
    assert share == pytest.approx(0.4, abs=0.02)  # pools come in whole servers
    assert "you asked for 40%" in words(screen)


def test_a_share_that_whole_servers_cannot_form_is_not_said_to_be_met(show, short):
    screen = turn(show(profile="enterprise", fleet_mix=0.05), "fleet")
    shown = {m.label: m.value for m in screen.metric}
    assert shown["Power in split pools"].replace("\\", "") == "0%"
    assert "you asked for 5.0%" in words(screen)
    found = dict(next(cells(t) for t in screen.table if "used up" in str(t.value)))
    assert found["Forced share missed by"] == "5.0%"


def test_the_line_of_forced_shares_stands_at_the_shares_that_are_formed():
    rows = [at_mix(plan(Scenario(profile="enterprise")), asked) for asked in (0.05, 0.2)]
    drawn = fleets.along_mix(rows)
    assert drawn["asked_frac"].tolist() == [0.05, 0.2]
    assert drawn["share"].tolist() == [0.0, pytest.approx(rows[1]["formed_frac"])]
    assert (drawn["share"] - drawn["asked_frac"]).abs().tolist() == pytest.approx(
        drawn["missed_by"].tolist()
    )


def test_the_line_of_forced_shares_runs_through_the_plans_of_those_shares():
    scenario = Scenario()
    asked = at_mix(plan(scenario), 0.5)
    forced = plan(scenario.model_copy(update={"fleet_mix": 0.5}))
    assert asked["npv_usd"] == pytest.approx(float(forced.money.npv_usd["proposed"]))
    assert asked["cost_usd_per_year"] == pytest.approx(
        float(forced.money.cost_usd_per_year("proposed"))
    )


def test_the_star_on_the_line_of_shares_names_the_worth_of_the_tile_too(show, short):
    screen = turn(show(profile="hyperscaler"), "fleet")
    tile = next(m.value.replace("\\", "") for m in screen.metric if m.label.startswith("NPV"))
    scenario = screen.session_state["scenario"]
    held = fleets.along_mix([answers.at_mix(scenario, 0.5)])
    star = curves.along_mix(held, text.usd, picked=fleets.picked(scenario)).data[1]
    stated = float(answers.plan_of(scenario).money.npv_usd["proposed"])
    assert star.y[0] == pytest.approx(stated)
    assert star.text[0] == f"{text.usd(stated)} stated<br>{tile} median"
    assert tile != text.usd(stated)
    assert "at stated values" in words(screen)


@pytest.mark.parametrize("low", [-2.6e6, 0.0])
def test_a_dollar_axis_reads_minus_before_the_dollar(low):
    held = pd.DataFrame({"share": [0.0, 1.0], "npv_usd": [0.0, low]})
    axis = curves.along_mix(held, text.usd, picked=(0.0, 0.0, 0.0)).layout.yaxis
    assert axis.tickprefix is None
    assert "$0" in axis.ticktext
    assert ("−$1M" in axis.ticktext) == (low < 0)
    for usd, said in zip(axis.tickvals, axis.ticktext, strict=True):
        assert said.startswith("−$" if usd < 0 else "$")


def test_the_optimum_names_what_binds_and_what_more_is_worth(show, short):
    screen = turn(show(power_budget_mw=4.0), "fleet")
    found = dict(next(cells(t) for t in screen.table if "used up" in str(t.value)))
    assert found["Limits that are used up"]
    assert found["One more megawatt would bring"].endswith("a year")


def test_nothing_owned_says_so(show, short):
    assert "Nothing is owned yet" in words(turn(show(owned=[]), "fleet"))


def test_cost_at_a_ratio_is_that_of_the_plan_at_that_ratio():
    scenario = Scenario()
    rows = {row["option_id"]: row for row in at_ratio(plan(scenario), 0.5)}
    there = plan(scenario.model_copy(update={"decode_to_prefill_token_ratio": 0.5}))
    for name in ("as-built", "split-mixed"):
        usd = float(there.money.cost_usd_per_year(name))
        assert rows[name]["cost_usd_per_year"] == pytest.approx(usd)


def test_cost_against_ratio_is_the_same_wherever_the_sliders_stand():
    here, there = Scenario(), Scenario(power_budget_mw=5.0, fleet_mix=0.3)
    there = there.model_copy(update={"decode_to_prefill_token_ratio": 2.0})
    assert answers.at_any_slider(here) == answers.at_any_slider(there)
    for row, other in zip(at_ratio(plan(here), 0.2), at_ratio(plan(there), 0.2), strict=True):
        assert row["cost_usd_per_year"] == pytest.approx(other["cost_usd_per_year"])


def test_a_turn_lies_where_the_cheapest_lines_cross(monkeypatch):
    monkeypatch.setattr(trends, "RATIOS", (0.01, 1.0))
    rows = [("a", 0.01, 1.0), ("a", 1.0, 3.0), ("b", 0.01, 2.0), ("b", 1.0, 2.0)]
    held = trends.pd.DataFrame(rows, columns=["id", "ratio", "usd"])
    (turned,) = trends.turns(held)["ratio"]
    assert turned == pytest.approx(0.1, rel=0.02)  # half way on the log axis


@pytest.mark.parametrize("profile", profiles.names())
def test_latency_as_planned_is_what_the_plan_states(profile):
    held = plan(Scenario(profile=profile))
    document = held.as_dict(flips=False)
    for name in ("as-built", "split-mixed"):
        stated = {row["name"]: row for row in tables.record(document, name)["by_class"]}
        rows = [r for r in latencies(held, (name,)) if r["fullness"] == pytest.approx(1.0)]
        assert {row["class"] for row in rows} == set(stated)
        for row in rows:
            for measure in ("p99_ttft_s", "p99_tpot_s"):
                assert row[measure] == pytest.approx(stated[row["class"]][measure], rel=1e-6)


def test_fuller_chips_are_never_faster():
    rows = latencies(plan(Scenario()), ("as-built",))
    for name in {row["class"] for row in rows}:
        waits = [row["p99_ttft_s"] for row in rows if row["class"] == name]
        known = [wait for wait in waits if wait is not None]
        assert known == sorted(known)
        assert len(known) >= 2


def test_the_flow_sends_every_chip_somewhere():
    held = plan(Scenario(profile="hyperscaler"))
    rows = trends.pool_flow(held, "split-mixed")
    chips = sum(pool.n_accelerators for pool in held.fleets["split-mixed"].pools)
    assert rows["value"].sum() == chips
    over_the_network = (rows[["source", "target"]] == "Network between pools").any(axis=1)
    assert over_the_network.all()


def test_the_band_of_cash_holds_the_middle_and_ends_at_its_sum():
    held = plan(Scenario(), n_samples=256)
    rows = trends.cash(held, "monolithic-software")
    assert (rows["p10"] <= rows["p90"]).all()
    assert rows["sum"].iloc[-1] == pytest.approx(rows["usd"].sum())


def test_dots_of_a_triangle_are_evenly_likely():
    dots = curves.dots(0.0, 1.0, 3.0, 3000)
    assert sum(dots) / len(dots) == pytest.approx(4 / 3, rel=1e-3)  # (low + middle + high) / 3
    assert dots == sorted(dots)


def test_risk_says_where_each_input_turns_the_verdict_as_the_plan_does(show, monkeypatch):
    monkeypatch.setattr(risks, "SHOWN_BARS", 2)
    monkeypatch.setattr(risks, "RATIOS", (0.1,))
    screen = turn(show(profile="hyperscaler"), "risk")
    held = answers.plan_of(screen.session_state["scenario"])
    rows = cells(screen.table[0])
    for row, swing in zip(rows, held.risk.swings, strict=False):
        found = held.risk.turn_of(swing)
        assert (row[3] == "not in its range") == (found.verdict is None)
        assert found.action is None or row[4] == tables.ACTIONS[found.action]


def test_a_cell_of_the_map_is_the_plan_of_that_ratio():
    held = plan(Scenario())
    ratio = 0.2
    columns = [answers.heat_at(Scenario(), ratio)]
    last = risks.heat(columns).iloc[-1]
    there = plan(held.scenario.model_copy(update={"decode_to_prefill_token_ratio": ratio}))
    assert last["verdict"] == tables.ACTIONS[there.verdict.action]


def test_regret_is_told_for_a_split(show, short):
    screen = turn(show(), "risk")
    screen.button_group(key="risk-view").set_value("If the mix drifts").run()
    titles = [str(table.value.columns[0]).replace("\\", "") for table in screen.table]
    assert "If the ratio turns out" in titles


@pytest.mark.parametrize("view", ["Another ratio", "Fuller chips", "Faster service"])
def test_every_outlook_opens_with_its_table(show, short, view):
    screen = turn(show(), "options")
    screen.button_group(key="outlook").set_value(view).run()
    assert not screen.exception
    assert not [said for said in screen.markdown if "No option" in said.value]


def test_the_day_of_a_site_is_the_plans_own():
    document = plan(Scenario()).as_dict(flips=False)
    rows = days.over_a_day(document, ("as-built",))
    record = tables.record(document, "as-built")
    assert list(rows["hours"]) == list(range(-12, 13))
    assert rows["draw_mw"].max() * 1e6 == pytest.approx(record["facility_peak_w"])
    assert rows["draw_mw"][:-1].mean() * 1e6 == pytest.approx(record["facility_mean_w"])
    assert days.provisioned_mw(document, rows)[0] * 1e6 == record["facility_provisioned_w"]


def test_chips_on_paper_are_counted_three_ways():
    words = ladder.on_paper(
        {
            "tax_frac_by_elasticity": 0.28,
            "tax_frac_vendor_less_saving": -0.14,
            "tax_frac_at_16_bit": 0.13,
        }
    )
    assert [share in words for share in ("28%", "−14%", "13%")] == [True] * 3
    assert ladder.on_paper(None) == ""


@pytest.mark.parametrize("profile", ["axiom", "enterprise"])
def test_how_sure_tells_of_the_option_of_the_tiles_and_names_it(profile):
    held = plan(Scenario(profile=profile), n_samples=256)
    document = held.as_dict(flips=False)
    rows = risks.strips(held, document).set_index("id")["words"]
    option, name = kpis.rival(held), tables.SHORT[kpis.rival(held)].lower()
    *_, cost, worth = kpis.strip(held, document, held)
    drawn = held.sampled.cost_usd_per_year(option) / held.sampled.volumes.useful_tokens * 1e6
    assert rows[f"$ per M tokens, {name}"].startswith(text.usd(float(np.median(drawn))))
    assert rows[f"NPV, {name}"].startswith(f"{worth.value} (")
    assert worth.span.removeprefix("P10–P90 ") in rows[f"NPV, {name}"]
    assert cost.span.removeprefix("P10–P90 ") in rows[f"$ per M tokens, {name}"]


def test_one_figure_is_rounded_the_same_on_the_page_of_risks_and_on_the_brief():
    held = plan(Scenario(), n_samples=256)
    vars(held)["flips"] = ()
    page = content(held, made_at=datetime(2026, 11, 26, tzinfo=UTC), author="", status="DRAFT")
    worth = page["tiles"][3]
    assert worth["spread"][1] == worth["value"]
    figure = spreads.tornado(risks.tornado(held, {}), text.usd, base=0.0)
    (words,) = (trace.text for trace in figure.select_traces({"mode": "text"}))
    printed = page["figures"]["tornado"]["alt"]
    for said in words[:5]:
        low, high = said.strip().split(" to ")
        assert f"{low} to {high}" in printed or f"{high} to {low}" in printed


@pytest.fixture(scope="module")
def hyperscaler():
    held = plan(Scenario(profile="hyperscaler"), n_samples=1024)
    return held, held.as_dict(flips=False)


def test_too_few_chips_are_called_short_of_the_need(hyperscaler):
    _, document = hyperscaler
    (first, *_) = document["stranded"]["causes"]
    assert first["mw"] < 0
    assert first["label"] == "Chips short of the need"
    assert "Chips short of the need" in set(tables.stranded(document)["step"])
    owns_more = plan(Scenario()).as_dict(flips=False)["stranded"]["causes"][0]
    assert owns_more["mw"] > 0
    assert owns_more["label"] == "Chips beyond the need"


def test_what_the_site_can_carry_holds_the_recommended_mix_and_says_of_which_power(hyperscaler):
    held, document = hyperscaler
    assert held.verdict.option_id == "proposed"
    rows = tables.from_the_site(document).set_index("id")["served"]
    assert rows["proposed"] == pytest.approx(
        40.0 / (document["proposed"]["facility_provisioned_w"] / 1e6)
    )
    for row in document["views"]["iso_power"]["options"]:
        assert rows[row["id"]] == pytest.approx(row["scale"])
    said = days.bases(document)
    assert "power budget of 40 MW" in said
    assert "34 MW provisioned today" in said


def test_fleet_and_cash_each_say_for_how_much_demand_they_buy(hyperscaler):
    held, _ = hyperscaler
    fleet = held.fleets["proposed"]
    served = min(1 + held.scenario.backlog_frac, 40.0 / (fleet_mw(held, "proposed")))
    assert fleet.feasible
    share = text.percent(served, place=-2)
    assert f"for 100% of demand; cash and the ask buy for {share}" in fleets.basis(held)
    assert f"{share} of demand here" in ledgers.basis(held, "proposed")
    assert f"of new chips for {share} of demand" in ask(held, datetime(2027, 2, 26, tzinfo=UTC))


def fleet_mw(held, option):
    return float(held.watts[option].provisioned_w * held.ledger["site.pue"]) / 1e6


def test_chips_that_need_not_be_bought_are_no_chips_bought():
    rows = tables.cash(plan(Scenario()), "monolithic-software").set_index("line")["usd"]
    assert rows["New chips not needed"] > 0
    assert "New chips bought" not in rows.index
    bought = tables.cash(plan(Scenario()), "split-mixed").set_index("line")["usd"]
    assert bought["New chips bought"] < 0


def test_what_the_cheapest_option_displaces_is_not_the_proposed_plans():
    held = plan(Scenario(), n_samples=64)
    document = held.as_dict(flips=False)
    *_, fleet_tile = fleets.headlines(held, document)
    *_, money_tile = ledgers.headlines(held, document)
    assert fleet_tile[0] == money_tile[0] == "Book value at risk"
    assert fleet_tile[3].startswith("under split, best chips")
    assert money_tile[3] == "Split, best chips, not this plan"


def test_compared_ratios_read_as_ratios():
    pair = [("one", Scenario()), ("two", Scenario(decode_to_prefill_token_ratio=0.172936))]
    (row,) = comparing.inputs(pair).to_dict("records")
    assert (row["one"], row["two"]) == ("as audited", "1 : 5.8")


def test_the_ratio_says_of_which_month_its_chip_time_is():
    held = plan(Scenario(planning_month=6.0), n_samples=16)
    said = decisions.three(held, held.as_dict(flips=False))[0].finding
    assert "Chip time as built, sized for month 6: 1 : " in said
