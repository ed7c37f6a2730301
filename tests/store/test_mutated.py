"""B5: mutated scenario files and ids get one sentence, open nobody else's, and harm nothing."""

import json
import random
from dataclasses import replace

import pytest

from planner import Scenario, SwitchyardError
from planner.__main__ import read_scenario
from tests.store.stand_ins import ANN, BOB, CFO, START, own_chip, save

COUNTS = [
    pytest.param(100, id="100"),
    pytest.param(5000, id="5000", marks=[pytest.mark.sweep, pytest.mark.timeout(1200)]),
]
ODD = [
    None, True, -1, 0, 1e308, -1e308, float("nan"), float("inf"), 10**400, "", " ", "NaN",
    "1.234,5", "$3k", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "../../etc/passwd", "a\0b",
    "\ud800", "right\u202eleft", "x" * 5000, [], {}, [[]], [{}], {"name": []}, [None], {"value": 1},
]  # fmt: skip


def branches(document):
    """Every table and list inside, with each of their keys."""
    if isinstance(document, dict | list):
        keys = list(document) if isinstance(document, dict) else range(len(document))
        for key in keys:
            yield document, key
            yield from branches(document[key])


def mutated(rng):
    """The text of a scenario with a few values, keys or bytes that are not as they should be."""
    document = json.loads(json.dumps(START))
    for _ in range(rng.choice([1, 1, 2, 3])):
        branch, key = rng.choice(list(branches(document)))
        act = rng.random()
        if act < 0.4 and isinstance(branch[key], float):
            branch[key] *= rng.uniform(0.9, 1.1)
        elif act < 0.7:
            branch[key] = rng.choice(ODD)
        elif act < 0.85 and isinstance(branch, dict):
            branch[str(rng.choice(ODD))] = branch.pop(key)
        else:
            del branch[key]
    text = json.dumps(document).encode()
    if rng.random() < 0.3:
        text = spoiled(rng, text)
    return text


def spoiled(rng, text):
    """The same bytes with one flipped, cut, doubled or nested beyond reason."""
    at = rng.randrange(len(text))
    return rng.choice(
        [
            text[:at],
            text[:at] + bytes([text[at] ^ 1 << rng.randrange(8)]) + text[at + 1 :],
            text[:at] + text,
            text[:at] + rng.randbytes(4) + text[at:],
            b"[" * 100_000 + text,
            b"\xef\xbb\xbf" + text,
            text.decode().encode("utf-16"),
        ]
    )


def sentence(error):
    said = str(error)
    assert said.strip()
    assert "\n" not in said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("n_files", COUNTS)
def test_b5_a_mutated_scenario_file_is_read_or_refused_in_a_sentence(store, tmp_path, n_files):
    theirs = save(store, BOB, name="Bob's")
    outcomes = {"kept": 0, "refused": 0}
    for n in range(n_files):
        rng = random.Random(n)
        path = tmp_path / f"mine{rng.choice(['.json'] * 9 + ['.toml'])}"
        path.write_bytes(mutated(rng))
        try:
            given = read_scenario(path)
            store.scenarios.save(ANN, given.model_dump(mode="json"))
            outcomes["kept"] += 1
        except SwitchyardError as error:
            sentence(error)
            outcomes["refused"] += 1
    assert min(outcomes.values()) > n_files / 10, outcomes
    assert len(store.scenarios.listed(ANN)) == outcomes["kept"]
    assert store.scenarios.open(BOB, theirs.document_id) == theirs
    assert store.check(CFO).problems == ()


@pytest.mark.parametrize("n_files", COUNTS)
def test_b5_a_mutated_document_is_saved_or_refused_in_a_sentence(store, n_files):
    kept = 0
    for n in range(n_files):
        rng = random.Random(n)
        try:
            given = json.loads(mutated(rng))
        except (ValueError, RecursionError):
            continue
        shelf = rng.choice([store.scenarios, store.overlays]) if isinstance(given, dict) else None
        if shelf is None:
            continue
        if shelf is store.overlays and rng.random() < 0.5:
            given = json.loads(json.dumps(own_chip()))
            branch, key = rng.choice(list(branches(given)))
            branch[key] = rng.choice(ODD)
        try:
            shelf.save(ANN, given)
            kept += 1
        except SwitchyardError as error:
            sentence(error)
    assert kept == len(store.scenarios.listed(ANN)) + len(store.overlays.listed(ANN)) > 0
    assert store.check(CFO).problems == ()


