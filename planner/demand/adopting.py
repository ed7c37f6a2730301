"""From an audit to a scenario: the log's classes with the scenario's service levels and prices."""

from typing import Any

from planner import text
from planner.demand.logs.results import Audit, ClassMoments
from planner.demand.parts import AUDITED, COUNTED_AS, HASH_DIGITS, WorkloadClass, counted
from planner.demand.scenario import Scenario
from planner.demand.workload import audited_ratio
from planner.facts.catalog import Catalog

LONGEST_NAME = (
    next(
        rule.max_length
        for rule in WorkloadClass.model_fields["audited"].metadata
        if hasattr(rule, "max_length")
    )
    - len(COUNTED_AS)
    - HASH_DIGITS
)


def adopted(scenario: Scenario, audit: Audit) -> Scenario:
    """The scenario with the audited classes in place of its own, the ratio as audited.

    An expected ratio keeps its distance from today's: what doubled before doubles still.

    What a log cannot tell (service levels, prices, models that it does not name or the catalog
    does not know) is kept from the scenario's class of the same name, else from its first class.

    Raises:
        ScenarioError: an audited value lies outside the limits of its field.
    """
    log = f"{audit.source}, {text.count(audit.requests, 'request')}"[:LONGEST_NAME]
    named = {row.name: row for row in scenario.classes}
    rows = [
        _row(moments, named.get(moments.name, scenario.classes[0]), scenario.catalog)
        for moments in audit.workload()
    ]
    rows = [row | {"audited": counted(log, row)} for row in rows]
    given = scenario.model_dump(mode="json") | {
        "classes": rows,
        "decode_to_prefill_token_ratio": None,
    }
    taken = Scenario.read(given, scenario.catalog)
    then = scenario.ratio_in_18_months
    if then is None:
        return taken
    drifted = then * audited_ratio(taken) / audited_ratio(scenario)
    return Scenario.read(given | {"ratio_in_18_months": drifted}, scenario.catalog)


def _row(moments: ClassMoments, like: WorkloadClass, catalog: Catalog) -> dict[str, Any]:
    known = {field: value for field in AUDITED if (value := getattr(moments, field)) is not None}
    known_by = catalog.models
    model = {"model": moments.model} if moments.model in known_by else {}
    return like.model_dump(mode="json") | known | model | {"name": moments.name}
