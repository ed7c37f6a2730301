"""Broken, foreign and hostile files: one sentence, or a right answer with its dropped rows."""

import gzip
import io
import os
import random
import struct
import time
import zipfile

import pyarrow as pa
import pyarrow.parquet
import pytest

from planner.demand.audit import Limits, audit
from planner.errors import AuditError

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

HEADER = "seconds,prompt_tokens,completion_tokens"
LINES = [f"{t},{100 + t % 7},{10 + t % 5}" for t in range(2000)]
GOOD = "\n".join([HEADER, *LINES]) + "\n"
JSON_LINES = "\n".join(
    f'{{"seconds": {t}, "prompt_tokens": {100 + t % 7}, "completion_tokens": {10 + t % 5}}}'
    for t in range(2000)
)


def zipped():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("log.csv", GOOD)
    return made.getvalue()


def parquet(table=None, **options):
    made = io.BytesIO()
    columns = {name: [1, 2, 3] for name in HEADER.split(",")}
    pa.parquet.write_table(pa.table(columns) if table is None else table, made, **options)
    return made.getvalue()


def flipped(data, seed=0, bits=1):
    """The same bytes with bits turned over at random places."""
    draw, made = random.Random(seed), bytearray(data)
    for _ in range(bits):
        made[draw.randrange(len(made))] ^= 1 << draw.randrange(8)
    return bytes(made)


