"""How fast one user may go."""

import pytest

from server.quotas import Pace


def test_a_minute_holds_as_many_steps_as_it_says():
    pace = Pace(3)
    assert [pace.wait_s("ada", 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert pace.wait_s("ada", 0.0) == pytest.approx(20.0)


def test_steps_flow_back_evenly_and_never_overflow():
    pace = Pace(3)
    for _ in range(3):
        pace.wait_s("ada", 0.0)
    assert pace.wait_s("ada", 10.0) == pytest.approx(10.0)
    assert pace.wait_s("ada", 20.0) == 0.0
    assert [pace.wait_s("ada", 500.0) > 0 for _ in range(4)] == [False, False, False, True]


def test_one_user_takes_nothing_from_another():
    pace = Pace(1)
    assert pace.wait_s("ada", 0.0) == 0.0
    assert pace.wait_s("bob", 0.0) == 0.0


def test_who_went_away_is_forgotten():
    pace = Pace(1)
    for n in range(1000):
        pace.wait_s(f"user {n}", 0.0)
    pace.wait_s("ada", 601.0)
    assert len(pace._left) == 1
