"""A store survives kill −9 at any instant: every answered save is there, and whole."""

import itertools
import multiprocessing
import random
import time

import pytest
from sqlalchemy import text

from planner.store.scenarios import Store

PAYLOAD = list(range(2000))


def save_for_ever(address, answered):
    store = Store(address)
    draft = store.draft("ann") or {"n": 0}
    for n in itertools.count(draft["n"] + 1):
        store.keep_draft("ann", {"n": n, "payload": PAYLOAD})
        saved = store.save({"payload": PAYLOAD}, name=f"s{n}", owner="ann", model_version="0")
        answered.send(saved.scenario_id)


def killed_at_an_instant(address, wait_s):
    """The ids of the saves that were answered before the process was killed."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["planner.store.scenarios"])
    receiver, sender = processes.Pipe(duplex=False)
    process = processes.Process(target=save_for_ever, args=(address, sender))
    process.start()
    sender.close()
    receiver.poll(60)
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


def sound(store):
    with store.engine.connect() as connection:
        return connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


@pytest.mark.parametrize(
    "n_kills", [pytest.param(5), pytest.param(200, marks=pytest.mark.soak)], ids=str
)
def test_no_answered_save_is_lost_and_none_is_partial(tmp_path, opened_stores, n_kills):
    address = f"sqlite:///{tmp_path}/switchyard.sqlite"
    answered = []
    for _ in range(n_kills):
        answered += killed_at_an_instant(address, random.uniform(0, 0.05))
        assert sound(opened_stores(address))
    store = opened_stores(address)
    saved = {scenario.scenario_id: scenario for scenario in store.latest()}
    assert answered
    assert set(answered) <= set(saved)
    assert all(scenario.content["payload"] == PAYLOAD for scenario in saved.values())
    assert store.draft("ann")["payload"] == PAYLOAD
