"""Mutated files of every format: each ends in an answer or in one sentence, and never otherwise."""

import gzip
import json
import random

import ibis
import pyarrow as pa
import pyarrow.parquet
import pytest

from planner.demand.audit import audit
from planner.demand.logs.files import log_files
from planner.demand.logs.gather import gather
from planner.demand.logs.layouts import layouts
from planner.demand.logs.limits import DEFAULT_LIMITS
from planner.demand.logs.readers import duckdb_engine
from planner.demand.logs.unfolding import unfolded
from planner.errors import AuditError
from tests.demand.engines import exposition
from tests.demand.test_audit_shapes import export, span

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
HEADER = ("timestamp", "model", "prompt_tokens", "completion_tokens", "ttft_ms", "latency_ms")
ROWS = [(1_750_000_000 + i, ("a", "b")[i % 2], 50 + i, i % 40, 20 + i, 400 + i) for i in range(60)]
RECORDS = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
NASTY = (b"\0", b'"', b"\n", b"\r", b",", b"{", b"[" * 99, b"9" * 400, b"-", b"\xff\xfe", b"NaN")
EVERY_DAY, IN_THE_LONG_RUN = 300, 3000


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


def mutated(data, draw):
    """A file cut, flipped, spliced or spiked in one to three places."""
    held = bytearray(data)
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(held) or 1)
        kind = draw.randrange(5)
        if kind == 0:
            del held[at:]
        elif kind == 1 and held:
            held[at] ^= 1 << draw.randrange(8)
        elif kind == 2:
            held[at:at] = draw.choice(NASTY)
        elif kind == 3:
            start = draw.randrange(len(held) or 1)
            held[at:at] = held[start : start + draw.randrange(1, 200)]
        else:
            del held[at : at + draw.randrange(1, 60)]
    return bytes(held)


def read(path, folder):
    """Read every field that plays a role, as an audit does before it counts."""
    log = log_files(path, DEFAULT_LIMITS)
    if path.name in {"engine.prom", "usage.jsonl"}:
        audit(path)
        return
    log = unfolded(log, str(folder), DEFAULT_LIMITS)
    with duckdb_engine("duckdb", log, str(folder), DEFAULT_LIMITS) as engine:
        for index, layout in enumerate(layouts(log.files, engine.header, None, DEFAULT_LIMITS)):
            query = ibis.to_sql(engine.roles(layout, index), dialect="duckdb")
            engine.backend.con.execute(f"SELECT count(COLUMNS(*)) FROM ({query})").fetchall()
            engine.unreadable(layout, index)


def counted(path, folder):
    """Read and count everything."""
    log = unfolded(log_files(path, DEFAULT_LIMITS), str(folder), DEFAULT_LIMITS)
    if log.files[0].format != "metrics" and path.name != "usage.jsonl":
        with duckdb_engine("duckdb", log, str(folder), DEFAULT_LIMITS) as engine:
            gather(engine, log, None, None, DEFAULT_LIMITS)


def tried(name, seeds, how, tmp_path):
    """How many mutated files were answered and how many refused."""
    answered = refused = 0
    for seed in seeds:
        folder = tmp_path / str(seed)
        folder.mkdir()
        path = folder / name
        path.write_bytes(mutated(WHOLE[name], random.Random(f"{name} {seed}")))
        try:
            how(path, folder)
            answered += 1
        except AuditError as error:
            said = str(error)
            assert "\n" not in said, (seed, said)
            assert str(tmp_path) not in said, (seed, said)
            refused += 1
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
    return answered, refused


@pytest.mark.parametrize("name", WHOLE)
def test_mutated_files_end_in_words(name, tmp_path):
    answered, refused = tried(name, range(EVERY_DAY), read, tmp_path)
    assert answered + refused == EVERY_DAY
    assert refused > 0


@pytest.mark.sweep
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", WHOLE)
def test_many_more_mutated_files_end_in_words(name, tmp_path):
    seeds = range(EVERY_DAY, EVERY_DAY + IN_THE_LONG_RUN)
    assert sum(tried(name, seeds, read, tmp_path)) == IN_THE_LONG_RUN
    assert sum(tried(name, seeds[:EVERY_DAY], counted, tmp_path)) == EVERY_DAY
