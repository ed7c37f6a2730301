"""Sizing by hand: loads that meet the service levels, one spare, whole servers, the least cost."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.facts.catalog import load_catalog
from planner.fleet.sizing import Buying, Question, choose, server_chips, unit_of
from planner.fleet.tables import Lazy, Table

CHIPS = load_catalog().accelerators
BUYING = Buying({"h100-sxm": 3.0, "mi300x": 2.0, "l40s": 1.0}, server_chips=8, spare_replicas=1)
PEAK_PER_S = 6.0
LOADS = np.array([0.25, 0.5, 0.75])


def table(*slacks, per_s=1.0):
    """Loads of 1/4, 1/2 and 3/4 of a replica that saturates at `per_s`; seconds are the slack."""
    slack = np.array(slacks, float)
    saturation = np.broadcast_to(np.asarray(per_s, float), slack.shape[:1])[:, None]
    return Table(
        n_replicas=PEAK_PER_S / (LOADS * saturation),
        ttft_s=slack,
        tpot_s=slack / 10,
        batch=LOADS * 40 * np.ones(slack.shape),
        patience_s=np.full(slack.shape, np.inf),
        full_per_s=saturation,
    )


def pick(held, rows, allowed=("h100-sxm", "mi300x", "l40s"), buying=BUYING, **how):
    """The choice among configurations: a chip and how many of it hold one copy of the model."""
    chips = [CHIPS[chip] for chip, _ in rows]
    index = np.array([n for n, chip in enumerate(chips) if chip.id in allowed], int)
    plain = Question(
        rows=index,
        bound_per_s=np.full(len(index), 1e9),
        least_slack=np.zeros(len(index)),
        peak_per_s=PEAK_PER_S,
        ttft_s=1.0,
        tpot_s=1.0,
    )
    unit = unit_of(chips, np.arange(len(rows)), np.array([n for _, n in rows]), buying)
    (chosen,) = choose([replace(plain, **how)], Lazy(held.at, len(rows)), unit)
    return chosen


class TestReplicas:
    def test_stand_where_the_service_level_is_just_met_with_one_to_spare(self):
        # The limit is crossed half way from load 1/2 (12 replicas) to 3/4 (8): 10, and 1 spare.
        # Two chips each and eight to a server: 24 chips, so 12 replicas at load 1/2.
        chosen = pick(table([0.5, 0.75, 1.25]), [("h100-sxm", 2)])
        assert (chosen.n_replicas, chosen.n_accelerators) == (12, 24)
        assert chosen.load == pytest.approx(0.5)
        assert (chosen.ttft_s, chosen.tpot_s, chosen.batch) == pytest.approx((0.75, 0.075, 20))

    def test_needed_are_those_that_carry_the_peak_at_full_use(self):
        assert pick(table([0.5, 0.75, 1.25]), [("h100-sxm", 2)]).n_needed == 6

    def test_beyond_a_load_that_cannot_be_served_nothing_is_read(self):
        chosen = pick(table([0.5, 0.75, np.inf]), [("h100-sxm", 8)])
        assert chosen.n_replicas == 13

    def test_never_more_than_the_grid_can_tell(self):
        # Every load of the grid is fine: 8 replicas at the highest, and the spare.
        assert pick(table([0.1, 0.2, 0.3]), [("h100-sxm", 8)]).n_replicas == 9

    def test_losing_one_leaves_enough_at_the_service_level(self):
        chosen = pick(table([0.5, 0.75, 1.25]), [("h100-sxm", 8)])
        assert PEAK_PER_S / (chosen.n_replicas - 1) <= 0.625 + 1e-12

    def test_no_spare_where_none_is_asked(self):
        none = replace(BUYING, spare_replicas=0)
        assert pick(table([0.5, 0.75, 1.25]), [("h100-sxm", 8)], buying=none).n_replicas == 10

    def test_imperfect_routing_takes_more(self):
        # Nine tenths of ideal throughput: 10 / 0.9 is 11.1, so 12 and the spare.
        chosen = pick(table([0.5, 0.75, 1.25]), [("h100-sxm", 8)], matching_frac=0.9)
        assert chosen.n_replicas == 13
        assert chosen.n_needed == pytest.approx(6 / 0.9)
        assert chosen.load == pytest.approx(6 / 13 / 0.9)

    def test_half_of_the_demand_takes_half_of_the_replicas_and_a_whole_spare(self):
        chosen = pick(table([0.5, 0.75, 1.25]), [("h100-sxm", 8)], demand_frac=0.5)
        assert (chosen.n_replicas, chosen.n_needed) == (6, 3)


class TestServers:
    @pytest.mark.parametrize(
        ("chip", "together"),
        [("h100-sxm", 8), ("h100-pcie", 2), ("l40s", 1), ("gb200-nvl72", 72), ("trainium2", 8)],
    )
    def test_chips_come_as_they_are_sold(self, chip, together):
        # An NVL72 is sold as a rack; a domain larger than a server is bought by the server.
        assert server_chips(CHIPS[chip], 8) == together

    @given(st.integers(1, 32), st.floats(0.3, 0.9))
    def test_a_pool_is_whole_servers_and_whole_replicas(self, n_chips, slack):
        n_chips = 2 ** int(np.log2(n_chips))
        chosen = pick(table([slack / 2, slack, 1.2]), [("h100-sxm", n_chips)])
        assert chosen.n_accelerators % 8 == 0
        assert chosen.n_replicas == chosen.n_accelerators // n_chips


class TestChoice:
    FINE = (0.5, 0.75, 1.25)
    LATE = (1.5, 1.75, 2.25)

    def test_the_cheapest_chip_wins(self):
        chosen = pick(table(self.FINE, self.FINE), [("h100-sxm", 8), ("mi300x", 8)])
        assert chosen.row == 1

    def test_a_dearer_chip_wins_when_it_carries_twice_as_much(self):
        held = table(self.FINE, self.FINE, per_s=[2.0, 1.0])
        assert pick(held, [("h100-sxm", 8), ("mi300x", 8)]).row == 0

    def test_only_allowed_chips_are_considered(self):
        rows = [("h100-sxm", 8), ("mi300x", 8)]
        assert pick(table(self.FINE, self.FINE), rows, allowed=["h100-sxm"]).row == 0

    def test_none_allowed_is_no_choice(self):
        assert pick(table(self.FINE), [("h100-sxm", 8)], allowed=["b200-sxm"]) is None

    def test_the_cheap_that_is_late_loses_to_the_dear_that_is_in_time(self):
        chosen = pick(table(self.FINE, self.LATE), [("h100-sxm", 8), ("mi300x", 8)])
        assert (chosen.row, chosen.slack <= 1) == (0, True)

    def test_where_all_are_late_the_closest_is_shown_with_what_it_reaches(self):
        worse = (2.5, 3.5, 4.5)
        chosen = pick(table(worse, self.LATE), [("mi300x", 8), ("h100-sxm", 8)])
        assert chosen.row == 1
        assert chosen.slack > 1
        assert chosen.ttft_s == pytest.approx(1.5, rel=0.05)

    def test_a_tie_goes_to_fewer_chips(self):
        same_price = replace(BUYING, usd_per_chip_year={"h100-sxm": 2.0, "mi300x": 1.0})
        none = replace(same_price, spare_replicas=0)
        held = table([0.5, 0.75, 1.0], [0.5, 0.75, 1.0], per_s=[1.0, 2.0])
        rows = [("mi300x", 8), ("h100-sxm", 8)]
        assert pick(held, rows, buying=none).row == 1

    @given(st.lists(st.floats(0.2, 2), min_size=3, max_size=3), st.floats(1, 3))
    def test_a_tighter_service_level_never_takes_fewer_chips(self, slack, tighter):
        loose = np.maximum.accumulate(slack)
        before = pick(table(loose), [("h100-sxm", 4)])
        after = pick(table(loose * tighter), [("h100-sxm", 4)])
        if after.slack <= 1:
            assert after.n_accelerators >= before.n_accelerators


class TestSearch:
    """Rows are put under load in the order of what they would cost at best."""

    def asked(self, bounds, **how):
        rows = np.arange(len(bounds))
        return Question(
            rows=rows,
            bound_per_s=np.array(bounds, float),
            least_slack=np.array(how.get("least_slack", np.zeros(len(bounds)))),
            peak_per_s=PEAK_PER_S,
            ttft_s=1.0,
            tpot_s=1.0,
        )

    def search(self, held, question, **how):
        tried = []

        def compute(rows):
            tried.extend(rows.tolist())
            return held.at(rows)

        n = len(question.rows)
        unit = unit_of([CHIPS["h100-sxm"]], np.zeros(n, int), np.full(n, 8), BUYING)
        (chosen,) = choose([question], Lazy(compute, n), unit, **how)
        return chosen, sorted(tried)

    def test_rows_that_could_never_be_cheaper_are_not_tried(self):
        held = table(*[[0.5, 0.75, 1.25]] * 6)
        # 11 replicas serve; a bound of 0.1/s asks for 61 at the least
        chosen, tried = self.search(held, self.asked([1.0, 0.1, 0.1, 0.1, 0.1, 0.1]))
        assert chosen.row == 0
        assert tried == [0, 1, 2, 3]

    def test_a_row_is_tried_as_long_as_it_could_be_cheaper(self):
        held = table(*[[0.5, 0.75, 1.25]] * 5, [0.1, 0.2, 0.3])
        chosen, tried = self.search(held, self.asked([1.0] * 6))
        assert chosen.row == 5
        assert tried == list(range(6))

    def test_all_are_late_for_good_shows_the_closest(self):
        held = table([2.5, 3.5, 4.5], [1.5, 1.75, 2.25])
        chosen, tried = self.search(held, self.asked([0, 0], least_slack=[2.4, 1.4]))
        assert (chosen.row, tried) == (1, [1])
        assert chosen.slack > 1

    def test_caches_that_wait_for_decode_longer_than_memory_holds_are_late(self):
        held = replace(table([0.1, 0.2, 0.3]), patience_s=np.array([[4.0, 2.0, 1.0]]))
        chosen, _ = self.search(held, replace(self.asked([1.0]), wait_s=2.0))
        assert chosen.n_replicas == 13  # load 1/2: 12 replicas, and the spare
        assert chosen.slack <= 1

    def test_questions_share_what_was_tried(self):
        held, tried = table([0.5, 0.75, 1.25], [0.1, 0.2, 0.3]), []
        lazy = Lazy(lambda rows: tried.extend(rows.tolist()) or held.at(rows), 2)
        unit = unit_of([CHIPS["h100-sxm"]], np.zeros(2, int), np.full(2, 8), BUYING)
        choose([self.asked([1.0, 1.0]), self.asked([1.0, 1.0])], lazy, unit)
        choose([self.asked([1.0, 1.0])], lazy, unit)
        assert sorted(tried) == [0, 1]
