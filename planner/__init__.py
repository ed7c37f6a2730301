"""Switchyard: should an inference fleet stay whole, be split, or be rebuilt?

In reading order::

    catalog = load_catalog()                  # cited facts
    scenario = Scenario(profile="neocloud")   # every input, with unit and limits
    held = audit("requests.csv")              # what the fleet is really asked for
    answer = plan(scenario, n_samples=1024)   # options, bridge, megawatts, verdict
    brief_pdf(answer)                         # the page that gets signed
    workbook(answer)                          # the same as live formulas, to be audited
    predict("points.csv")                     # benchmark rows, with their 80 % range

Glossary. Prefill: reading the prompt. Decode: writing the answer, a token at a time. TTFT: time to
first token. TPOT: time per output token. Replica: the chips that hold one copy of a model. Pool:
replicas in one role. Batch: requests a replica decodes at once. PUE: facility power over IT power.
Iso-demand, iso-power, iso-cost: options compared at equal work, megawatts or spending.
"""

import importlib
from typing import TYPE_CHECKING, Any

from planner import text
from planner.demand import profiles
from planner.demand.files import read_file
from planner.demand.scenario import Scenario
from planner.errors import (
    ForbiddenError,
    OvertakenError,
    ScenarioError,
    StoreError,
    SwitchyardError,
    UnmappedError,
)
from planner.facts.catalog import Catalog, load_catalog
from planner.version import MODEL_VERSION

if TYPE_CHECKING:
    from planner.decision.apart import Question as Question
    from planner.decision.apart import audit_apart as audit_apart
    from planner.decision.apart import audit_upload as audit_upload
    from planner.decision.apart import server_logs as server_logs
    from planner.decision.audited import audit as audit
    from planner.decision.heat import heat_map as heat_map
    from planner.decision.killing import kill_conditions as kill_conditions
    from planner.decision.loads import latencies as latencies
    from planner.decision.one_pool import one_pool as one_pool
    from planner.decision.one_pool import one_pool_sentence as one_pool_sentence
    from planner.decision.paper import paper as paper
    from planner.decision.plan import Plan as Plan
    from planner.decision.plan import plan as plan
    from planner.decision.regret import regret as regret
    from planner.decision.risk import Risk as Risk
    from planner.decision.risk import sample as sample
    from planner.decision.surge import surge as surge
    from planner.decision.sweep import sweep as sweep
    from planner.decision.told import told as told
    from planner.decision.variants import RATIOS as RATIOS
    from planner.decision.variants import SPLIT_FRACS as SPLIT_FRACS
    from planner.decision.variants import STRICTNESSES as STRICTNESSES
    from planner.decision.variants import at_mix as at_mix
    from planner.decision.variants import at_ratio as at_ratio
    from planner.decision.variants import at_strictness as at_strictness
    from planner.decision.wording import name_of as name_of
    from planner.decision.wording import range_of as range_of
    from planner.decision.wording import value_of as value_of
    from planner.demand.adopting import adopted as adopted
    from planner.demand.logs.limits import LAST_DAYS as LAST_DAYS
    from planner.demand.logs.progress import unheard as unheard
    from planner.demand.logs.results import Audit as Audit
    from planner.demand.metrics.addresses import may_ask as may_ask
    from planner.evidence.commands import answered as answered
    from planner.evidence.commands import calibrate as calibrate
    from planner.evidence.commands import check_calibration as check_calibration
    from planner.evidence.commands import parity_plot as parity_plot
    from planner.evidence.commands import predict as predict
    from planner.evidence.commands import recalibrate as recalibrate
    from planner.evidence.commands import validation_report as validation_report
    from planner.evidence.reproduce import STUDIES as STUDIES
    from planner.evidence.reproduce import reproduce as reproduce
    from planner.evidence.reproduce import study as study
    from planner.evidence.sent import Judged as Judged
    from planner.evidence.sent import forget_kept as forget_kept
    from planner.evidence.sent import judge as judge
    from planner.evidence.sent import kept_names as kept_names
    from planner.evidence.shown import accuracy as accuracy
    from planner.evidence.shown import against_measured as against_measured
    from planner.evidence.shown import board_steps as board_steps
    from planner.export.brief import brief_pdf as brief_pdf
    from planner.export.brief import brief_png as brief_png
    from planner.export.bundle import Bundle as Bundle
    from planner.export.notes import EXCLUDED as EXCLUDED
    from planner.export.tables import csv as csv
    from planner.export.workbook.making import workbook as workbook
    from planner.store.boxes import Box as Box
    from planner.store.boxes import boxes as boxes
    from planner.store.comparing import changes as changes
    from planner.store.entering import ORIGINS as ORIGINS
    from planner.store.entering import Typed as Typed
    from planner.store.entering import identity as identity
    from planner.store.entering import own_fact as own_fact
    from planner.store.entering import place as place
    from planner.store.identity import Identity as Identity
    from planner.store.records import Saved as Saved
    from planner.store.reopening import Reopened as Reopened
    from planner.store.reopening import headline_of as headline_of
    from planner.store.store import Store as Store