def half(data):
    return data[: len(data) // 2]


REFUSED = {
    "empty.csv": (b"", "empty.csv is empty"),
    "blank.csv": (b"\n \n\t\n", "blank.csv is empty"),
    "mark-only.csv": (b"\xef\xbb\xbf", "is empty"),
    "header-only.csv": (HEADER.encode(), "no row below its header"),
    "no-header.csv": ("\n".join(LINES).encode(), "no column for input_tokens and output_tokens"),
    "wrong-columns.csv": (b"a,b,c\n1,2,3\n", "among 'a', 'b', 'c'"),
    "prose.csv": (b"Dear all, please find attached\nthe log.\n", "no column for"),
    "utf16.csv": (GOOD.encode("utf-16"), "UTF-16"),
    "utf16-unmarked.csv": (GOOD.encode("utf-16-le"), "NUL bytes"),
    "latin1-header.csv": ("Größe,prompt_tokens\n1,2\n".encode("latin-1"), "not UTF-8"),
    "binary.csv": (random.Random(1).randbytes(4000), "binary.csv"),
    "nul-header.csv": (b"sec\0onds,prompt_tokens\n1,2\n", "NUL bytes"),
    "open-quote.csv": (
        (GOOD + '1,"2,3\n' + "\n".join(LINES)).encode(),
        "opens a quote on line 2002",
    ),
    "mixed-ends.csv": ((GOOD.replace("\n", "\r\n", 700)).encode(), "lines end in different ways"),
    "endless-line.csv": (b"x" * 3_000_000, "first line"),
    "parquet.csv": (parquet(), "is named csv but holds parquet"),
    "json.csv": (JSON_LINES.encode(), "is named csv but holds jsonl"),
    "csv.jsonl": (GOOD.encode(), "is named jsonl but holds csv"),
    "csv.parquet": (GOOD.encode(), "is named parquet but holds csv"),
    "packed.csv": (gzip.compress(GOOD.encode()), "is packed by gzip"),
    "plain.csv.gz": (GOOD.encode(), "is not packed by gzip"),
    "parquet.csv.gz": (gzip.compress(parquet()), "Parquet inside gzip"),
    "zip.csv": (zipped(), "zip archive or spreadsheet"),
    "book.xlsx": (zipped(), "zip archive or spreadsheet"),
    "truncated.csv.gz": (half(gzip.compress(GOOD.encode())), "cut short"),
    "tail-less.csv.gz": (gzip.compress(GOOD.encode())[:-4], "cut short"),
    "trailing.csv.gz": (gzip.compress(GOOD.encode()) + b"garbage", "damaged"),
    "wrong-checksum.csv.gz": (
        gzip.compress(GOOD.encode())[:-8] + bytes(4) + gzip.compress(GOOD.encode())[-4:],
        "damaged",
    ),
    "empty.csv.gz": (gzip.compress(b""), "is empty"),
    "truncated.parquet": (half(parquet()), "truncated.parquet"),
    "footer-less.parquet": (parquet()[:-8], "footer-less.parquet"),
    "magic-only.parquet": (b"PAR1", "magic-only.parquet"),
    "huge-footer.parquet": (
        parquet()[:-8] + struct.pack("<I", 2**31) + b"PAR1",
        "huge-footer.parquet",
    ),
    "no-rows.parquet": (
        parquet(pa.table({name: [] for name in HEADER.split(",")})),
        "no row below its header",
    ),
    "other-columns.parquet": (parquet(pa.table({"x": [1]})), "among 'x'"),
    "no-object.jsonl": (b"{broken\n{also\n", "no JSON record"),
    "truncated.jsonl.gz": (half(gzip.compress(JSON_LINES.encode())), "cut short"),
    "numbers.json": (b"[1, 2, 3]", "no JSON record"),
    "other-keys.jsonl": (b'{"a": 1}\n{"b": {"c": 2}}\n', "among 'a', 'b.c'"),
    "scalar-tokens.jsonl": (b'{"prompt_tokens": [1], "completion_tokens": {"a": 1}}', "no column"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_b2_a_broken_file_is_refused_in_one_sentence(name, tmp_path):
    data, part = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(data)
    started = time.monotonic()
    with pytest.raises(AuditError) as refused:
        audit(path)
    assert time.monotonic() - started < 5
    said = str(refused.value)
    assert part in said
    assert name in said
    assert "\n" not in said
    assert str(tmp_path) not in said
    assert len(said) < 600


ANSWERED = {
    "nul-bytes.csv": ((GOOD + "1,\0002,3\n\0\0\0\n").encode(), 2000, 2),
    "latin1-row.csv": (GOOD.encode() + b"1,\xff2,3\n", 2000, 1),
    "short-and-long.csv": ((GOOD + "1,2\n1,2,3,4\n").encode(), 2000, 2),
    "cut-last-line.csv": (GOOD.encode()[:-6], 1999, 1),
    "words.csv": ((GOOD + "noon,few,many\n").encode(), 2000, 1),
    "huge-number.csv": ((GOOD + f"1,{'9' * 400},3\n").encode(), 2000, 1),
    "long-line.csv": ((GOOD + f"1,{'9' * 3_000_000},3\n").encode(), 2000, 1),
    "old-mac.csv": (GOOD.replace("\n", "\r").encode(), 2000, 0),
    "doubled-header.csv": ((GOOD + GOOD).encode(), 4000, 1),
    "same-name-twice.csv": (
        b"seconds,prompt_tokens,prompt_tokens,completion_tokens\n1,2,3,4\n",
        1,
        0,
    ),
    "formula.csv": ((GOOD + "=1+1,@SUM(A1),3\n").encode(), 2000, 1),
    "broken-lines.jsonl": ((JSON_LINES + '\n{"seconds": \nnull\n7\n[1]').encode(), 2000, 4),
    "other-types.jsonl": (
        (JSON_LINES + '\n{"seconds": "a", "prompt_tokens": [1], "completion_tokens": {}}').encode(),
        2000,
        1,
    ),
    "cut-last-line.jsonl": (JSON_LINES.encode()[:-6], 1999, 1),
    "deep.jsonl": ((JSON_LINES + "\n" + '{"a":' * 900 + "1" + "}" * 900).encode(), 2000, 1),
    "cut-array.json": (b'[{"prompt_tokens": 1, "completion_tokens": 2}]', 1, 0),
}


@pytest.mark.parametrize("name", ANSWERED)
def test_b2_an_odd_file_is_answered_and_its_odd_rows_counted(name, tmp_path):
    data, requests, dropped = ANSWERED[name]
    path = tmp_path / name
    path.write_bytes(data)
    found = audit(path)
    assert found.requests == requests
    assert sum(found.dropped.values()) == dropped
    assert found.rows == requests + dropped


@pytest.mark.parametrize("seed", range(40))
def test_b2_flipped_bits_end_in_a_sentence_or_an_audit(seed, tmp_path):
    """Some flips only change a number: no reader can tell; none may end in a traceback."""
    kinds = {
        "log.csv": GOOD.encode(),
        "log.csv.gz": gzip.compress(GOOD.encode()),
        "log.jsonl": JSON_LINES.encode(),
        "log.parquet": parquet(),
    }
    name = list(kinds)[seed % len(kinds)]
    path = tmp_path / name
    path.write_bytes(flipped(kinds[name], seed, bits=1 + seed // 8))
    try:
        found = audit(path)
    except AuditError as refused:
        said = str(refused)
        assert "\n" not in said
    else:
        assert found.rows == found.requests + sum(found.dropped.values())


def test_b2_a_flipped_gzip_is_never_read_as_numbers(tmp_path):
    packed = gzip.compress(GOOD.encode())
    for seed in range(10):
        path = tmp_path / "log.csv.gz"
        path.write_bytes(packed[:10] + flipped(packed[10:], seed))
        with pytest.raises(AuditError):
            audit(path)


def test_limits_are_told(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(GOOD)
    with pytest.raises(AuditError, match="at most 10 are read"):
        audit(path, limits=Limits(max_bytes=10))
    with pytest.raises(AuditError, match="3 columns; at most 2"):
        audit(path, limits=Limits(max_columns=2))
    (tmp_path / "more.csv").write_text(GOOD)
    with pytest.raises(AuditError, match="2 files; at most 1"):
        audit(tmp_path, limits=Limits(max_files=1))


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("nowhere.csv", "does not exist"),
        ("no*match.csv", "does not exist"),
        ("", "is empty or holds NUL"),
        ("nul\0.csv", "is empty or holds NUL"),
        ("https://127.0.0.1:1/log.csv", "does not answer"),
        ("s3://bucket/log.csv", "is no log"),
        ("postgresql://host/table", "is no log"),
        (os.devnull, "not a regular file"),
    ],
)
def test_a_source_that_is_no_log_is_refused(source, part):
    with pytest.raises(AuditError, match=part):
        audit(source)


def test_a_folder_without_logs_is_refused(tmp_path):
    (tmp_path / "notes.md").write_text("x")
    with pytest.raises(AuditError, match="holds no log"):
        audit(tmp_path)


def test_a_file_that_may_not_be_read_is_refused_in_words(tmp_path):
    path = tmp_path / "log.csv"
    path.symlink_to(tmp_path / "gone.csv")
    with pytest.raises(AuditError, match=r"log\.csv cannot be opened"):
        audit(path)


@pytest.mark.parametrize("name", ["a'; DROP TABLE x; --.csv", "<script>.csv", "$(id).csv", "*.csv"])
def test_b4_a_hostile_name_is_only_a_name(name, tmp_path):
    path = tmp_path / name
    path.write_text(GOOD)
    assert audit(path).source == name


def test_b4_hostile_keys_are_only_names(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(
        '{"a\\"b\'c": {"prompt_tokens": 1, "completion_tokens": 2}, "model\\");--": "x"}\n'
    )
    assert audit(path).input_tokens == 1