def mutated_id(rng, known):
    """An id like those that exist, with something wrong, or something else altogether."""
    text = rng.choice(known)
    at = rng.randrange(len(text))
    return rng.choice(
        [
            text[:at],
            text[:at] + rng.choice("abcXYZ019-_") + text[at + 1 :],
            text + rng.choice("a_ \0%'"),
            text.swapcase(),
            text[::-1],
            f" {text}",
            f"{text}' OR '1'='1",
            "%",
            "_" * len(text),
            "\ud800",
            "é" * 5000,
            rng.choice(known),
        ]
    )


@pytest.mark.parametrize("n_ids", COUNTS)
def test_b5_a_mutated_id_opens_nothing_of_somebody_elses(store, n_ids):
    mine, hers = save(store, BOB, name="Bob's"), save(store, name="Ann's")
    hers = save(store, after=hers, name="Ann's", demand_scale=2.0)
    chip = store.overlays.save(ANN, own_chip())
    store.drafts.keep(ANN, Scenario.read({"demand_scale": 3}))
    link = store.links.share(ANN, hers)
    store.links.revoke(ANN, link)
    known = [mine.document_id, hers.document_id, chip.document_id, link]
    acts = [
        lambda one, other: store.scenarios.open(BOB, one, link=other),
        lambda one, other: store.scenarios.open(BOB, one, 1),
        lambda one, other: store.scenarios.history(BOB, one, link=other),
        lambda one, other: store.overlays.open(BOB, one, link=other),
        lambda one, other: store.links.open(BOB, one),
        lambda one, other: store.links.of(BOB, one),
        lambda one, other: store.links.share(BOB, replace(hers, document_id=one)),
        lambda one, other: store.links.revoke(BOB, one),
        lambda one, other: store.approvals.of(BOB, one, 2, link=other),
        lambda one, other: store.approvals.review(BOB, replace(hers, document_id=one), link=other),
        lambda one, other: store.trail.of(BOB, one, link=other),
        lambda one, other: store.scenarios.save(BOB, START, overlays=[(one, 1)]),
        lambda one, other: store.scenarios.save(
            BOB, START, after=replace(hers, document_id=one), link=other
        ),
    ]
    refused = 0
    for n in range(n_ids):
        rng = random.Random(n)
        one, other = mutated_id(rng, known), mutated_id(rng, known)
        try:
            got = rng.choice(acts)(one, other)
        except SwitchyardError as error:
            got = sentence(error)
            refused += 1
        else:
            assert one == mine.document_id
        assert "Ann's" not in repr(got), "nothing of hers is ever read"
    assert refused > n_ids / 2
    assert store.drafts.of(BOB) is None
    assert [held.version for held in store.scenarios.history(ANN, hers.document_id)] == [2, 1]
    assert store.check(CFO).problems == ()


@pytest.mark.parametrize("n_files", COUNTS)
def test_b5_a_mutated_backup_is_refused_and_the_store_unharmed(store, tmp_path, n_files):
    save(store)
    store.backup(CFO, tmp_path / "all.jsonl.gz")
    store.backup(CFO, tmp_path / "all.jsonl")
    whole = [(tmp_path / name).read_bytes() for name in ("all.jsonl.gz", "all.jsonl")]
    later = save(store, name="later")
    for n in range(n_files // 20):
        rng = random.Random(n)
        file = tmp_path / "mutated"
        file.write_bytes(spoiled_backup(rng, rng.choice(whole)))
        with pytest.raises(SwitchyardError, match="mutated") as error:
            store.restore(CFO, file)
        sentence(error.value)
    assert store.scenarios.open(ANN, later.document_id) == later
    assert store.check(CFO).problems == ()


def spoiled_backup(rng, whole):
    at = rng.randrange(10, len(whole) - 1)
    return rng.choice(
        [
            whole[:at],
            whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :],
            whole[:at] + whole[at + 1 :],
            whole[:at] + rng.randbytes(8) + whole[at:],
            rng.randbytes(200),
        ]
    )
