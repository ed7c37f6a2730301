"""The uncertainty of a plan: ranges, odds, and what each assumption is worth."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import spearmanr

import planner
from planner import Scenario
from planner.decision.killing import below_frac
from planner.decision.plan import judged
from planner.decision.tornado import contender
from planner.facts.ledger import Assumption, Ledger, triangular
from tests.stand_ins import PROFILES, sized_profile

N = 64
RANGED = ("tax_frac", "gross_gap_frac", "stranded_mw", "npv_usd")


@cache
def answer(profile, n=N, seed=0):
    return judged(sized_profile(profile), n, seed)


@cache
def document(profile):
    return answer(profile).as_dict(flips=False)


def ranges(profile):
    """Every range of the document by name."""
    head = document(profile)["headline"]
    for place in (head, head["proposed"]):
        yield from ((name, place[name]) for name in RANGED)
        yield from place["ranges"].items()
    for option in document(profile)["risk"]["options"]:
        yield option["id"], option["npv_usd"]


@pytest.mark.parametrize("profile", PROFILES)
def test_p6_every_range_is_in_order_and_shows_its_error(profile):
    for name, held in ranges(profile):
        assert held["p10"] <= held["p50"] <= held["p90"], name
        assert all(held["standard_error"][level] >= 0 for level in ("p10", "p50", "p90")), name


@pytest.mark.parametrize("profile", PROFILES)
def test_every_headline_that_moves_has_a_range(profile):
    head = document(profile)["headline"]["proposed"]
    told = set(RANGED) | set(head["ranges"])
    assert told >= {
        "tax_frac", "gross_gap_frac", "software_gain_frac", "stranded_mw", "stranded_capital_usd",
        "free_mw", "recovered_mw", "extra_throughput_frac", "j_per_useful_token",
        "revenue_usd_per_kwh", "cost_usd_per_mtok", "capex_usd_per_mtok", "npv_usd",
    }  # fmt: skip


def test_p6_without_any_range_every_width_is_nothing():
    held = sized_profile("hyperscaler")

    def certain(name):
        row = held.ledger.find(name)
        return replace(row, low=row.value, high=row.value)

    sure = judged(replace(held, ledger=Ledger(certain)), N)
    head = sure.as_dict(flips=False)["headline"]["proposed"]
    for each in (*(head[name] for name in RANGED), *head["ranges"].values()):
        assert each["p10"] == each["p50"] == each["p90"]
        assert set(each["standard_error"].values()) == {0.0}
    assert sure.risk.swings == ()


@pytest.mark.parametrize("name", ["j_per_useful_token", "cost_usd_per_mtok", "recovered_mw"])
def test_the_sampled_headline_is_the_stated_one_where_nothing_is_drawn(name):
    """Two ways to the same figure: the headline's own, and the sampled formula on no draws."""
    held = answer("hyperscaler", 0).as_dict(flips=False)["headline"]["proposed"]
    assert held["ranges"][name]["p50"] == pytest.approx(held[name], rel=1e-12)


def test_the_same_seed_gives_the_same_bytes_and_another_others():
    one, same, other = (
        json.dumps(judged(sized_profile("axiom"), N, seed).as_dict(flips=False)["risk"])
        for seed in (3, 3, 4)
    )
    assert one == same
    assert one != other


@pytest.mark.parametrize("profile", PROFILES)
def test_shares_of_options_and_of_actions_are_whole(profile):
    held = answer(profile).risk
    assert sum(held.best_frac.values()) == pytest.approx(1)
    assert sum(held.action_frac.values()) == pytest.approx(1)
    assert list(held.action_frac) == ["stay", "software", "split", "specialise"]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_best_of_each_future_is_counted_one_by_one(profile):
    held = answer(profile)
    names = list(held.risk.best_frac)
    counted = dict.fromkeys(names, 0)
    for draw in range(N):
        worth = {name: np.broadcast_to(held.sampled.npv_usd[name], N)[draw] for name in names}
        gains = {name: usd for name, usd in worth.items() if name != "as-built" and usd > 1}
        counted[max(gains, key=gains.__getitem__, default="as-built")] += 1
    assert held.risk.best_frac == {name: n / N for name, n in counted.items()}


