"""The published shape of a plan: every plan has it, and it is the shape that the records have."""

import json
from pathlib import Path

import jsonschema
import pytest

from planner import profiles
from planner.export.commands import meanings, plan_schema
from planner.export.schema import schema_of
from tests.export.printing import planned

PUBLISHED = Path("docs/plan.schema.json")


def valid(document):
    jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text())).validate(document)


@pytest.mark.parametrize("profile", profiles.names())
def test_every_starting_scenario_has_the_published_shape(profile):
    valid(planned(profile).as_dict(break_even=False))


@pytest.mark.parametrize(
    "fields",
    [
        {"fleet_mix": 0.5},
        {"decode_to_prefill_token_ratio": 0.3},
        {"ratio_in_18_months": None},
        {"owned": []},
        {"classes": [{"name": "chat", "p99_tpot_s": 0.001}]},
        {"finance": {"basis": "rent", "capital_budget_usd": 1e6}},
    ],
)
def test_other_scenarios_have_it_too(fields):
    valid(planned("enterprise", **fields).as_dict(flips=False))


@pytest.mark.parametrize("lost", ["verdict", "bridge", "ledger", "checks"])
def test_a_plan_that_lost_a_key_has_not(lost):
    document = planned("enterprise").as_dict(flips=False)
    del document[lost]
    with pytest.raises(jsonschema.ValidationError, match=lost):
        valid(document)


def test_a_text_in_place_of_a_number_is_refused():
    document = planned("enterprise").as_dict(flips=False)
    document["net"] = {"usd_per_year": "much", "frac": 0.1}
    with pytest.raises(jsonschema.ValidationError, match="much"):
        valid(document)


def test_keys_that_only_some_documents_have_are_not_required():
    documents = [{"a": 1, "b": [{"c": "x"}]}, {"a": None, "b": [], "d_usd": 2.0}]
    shape = schema_of(documents, "two", {"c": "Any c", "b.c": "The c of b", "d_usd": "A sum"})
    assert shape["required"] == ["a", "b", "scenario"]
    assert shape["properties"]["d_usd"] == {
        "type": ["number", "null"],
        "unit": "US dollars",
        "description": "A sum",
    }
    assert shape["properties"]["b"]["items"]["required"] == ["c"]
    assert shape["properties"]["b"]["items"]["properties"]["c"]["description"] == "The c of b"


def test_a_rate_is_not_taken_for_a_time():
    shape = schema_of([{"output_tokens_per_s": 1.0, "kv_gbit_per_s": 1.0, "wait_s": 1.0}], "t", {})
    units = {key: found.get("unit") for key, found in shape["properties"].items()}
    assert units["output_tokens_per_s"] == "tokens per second"
    assert units["kv_gbit_per_s"] == "gigabits per second"
    assert units["wait_s"] == "seconds"


def keys(shape, above=""):
    """Every key of a shape, as `above.key`, with its description."""
    for key, inner in shape.get("properties", {}).items():
        yield f"{above}.{key}", inner.get("description")
        for below in (inner, inner.get("items", {})):
            yield from keys(below, key)


def test_every_key_says_what_it_means_and_nothing_else_is_explained():
    said = dict(keys(json.loads(PUBLISHED.read_text())))
    assert not [key for key, words in said.items() if not words]
    known = {*said, *(key.rpartition(".")[2] for key in said)}
    assert not meanings().keys() - known


@pytest.mark.sweep
def test_the_published_shape_is_current():
    assert json.loads(PUBLISHED.read_text()) == plan_schema()
