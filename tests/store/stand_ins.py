"""People, scenarios and facts that the tests of the store save."""

import multiprocessing

from planner import Identity, Scenario

ANN = Identity("ann", "editor")
BOB = Identity("bob", "editor")
EVE = Identity("eve", "viewer")
CFO = Identity("cfo", "approver")

START = Scenario.read({}).model_dump(mode="json")
OFFER = {
    "title": "An offer of the maker",
    "publisher": "ACME",
    "url": "https://example.org/offer",
    "date": "2026-11-01",
    "kind": "vendor",
}


def scenario(**changes):
    """The default scenario as JSON, with some fields changed."""
    return START | changes


def save(store, who=ANN, after=None, **changes):
    """Save the default scenario with some fields changed."""
    headline = changes.pop("headline", {})
    return store.scenarios.save(who, scenario(**changes), headline=headline, after=after)


def number(value, unit):
    """A cited number without its source, as a user types it."""
    return {"value": value, "low": value, "high": value, "unit": unit, "kind": "quote"}


def overlay(file="accelerators", entry="h100-sxm", **fields):
    """A user's own facts, by default another power of a shipped chip."""
    fields = fields or {"tdp_w": number(650, "W")}
    return {"file": file, "entry": entry, "source": OFFER, "fields": fields}


def own_chip():
    """A chip that the catalog does not hold."""
    return overlay(
        entry="acme-1",
        name="ACME 1",
        vendor="ACME",
        status="shipping",
        access="buy",
        flop_per_s={"bf16": number(1000, "TFLOP/s"), "fp8": number(2000, "TFLOP/s")},
        memory_bytes=number(100, "GB"),
        memory_bytes_per_s=number(4, "TB/s"),
        tdp_w=number(600, "W"),
        price_usd=number(20_000, "USD"),
    )


def processes():
    """Fresh processes that have the store imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["planner.store.store", "tests.store.stand_ins"])
    return context
