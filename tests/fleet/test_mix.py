"""The fleet mix: small cases by hand and by trying all, limits, objectives, whole servers."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner import adopted, at_mix, audit, text
from planner.decision.plan import plan
from planner.demand.scenario import Scenario
from planner.fleet.forced import CLOSE
from planner.fleet.mix import Demanded, Entry, Limits, best_mix, fleet_of
from planner.fleet.options import PURCHASABLE
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL, Units
from planner.fleet.programme import LEAST_GAP
from planner.fleet.watts import pool_watts
from tests.stand_ins import PROFILES, pool

FREE = Limits(1e12, None, None, None, 0.0, 1.0)
UNITS = Units({"h100-sxm": 8, "mi300x": 8}, spare_replicas=1)
NAMES = ("chat",)


def entry(role=MONOLITHIC, chip="h100-sxm", n=40, name="chat", **money):
    """A pool of replicas of eight chips, one of them spare: n/8 servers serve the class."""
    held = pool(
        role=role, class_name=name, accelerator=chip, tp=8, n_accelerators=n, n_replicas=n // 8
    )
    plain = Entry(held, 8, 10.0, 2.0, 1.0, 50.0, 1000.0, 900.0)
    return replace(plain, **money)


def solved(menu, limits=FREE, owned=None, demands=NAMES, **how):
    asked = [Demanded(name, 1e6, 100.0) for name in demands]
    return best_mix(menu, asked, owned or {}, limits, spare_replicas=1, **how)


class TestByHand:
    def test_the_cheaper_of_two_chips_serves(self):
        # 5 servers of 11 USD a chip and year, or 3 of 12
        found = solved([entry(), entry(chip="mi300x", n=24, new_usd=11.0)])
        assert found.demand_frac == pytest.approx((0, 1))
        assert found.usd_per_year == pytest.approx(24 * 12)

    def test_owned_chips_cost_what_they_would_fetch(self):
        # 40 owned at 3 against 24 new at 12
        found = solved([entry(), entry(chip="mi300x", n=24, new_usd=11.0)], owned={"h100-sxm": 40})
        assert found.demand_frac == pytest.approx((1, 0))
        assert found.usd_per_year == pytest.approx(40 * 3)

    def test_prefill_and_decode_serve_the_same_share(self):
        menu = [entry(n=80), entry(PREFILL, n=24), entry(DECODE, n=16)]
        assert solved(menu).demand_frac == pytest.approx((0, 1, 1))

    def test_the_team_of_a_split_is_paid_once(self):
        # 40 chips for both phases or 24 + 8 apart: 8 x 11 = 88 a year less, and a team
        menu = [entry(n=40), entry(PREFILL, n=16), entry(DECODE, n=16)]
        cheap, dear = (solved(menu, replace(FREE, split_usd_per_year=usd)) for usd in (80.0, 90.0))
        assert cheap.demand_frac == pytest.approx((0, 1, 1))
        assert dear.demand_frac == pytest.approx((1, 0, 0))

    def test_nothing_on_the_menu_is_no_mix(self):
        assert solved([]) is None

    def test_a_class_that_nothing_serves_is_no_mix(self):
        assert solved([entry()], demands=("chat", "code")) is None

    def test_an_objective_that_does_not_exist_is_refused(self):
        with pytest.raises(ValueError, match="cost, margin, throughput; got 'joy'"):
            solved([entry()], objective="joy")


class TestLimits:
    def test_power_drives_to_the_chip_that_needs_less_of_it(self):
        menu = [entry(), entry(chip="mi300x", n=48, power_w=500.0)]
        assert solved(menu).demand_frac == pytest.approx((1, 0))
        tight = solved(menu, replace(FREE, power_w=25_000.0, over_usd_per_w_year=1e3))
        assert tight.demand_frac == pytest.approx((0, 1))
        assert tight.over_w == 0

    def test_what_no_mix_keeps_is_exceeded_as_little_as_pays(self):
        found = solved([entry()], replace(FREE, power_w=10_000.0))
        assert found.over_w == pytest.approx(30_000)
        assert found.binding == ("power",)

    def test_a_watt_more_is_worth_what_it_costs_to_do_without(self):
        found = solved([entry()], replace(FREE, power_w=10_000.0, over_usd_per_w_year=7.0))
        assert found.worth_usd_per_year["power"] == pytest.approx(7.0)

    def test_capital_buys_no_more_than_it_can(self):
        # 40 chips at 50 USD are 2,000; another chip costs less to buy and more to run
        menu = [entry(), entry(chip="mi300x", capex_usd=10.0, running_usd=9.0)]
        assert solved(menu).demand_frac == pytest.approx((1, 0))
        poor = solved(menu, replace(FREE, capital_usd=1_000.0))
        bought = poor.demand_frac[0] * 32 + 8
        assert poor.demand_frac[1] > 0
        assert bought * 50 <= 1_000 + 8 * 50

    def test_racks_carry_no_more_than_they_can(self):
        assert solved([entry()], replace(FREE, rack_w=20_000.0)) is None
        assert solved([entry()], replace(FREE, rack_w=36_000.0)) is not None

    def test_limits_with_room_are_worth_nothing(self):
        assert set(solved([entry()]).worth_usd_per_year.values()) == {0.0}


class TestObjectives:
    MENU = (entry(), entry(name="code", n=80))

    def both(self, limits, objective, margins=(1e6, 1e6), tokens=(100.0, 100.0)):
        asked = [
            Demanded(name, margin, each)
            for name, margin, each in zip(("chat", "code"), margins, tokens, strict=True)
        ]
        return best_mix(self.MENU, asked, {}, limits, spare_replicas=1, objective=objective)

    def test_margin_leaves_what_does_not_pay(self):
        found = self.both(FREE, "margin", margins=(1e6, 100.0))
        assert found.served_frac == pytest.approx({"chat": 1, "code": 0})

    def test_throughput_takes_the_tokens_that_fit(self):
        # racks for 40 chips: all of chat, or half of code with more tokens
        found = self.both(replace(FREE, rack_w=36_000.0), "throughput", tokens=(100.0, 400.0))
        assert found.served_frac["chat"] == pytest.approx(0)
        assert found.served_frac["code"] == pytest.approx(32 / 72)

    def test_cost_serves_everything(self):
        assert set(self.both(FREE, "cost", margins=(0.0, 0.0)).served_frac.values()) == {1.0}


def cheapest_by_trying(menu, step=10):
    """The least cost over all mixes of one class in tenths, spares and whole servers included."""

    def usd(held, share):
        if share == 0:
            return 0.0
        running = (held.pool.n_replicas - 1) * 8 * share
        return np.ceil((running + 8) / 8 - 1e-9) * 8 * (held.new_usd + held.running_usd)

    shares = np.arange(step + 1) / step
    return min(
        sum(usd(held, share) for held, share in zip(menu, each, strict=True))
        for each in product(shares, repeat=len(menu))
        if abs(sum(each) - 1) < 1e-9
    )


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(2, 12), st.floats(1, 20)), min_size=2, max_size=3, unique=True)
)
def test_no_mix_tried_by_hand_is_cheaper(rows):
    menu = [
        entry(chip=chip, n=8 * servers, new_usd=usd)
        for chip, (servers, usd) in zip(("h100-sxm", "mi300x", "b200-sxm"), rows, strict=False)
    ]
    assert solved(menu).usd_per_year <= cheapest_by_trying(menu) * (1 + LEAST_GAP)


@settings(max_examples=10)
@given(st.sampled_from(["power_w", "capital_usd", "rack_w"]), st.floats(0.3, 1.0))
def test_a_tighter_limit_never_costs_less(name, factor):
    menu = [entry(), entry(chip="mi300x", n=48, power_w=500.0, capex_usd=20.0, rack_w=400.0)]
    loose = {"power_w": 40_000.0, "capital_usd": 2_000.0, "rack_w": 40_000.0}[name]
    wide, tight = (solved(menu, replace(FREE, **{name: loose * k})) for k in (1, factor))
    if tight is not None:
        assert tight.usd_per_year >= wide.usd_per_year * (1 - LEAST_GAP)


class TestFleet:
    def test_pools_are_whole_servers_with_a_spare_each(self):
        menu = [entry(n=80), entry(chip="mi300x", n=48)]
        mix = replace(solved(menu), demand_frac=(0.5, 0.5))
        held = fleet_of(menu, mix, UNITS)
        # half of nine running replicas is five, and a spare; half of five is three, and a spare
        assert [p.n_accelerators for p in held.pools] == [48, 32]
        assert held.id == "proposed"

    def test_shares_that_are_rounding_are_left_out(self):
        menu = [entry(n=80), entry(chip="mi300x", n=48)]
        held = fleet_of(menu, replace(solved(menu), demand_frac=(1.0, 1e-9)), UNITS)
        assert [p.accelerator for p in held.pools] == ["h100-sxm"]


def split_share(fleet):
    """Counted from the chips that stand, at a kilowatt each."""
    chips = {True: 0, False: 0}
    for held in fleet.pools:
        chips[held.role != MONOLITHIC] += held.n_accelerators
    return chips[True] / sum(chips.values())


class TestForced:
    def formed(self, menu, wanted):
        forced = replace(FREE, split_power_frac=wanted, split_usd_per_year=500.0)
        return fleet_of(menu, solved(menu, forced, owned={"h100-sxm": 400}), UNITS)

    def test_idle_servers_do_not_count_as_a_split(self):
        # Owned chips cost less to hold idle than a team costs: only chips that serve may count.
        menu = [entry(n=400), entry(PREFILL, n=264), entry(DECODE, n=144)]
        held = self.formed(menu, 0.4)
        assert split_share(held) == pytest.approx(0.4, abs=CLOSE)
        served = {p.role: p.demand_frac for p in held.pools}
        # 25 servers of split pools of 52, less two spares: about 23 of 49 serve
        assert served[PREFILL] == pytest.approx(served[DECODE], abs=1e-6)
        assert served[PREFILL] == pytest.approx(1 - served[MONOLITHIC], abs=1e-6)
        assert 0.3 < served[PREFILL] < 0.5

    @settings(max_examples=20, deadline=None)
    @given(
        st.tuples(st.integers(3, 30), st.integers(3, 20), st.integers(3, 20)), st.floats(0.05, 0.95)
    )
    def test_no_share_tried_by_hand_comes_closer_by_a_quarter_of_a_server(self, servers, wanted):
        roles = (MONOLITHIC, PREFILL, DECODE)
        menu = [entry(role, n=8 * n) for role, n in zip(roles, servers, strict=True)]

        def share(split):
            whole, *apart = (
                int(np.ceil((n - 1) * part - 1e-9)) + 1 if part else 0
                for n, part in zip(servers, (1 - split, split, split), strict=True)
            )
            return sum(apart) / (whole + sum(apart))

        closest = min(abs(share(split) - wanted) for split in np.arange(1001) / 1000)
        held = self.formed(menu, wanted)
        quarter = 0.25 * 8 / sum(p.n_accelerators for p in held.pools)
        assert abs(split_share(held) - wanted) <= max(closest, CLOSE) + quarter

    @pytest.mark.parametrize("chips", [6, 16])
    def test_replicas_that_fill_no_whole_servers_are_counted_as_they_are_built(self, chips):
        # Six chips a replica in servers of eight, or two servers a replica.
        pools = [
            replace(each.pool, tp=chips, n_replicas=n, n_accelerators=-(-n * chips // 8) * 8)
            for each, n in zip((entry(), entry(PREFILL), entry(DECODE)), (40, 24, 20), strict=True)
        ]
        menu = [replace(entry(), pool=each) for each in pools]
        for wanted in (0.25, 0.5, 0.75):
            assert split_share(self.formed(menu, wanted)) == pytest.approx(wanted, abs=0.02)


class TestInAPlan:
    @pytest.mark.parametrize("asked", [0.25, 0.5, 0.75])
    def test_a_large_fleet_holds_the_asked_share_of_provisioned_power(self, asked):
        answer = plan(Scenario(profile="axiom", fleet_mix=asked))
        power = [
            (p.role != "monolithic", pool_watts(p, answer.catalog, answer.ledger).provisioned_w)
            for p in answer.fleets["proposed"].pools
        ]
        split = sum(w for is_split, w in power if is_split)
        assert split / sum(w for _, w in power) == pytest.approx(asked, abs=2 * CLOSE)

    @pytest.mark.parametrize("profile", PROFILES)
    @pytest.mark.parametrize("asked", [0.05, 0.2, 0.4, 0.7])
    def test_a_forced_share_stands_or_the_plan_says_what_does(self, profile, asked):
        answer = plan(Scenario(profile=profile, fleet_mix=asked))
        held = {True: 0.0, False: 0.0}
        for each in answer.fleets["proposed"].pools:
            watts = pool_watts(each, answer.catalog, answer.ledger)
            held[each.role != "monolithic"] += float(watts.provisioned_w)
        formed = held[True] / sum(held.values())
        document = answer.as_dict(break_even=False)
        assert document["proposed"]["mix"]["off_frac"] == pytest.approx(abs(formed - asked))
        said = f"the proposed plan has {text.percent(formed)}."
        assert any(said in each for each in document["caveats"]) == (abs(formed - asked) > CLOSE)
        drawn = at_mix(plan(Scenario(profile=profile)), asked)
        assert drawn["formed_frac"] == pytest.approx(formed)

    def test_a_fleet_of_two_servers_cannot_hold_a_twentieth_apart(self):
        answer = plan(Scenario(profile="enterprise", fleet_mix=0.05))
        assert not answer.fleets["proposed"].split
        (said,) = answer.fleets["proposed"].caveats
        assert said.startswith("A split share of 5.0% of the power cannot be formed of whole ser")
        assert said.endswith("the proposed plan has 0%.")

    @pytest.mark.parametrize("log", ["azure_2023_code", "azure_2023_conversation"])
    @pytest.mark.parametrize("asked", [0.2, 0.4])
    def test_of_an_adopted_log_the_forced_share_serves_in_split_pools(self, log, asked):
        audited = audit(f"hardware_catalog/traces/{log}.csv")
        given_log = adopted(Scenario(profile="axiom"), audited).model_copy(
            update={"fleet_mix": asked}
        )
        answer = plan(given_log)
        apart = [p for p in answer.fleets["proposed"].pools if p.role == PREFILL]
        chips = sum(p.n_accelerators for p in answer.fleets["proposed"].pools)
        split = sum(
            p.n_accelerators for p in answer.fleets["proposed"].pools if p.role != MONOLITHIC
        )
        assert split / chips == pytest.approx(asked, abs=0.03)
        assert sum(p.demand_frac for p in apart) == pytest.approx(asked, abs=0.1)

    @pytest.mark.parametrize("profile", PROFILES)
    @pytest.mark.parametrize("asked", [0.0, 1.0])
    def test_nothing_and_everything_in_split_pools(self, profile, asked):
        answer = plan(Scenario(profile=profile, fleet_mix=asked))
        assert {p.role != "monolithic" for p in answer.fleets["proposed"].pools} == {asked == 1}

    @pytest.mark.parametrize("profile", PROFILES)
    def test_a_free_mix_is_worth_no_less_than_any_pure_change(self, profile):
        answer = plan(Scenario(profile=profile))
        npv, able = answer.money.npv_usd, answer.fleets
        pure = [npv[name] for name in PURCHASABLE[1:] if able[name].feasible]
        assert npv["proposed"] >= max(pure) - 1

    @pytest.mark.parametrize("profile", PROFILES)
    def test_every_class_is_served_once(self, profile):
        answer = plan(Scenario(profile=profile, fleet_mix=0.5))
        for demand in answer.sized.demands:
            mine = [p for p in answer.fleets["proposed"].pools if p.class_name == demand.name]
            for phase in (PREFILL, DECODE):
                served = sum(p.demand_frac for p in mine if p.role in (MONOLITHIC, phase))
                assert served == pytest.approx(1, abs=5e-3)

    def test_a_budget_too_small_says_how_much_more_is_needed(self):
        answer = plan(Scenario(profile="axiom", power_budget_mw=2.0, fleet_mix=0.0))
        assert "more than the power budget" in " ".join(answer.fleets["proposed"].caveats)
        assert answer.mix.binding == ("power",)

    def test_without_racks_nothing_can_be_mixed_and_a_pure_option_stands_in(self):
        asked = Scenario.read({"profile": "axiom", "site": {"n_racks": 1.0}})
        answer = plan(asked)
        assert answer.mix is None
        assert answer.fleets["proposed"].pools
