"""The fitted numbers: bounded, written exactly as they are read, and inherited by the unknown."""

import copy
import tomllib
from math import inf, log, nan

import pytest

from planner.errors import CatalogError
from planner.evidence.calibration_file import as_toml, without_date
from planner.facts.calibration import (
    FILE,
    SCOPES,
    Band,
    Calibrated,
    Effect,
    calibration_from,
)
from planner.facts.catalog import catalog_folder
from planner.facts.quantities import Quantity
from tests.evidence.stand_ins import CATALOG

TEXT = (catalog_folder() / FILE).read_text(encoding="utf-8")
SHIPPED = calibration_from(tomllib.loads(TEXT), CATALOG.sources)
TIME, POWER = 23, 3
TRIPLE = log(3)


def effects(number):
    return [effect for groups in number.effects.values() for effect in groups.values()]


def test_the_shipped_file_holds_every_number_for_time_and_power():
    assert len(SHIPPED.numbers) == TIME + POWER
    assert CATALOG.calibration == SHIPPED


def test_shares_lie_between_nothing_and_the_peak():
    shares = [n for n in SHIPPED.numbers.values() if n.law == "share"]
    assert len(shares) > 5
    assert all(0 < n.whole.low <= n.whole.value <= n.whole.high < 1 for n in shares)


def test_no_group_of_any_kind_passes_the_peak():
    for number in SHIPPED.numbers.values():
        groups = {
            level: max(held, key=lambda group, held=held: held[group].value)
            for level, held in number.effects.items()
        }
        most = number.at(groups)
        assert most >= number.whole.value
        assert most < (1 if number.law == "share" else inf)


def test_every_number_has_its_range_and_its_rows():
    for number in SHIPPED.numbers.values():
        assert 0 < number.whole.low <= number.whole.value <= number.whole.high
        assert number.whole.source == "measured-serving"
        assert number.n_rows > 0
        for effect in effects(number):
            assert effect.low < effect.value < effect.high
            assert 0 < effect.n_rows <= number.n_rows


def test_every_quantity_has_bands_and_errors_on_what_was_not_seen():
    quantities = {"tpot", "ttft", "rate", "power", "energy"}
    assert set(SHIPPED.bands) == set(SHIPPED.errors) == quantities
    for quantity in quantities:
        assert set(SHIPPED.errors[quantity]) == set(SCOPES) <= set(SHIPPED.bands[quantity])
        assert all(0 < b.low_frac < 1 < b.high_frac for b in SHIPPED.bands[quantity].values())


def test_the_text_of_what_is_read_is_the_file():
    assert as_toml(SHIPPED) == TEXT


def test_two_texts_are_compared_without_their_dates():
    later = TEXT.replace(SHIPPED.date, "2031-01-01")
    assert later != TEXT
    assert without_date(later) == without_date(TEXT)
    assert without_date(later.replace("rows = 3191", "rows = 3190", 1)) != without_date(TEXT)


DAMAGES = {
    "no value": ("memory_frac", "value", None),
    "no rows": ("memory_frac", "rows", None),
    "text for a number": ("memory_frac", "value", "fast"),
    "true for a number": ("memory_frac", "value", True),
    "nan": ("memory_frac", "low", nan),
    "infinite": ("layer_overhead_s", "high", inf),
    "share above 1": ("memory_frac", "high", 1.01),
    "negative": ("layer_overhead_s", "low", -1e-6),
    "out of order": ("layer_overhead_s", "low", 1.0),
    "no such law": ("memory_frac", "law", "linear"),
    "no unit": ("memory_frac", "unit", None),
    "no effect's value": ("memory_frac.chip.h100-sxm", "value", None),
    "effect out of order": ("memory_frac.chip.h100-sxm", "high", -5),
    "effect as text": ("memory_frac.chip.h100-sxm", "low", "little"),
    "no band's end": ("bands.tpot.rows", "high", None),
    "band below nothing": ("bands.tpot.rows", "low", 0),
    "band out of order": ("bands.tpot.rows", "low", 3.0),
    "no error": ("errors.rate", "chips", None),
    "error as text": ("errors.rate", "pairs", "small"),
}


def damaged(place, field, value):
    table = copy.deepcopy(tomllib.loads(TEXT))
    entry = table
    for part in place.split("."):
        entry = entry[part]
    if value is None:
        del entry[field]
    else:
        entry[field] = value
    return table


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_by_file_and_entry(damage):
    place, field, value = DAMAGES[damage]
    with pytest.raises(CatalogError) as refusal:
        calibration_from(damaged(place, field, value), CATALOG.sources)
    said = str(refusal.value)
    assert FILE in said
    assert place.split(".")[0] in said
    assert "\n" not in said


@pytest.mark.parametrize("field", ["date", "source", "pairs", "bands", "errors"])
def test_a_file_without_its_header_is_refused(field):
    table = tomllib.loads(TEXT)
    del table[field]
    with pytest.raises(CatalogError, match=field):
        calibration_from(table, CATALOG.sources)


def test_pairs_are_texts():
    with pytest.raises(CatalogError, match="pairs"):
        calibration_from(tomllib.loads(TEXT) | {"pairs": [1, 2]}, CATALOG.sources)


def number_of(law, value):
    """Three times as likely, or as much, in a family; a third of that again on one chip."""
    whole = Quantity(value, value / 2, value * 1.5, "1", "measured", "measured-serving")
    family = {"hopper": Effect(TRIPLE, 0.0, 2.0, 5)}
    chip = {"h100-sxm": Effect(-TRIPLE, -2.0, 0.0, 5)}
    return Calibrated(law, whole, 9, {"family": family, "chip": chip})


@pytest.mark.parametrize(
    ("law", "value", "groups", "by_hand"),
    [
        ("share", 0.5, {"family": "hopper", "chip": "h300"}, 0.75),
        ("share", 0.5, {"family": "hopper", "chip": "h100-sxm"}, 0.5),
        ("share", 0.5, {"family": "abacus", "chip": "a1"}, 0.5),
        ("share", 0.25, {"family": "hopper", "chip": "h300"}, 0.5),
        ("share", 0.25, {"family": "abacus", "chip": "h100-sxm"}, 0.1),
        ("share", 0.9, {}, 0.9),
        ("positive", 2.0, {"family": "hopper", "chip": "h300"}, 6.0),
        ("positive", 2.0, {"family": "hopper", "chip": "h100-sxm"}, 2.0),
        ("positive", 2.0, {"family": "abacus", "chip": "a1"}, 2.0),
        ("positive", 2.0, {"family": "", "chip": ""}, 2.0),
    ],
)
def test_an_unknown_chip_inherits_its_family_and_that_everybody(law, value, groups, by_hand):
    assert number_of(law, value).at(groups) == pytest.approx(by_hand, rel=1e-12)


def test_what_a_fit_had_not_seen_of_a_model_on_a_chip():
    assert SHIPPED.scope("deepseek-r1", "h200-sxm") == "rows"
    assert SHIPPED.scope("llama-3.1-70b", "h200-sxm") == "pairs"
    assert SHIPPED.scope("deepseek-r1", "gaudi3") == "chips"


def test_a_kind_without_a_band_of_its_own_has_everybodys():
    assert SHIPPED.band("power", "pairs", "latent") == SHIPPED.band("power", "pairs", "")
    own = SHIPPED.band("tpot", "pairs", "dense")
    assert isinstance(own, Band)
    assert own != SHIPPED.band("tpot", "pairs", "experts")
