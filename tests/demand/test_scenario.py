"""A scenario takes any subset of fields, refuses nonsense in words, and survives a link."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import planner
from planner import Scenario, ScenarioError, profiles
from planner.demand.parts import Finance, Operator, OwnedFleet, Site, WorkloadClass

PROFILES = profiles.names()
PARTS = (Scenario, WorkloadClass, OwnedFleet, Site, Operator, Finance)


def numeric_fields():
    for part in PARTS:
        for name, about in part.model_fields.items():
            if about.annotation in (float, int, float | None):
                yield part, name, about


def test_nothing_given_is_axiom_cloud():
    assert Scenario.read({}).name == "Axiom Cloud"


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_a_whole_scenario(profile):
    scenario = Scenario.read({"profile": profile})
    assert scenario.profile == profile
    assert scenario.classes


def test_the_article_s_axiom_serves_chat_code_and_long_documents():
    assert [row.name for row in Scenario.read({}).classes] == ["chat", "code", "long_documents"]


@pytest.mark.parametrize(
    ("log", "name"), [("azure_2023_conversation", "chat"), ("azure_2023_code", "code")]
)
def test_the_default_classes_are_what_the_audit_finds_in_the_real_log(log, name):
    found = planner.audit(f"hardware_catalog/traces/{log}.csv").workload()[0]
    row = next(row for row in Scenario.read({}).classes if row.name == name)
    for field in ("input_tokens", "input_scv", "output_tokens", "output_scv", "requests_per_s"):
        assert getattr(row, field) == pytest.approx(getattr(found, field), rel=2e-4)
    assert row.peak_to_mean == pytest.approx(found.peak_to_mean, rel=2e-4)
    assert row.arrival_scv == pytest.approx(found.arrival_scv, rel=1e-3)


@pytest.mark.parametrize(("part", "name", "about"), list(numeric_fields()))
def test_every_number_says_its_title_help_unit_and_limits(part, name, about):
    assert about.title
    assert 0 < len(about.description.split()) <= 20
    assert about.json_schema_extra["unit"]
    assert any(hasattr(item, "ge") for item in about.metadata)
    assert any(hasattr(item, "le") for item in about.metadata)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_starting_number_has_a_source_and_a_range(profile):
    def check(value, path):
        if isinstance(value, BaseModel):
            for field in type(value).model_fields:
                check(getattr(value, field), f"{path}.{field}".strip("."))
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                check(item, f"{path}.{index}")
        elif isinstance(value, float | int) and not isinstance(value, bool):
            found = profiles.quantity(profile, path)
            assert found is not None, path
            assert found.source
            assert found.low <= found.value <= found.high

    check(Scenario.read({"profile": profile}), "")


def test_a_part_given_in_part_keeps_the_rest():
    scenario = Scenario.read({"site": {"pue": 1.5}})
    assert scenario.site.pue == 1.5
    assert scenario.site.usd_per_kwh == Scenario.read({}).site.usd_per_kwh


def test_a_class_given_in_part_keeps_the_rest_of_its_namesake():
    scenario = Scenario.read({"classes": [{"name": "code", "input_tokens": 500}]})
    (only,) = scenario.classes
    assert only.input_tokens == 500
    assert only.output_tokens == pytest.approx(27.88, abs=0.01)


@pytest.mark.parametrize(
    ("given", "field", "allowed"),
    [
        ({"site": {"pue": 0.5}}, "site.pue", "1"),
        ({"power_budget_mw": -1}, "power_budget_mw", "0"),
        ({"power_budget_mw": "12,5"}, "power_budget_mw", "0 to 100,000 MW"),
        ({"power_budget_mw": math.nan}, "power_budget_mw", "0 to 100,000 MW"),
        ({"growth_frac_per_year": math.inf}, "growth_frac_per_year", "−0.90 to 20"),
        ({"fleet_mix": 1.5}, "fleet_mix", "1"),
        ({"decode_to_prefill_token_ratio": 0}, "decode_to_prefill_token_ratio", "0.01"),
        ({"candidates": ["h900"]}, "candidates", "h100-sxm"),
        ({"classes": []}, "classes", "1"),
        ({"default_accelerator": "abacus"}, "default_accelerator", "h100-sxm"),
        ({"profile": "pirate"}, "profile", "axiom"),
        ({"colour": "red"}, "colour", "not permitted"),
        ({"software": {"weight_precision": "fp3"}}, "software.weight_precision", "fp8"),
    ],
)
def test_nonsense_is_refused_with_the_field_and_what_is_allowed(given, field, allowed):
    with pytest.raises(ScenarioError) as refused:
        Scenario.read(given)
    (sentence,) = refused.value.problems
    assert field in sentence
    assert allowed in sentence
    assert sentence.endswith(".")


def test_a_refused_field_loses_nothing_of_the_others():
    with pytest.raises(ScenarioError) as refused:
        Scenario.read({"power_budget_mw": -1, "name": "Mine"})
    assert refused.value.accepted == {"name": "Mine"}


def test_a_refused_field_of_a_part_leaves_the_part_s_others():
    with pytest.raises(ScenarioError) as refused:
        Scenario.from_query({"site.pue": "1.3", "site.usd_per_kwh": "99"})
    assert refused.value.accepted == {"site": {"pue": 1.3}}


def test_two_classes_of_one_name_are_refused():
    with pytest.raises(ScenarioError, match="stands twice"):
        Scenario.read({"classes": [{"name": "chat"}, {"name": "chat"}]})


@pytest.mark.parametrize("name", [[], {}, None, 1])
def test_a_class_whose_name_is_no_text_is_refused(name):
    with pytest.raises(ScenarioError, match=r"classes\.0\.name"):
        Scenario.read({"classes": [{"name": name}]})


@pytest.mark.parametrize("profile", PROFILES)
def test_an_unchanged_scenario_travels_as_its_profile_alone(profile):
    assert Scenario.read({"profile": profile}).to_query() == {"profile": profile}


def test_a_link_carries_only_what_differs():
    scenario = Scenario.read({"power_budget_mw": 7.5, "site": {"pue": 1.3}, "name": "A & B = ?"})
    query = scenario.to_query()
    assert query == {
        "profile": "axiom",
        "power_budget_mw": "7.5",
        "site.pue": "1.3",
        "name": "A & B = ?",
    }
    assert Scenario.from_query(query) == scenario


@given(
    mw=st.floats(0, 1e5),
    ratio=st.none() | st.floats(0.01, 20),
    mix=st.just("auto") | st.floats(0, 1),
    name=st.text(max_size=50).map(str.strip),
    tokens=st.floats(1, 1e6),
)
@settings(deadline=None)
def test_any_legal_scenario_survives_a_link(mw, ratio, mix, name, tokens):
    scenario = Scenario.read(
        {
            "power_budget_mw": mw,
            "decode_to_prefill_token_ratio": ratio,
            "fleet_mix": mix,
            "name": name,
            "classes": [{"name": "chat", "input_tokens": tokens}],
        }
    )
    assert Scenario.from_query(scenario.to_query()) == scenario


def test_a_bad_value_in_a_link_is_reported_and_the_rest_is_kept():
    with pytest.raises(ScenarioError) as refused:
        Scenario.from_query({"power_budget_mw": "lots", "name": "Kept", "nonsense": "1"})
    assert any("power_budget_mw" in problem for problem in refused.value.problems)
    assert any("nonsense" in problem for problem in refused.value.problems)
    assert refused.value.accepted["name"] == "Kept"


def test_a_scenario_is_plain_json_both_ways():
    scenario = Scenario.read({"profile": "neocloud", "fleet_mix": 0.25})
    assert Scenario.read(json.loads(scenario.model_dump_json())) == scenario


def test_a_scenario_cannot_be_changed_in_place():
    with pytest.raises(Exception, match="frozen"):
        Scenario.read({}).power_budget_mw = 3


def test_a_scenario_may_name_a_chip_of_the_catalog_it_is_read_with():
    shipped = planner.load_catalog()
    chips = {**shipped.accelerators, "mine": shipped.accelerators["h100-sxm"]}
    given = {"candidates": ["mine"]}
    with pytest.raises(ScenarioError, match="'mine' is not among the catalog's accelerators"):
        Scenario.read(given)
    held = replace(shipped, accelerators=chips)
    assert Scenario.read(given, held).candidates == ("mine",)