_LATER = {
    "Plan": "planner.decision.plan",
    "plan": "planner.decision.plan",
    "Risk": "planner.decision.risk",
    "sample": "planner.decision.risk",
    "surge": "planner.decision.surge",
    "heat_map": "planner.decision.heat",
    "kill_conditions": "planner.decision.killing",
    "latencies": "planner.decision.loads",
    "one_pool": "planner.decision.one_pool",
    "one_pool_sentence": "planner.decision.one_pool",
    "paper": "planner.decision.paper",
    "RATIOS": "planner.decision.variants",
    "SPLIT_FRACS": "planner.decision.variants",
    "STRICTNESSES": "planner.decision.variants",
    "at_mix": "planner.decision.variants",
    "at_ratio": "planner.decision.variants",
    "at_strictness": "planner.decision.variants",
    "regret": "planner.decision.regret",
    "sweep": "planner.decision.sweep",
    "changes": "planner.store.comparing",
    "Box": "planner.store.boxes",
    "boxes": "planner.store.boxes",
    "ORIGINS": "planner.store.entering",
    "Typed": "planner.store.entering",
    "identity": "planner.store.entering",
    "own_fact": "planner.store.entering",
    "place": "planner.store.entering",
    "Identity": "planner.store.identity",
    "Reopened": "planner.store.reopening",
    "Saved": "planner.store.records",
    "Store": "planner.store.store",
    "headline_of": "planner.store.reopening",
    "predict": "planner.evidence.commands",
    "answered": "planner.evidence.commands",
    "calibrate": "planner.evidence.commands",
    "recalibrate": "planner.evidence.commands",
    "check_calibration": "planner.evidence.commands",
    "parity_plot": "planner.evidence.commands",
    "validation_report": "planner.evidence.commands",
    "reproduce": "planner.evidence.reproduce",
    "Audit": "planner.demand.logs.results",
    "STUDIES": "planner.evidence.reproduce",
    "study": "planner.evidence.reproduce",
    "Judged": "planner.evidence.sent",
    "forget_kept": "planner.evidence.sent",
    "judge": "planner.evidence.sent",
    "kept_names": "planner.evidence.sent",
    "accuracy": "planner.evidence.shown",
    "against_measured": "planner.evidence.shown",
    "board_steps": "planner.evidence.shown",
    "adopted": "planner.demand.adopting",
    "audit": "planner.decision.audited",
    "audit_apart": "planner.decision.apart",
    "audit_upload": "planner.decision.apart",
    "Question": "planner.decision.apart",
    "server_logs": "planner.decision.apart",
    "told": "planner.decision.told",
    "name_of": "planner.decision.wording",
    "range_of": "planner.decision.wording",
    "value_of": "planner.decision.wording",
    "unheard": "planner.demand.logs.progress",
    "may_ask": "planner.demand.metrics.addresses",
    "LAST_DAYS": "planner.demand.logs.limits",
    "brief_pdf": "planner.export.brief",
    "brief_png": "planner.export.brief",
    "Bundle": "planner.export.bundle",
    "workbook": "planner.export.workbook.making",
    "EXCLUDED": "planner.export.notes",
    "csv": "planner.export.tables",
}

__all__ = [
    "EXCLUDED",
    "LAST_DAYS",
    "MODEL_VERSION",
    "ORIGINS",
    "RATIOS",
    "SPLIT_FRACS",
    "STRICTNESSES",
    "STUDIES",
    "Audit",
    "Box",
    "Bundle",
    "Catalog",
    "ForbiddenError",
    "Identity",
    "Judged",
    "OvertakenError",
    "Plan",
    "Question",
    "Reopened",
    "Risk",
    "Saved",
    "Scenario",
    "ScenarioError",
    "Store",
    "StoreError",
    "SwitchyardError",
    "Typed",
    "UnmappedError",
    "accuracy",
    "adopted",
    "against_measured",
    "answered",
    "at_mix",
    "at_ratio",
    "at_strictness",
    "audit",
    "audit_apart",
    "audit_upload",
    "board_steps",
    "boxes",
    "brief_pdf",
    "brief_png",
    "calibrate",
    "changes",
    "check_calibration",
    "csv",
    "forget_kept",
    "headline_of",
    "heat_map",
    "identity",
    "judge",
    "kept_names",
    "kill_conditions",
    "latencies",
    "load_catalog",
    "may_ask",
    "name_of",
    "one_pool",
    "one_pool_sentence",
    "own_fact",
    "paper",
    "parity_plot",
    "place",
    "plan",
    "predict",
    "profiles",
    "range_of",
    "read_file",
    "recalibrate",
    "regret",
    "reproduce",
    "sample",
    "server_logs",
    "study",
    "surge",
    "sweep",
    "text",
    "told",
    "unheard",
    "validation_report",
    "value_of",
    "workbook",
]


def __getattr__(name: str) -> Any:
    """Names whose modules are heavy load when first asked for."""
    if name not in _LATER:
        raise AttributeError(f"planner has no {name!r}.")
    return getattr(importlib.import_module(_LATER[name]), name)
