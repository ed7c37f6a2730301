"""What a reader may type about a chip, a model or a price, and what comes of it."""

import math

import pytest

from planner.errors import ScenarioError, StoreError
from planner.facts.catalog import load_catalog
from planner.store.boxes import allowed, boxes
from planner.store.entering import Typed, identity, own_fact

QUOTE = {"title": "Quote 12", "kind": "price-list", "url": "https://vega.example/q12"}
CHIP, SUPPORT = "h100-sxm", "prices.running.it_support_frac_per_year"


def typed(file="accelerators", like=CHIP, entry="", *, name="", spread=0.0, origin=QUOTE, **values):
    held = {box.field: box.value for box in boxes(file, like, load_catalog())}
    return Typed(file, entry or like, like, name, held | values, spread, origin, "buy")


def fact(*given, **named):
    return own_fact(typed(*given, **named), load_catalog())


def test_an_edit_holds_what_was_changed_and_nothing_else():
    fields = fact(price_usd=20_000.0)["fields"]
    assert set(fields) == {"name", "price_usd"}
    assert fields["price_usd"]["value"] == 20_000
    assert fields["name"].endswith("(edited)")


def test_the_stated_doubt_becomes_the_range():
    price = fact(price_usd=20_000.0, spread=0.25)["fields"]["price_usd"]
    assert (price["low"], price["high"]) == (15_000, 25_000)


def test_a_number_cites_the_readers_document_and_its_kind():
    held = fact(price_usd=20_000.0, origin={**QUOTE, "kind": "judgement", "url": ""})
    assert held["source"]["title"] == "Quote 12"
    assert held["fields"]["price_usd"]["kind"] == "assumption"


def test_a_new_chip_takes_its_links_from_the_one_it_is_like_and_its_power_from_no_one():
    fields = fact(entry=identity("Vega 1"), name="Vega 1")["fields"]
    assert fields["scale_up_bytes_per_s"]["value"] == 450
    assert "server_w" not in fields
    assert "idle_w" not in fields


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 0.0, 1e308])
@pytest.mark.parametrize("box", boxes("accelerators", CHIP, load_catalog()), ids=lambda b: b.field)
def test_nonsense_is_refused_with_the_allowed_range(box, value):
    with pytest.raises(ScenarioError) as refused:
        fact(**{box.field: value})
    assert str(refused.value).startswith(f"{box.title}: ")
    assert allowed(box) in str(refused.value)


@pytest.mark.parametrize("box", boxes("accelerators", CHIP, load_catalog()), ids=lambda b: b.field)
def test_every_number_of_the_catalog_is_allowed(box):
    first, _, rest = box.field.partition(".")
    for chip in load_catalog().accelerators.values():
        held = getattr(chip, first)
        held = held.get(rest) if rest else held
        own = next(
            b for b in boxes("accelerators", chip.id, load_catalog()) if b.field == box.field
        )
        assert held is None or own.low <= own.value <= own.high


def test_a_source_is_needed_and_its_address_unless_it_is_a_judgement():
    with pytest.raises(ScenarioError) as refused:
        fact(price_usd=20_000.0, origin={"title": " ", "kind": "vendor", "url": ""})
    assert [line.partition(":")[0] for line in refused.value.problems] == ["Source", "Address"]


def test_a_chip_to_buy_needs_a_price():
    with pytest.raises(ScenarioError, match="Price: is empty"):
        fact(entry="own-x", name="X", price_usd=None)


def test_two_chips_do_not_share_a_name():
    catalog = load_catalog()
    taken = next(iter(catalog.accelerators))
    with pytest.raises(ScenarioError, match="is there already"):
        own_fact(typed(entry=taken, name="Again"), catalog)


def test_nothing_changed_is_said():
    with pytest.raises(ScenarioError, match="Nothing was changed"):
        fact()


def test_a_price_is_found_however_deep_it_lies():
    held = fact("prices", SUPPORT, **{SUPPORT: 0.05})
    assert (held["file"], held["entry"]) == ("prices", "running")
    assert held["fields"]["it_support_frac_per_year"]["value"] == 0.05


def test_a_second_edit_keeps_the_first():
    first = fact("prices", SUPPORT, **{SUPPORT: 0.05})
    other = "prices.running.staff_fte_per_mw"
    value = load_catalog().number(other).value * 2
    again = own_fact(typed("prices", other, **{other: value}), load_catalog(), first["fields"])
    assert set(again["fields"]) == {"it_support_frac_per_year", "staff_fte_per_mw"}


def test_layers_of_several_kinds_are_left_alone():
    mixed = next(
        name for name, m in load_catalog().models.items() if len(m.attention) > 1 and not m.missing
    )
    with pytest.raises(ScenarioError, match="several kinds"):
        fact("models", mixed, n_layers=load_catalog().models[mixed].n_layers + 1.0)


def test_dimensions_that_contradict_each_other_are_refused():
    model = next(name for name, m in load_catalog().models.items() if m.n_experts)
    n = load_catalog().models[model].n_experts
    with pytest.raises(StoreError, match="n_experts_active"):
        fact("models", model, n_experts_active=n + 1.0)


@pytest.mark.parametrize("name", ["=cmd()", "<b>x</b>", "../../etc", "織女", "a" * 60])
def test_any_name_makes_an_id_of_letters_digits_and_hyphens(name):
    content = fact(entry=identity(name), name=name)
    assert set(content["entry"]) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert content["fields"]["name"] == f"{name} (own)"
