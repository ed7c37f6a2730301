"""One file holds everything, and brings it back, into either database."""

import gzip
import hashlib
import json
import stat

import pytest

from planner import Scenario, StoreError
from tests.store.stand_ins import ANN, BOB, CFO, overlay, own_chip, save

KINDS = ("sqlite", "postgres")


def fill(store):
    """Something of every kind that a store keeps."""
    first = save(store, headline={"tax_frac": {"p50": 0.1}}, name="Ünïcode – 漢字")
    second = save(store, after=first, demand_scale=2.0)
    save(store, BOB, name="Bob's")
    chip = store.overlays.save(ANN, own_chip())
    store.overlays.save(ANN, overlay(), after=None)
    store.approvals.review(ANN, second)
    store.approvals.approve(CFO, second)
    store.links.revoke(ANN, store.links.share(ANN, second))
    store.links.share(ANN, first, right="edit")
    store.drafts.keep(ANN, Scenario.read({"demand_scale": 7}), after=second)
    store.scenarios.save(ANN, first.content, overlays=[(chip.document_id, 1)])


def everything(store):
    """All that users of the store see."""
    listed = [*store.scenarios.listed(CFO), *store.overlays.listed(CFO)]
    shelves = {"scenario": store.scenarios, "overlay": store.overlays}
    return {
        "listed": listed,
        "documents": [
            store_part.open(CFO, held.document_id, version)
            for kind, store_part in shelves.items()
            for held in store_part.listed(CFO)
            for version in range(1, held.version + 1)
        ],
        "approvals": [store.approvals.of(CFO, h.document_id, h.version) for h in listed],
        "links": [store.links.of(CFO, h.document_id) for h in listed],
        "drafts": [store.drafts.of(who) for who in (ANN, BOB, CFO)],
    }


def test_a_backup_brings_everything_back_and_keeps_what_was_there(store, tmp_path):
    fill(store)
    before, lines = everything(store), store.trail.whole(CFO)
    store.backup(CFO, tmp_path / "all.jsonl.gz")
    save(store, name="later")
    later = everything(store)
    kept = store.restore(CFO, tmp_path / "all.jsonl.gz")
    assert everything(store) == before
    assert store.trail.whole(CFO)[:-1] == lines
    assert store.trail.whole(CFO)[-1].action == "restore"
    store.restore(CFO, kept)
    assert everything(store) == later
    assert store.check(CFO).problems == ()


@pytest.mark.postgres
@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_everything_goes_from_either_database_to_either(
    source, target, request, tmp_path, opened_stores, postgres_server
):
    if source == target == "sqlite":
        addresses = [f"sqlite:///{tmp_path}/{name}.sqlite" for name in ("one", "other")]
    elif source == target:
        addresses = [request.getfixturevalue("postgres_address"), postgres_server.new_database()]
    else:
        addresses = [request.getfixturevalue(f"{kind}_address") for kind in (source, target)]
    one, other = (opened_stores(address) for address in addresses)
    fill(one)
    digest = one.backup(CFO, tmp_path / "all.jsonl")
    other.import_everything(CFO, tmp_path / "all.jsonl")
    assert everything(other) == everything(one)
    assert other.trail.whole(CFO)[:-1] == one.trail.whole(CFO)
    assert other.check(CFO).problems == ()
    save(other, name="goes on")
    assert len(digest) == 64


def test_an_import_never_adds_to_a_store_in_use(store, tmp_path):
    store.backup(CFO, tmp_path / "empty.jsonl")
    store.drafts.keep(ANN, Scenario.read({}))
    with pytest.raises(StoreError, match="holds something already"):
        store.import_everything(CFO, tmp_path / "empty.jsonl")
    assert store.drafts.of(ANN)


def test_other_programs_can_read_an_export(store, tmp_path):
    fill(store)
    digest = store.backup(CFO, tmp_path / "all.jsonl")
    *lines, last = (tmp_path / "all.jsonl").read_bytes().splitlines(keepends=True)
    header, *rows = map(json.loads, lines)
    assert json.loads(last) == {"sha256": digest}
    assert hashlib.sha256(b"".join(lines)).hexdigest() == digest
    assert {name: sum(row[0] == name for row in rows) for name in header["rows"]} == header["rows"]


