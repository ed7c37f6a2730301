"""Assumptions read as a finance reader would say them."""

import pytest

from planner import Scenario, load_catalog, plan
from planner.decision.wording import TITLES, in_sentence, name_of, range_of, value_of
from planner.facts.ledger import Assumption
from planner.physics.efficiency import calibrated


def named(parameter):
    row = Assumption(parameter, 1.0, "1", 0.0, 2.0, "estimate", "none")
    return name_of(row, load_catalog())


@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        ("growth_frac_per_year", "Growth"),
        ("finance.wacc_frac", "Cost of capital"),
        ("classes.chat.requests_per_s", "Chat: requests"),
        ("classes.long_documents.requests_per_s", "Long documents: requests"),
        ("prices.running.staff_fte_per_mw", "Site staff per megawatt"),
        ("classes.a.b.requests_per_s", "A.b: requests"),
        ("owned.h100-sxm.resale_usd", "H100 80GB SXM5: resale value"),
        ("accelerators.mi300x.price_usd", "Instinct MI300X: price"),
        ("prices.running.it_support_frac_per_year", "IT support over capital"),
        ("calibration.speed.mi300x_frac", "Measured speed of Instinct MI300X"),
        ("calibration.memory_frac.h100-sxm.dense.fp8", "H100 80GB SXM5: memory"),
        ("calibration.memory_j_per_byte", "Energy of a byte moved"),
        ("prices.life.facility_years", "Facility years"),
    ],
)
def test_a_name_is_words(parameter, name):
    assert named(parameter) == name


@pytest.mark.parametrize(
    ("name", "within"),
    [
        ("Token price erosion", "token price erosion"),
        ("Network's share of capital", "network's share of capital"),
        ("Output : input tokens", "output : input tokens"),
        ("Measured speed of Instinct MI300X", "measured speed of Instinct MI300X"),
        ("Block, software", "block, software"),
        ("All-in capital over chip price", "all-in capital over chip price"),
        ("IT support over capital", "IT support over capital"),
        ("PUE", "PUE"),
        ("Instinct MI300X: price", "Instinct MI300X: price"),
        ("H100 80GB SXM5: resale value", "H100 80GB SXM5: resale value"),
        ("Chat: requests", "Chat: requests"),
        ("Long documents: requests", "Long documents: requests"),
    ],
)
def test_within_a_sentence_only_what_is_proper_is_capital(name, within):
    assert in_sentence(name) == within


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.31, "frac", "31%"),
        (0.04, "frac/year", "4.0% a year"),
        (30_000, "USD", "$30k"),
        (0.083, "USD/kWh", "$0.083/kWh"),
        (4e-5, "s", "40 µs"),
        (6, "quarters", "6.0 quarters"),
        (300, "1", "300"),
        (91, "W", "91 W"),
        (12, "MW", "12 MW"),
        (0.004, "1/s", "0.0040/s"),
    ],
)
def test_a_value_has_its_unit(value, unit, words):
    assert value_of(value, unit) == words


def test_a_range_says_its_unit_once():
    assert range_of(0, 0.5, "frac/year") == "0% to 50% a year"
    assert range_of(2, 5, "FTE") == "2.0 to 5.0 FTE"


@pytest.mark.parametrize("profile", ["axiom", "enterprise"])
def test_every_uncertain_assumption_of_a_plan_has_a_name(profile):
    held = plan(Scenario(profile=profile))
    for row in held.ledger.used.values():
        if row.low < row.high:
            name = name_of(row, held.catalog)
            assert "_" not in name.replace("long_documents", "")
            assert name[0].isupper() or row.parameter.startswith("classes.")


def test_every_title_belongs_to_a_number_of_the_catalog():
    catalog = load_catalog()
    for path in TITLES:
        look_up = calibrated if path.startswith("calibration.") else type(catalog).number
        assert look_up(catalog, path).unit
