"""The brief's words on screen, and the files that leave with it."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pages.ui import kpis, tables
from planner import Plan, Scenario, text

Document = Mapping[str, Any]
LONGEST_NAME = 60


def file(scenario: Scenario, ending: str) -> str:
    """A file name that holds nothing but letters, digits and hyphens."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", scenario.name).strip("-").lower()[:LONGEST_NAME]
    return f"switchyard-{words or 'scenario'}.{ending}"


def three_numbers(plan: Plan, document: Document) -> list[tuple[str, str]]:
    """What the article asks an architect to bring: ratio, watts, modelled change."""
    head, then = document["headline"], tables.record(document, kpis.rival(plan))
    now = head["decode_to_prefill_token_ratio"]
    later = head["at_18_months"]["decode_to_prefill_token_ratio"]
    change = then["j_per_useful_token"] / head["j_per_useful_token"] - 1
    price = then["cost_usd_per_mtok"] / head["cost_usd_per_mtok"] - 1
    return [
        (
            "Output : input tokens",
            f"{text.ratio(now)} now, {text.ratio(later)} in 18 months",
        ),
        (
            "Watts per useful token a second",
            f"{text.number(head['j_per_useful_token'])} W as built",
        ),
        (
            f"Change with {tables.SHORT[then['id']].lower()}",
            f"{text.percent(change, signed=True)} power, {text.percent(price, signed=True)} cost",
        ),
    ]


def rests_on(document: Document) -> list[str]:
    """How many assumptions of which kind, and the caveats."""
    kinds = Counter(row["kind"] for row in document["ledger"])
    counted = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common())
    notes = [note for note in document["caveats"] if not note.startswith("verdict.flips")]
    return [f"{len(document['ledger'])} inputs: {counted}.", *notes]
