"""What a split costs beside chips, by hand: fabric, team, bad quarters, backfill, drift."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.decision.assumptions import ledger_of
from planner.demand.scenario import Scenario
from planner.facts.catalog import load_catalog
from planner.fleet.pools import Activity
from planner.money.friction import (
    backfill_usd_per_year,
    bad_quarter_usd,
    drift_loss_frac,
    fabric_usd_per_year,
    orchestration_usd_per_year,
    team_usd_per_year,
)
from planner.money.volumes import Volumes
from tests.stand_ins import demand, fleet, pool, register

GIGABIT = 1e9 / 8
PREFILL = pool(role="prefill", n_accelerators=16, utilization=0.8, kv_bytes_per_s=200 * GIGABIT)
DECODE = pool(role="decode", n_accelerators=48, accelerator="mi300x", utilization=0.5)
SPLIT = fleet(PREFILL, DECODE)
NUMBERS = {
    "fabric.gbit_per_s_per_node": 400.0,
    "prices.capital.network_share_frac": 0.2,
    "finance.wacc_frac": 0.0,
    "finance.life_years": 5.0,
    "accelerators.h100-sxm.price_usd": 80_000.0,
    "prices.capital.all_in_over_chip_price_frac": 1.25,
    "estimates.serving.server_chips": 8.0,
    "operator.engineers": 10.0,
    "operator.loaded_usd_per_year": 400e3,
    "operator.bad_quarter_probability": 0.15,
    "operator.backfill_usd_per_chip_hour": 0.5,
    "estimates.money.bad_quarter_margin_lost_frac": 0.25,
}
CATALOG = load_catalog()
LEDGER = register(NUMBERS, otherwise=ledger_of(Scenario(profile="axiom"), CATALOG))
SOLD = Volumes(0.0, 0.0, 0.0, 1.0, 2e6, 1e6, 6e6)
TODAY = (1.0, 1.0, 1.0)
CASES = st.tuples(st.floats(0.1, 5), st.floats(0.3, 3), st.floats(0.3, 3))


def fabric(option=SPLIT, ledger=LEDGER, basis="own"):
    scenario = Scenario(profile="axiom", finance={"basis": basis})
    return fabric_usd_per_year(option, scenario, CATALOG, ledger, ledger)


class TestFabric:
    def test_by_hand(self):
        # 200 Gb/s from two servers of 400 Gb/s take a quarter of their network; a fifth of
        # a quarter of 1.6 M$ (16 chips at 100,000 $) is 80,000 $, over five years, no interest.
        assert fabric() == pytest.approx(16_000)

    def test_twice_the_traffic_takes_twice_the_network(self):
        double = fleet(
            pool(role="prefill", n_accelerators=16, kv_bytes_per_s=400 * GIGABIT), DECODE
        )
        assert fabric(double) == pytest.approx(2 * fabric())

    def test_never_more_than_all_of_it(self):
        flood = fleet(pool(role="prefill", n_accelerators=16, kv_bytes_per_s=1e15), DECODE)
        assert fabric(flood) == pytest.approx(64_000)

    def test_a_monolithic_fleet_needs_none(self):
        assert fabric(fleet(pool())) == 0

    def test_a_faster_fabric_spends_a_smaller_share(self):
        fast = register(NUMBERS | {"fabric.gbit_per_s_per_node": 800.0}, otherwise=LEDGER)
        assert fabric(ledger=fast) == pytest.approx(fabric() / 2)

    def test_each_pool_pays_for_its_own_network(self):
        assert fabric(fleet(PREFILL, PREFILL, DECODE)) == pytest.approx(2 * fabric())
        idle = pool(role="prefill", n_accelerators=80, kv_bytes_per_s=0.0)
        assert fabric(fleet(PREFILL, idle, DECODE)) == pytest.approx(fabric())

    def test_what_is_sent_is_not_counted_again_where_it_arrives(self):
        receiving = replace(DECODE, kv_bytes_per_s=200 * GIGABIT)
        assert fabric(fleet(PREFILL, receiving)) == pytest.approx(fabric())

    def test_a_sample_with_twice_the_demand_pays_for_twice_the_network(self):
        busy = register(NUMBERS | {"demand_scale": 2.0}, otherwise=LEDGER)
        scenario = Scenario(profile="axiom", finance={"basis": "own"})
        usd = fabric_usd_per_year(SPLIT, scenario, CATALOG, busy, LEDGER)
        assert usd == pytest.approx(2 / LEDGER["demand_scale"] * fabric())

    def test_the_rate_of_a_rented_chip_covers_its_network(self):
        assert fabric(basis="rent") == 0


class TestOrchestration:
    def test_ten_engineers_at_400_000_are_four_million(self):
        assert team_usd_per_year(LEDGER) == 4e6

    def test_a_bad_quarter_by_hand(self):
        # 9 M$ of revenue less 1 M$ of energy is 2 M$ a quarter, a quarter of it lost, 15 % likely.
        assert bad_quarter_usd(SOLD, 1e6, LEDGER) == pytest.approx(75e3)

    def test_without_a_margin_there_is_none_to_lose(self):
        assert bad_quarter_usd(SOLD, 10e6, LEDGER) == 0

    def test_the_team_for_good_and_one_bad_quarter_spread_over_the_horizon(self):
        yearly = orchestration_usd_per_year(SOLD, 1e6, LEDGER, horizon_years=5)
        assert yearly == pytest.approx(4e6 + 15e3)

    @given(st.floats(0, 1), st.floats(0, 1))
    def test_more_risk_never_costs_less(self, one, other):
        costs = [
            bad_quarter_usd(
                SOLD, 1e6, register(NUMBERS | {"operator.bad_quarter_probability": probability})
            )
            for probability in sorted((one, other))
        ]
        assert costs[0] <= costs[1]


class TestBackfill:
    def earned(self, training, *pools):
        scenario = Scenario(profile="axiom", training_frac=training)
        return backfill_usd_per_year(fleet(*pools), scenario, LEDGER)

    def test_idle_hours_by_hand(self):
        # Four fifths busy at peak, half of that on average: 60 % idle; training fills 10 % of
        # ten chips for 8,760 hours at half a dollar.
        assert self.earned(0.1, pool()) == pytest.approx(0.1 * 10 * 8760 * 0.5)

    def test_no_more_than_is_idle(self):
        assert self.earned(1.0, pool()) == pytest.approx(0.6 * 10 * 8760 * 0.5)

    def test_without_training_nothing(self):
        assert self.earned(0.0, pool()) == 0

    def test_a_fleet_that_is_always_full_earns_nothing(self):
        full = pool(utilization=1.0, mean=Activity(0.3, 0.5))
        assert self.earned(1.0, full) == pytest.approx(0)

    def test_a_fleet_too_small_for_its_demand_earns_nothing_and_loses_nothing(self):
        over = pool(utilization=1.5, mean=Activity(0.3, 0.5))
        assert self.earned(1.0, over) == 0

    def test_a_fleet_that_nobody_asks_is_all_idle(self):
        unasked = pool(peak=Activity(0.0, 0.0), mean=Activity(0.0, 0.0))
        assert self.earned(1.0, unasked) == pytest.approx(10 * 8760 * 0.5)

    def test_pools_add_up(self):
        assert self.earned(0.1, pool(), pool()) == pytest.approx(2 * self.earned(0.1, pool()))


class TestDrift:
    def lost(self, *cases, option=SPLIT):
        return drift_loss_frac(option, [demand()], cases)

    def test_nothing_is_lost_while_the_mix_is_as_planned(self):
        assert self.lost(TODAY) == 0

    def test_pools_with_room_lose_nothing_to_small_drift(self):
        # Prefill is 80 % used: a quarter more prompt tokens still fit.
        assert self.lost((1.0, 1.25, 0.9)) == pytest.approx(0)

    def test_prompts_twice_as_long_leave_prefill_for_five_eighths(self):
        assert self.lost((1.0, 2.0, 1.0)) == pytest.approx(1 - 1 / 1.6)

    def test_answers_four_times_as_long_leave_decode_for_half(self):
        assert self.lost((1.0, 1.0, 4.0)) == pytest.approx(0.5)

    def test_cases_count_by_their_weight(self):
        # One chance in six of losing 3/8.
        assert self.lost((1, 2.0, 1.0), (4, *TODAY[1:]), (1, 0.5, 1.2)) == pytest.approx(0.375 / 6)

    def test_pools_on_one_chip_change_roles_and_lose_nothing(self):
        same = fleet(PREFILL, pool(role="decode", utilization=0.5))
        assert self.lost((1.0, 2.0, 1.0), option=same) == 0

    def test_a_monolithic_fleet_does_not_care(self):
        assert self.lost((1.0, 2.0, 4.0), option=fleet(pool())) == 0

    def test_classes_count_alike(self):
        other = demand(name="code")
        same = pool(role="prefill", class_name="code"), pool(role="decode", class_name="code")
        lost = drift_loss_frac(fleet(PREFILL, DECODE, *same), [demand(), other], [(1.0, 2.0, 1.0)])
        assert lost == pytest.approx(0.375 / 2)

    @given(st.lists(CASES, min_size=1, max_size=5))
    def test_is_a_share(self, cases):
        assert 0 <= self.lost(*cases) < 1

    def test_the_split_part_of_a_blend_still_loses(self):
        assert self.lost((1.0, 2.0, 1.0), option=fleet(pool(), PREFILL, DECODE)) > 0
