"""A number is read only beside its source, in order, and in a known unit."""

import math

import pytest

from planner.errors import CatalogError
from planner.facts.quantities import quantity

PLACE = "chips.toml, h100-sxm, tdp_w"
GOOD = {
    "value": 0.7, "low": 0.6, "high": 0.8, "unit": "kW", "kind": "datasheet", "source": "sheet",
}  # fmt: skip


def read(place=PLACE, **changes):
    table = {key: value for key, value in {**GOOD, **changes}.items() if value is not ...}
    return quantity(table, place, {"sheet"})


def test_a_good_number_is_converted_with_its_range():
    got = read(note="max")
    assert (got.value, got.low, got.high) == (700.0, 600.0, 800.0)
    assert (got.unit, got.kind, got.source, got.note) == ("W", "datasheet", "sheet", "max")


def test_an_exact_number_needs_no_range():
    got = read(kind="exact", low=..., high=..., value=8, unit="1")
    assert (got.low, got.value, got.high) == (8.0, 8.0, 8.0)


@pytest.mark.parametrize("key", ["value", "low", "high", "unit", "kind", "source"])
def test_a_part_that_is_missing_is_named(key):
    with pytest.raises(CatalogError, match=rf"^{PLACE}: '{key}' is missing; a quantity needs all"):
        read(**{key: ...})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"unit": "horse"}, "unit 'horse' is unknown; allowed are 1, 1/s, frac"),
        ({"kind": "rumour"}, "kind 'rumour' is unknown; allowed are measured, datasheet, quote"),
        ({"source": "gone"}, "source 'gone' is not in sources.toml; add it there"),
        ({"source": ["sheet"]}, r"\['sheet'\] is not text"),
        ({"unit": 5}, "5 is not text"),
        ({"note": 3}, "3 is not text"),
        ({"colour": "red"}, "unknown key 'colour'; allowed are value, unit, kind, source, low"),
        ({"low": 0.9}, "low 0.9, value 0.7, high 0.8 are out of order; allowed is low <= value"),
        ({"high": 0.65}, "out of order"),
        ({"value": math.nan}, "nan is not finite; a number that is not known is left out"),
        ({"high": math.inf}, "inf is not finite"),
        ({"low": -math.inf}, "-inf is not finite"),
        ({"value": 10**400}, "is not finite"),
        ({"value": 1e308, "high": 1e308}, "is beyond any number; check the unit"),
        ({"value": "0.7"}, "'0.7' is not a number; write a finite number without quotation"),
        ({"value": True}, "True is not a number"),
        ({"value": [0.7]}, "is not a number"),
        ({"low": -0.1}, "-0.1 is negative; only a quantity whose name says bias, change, drift"),
    ],
)
def test_what_is_wrong_is_refused_in_a_sentence(changes, sentence):
    with pytest.raises(CatalogError, match=sentence) as refused:
        read(**changes)
    assert str(refused.value).startswith(PLACE)


@pytest.mark.parametrize("bare", [700, 0.7, True])
def test_a_bare_number_is_uncited(bare):
    with pytest.raises(CatalogError, match=f"^{PLACE}: {bare} is an uncited number; write"):
        quantity(bare, PLACE, {"sheet"})


@pytest.mark.parametrize("name", ["price_drift_frac", "dram_change_frac", "tdp_saving_frac"])
def test_a_drift_may_be_negative(name):
    assert read(f"prices.toml, memory, {name}", unit="frac", low=-0.2).low == -0.2
