"""A year of tokens and revenue: DeepSeek's published day, then discounts, classes and samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.money.volumes import demand_factor, stretch, volumes
from tests.stand_ins import demand, pool, register

DAY_S, DAYS = 86_400, 365
# Day 6 of DeepSeek's open-source week: 608 billion input tokens, 342 of them cache hits, 168
# billion output tokens; 0.14, 0.55 and 2.19 $ per million hits, misses and output tokens.
DEEPSEEK = demand(per_s=1.0, prompt=608e9 / DAY_S, answer=168e9 / DAY_S)
NUMBERS = {
    "classes.chat.cache_hit_frac": 342 / 608,
    "classes.chat.usd_per_mtok_input": 0.55,
    "classes.chat.usd_per_mtok_cached": 0.14,
    "classes.chat.usd_per_mtok_output": 2.19,
    "classes.chat.requests_per_s": 1.0,
    "demand_scale": 1.0,
    "growth_frac_per_year": 0.2,
    "planning_month": 18.0,
    "finance.discount_frac": 0.0,
    "finance.sold_frac": 1.0,
    "estimates.serving.slo_quantile": 0.99,
    "calibration.speed.h100-sxm_frac": 1.0,
}
NOMINAL = register(NUMBERS)


def year(asked=DEEPSEEK, *, prefix_cache=True, **changes):
    changed = {name.replace("__", "."): value for name, value in changes.items()}
    ledger = register(NUMBERS | changed)
    return volumes((asked,), ledger, NOMINAL, prefix_cache=prefix_cache)


class TestDeepSeeksDay:
    def test_tokens(self):
        held = year()
        assert held.input_tokens / DAYS == pytest.approx(608e9)
        assert held.cached_tokens / DAYS == pytest.approx(342e9)
        assert held.output_tokens / DAYS == pytest.approx(168e9)
        assert held.total_tokens / DAYS == pytest.approx(776e9)

    def test_theoretical_revenue_of_562_027_dollars(self):
        assert year().revenue_usd / DAYS == pytest.approx(562_027, rel=1e-3)

    def test_without_a_cache_every_input_token_is_a_miss(self):
        held = year(prefix_cache=False)
        assert held.cached_tokens == 0
        assert held.revenue_usd / DAYS == pytest.approx(608e3 * 0.55 + 168e3 * 2.19)


class TestRealisedPrice:
    def test_a_tenth_off_and_a_fifth_unsold_leave_72_percent(self):
        less = year(finance__discount_frac=0.1, finance__sold_frac=0.8)
        assert less.revenue_usd == pytest.approx(0.72 * year().revenue_usd)
        assert less.output_tokens == year().output_tokens

    def test_useful_are_the_98_percent_that_meet_both_limits(self):
        # One in a hundred misses the first token, another one the pace.
        assert year().useful_tokens == pytest.approx(0.98 * year().output_tokens)


class TestSums:
    def test_classes_add_up(self):
        ledger = register(NUMBERS)
        one = volumes((DEEPSEEK,), ledger, NOMINAL, prefix_cache=True)
        two = volumes((DEEPSEEK, DEEPSEEK), ledger, NOMINAL, prefix_cache=True)
        assert two.revenue_usd == pytest.approx(2 * one.revenue_usd, rel=1e-12)
        assert two.useful_tokens == pytest.approx(2 * one.useful_tokens, rel=1e-12)

    @given(st.floats(0.01, 1e4))
    def test_twice_the_requests_are_twice_the_business(self, per_s):
        one, two = (year(demand(per_s=k * per_s)) for k in (1, 2))
        assert two.revenue_usd == pytest.approx(2 * one.revenue_usd, rel=1e-9)
        assert two.output_tokens == pytest.approx(2 * one.output_tokens, rel=1e-9)

    def test_nobody_asking_earns_nothing(self):
        held = year(demand(per_s=0.0))
        assert (held.revenue_usd, held.useful_tokens) == (0, 0)


class TestSampledDemand:
    def factor(self, **changes):
        changed = {name.replace("__", "."): value for name, value in changes.items()}
        return demand_factor("chat", register(NUMBERS | changed), NOMINAL)

    def test_as_planned_it_is_one(self):
        assert self.factor() == 1

    def test_rate_and_scale_multiply(self):
        assert self.factor(classes__chat__requests_per_s=1.5, demand_scale=2.0) == 3

    def test_growth_runs_for_the_eighteen_months_of_the_plan(self):
        # 44 % a year instead of 20 %: 1.2 times as fast, over a year and a half.
        assert self.factor(growth_frac_per_year=0.44) == pytest.approx(1.2**1.5)

    def test_a_scale_of_nothing_stays_nothing_without_dividing_by_it(self):
        nothing = register(NUMBERS | {"demand_scale": 0.0})
        assert demand_factor("chat", nothing, nothing) == 1

    def test_a_sample_that_asks_half_again_as_much_earns_half_again_as_much(self):
        more = year(demand_scale=1.5)
        assert more.revenue_usd == pytest.approx(1.5 * year().revenue_usd)
        assert more.useful_tokens == pytest.approx(1.5 * year().useful_tokens)


class TestStretch:
    """Replicas follow the speed of their chip and the demand of their class."""

    def more(self, **changes):
        changed = {name.replace("__", "."): value for name, value in changes.items()}
        return stretch(pool(), register(NUMBERS | changed), NOMINAL)

    def test_as_planned_it_is_one(self):
        assert self.more() == pytest.approx(1)

    def test_a_chip_at_half_speed_takes_twice_the_replicas(self):
        slow = register(NUMBERS | {"calibration.speed.h100-sxm_frac": 0.5})
        assert stretch(pool(), slow, NOMINAL) == pytest.approx(2)

    def test_half_again_the_demand_takes_half_again_the_replicas(self):
        assert self.more(demand_scale=1.5) == pytest.approx(1.5)


def test_samples_together_are_samples_one_by_one():
    ranges = {
        "finance.discount_frac": (0.0, 0.3),
        "demand_scale": (0.5, 2.0),
        "calibration.speed.h100-sxm_frac": (0.7, 1.2),
        "classes.chat.usd_per_mtok_output": (1.0, 3.0),
    }
    held = register(NUMBERS, ranges)
    for name in NUMBERS:
        held[name]
    drawn = held.sampled(32, seed=0)
    together = volumes((DEEPSEEK,), drawn, NOMINAL, prefix_cache=True)
    stretched = stretch(pool(), drawn, NOMINAL)
    for k in range(32):
        one = register(NUMBERS | {name: float(drawn[name][k]) for name in ranges})
        alone = volumes((DEEPSEEK,), one, NOMINAL, prefix_cache=True)
        assert np.ravel(together.revenue_usd)[k] == pytest.approx(alone.revenue_usd, rel=1e-12)
        assert np.ravel(together.useful_tokens)[k] == pytest.approx(alone.useful_tokens, rel=1e-12)
        assert stretched[k] == pytest.approx(stretch(pool(), one, NOMINAL), rel=1e-12)
