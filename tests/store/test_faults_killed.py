"""F1: kill −9 at any instant of a save; every answered save is there, and none is partial."""

import itertools
import random
import time

import pytest

from planner import Scenario
from planner.store.store import Store
from tests.store.stand_ins import ANN, CFO, START, processes, save

SPREAD_S = 0.02


def save_for_ever(address, answered):
    """Every save raises the numbers of the draft, the new version and its headline together."""
    store = Store(address)
    held = store.scenarios.listed(ANN)
    last = store.scenarios.open(ANN, held[0].document_id) if held else save(store)
    first = int(last.content["horizon_years"] * 1000)
    for n in itertools.count(first):
        years = 1 + n % 19_000 / 1000
        store.drafts.keep(ANN, Scenario.read({"horizon_years": years}), after=last)
        last = save(store, after=last, horizon_years=years, headline={"years": years})
        answered.send((last.document_id, last.version, last.content_hash))


def killed_at_an_instant(address, wait_s):
    """The saves that were answered before the process was killed."""
    context = processes()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=save_for_ever, args=(address, sender))
    process.start()
    sender.close()
    assert receiver.poll(60)
    time.sleep(wait_s)
    process.kill()
    process.join()
    answered = []
    while True:
        try:
            answered.append(receiver.recv())
        except (EOFError, OSError):
            receiver.close()
            return answered


@pytest.mark.parametrize(
    "n_kills",
    [pytest.param(2), pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(1200)])],
    ids=str,
)
def test_f1_no_answered_save_is_lost_and_none_is_partial(address, opened_stores, n_kills):
    """Instants are spread over the time of a few saves, so that every step of one is met."""
    store = opened_stores(address)
    answered = []
    for n in range(n_kills):
        instant = (n + random.random()) / n_kills
        answered += killed_at_an_instant(address, instant * SPREAD_S)
        assert store.check(CFO).problems == (), "each save is whole with its lines, or not there"
    kept = {
        (held.document_id, held.version): store.scenarios.open(ANN, held.document_id, held.version)
        for listed in store.scenarios.listed(ANN)
        for held in store.scenarios.history(ANN, listed.document_id)
    }
    assert len(answered) >= n_kills
    assert all(
        kept[document, version].content_hash == found for document, version, found in answered
    )
    assert all(
        held.content == START | {"horizon_years": held.headline["years"]}
        for held in kept.values()
        if held.headline
    )
    assert Scenario.read(store.drafts.of(ANN).content)
