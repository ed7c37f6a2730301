"""Small files that would unpack into memory or hours: refused at once, before they are read."""

import gzip
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from planner.demand.audit import audit
from planner.errors import AuditError
from tests.demand.test_audit_broken import GOOD, HEADER

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
ROOT = Path(__file__).parents[2]


def test_b3_a_gzip_bomb_is_refused_at_once(tmp_path):
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb") as packed:
        packed.write(f"{HEADER}\n".encode())
        for _ in range(300):
            packed.write(b"1,1,1\n" * 170_000)
    started = time.monotonic()
    with pytest.raises(AuditError, match="more than 100 times its size"):
        audit(path)
    assert time.monotonic() - started < 1


def test_b3_a_parquet_bomb_is_refused_at_once(tmp_path):
    """20 M equal values in 3 columns pack into a few kilobytes."""
    path = tmp_path / "bomb.parquet"
    one = pa.chunked_array([pa.repeat(pa.scalar(1), 1_000_000)] * 20)
    pa.parquet.write_table(pa.table(dict.fromkeys(HEADER.split(","), one)), path)
    started = time.monotonic()
    with pytest.raises(AuditError, match="declares 20000000 rows of 3 columns"):
        audit(path)
    assert time.monotonic() - started < 1


BOMBED = """
import resource, sys, time
from planner.demand.audit import audit
from planner.errors import AuditError

peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
audit(sys.argv[1])
for bomb in sys.argv[2:]:
    started, before = time.monotonic(), peak()
    try:
        audit(bomb)
    except AuditError:
        print(time.monotonic() - started, peak() - before)
"""


def test_b3_bombs_take_neither_time_nor_memory(tmp_path):
    """What a reader that has read a small log needs on top to refuse each of three."""
    (tmp_path / "log.csv").write_text(GOOD)
    one = pa.chunked_array([pa.repeat(pa.scalar(1), 1_000_000)] * 50)
    pa.parquet.write_table(pa.table(dict.fromkeys(HEADER.split(","), one)), tmp_path / "b.parquet")
    with gzip.open(tmp_path / "b.csv.gz", "wb", 1) as packed:
        packed.write(f"{HEADER}\n".encode())
        for _ in range(600):
            packed.write(b"1,1,1\n" * 170_000)
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        book.writestr("xl/worksheets/sheet1.xml", bytes(2**28))
    files = [str(tmp_path / name) for name in ("log.csv", "b.parquet", "b.csv.gz", "b.xlsx")]
    command = [sys.executable, "-W", "ignore", "-c", BOMBED, *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    refused = [tuple(map(float, line.split())) for line in done.stdout.splitlines()]
    assert len(refused) == 3
    for spent_s, grown_bytes in refused:
        assert spent_s < 1
        assert grown_bytes < 50 * 2**20
