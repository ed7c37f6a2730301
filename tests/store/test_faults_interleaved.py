"""F3: two users save one scenario, in any order and at once; the second learns of the first."""

import itertools
import random
import threading

import pytest

from planner import OvertakenError
from tests.store.stand_ins import ANN, BOB, CFO, save, scenario

N_INTERLEAVINGS = 200
MINE = {"ann": {"demand_scale": 2.0}, "bob": {"power_budget_mw": 20.0}}


@pytest.fixture
def desks(address, opened_stores):
    """Two users at two programs of their own, and a scenario that both may edit."""
    stores = {who.user: opened_stores(address) for who in (ANN, BOB)}
    first = save(stores["ann"])
    link = stores["ann"].links.share(ANN, first, right="edit")
    return stores, first, link


def save_mine(stores, link, who, opened, n):
    changes = {key: value + n for key, value in MINE[who.user].items()}
    content = scenario(name=f"round {n}", **changes)
    return stores[who.user].scenarios.save(who, content, after=opened, link=link)


def told(error, winner):
    """Whether the loser reads who, when and which fields."""
    sentence = str(error)
    moment = f"{winner.saved_at:%Y-%m-%d %H:%M:%S} UTC"
    fields = [change.field for change in error.overtaking.differing]
    return (
        sentence.count(f"{winner.author} saved version {winner.version} of {winner.name!r}") == 1
        and moment in sentence
        and fields == ["demand_scale", "power_budget_mw"]
        and all(field in sentence for field in fields)
    )


def test_f3_of_200_interleavings_at_once_one_wins_and_the_other_is_told(desks):
    stores, latest, link = desks
    winners = []
    for n in range(N_INTERLEAVINGS):
        barrier, outcome = threading.Barrier(2), {}

        def act(who, opened=latest, n=n, barrier=barrier, outcome=outcome):
            barrier.wait()
            threading.Event().wait(random.uniform(0, 0.003))
            try:
                outcome[who] = save_mine(stores, link, who, opened, n)
            except OvertakenError as error:
                outcome[who] = error

        threads = [threading.Thread(target=act, args=(who,)) for who in (ANN, BOB)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won = [result for result in outcome.values() if not isinstance(result, OvertakenError)]
        lost = [result for result in outcome.values() if isinstance(result, OvertakenError)]
        assert len(won) == len(lost) == 1
        assert told(lost[0], won[0])
        latest = won[0]
        winners.append(latest)
    store = stores["ann"]
    history = store.scenarios.history(ANN, latest.document_id)
    assert [held.version for held in history] == list(range(N_INTERLEAVINGS + 1, 0, -1))
    assert {(held.version, held.author) for held in history[:-1]} == {
        (won.version, won.author) for won in winners
    }, "every winner is there and nobody else"
    assert store.check(CFO).problems == ()


STEPS = ["open ann", "save ann", "open bob", "save bob"]
ORDERS = [
    order
    for order in itertools.permutations(STEPS)
    if all(order.index(f"open {who}") < order.index(f"save {who}") for who in ("ann", "bob"))
]


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_f3_in_every_order_of_opening_and_saving_nothing_is_silently_overwritten(desks, order):
    stores, first, link = desks
    opened, saved, refused = {}, {}, {}
    for step in order:
        act, user = step.split()
        who = {"ann": ANN, "bob": BOB}[user]
        if act == "open":
            opened[user] = stores[user].scenarios.open(who, first.document_id, link=link)
        else:
            try:
                saved[user] = save_mine(stores, link, who, opened[user], 0)
            except OvertakenError as error:
                refused[user] = error
    one_after_the_other = order[1].startswith("save")
    assert len(saved) == (2 if one_after_the_other else 1)
    for error in refused.values():
        assert told(error, next(iter(saved.values())))
    history = stores["ann"].scenarios.history(ANN, first.document_id)
    assert len(history) == 1 + len(saved)
