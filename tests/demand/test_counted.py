"""What passes for counted in a log: the very values that an audit told."""

import json
import tomllib

import pytest

from planner import Scenario
from planner.demand.parts import AUDITED, WorkloadClass, counted
from planner.export.scenario_file import scenario_toml

(ROW, *_) = Scenario(profile="axiom").classes
HELD = ROW.model_dump() | {"audited": counted("log.csv", ROW.model_dump())}


def test_what_an_audit_told_is_counted_in_its_log():
    assert WorkloadClass(**HELD).counted_in == "log.csv"


@pytest.mark.parametrize("field", AUDITED)
def test_another_value_is_counted_no_more(field):
    assert WorkloadClass(**HELD | {field: 0.9 * HELD[field] + 0.05}).counted_in == ""


@pytest.mark.parametrize("field", ["p99_ttft_s", "usd_per_mtok_output"])
def test_what_no_log_tells_may_be_another(field):
    assert WorkloadClass(**HELD | {field: 0.9 * HELD[field]}).counted_in == "log.csv"


@pytest.mark.parametrize("typed", ["", "log.csv", "log.csv; counted as 00000000"])
def test_a_word_alone_counts_nothing(typed):
    assert WorkloadClass(**HELD | {"audited": typed}).counted_in == ""


def test_it_stays_counted_whichever_way_a_scenario_is_kept():
    given = ROW.model_dump() | {"output_scv": 0.1 + 0.2, "requests_per_s": 1 / 3}
    held = Scenario.read({"classes": [given | {"audited": counted("log.csv", given)}]})
    ways = (
        Scenario.from_query(held.to_query()),
        Scenario.read(tomllib.loads(scenario_toml(held))),
        Scenario.read(json.loads(held.model_dump_json())),
    )
    assert [way.classes[0].counted_in for way in ways] == ["log.csv"] * 3
