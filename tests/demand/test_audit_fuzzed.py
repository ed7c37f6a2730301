"""Mutated files of every format: each ends in an answer or in one sentence, and never otherwise."""

import gzip
import json
import random
import re
from contextlib import contextmanager

import ibis
import pyarrow as pa
import pyarrow.parquet
import pytest

from planner.demand.audit import audit
from planner.demand.logs.backend import in_words, private_database
from planner.demand.logs.files import log_files
from planner.demand.logs.gather import gather
from planner.demand.logs.layouts import layouts
from planner.demand.logs.limits import DEFAULT_LIMITS
from planner.demand.logs.readers import DuckDBEngine, duckdb_engine
from planner.demand.logs.unfolding import unfolded
from planner.errors import AuditError
from tests.demand.engines import exposition
from tests.demand.test_audit_shapes import export, span

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
HEADER = ("timestamp", "model", "prompt_tokens", "completion_tokens", "ttft_ms", "latency_ms")
ROWS = [(1_750_000_000 + i, ("a", "b")[i % 2], 50 + i, i % 40, 20 + i, 400 + i) for i in range(60)]
RECORDS = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
NASTY = (b"\0", b'"', b"\n", b"\r", b",", b"{", b"[" * 99, b"9" * 400, b"-", b"\xff\xfe", b"NaN")
ODD_VALUES = (b"null", b"-1", b"1e999", b"NaN", b'"x"', b"[]", b"{}", b"", b"9" * 400, b"0.5")
EVERY_DAY, IN_THE_LONG_RUN, BATCH = 300, 3000, 100


def parquet():
    out = pa.BufferOutputStream()
    pa.parquet.write_table(pa.Table.from_pylist(RECORDS), out)
    return out.getvalue().to_pybytes()


CSV = "\n".join(",".join(map(str, row)) for row in (HEADER, *ROWS)).encode()
JSON_LINES = "\n".join(map(json.dumps, RECORDS)).encode()
RUN = {
    "input_lens": [100 + i for i in range(20)],
    "output_lens": [10 + i for i in range(20)],
    "ttfts": [0.1] * 20,
    "itls": [[0.02, 0.03]] * 20,
}
USAGE = [
    {
        "start_time": 1_750_003_200 + 3600 * i,
        "end_time": 1_750_006_800 + 3600 * i,
        "results": [{"input_tokens": 9, "output_tokens": 3, "num_model_requests": 2, "model": "m"}],
    }
    for i in range(20)
]
WHOLE = {
    "log.csv": CSV,
    "log.csv.gz": gzip.compress(CSV),
    "log.jsonl": JSON_LINES,
    "log.jsonl.gz": gzip.compress(JSON_LINES),
    "log.json": json.dumps(RECORDS).encode(),
    "log.parquet": parquet(),
    "spans.json": json.dumps(export(*map(span, range(20)))).encode(),
    "run.json": json.dumps(RUN).encode(),
    "usage.jsonl": "\n".join(map(json.dumps, USAGE)).encode(),
    "engine.prom": "\n".join(exposition(3)).encode(),
}


def mutated(name, draw):
    """A file cut, flipped, spliced, spiked or with odd values, in one to three places.

    A packed file is mutated inside its packing every other time, else nothing gets past its sum.
    """
    whole, inside = WHOLE[name], name.endswith(".gz") and draw.random() < 0.5
    held = bytearray(gzip.decompress(whole) if inside else whole)
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(held) or 1)
        kind = draw.randrange(6)
        if kind == 0:
            del held[at:]
        elif kind == 1 and held:
            held[at] ^= 1 << draw.randrange(8)
        elif kind == 2:
            held[at:at] = draw.choice(NASTY)
        elif kind == 3:
            start = draw.randrange(len(held) or 1)
            held[at:at] = held[start : start + draw.randrange(1, 200)]
        elif kind == 4 and (numbers := list(re.finditer(rb"\d+", held))):
            held[slice(*draw.choice(numbers).span())] = draw.choice(ODD_VALUES)
        else:
            del held[at : at + draw.randrange(1, 60)]
    return gzip.compress(held, 1) if inside else bytes(held)


@contextmanager
def refusal(folder):
    """Whether what happens inside is refused; only in one sentence that tells no path."""
    refused = []
    try:
        yield refused
    except AuditError as error:
        said = str(error)
        assert "\n" not in said, said
        assert str(folder) not in said, said
        refused.append(said)


def tried(name, seeds, tmp_path):
    """How many mutated files were answered and how many refused.

    Every field that plays a role is read, as an audit does before it counts, in one database for
    all the files: opening one takes longer than reading.
    """
    refused, logs = [], []
    for seed in seeds:
        folder = tmp_path / str(seed)
        folder.mkdir(parents=True)
        path = folder / name
        path.write_bytes(mutated(name, random.Random(f"{name} {seed}")))
        with refusal(tmp_path) as said:
            if name in {"engine.prom", "usage.jsonl"}:
                audit(path)
            else:
                log = log_files(path, DEFAULT_LIMITS)
                logs.append(unfolded(log, str(folder), DEFAULT_LIMITS))
        refused += said
    paths = [file.path for log in logs for file in log.files]
    with private_database(paths, str(tmp_path), DEFAULT_LIMITS) as backend:
        engine = DuckDBEngine(backend, DEFAULT_LIMITS)
        for index, log in enumerate(logs):
            with refusal(tmp_path) as said:
                read(engine, log, index)
            refused += said
    return len(seeds) - len(refused), len(refused)


def read(engine, log, index):
    """Read every field that plays a role."""
    with in_words(log.name, [file.path for file in log.files]):
        (layout,) = layouts(log.files, engine.header, None, DEFAULT_LIMITS)
        query = ibis.to_sql(engine.roles(layout, index), dialect="duckdb")
        engine.backend.con.execute(f"SELECT count(COLUMNS(*)) FROM ({query})").fetchall()
        engine.unreadable(layout, index)


def counted(path, folder):
    """Read and count everything, in a database of its own as an audit does."""
    log = unfolded(log_files(path, DEFAULT_LIMITS), str(folder), DEFAULT_LIMITS)
    if log.files[0].format != "metrics" and path.name != "usage.jsonl":
        with duckdb_engine("duckdb", log, str(folder), DEFAULT_LIMITS) as engine:
            gather(engine, log, None, None, None, DEFAULT_LIMITS)


@pytest.mark.parametrize("name", WHOLE)
def test_b2_mutated_files_end_in_words(name, tmp_path):
    answered, refused = tried(name, range(EVERY_DAY), tmp_path)
    assert answered > 0
    assert refused > 0


def test_a_reader_that_throws_anything_else_would_be_seen(tmp_path, monkeypatch):
    def broken(*_):
        raise UnicodeError("no such thing")

    monkeypatch.setattr("tests.demand.test_audit_fuzzed.log_files", broken)
    with pytest.raises(UnicodeError):
        tried("log.csv", range(1), tmp_path)


@pytest.mark.sweep
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", WHOLE)
def test_b2_many_more_mutated_files_end_in_words(name, tmp_path):
    for first in range(EVERY_DAY, EVERY_DAY + IN_THE_LONG_RUN, BATCH):
        tried(name, range(first, first + BATCH), tmp_path / str(first))
    for seed in range(EVERY_DAY):
        (folder := tmp_path / f"counted-{seed}").mkdir()
        (folder / name).write_bytes(mutated(name, random.Random(f"{name} {seed}")))
        with refusal(folder):
            counted(folder / name, folder)
