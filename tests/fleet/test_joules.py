"""Where the joules of a token go: parts by hand, and their sum is the draw."""

import pytest

from planner.facts.catalog import load_catalog
from planner.fleet.joules import LABELS, draw_by_cause_w
from planner.fleet.pools import DECODE, PREFILL, Activity
from planner.fleet.watts import fleet_watts
from tests.stand_ins import PROFILES, fleet, pool, sized_profile

CATALOG = load_catalog()


@pytest.mark.parametrize("profile", PROFILES)
def test_the_parts_are_all_of_the_draw_at_the_meter(profile):
    held = sized_profile(profile)
    for option in held.fleets.values():
        parts = draw_by_cause_w(option, CATALOG, held.ledger)
        whole = fleet_watts(option, CATALOG, held.ledger).mean_w * held.ledger["site.pue"]
        assert sum(parts.values()) == pytest.approx(whole, rel=1e-9)
        assert set(parts) == set(LABELS)
        assert min(parts.values()) >= 0


def test_a_fleet_at_rest_draws_for_nothing_but_itself():
    ledger, rest = sized_profile("axiom").ledger, Activity(0.0, 0.0)
    parts = draw_by_cause_w(fleet(pool(peak=rest, mean=rest)), CATALOG, ledger)
    assert parts["memory"] == parts["compute"] == 0
    # ten H100s at 72.5 W idle
    assert parts["idle"] == pytest.approx(725)


def test_decode_spends_on_memory_and_prefill_on_arithmetic():
    held = sized_profile("axiom")
    for option in ("split-same-chip", "split-mixed"):
        for built in held.fleets[option].pools:
            parts = draw_by_cause_w(fleet(built), CATALOG, held.ledger)
            more = {DECODE: "memory", PREFILL: "compute"}[built.role]
            less = {DECODE: "compute", PREFILL: "memory"}[built.role]
            assert parts[more] > parts[less]


def test_a_bit_from_memory_costs_four_times_the_articles_device():
    """27 pJ from the memory to where it is used, by the fit to measured boards; the article's 6 pJ
    is the memory device alone (facts E2 and E3: 3 to 6 pJ there, 20 to 30 pJ for the path)."""
    ledger = sized_profile("axiom").ledger
    assert 20 < ledger["calibration.memory_j_per_byte"] / 8 * 1e12 < 30
