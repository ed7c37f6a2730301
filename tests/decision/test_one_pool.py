"""One pool on other chips: sized like the options, and told whichever way it falls."""

import pytest

from planner import Scenario, one_pool, one_pool_sentence, plan

NAMES = {"b200-sxm": "B200"}


@pytest.fixture(scope="module")
def axiom():
    return plan(Scenario(profile="axiom"))


def test_it_is_the_software_option_of_somebody_who_owns_nothing_and_buys_that_chip(axiom):
    found = one_pool(axiom)
    bare = {"profile": "axiom", "owned": [], "default_accelerator": found["accelerator"]}
    held = plan(Scenario.read(bare)).as_dict(flips=False)
    option = next(row for row in held["options"] if row["id"] == "monolithic-software")
    assert found["cost_usd_per_year"] == pytest.approx(option["cost_usd_per_year"])
    assert found["n_accelerators"] == option["n_accelerators"]


def test_no_other_chip_that_can_be_had_does_it_for_less(axiom):
    found = one_pool(axiom)["cost_usd_per_year"]
    for chip in Scenario(profile="axiom").candidates:
        other = Scenario.read({"profile": "axiom", "candidates": [chip]})
        held = one_pool(plan(other))
        assert held is None or held["cost_usd_per_year"] >= found * (1 - 1e-9)


def test_the_gap_to_the_split_is_a_difference_of_two_costs(axiom):
    found = one_pool(axiom)
    split = next(row for row in axiom.as_dict(flips=False)["options"] if row["id"] == "split-mixed")
    gap = split["cost_usd_per_year"] - found["cost_usd_per_year"]
    assert found["below_split_usd_per_year"] == pytest.approx(gap)


@pytest.mark.parametrize(
    ("less", "said"),
    [
        (10e6, "$10M less than the best split: the gap is the chips, not the splitting."),
        (-10e6, "$10M more than the best split: that much is splitting itself."),
        (None, "no split of chips that can be bought serves."),
    ],
)
def test_it_is_said_whichever_way_it_falls(less, said):
    found = {"accelerator": "b200-sxm", "n_accelerators": 1808, "cost_usd_per_year": 35e6}
    sentence = one_pool_sentence(found | {"below_split_usd_per_year": less}, NAMES)
    assert sentence.startswith("One pool of 1,808 B200 would do the same for $35M a year")
    assert sentence.endswith(said)