def test_chips_on_paper_are_never_the_best_option():
    assert "split-specialised" not in answer("axiom").risk.best_frac


def test_a_small_enterprise_stays_in_almost_every_future():
    assert answer("enterprise").risk.action_frac["stay"] > 0.95


@pytest.mark.parametrize("profile", PROFILES)
def test_the_error_of_calibration_is_drawn_for_every_chip_in_use(profile):
    held = answer(profile)
    drawn = held.ledger.sampled(N, 0)
    chips = {pool.accelerator for fleet in held.fleets.values() for pool in fleet.pools}
    power = ("memory_j_per_byte", "compute_weight", "expert_order")
    names = (*(f"speed.{chip}_frac" for chip in chips), *power)
    for name in names:
        assert np.ptp(drawn[f"calibration.{name}"]) > 0


def test_draws_of_a_plan_move_together_where_the_catalog_says_so():
    drawn = answer("axiom").ledger.sampled(1024, 0)
    one, other = (drawn[f"accelerators.{chip}.price_usd"] for chip in ("h100-sxm", "b200-sxm"))
    assert spearmanr(one, other).statistic > 0.3


def test_a_bar_is_the_npv_of_a_plan_with_that_value_entered():
    """Engineers and their cost move no size, so that planning anew must give the bar's ends."""
    held = answer("hyperscaler", 0)
    option = contender(held)
    bars = {swing.assumption.parameter: swing for swing in held.risk.swings}
    for name in ("engineers", "loaded_usd_per_year"):
        bar = bars[f"operator.{name}"]
        for end in ("low", "high"):
            value = getattr(bar.assumption, end)
            entered = Scenario.read({"profile": "hyperscaler", "operator": {name: value}})
            npv = planner.plan(entered).money.npv_usd[option]
            assert getattr(bar, f"npv_{end}_usd") == pytest.approx(float(npv), rel=1e-9)


@pytest.mark.parametrize("profile", PROFILES)
def test_bars_are_widest_first(profile):
    widths = [swing.width_usd for swing in answer(profile).risk.swings]
    assert widths == sorted(widths, reverse=True)


class TestLedger:
    def test_the_effect_is_the_swing_of_the_bar(self):
        rows = {row["parameter"]: row["npv_effect_usd"] for row in document("axiom")["ledger"]}
        for swing in answer("axiom").risk.swings[:10]:
            low, high = swing.npv_low_usd, swing.npv_high_usd
            assert rows[swing.assumption.parameter] == pytest.approx(high - low)

    def test_a_number_without_a_range_has_no_effect(self):
        rows = {row["parameter"]: row for row in document("axiom")["ledger"]}
        certain = rows["estimates.serving.slo_quantile"]
        assert certain["low"] == certain["high"]
        assert certain["npv_effect_usd"] == 0

    def test_what_acts_on_sizes_alone_has_no_known_effect_and_the_caveats_say_why(self):
        rows = {row["parameter"]: row for row in document("axiom")["ledger"]}
        assert rows["estimates.serving.memory_usable_frac"]["npv_effect_usd"] is None
        assert any("npv_effect_usd" in caveat for caveat in document("axiom")["caveats"])

    def test_without_samples_there_is_no_risk_and_no_effect(self):
        held = answer("axiom", 0).as_dict(flips=False)
        assert held["risk"] is None
        assert all(row["npv_effect_usd"] is None for row in held["ledger"])


class TestChance:
    """The triangular law's distribution function (Johnson, Kotz, Balakrishnan, ch. 26)."""

    ROW = Assumption("x", 1.0, "1", 0.0, 4.0, "estimate", "by-hand")

    def test_ends_and_mode(self):
        assert [below_frac(self.ROW, x) for x in (0, 1, 4)] == [0, 0.25, 1]

    @pytest.mark.parametrize("chance", [0.01, 0.2, 0.25, 0.6, 0.99])
    def test_it_undoes_the_quantiles(self, chance):
        value = float(triangular(np.array([chance]), self.ROW)[0])
        assert below_frac(self.ROW, value) == pytest.approx(chance)

    def test_a_mode_at_an_end(self):
        assert below_frac(replace(self.ROW, value=0.0), 0.0) == 0
        assert below_frac(replace(self.ROW, value=4.0), 2.0) == pytest.approx(0.25)
