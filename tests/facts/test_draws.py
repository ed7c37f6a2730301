"""Numbers that move together do so as strongly as their groups say, and stay uniform alone."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest, spearmanr

from planner.errors import CatalogError
from planner.facts.catalog import load_catalog
from planner.facts.draws import Tie, independent, ties_of, unit_draws
from planner.facts.quantities import Quantity

CATALOG = load_catalog()
TIES = ties_of(CATALOG)
N = 4096


def tied(**strengths):
    """Numbers of one common cause, by their strength."""
    return lambda name: (Tie("cause", strengths[name]),) if name in strengths else ()


def group(**changes):
    strength = Quantity(0.5, 0.5, 0.5, "frac", "estimate", "switchyard-estimates")
    held = {"parameters": ["site.*"], "within": "", "strength_frac": strength} | changes
    return replace(CATALOG, tables={**CATALOG.tables, "correlations": {"mine": held}})


@pytest.mark.parametrize("strength", [0.2, 0.5, 0.8])
def test_the_rank_correlation_is_that_of_a_gaussian_copula(strength):
    """Spearman's rho of two normals correlated by r is 6/π·asin(r/2) (Kruskal 1958)."""
    drawn = unit_draws(("a", "b"), N, 0, tied(a=strength, b=strength))
    expected = 6 / np.pi * np.arcsin(strength / 2)
    assert spearmanr(drawn["a"], drawn["b"]).statistic == pytest.approx(expected, abs=0.04)


def test_unlike_strengths_give_the_root_of_their_product():
    drawn = unit_draws(("a", "b"), N, 0, tied(a=0.9, b=0.4))
    expected = 6 / np.pi * np.arcsin(np.sqrt(0.36) / 2)
    assert spearmanr(drawn["a"], drawn["b"]).statistic == pytest.approx(expected, abs=0.04)


def test_one_cause_for_everything_gives_the_same_ranks():
    drawn = unit_draws(("a", "b"), 64, 0, tied(a=1.0, b=1.0))
    assert np.array_equal(drawn["a"].argsort(), drawn["b"].argsort())


@pytest.mark.parametrize("ties", [independent, tied(a=0.7)])
def test_one_draw_lies_in_each_slice(ties):
    drawn = np.sort(unit_draws(("a",), 100, 3, ties)["a"])
    assert np.array_equal(np.floor(drawn * 100), np.arange(100))
    assert kstest(drawn, "uniform").statistic <= 0.01


def test_a_numbers_draws_do_not_depend_on_what_else_is_drawn():
    few = unit_draws(("site.pue", "classes.chat.usd_per_mtok_input"), 64, 1, TIES)
    names = (*few, "site.usd_per_kwh", "classes.chat.usd_per_mtok_output", "operator.engineers")
    many = unit_draws(reversed(names), 64, 1, TIES)
    for name in few:
        assert np.array_equal(few[name], many[name])


def test_the_same_seed_gives_the_same_bytes_and_another_others():
    name = "accelerators.h100-sxm.price_usd"
    one, same, other = (unit_draws((name,), 64, seed, TIES)[name] for seed in (7, 7, 8))
    assert one.tobytes() == same.tobytes()
    assert one.tobytes() != other.tobytes()


CORRELATED = [
    ("accelerators.h100-sxm.price_usd", "accelerators.b200-sxm.price_usd"),
    ("accelerators.h100-sxm.price_usd", "owned.h100-sxm.resale_usd"),
    ("classes.chat.usd_per_mtok_input", "classes.chat.usd_per_mtok_output"),
    ("calibration.speed.h100-sxm_frac", "calibration.speed.h200-sxm_frac"),
    ("site.usd_per_kwh", "site.colocation_usd_per_kw_month"),
]


@pytest.mark.parametrize(("one", "other"), CORRELATED)
def test_the_shipped_groups_move_together(one, other):
    drawn = unit_draws((one, other), 1024, 0, TIES)
    assert spearmanr(drawn[one], drawn[other]).statistic > 0.25


def test_prices_of_a_class_and_speeds_of_a_family_move_closer_than_those_of_others():
    def together(one, other):
        drawn = unit_draws((one, other), N, 0, TIES)
        return spearmanr(drawn[one], drawn[other]).statistic

    price = "classes.{}.usd_per_mtok_{}"
    assert together(price.format("chat", "input"), price.format("chat", "output")) > together(
        price.format("chat", "input"), price.format("code", "output")
    )
    speed = "calibration.speed.{}_frac"
    assert together(speed.format("h100-sxm"), speed.format("h200-sxm")) > together(
        speed.format("h100-sxm"), speed.format("mi300x")
    )


def test_numbers_of_different_groups_do_not():
    names = ("site.usd_per_kwh", "accelerators.h100-sxm.price_usd", "growth_frac_per_year")
    drawn = unit_draws(names, N, 0, TIES)
    matrix = spearmanr(np.array(list(drawn.values())), axis=1).statistic
    assert np.abs(matrix - np.eye(3)).max() < 0.05


def test_without_the_file_nothing_moves_together():
    tables = {name: held for name, held in CATALOG.tables.items() if name != "correlations"}
    assert ties_of(replace(CATALOG, tables=tables))("site.usd_per_kwh") == ()


def test_strengths_of_every_number_add_up_to_one_at_most():
    for name in (*CATALOG.numbers, "classes.chat.usd_per_mtok_input"):
        assert sum(tie.strength_frac for tie in TIES(name)) <= 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"within": "planet"}, "within"),
        ({"parameters": "site.*"}, "parameters"),
        ({"strength_frac": 0.5}, "strength_frac"),
        ({"more": 1}, "no more"),
    ],
)
def test_a_group_laid_out_otherwise_is_refused(changes, sentence):
    with pytest.raises(CatalogError, match=f"correlations.toml, mine.*{sentence}"):
        ties_of(group(**changes))


def test_groups_that_explain_more_than_all_are_refused():
    whole = Quantity(0.8, 0.8, 0.8, "frac", "estimate", "switchyard-estimates")
    held = group(strength_frac=whole).tables["correlations"]["mine"]
    both = {"one": held, "two": held}
    other = replace(CATALOG, tables={**CATALOG.tables, "correlations": both})
    with pytest.raises(CatalogError, match="more than all"):
        ties_of(other)("site.pue")
