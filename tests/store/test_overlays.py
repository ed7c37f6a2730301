"""Users' own chips, models, prices and calibrations: sourced, versioned, and used by plans."""

import pytest

import planner
from planner import OvertakenError, ScenarioError, StoreError
from tests.store.stand_ins import ANN, BOB, CFO, OFFER, START, number, overlay, own_chip, scenario

MODEL = {
    "name": "Own 8B",
    "vendor": "ACME",
    "released": "2026-11",
    "native_precision": "bf16",
    "dims": {
        "n_layers": 32, "hidden": 4096, "vocab": 128256, "max_context": 131072,
        "tied_embeddings": False, "gated_mlp": True, "n_dense_layers": 32, "dense_ffn": 14336,
        "attention": [{"kind": "grouped-query", "n_layers": 32, "n_heads": 32, "n_kv_heads": 8,
                       "head_dim": 128}],
    },
}  # fmt: skip
SHIFT = {"value": 0.1, "low": 0.0, "high": 0.2, "rows": 12}
"""Of the logit of a share, as a fit of twelve own rows found it."""

KINDS = {
    "a chip": own_chip(),
    "another power of a chip": overlay(),
    "a model": overlay("models", "own-8b", **MODEL),
    "a price": overlay("prices", "llama-3.3-70b", input_usd_per_mtok=number(0.3, "USD/Mtok")),
    "a calibration": overlay("calibration", "memory_frac", chip={"b200-sxm": SHIFT}),
}


@pytest.mark.parametrize("given", KINDS.values(), ids=KINDS.keys())
def test_an_overlay_is_kept_in_versions_and_lies_over_the_catalog(store, given):
    saved = store.overlays.save(ANN, given)
    again = store.overlays.save(ANN, given, after=saved)
    assert store.overlays.open(ANN, saved.document_id, 1) == saved
    assert [held.version for held in store.overlays.history(ANN, saved.document_id)] == [2, 1]
    assert saved.name == f"{given['file']}/{given['entry']}"
    kept = store.scenarios.save(ANN, START, overlays=[(again.document_id, 2)])
    catalog = store.catalog(ANN, kept)
    source = catalog.sources[f"overlay-{given['file']}-{given['entry']}"]
    assert (source.title, source.url, source.retrieved) == (OFFER["title"], OFFER["url"], False)
    assert catalog.version != planner.load_catalog().version


def test_a_number_of_an_overlay_replaces_the_catalogs_and_cites_its_own_source(store):
    saved = store.overlays.save(ANN, KINDS["another power of a chip"])
    kept = store.scenarios.save(ANN, START, overlays=[(saved.document_id, 1)])
    chip = store.catalog(ANN, kept).accelerators["h100-sxm"]
    assert (chip.tdp_w.value, chip.tdp_w.source) == (650, "overlay-accelerators-h100-sxm")
    shipped = planner.load_catalog().accelerators["h100-sxm"]
    assert (chip.memory_bytes, chip.name) == (shipped.memory_bytes, shipped.name)


def test_a_plan_can_buy_a_users_own_chip(store):
    chip = store.overlays.save(ANN, own_chip())
    mine = scenario(candidates=["acme-1"])
    with pytest.raises(ScenarioError, match="acme-1"):
        store.scenarios.save(ANN, mine)
    saved = store.scenarios.save(ANN, mine, overlays=[(chip.document_id, 1)])
    catalog = store.catalog(ANN, saved)
    answer = planner.plan(planner.Scenario.read(saved.content, catalog), catalog)
    chips = {pool.accelerator for pool in answer.fleets["split-mixed"].pools}
    assert "acme-1" in chips
    assert answer.ledger.find("accelerators.acme-1.tdp_w").source == "overlay-accelerators-acme-1"


def test_two_overlays_of_one_entry_both_count(store):
    power = store.overlays.save(ANN, overlay())
    price = store.overlays.save(ANN, overlay(price_usd=number(19_000, "USD")))
    saved = store.scenarios.save(
        ANN, START, overlays=[(power.document_id, 1), (price.document_id, 1)]
    )
    chip = store.catalog(ANN, saved).accelerators["h100-sxm"]
    assert (chip.tdp_w.value, chip.price_usd.value) == (650, 19_000)


def without(field):
    return {key: value for key, value in overlay().items() if key != field}


REFUSED = {
    "no source": (without("source"), "source: Field required"),
    "a source without a title": (overlay() | {"source": {**OFFER, "title": ""}}, "source.title"),
    "a source nobody can look up": (overlay() | {"source": {**OFFER, "url": ""}}, "url"),
    "a source of no kind": (overlay() | {"source": {**OFFER, "kind": "rumour"}}, "source.kind"),
    "a bare number": (overlay(tdp_w=650), "uncited number"),
    "another document's id": (overlay(tdp_w=number(1, "W") | {"source": "?"}), "not in sources"),
    "an unknown unit": (overlay(tdp_w=number(1, "horses")), "horses"),
    "an unknown field": (overlay(colour=number(1, "W")), "colour: unknown key"),
    "a chip that is half": (overlay(entry="acme-1"), "name: is missing"),
    "nothing": (overlay() | {"fields": {}}, "fields"),
    "an unknown file": (overlay("sources", "x"), "file"),
    "an id that is none": (overlay(entry="a b/../c"), "entry"),
    "not a number": (overlay(tdp_w=number(float("nan"), "W")), "not finite"),
}


@pytest.mark.parametrize(("given", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_an_overlay_that_is_none_is_refused_in_a_sentence(store, given, said):
    with pytest.raises(StoreError, match=said) as refused:
        store.overlays.save(ANN, given)
    assert "\n" not in str(refused.value)
    assert store.overlays.listed(ANN) == []


def test_the_second_of_two_who_save_an_overlay_learns_who_was_first(store):
    opened = store.overlays.save(ANN, overlay())
    link = store.links.share(ANN, opened, right="edit")
    given = overlay(tdp_w=number(600, "W"))
    store.overlays.save(BOB, given, after=opened, link=link)
    with pytest.raises(OvertakenError, match=r"bob saved .* fields\.tdp_w\.high from 650 to 600"):
        store.overlays.save(ANN, overlay(tdp_w=number(640, "W")), after=opened)


def test_nobody_builds_on_facts_they_may_not_open(store):
    chip = store.overlays.save(ANN, own_chip())
    references = [(chip.document_id, 1)]
    with pytest.raises(StoreError, match="There is no scenario"):
        store.scenarios.save(BOB, START, overlays=references)
    saved = store.scenarios.save(ANN, START, overlays=references)
    link = store.links.share(ANN, saved, right="edit")
    theirs = store.scenarios.save(BOB, START, overlays=references, after=saved, link=link)
    assert list(theirs.overlays) == references


def test_an_approved_overlay_is_everybodys_fact(store):
    chip = store.overlays.save(ANN, own_chip())
    store.approvals.review(ANN, chip)
    store.approvals.approve(CFO, chip)
    saved = store.scenarios.save(BOB, START, overlays=[(chip.document_id, 1)])
    assert "acme-1" in store.catalog(BOB, saved).accelerators


def test_a_scenario_is_no_overlay(store):
    saved = store.scenarios.save(ANN, START)
    with pytest.raises(StoreError, match="is no overlay"):
        store.scenarios.save(ANN, START, overlays=[(saved.document_id, 1)])