def test_a_backup_under_another_name_is_packed_or_plain(store, tmp_path):
    fill(store)
    with store._database.reading():
        store.backup(CFO, tmp_path / "all.jsonl.gz")
    assert gzip.decompress((tmp_path / "all.jsonl.gz").read_bytes()).startswith(b'{"format":')
    packed, plain = tmp_path / "all.jsonl.gz", tmp_path / "all.jsonl"
    store.backup(CFO, plain)
    assert packed.stat().st_size < plain.stat().st_size / 3


def test_nobody_but_its_user_reads_what_is_kept(sqlite_address, opened_stores, tmp_path):
    store = opened_stores(sqlite_address)
    save(store)
    store.backup(CFO, tmp_path / "copy.jsonl")
    kept = store.restore(CFO, tmp_path / "copy.jsonl")
    files = [tmp_path / "copy.jsonl", kept, *kept.parent.glob("switchyard.sqlite*")]
    assert len(files) >= 4
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_backup_never_replaces_a_file(store, tmp_path):
    file = tmp_path / "copy.jsonl"
    file.write_text("mine")
    with pytest.raises(StoreError, match="exists already"):
        store.backup(CFO, file)
    assert file.read_text() == "mine"


def test_a_backup_that_cannot_be_written_leaves_nothing_behind(store, tmp_path):
    with pytest.raises(StoreError, match="cannot be written"):
        store.backup(CFO, tmp_path / "no folder" / "copy.jsonl")
    assert not (tmp_path / "no folder").exists()


def test_a_backup_taken_while_others_save_is_of_one_moment(store, opened_stores, address, tmp_path):
    """What is saved after the backup's first look is not in it, not even in part."""
    first = save(store)
    with store._database.reading() as connection:
        from planner.store.archive import _lines

        lines = _lines(connection)
        header = json.loads(next(lines))
        save(opened_stores(address), after=first, demand_scale=2.0)
        rows = [json.loads(line) for line in lines]
    assert header["rows"]["versions"] == sum(name == "versions" for name, _ in rows) == 1


def resealed(whole, change):
    """A doctored file whose last line is right again."""
    *lines, _ = whole.splitlines(keepends=True)
    body = change(b"".join(lines))
    return body + json.dumps({"sha256": hashlib.sha256(body).hexdigest()}).encode() + b"\n"


def middle_flipped(packed):
    """Where the packing itself no longer makes sense."""
    middle = len(packed) // 2
    return (
        packed[:middle] + bytes(255 - byte for byte in packed[middle : middle + 40]) + packed[-8:]
    )


SPOILED = {
    "empty": lambda whole: b"",
    "another kind": lambda whole: b"not a backup " * 500,
    "cut short": lambda whole: whole[: len(whole) // 2],
    "a byte overwritten": lambda whole: whole.replace(b"Axiom", b"Axiem", 1),
    "a packed one cut short": lambda whole: gzip.compress(whole)[:-200],
    "a packed one with a byte changed": lambda whole: middle_flipped(gzip.compress(whole)),
    "newer release": lambda whole: resealed(
        whole, lambda body: body.replace(b'"revision":"0002"', b'"revision":"9999"')
    ),
    "doctored and resealed": lambda whole: resealed(
        whole, lambda body: body.replace(b'"name":"Axiom Cloud"', b'"name":"Axiom Clown"')
    ),
    "a row twice": lambda whole: resealed(whole, lambda body: body + body.splitlines()[-1] + b"\n"),
    "an unknown table": lambda whole: resealed(whole, lambda body: body + b'["wages",{"n":1}]\n'),
    "an unknown column": lambda whole: resealed(whole, lambda body: body + b'["trail",{"x":1}]\n'),
    "no row": lambda whole: resealed(whole, lambda body: body + b"[1]\n"),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_a_spoiled_backup_is_refused_and_the_store_unchanged(store, tmp_path, spoil):
    save(store)
    file = tmp_path / "copy.jsonl"
    store.backup(CFO, file)
    file.write_bytes(spoil(file.read_bytes()))
    save(store, name="B")
    with pytest.raises(StoreError, match=r"copy\.jsonl") as refused:
        store.restore(CFO, file)
    assert "\n" not in str(refused.value)
    assert [held.name for held in store.scenarios.listed(ANN)] == ["B", "Axiom Cloud"]
    assert store.check(CFO).problems == ()


def test_a_missing_backup_is_named(store, tmp_path):
    with pytest.raises(StoreError, match=r"There is no backup .*nothing\.jsonl"):
        store.restore(CFO, tmp_path / "nothing.jsonl")
