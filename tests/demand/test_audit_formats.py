"""One log, many formats: the same rows give the same audit however they are stored."""

import gzip
import json
import random
from dataclasses import replace

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from planner.demand.audit import audit
from planner.demand.logs.backend import private_database
from planner.demand.logs.limits import DEFAULT_LIMITS

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

HEADER = ("timestamp", "model", "class", "prompt_tokens", "completion_tokens", "cached_tokens")
START_S = 1_750_000_000


def some_rows(n=500, seed=1):
    """Requests over a few minutes, out of order, as text."""
    draw = random.Random(seed)
    return [
        (
            f"2025-06-15T15:{draw.randint(6, 19):02d}:{draw.uniform(0, 59.9):09.6f}Z",
            draw.choice(["llama", "deepseek"]),
            draw.choice(["chat", "code"]),
            (prompt := draw.randint(1, 9000)),
            draw.randint(0, 900),
            draw.randint(0, prompt),
        )
        for _ in range(n)
    ]


ROWS = some_rows()


def csv_text(rows=ROWS, delimiter=",", end="\n"):
    return end.join(delimiter.join(map(str, row)) for row in (HEADER, *rows)) + end


def records(rows=ROWS):
    return [dict(zip(HEADER, row, strict=True)) for row in rows]


def json_lines(rows=ROWS):
    return "\n".join(map(json.dumps, records(rows)))


def table(rows=ROWS):
    return pa.table(dict(zip(HEADER, map(list, zip(*rows, strict=True)), strict=True)))


def typed_table():
    """Native timestamps and 32-bit integers, as warehouses export them."""
    times = pa.array([row[0].removesuffix("Z") for row in ROWS]).cast(pa.timestamp("ns"))
    typed = table().set_column(0, "timestamp", times.cast(pa.timestamp("ns", "UTC")))
    return typed.set_column(3, "prompt_tokens", typed["prompt_tokens"].cast(pa.int32()))


def nested_lines():
    """OpenAI's usage records: tokens inside `usage`, cached ones deeper still."""
    return "\n".join(
        json.dumps(
            {
                "timestamp": time,
                "model": model,
                "class": kind,
                "usage": {
                    "prompt_tokens": prompt,
                    "completion_tokens": completion,
                    "prompt_tokens_details": {"cached_tokens": cached},
                },
            }
        )
        for time, model, kind, prompt, completion, cached in ROWS
    )


def write_parquet(path, what):
    pa.parquet.write_table(what, path)


WRITERS = {
    "log.csv.gz": lambda path: path.write_bytes(gzip.compress(csv_text().encode())),
    "two-members.csv.gz": lambda path: path.write_bytes(
        gzip.compress(csv_text(ROWS[:200]).encode())
        + gzip.compress(csv_text(ROWS[200:]).partition("\n")[2].encode())
    ),
    "tabs.tsv": lambda path: path.write_text(csv_text(delimiter="\t")),
    "semicolons.csv": lambda path: path.write_text(csv_text(delimiter=";")),
    "windows.csv": lambda path: path.write_bytes(csv_text(end="\r\n").encode()),
    "marked.csv": lambda path: path.write_bytes(b"\xef\xbb\xbf" + csv_text().encode()),
    "quoted.csv": lambda path: pa.csv.write_csv(table(), path),
    "no-ending": lambda path: path.write_text(csv_text()),
    "log.jsonl": lambda path: path.write_text(json_lines()),
    "log.jsonl.gz": lambda path: path.write_bytes(gzip.compress(json_lines().encode())),
    "array.json": lambda path: path.write_text(json.dumps(records())),
    "pretty.json": lambda path: path.write_text(json.dumps(records(), indent=2)),
    "nested.jsonl": lambda path: path.write_text(nested_lines()),
    "text.parquet": lambda path: write_parquet(path, table()),
    "typed.parquet": lambda path: write_parquet(path, typed_table()),
    "odd [name] * 'x'.csv": lambda path: path.write_text(csv_text()),
}


def figures(found):
    """An audit without the parts that speak of the file it came from."""
    return replace(found, source="", files=1, columns={}, caveats=(), times="")


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    path = tmp_path_factory.mktemp("csv") / "log.csv"
    path.write_text(csv_text())
    return figures(audit(path))


def test_the_reference_counts_what_was_written(expected):
    assert expected.requests == len(ROWS)
    assert expected.input_tokens == sum(row[3] for row in ROWS)
    assert expected.output_tokens == sum(row[4] for row in ROWS)
    assert expected.cached_tokens == sum(row[5] for row in ROWS)
    assert {share.name for share in expected.by_model} == {"llama", "deepseek"}
    assert {share.name for share in expected.by_class} == {"chat", "code"}
    assert {part.name for part in expected.workload()} == {
        "chat, llama",
        "chat, deepseek",
        "code, llama",
        "code, deepseek",
    }


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_audit(name, expected, tmp_path):
    path = tmp_path / name
    WRITERS[name](path)
    assert figures(audit(path)) == expected


def test_a_folder_reads_as_its_files_together(expected, tmp_path):
    (tmp_path / "day=1").mkdir()
    (tmp_path / "day=1" / "a.csv").write_text(csv_text(ROWS[:100]))
    (tmp_path / "day=1" / "b.jsonl").write_text(json_lines(ROWS[100:300]))
    write_parquet(tmp_path / "c.parquet", table(ROWS[300:]))
    (tmp_path / "README.md").write_text("not a log")
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / ".hidden.csv").write_text("not,a,log")
    found = audit(tmp_path)
    assert found.files == 3
    assert figures(found) == expected
    assert any("README.md" in caveat for caveat in found.caveats)


def test_a_glob_reads_the_files_it_matches(expected, tmp_path):
    (tmp_path / "a-1.csv").write_text(csv_text(ROWS[:100]))
    (tmp_path / "a-2.csv").write_text(csv_text(ROWS[100:]))
    (tmp_path / "b-1.csv").write_text(csv_text())
    assert figures(audit(str(tmp_path / "a-*.csv"))) == expected


def test_the_same_log_gives_the_same_document_again(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(csv_text(some_rows(20_000)))
    assert json.dumps(audit(path).as_dict()) == json.dumps(audit(path).as_dict())


def test_classes_beyond_the_limit_are_put_together(tmp_path):
    rows = [(f"2025-06-15T15:06:{i:02d}Z", "m", f"kind{i}", 10, 1, 0) for i in range(30)]
    path = tmp_path / "log.csv"
    path.write_text(csv_text([*rows, *rows[:5]]))
    found = audit(path)
    assert len(found.workload()) == 13
    assert found.workload()[-1].name == "(others)"
    assert sum(part.requests for part in found.workload()) == found.requests == 35
    assert sum(share.requests for share in found.by_class) == 35


TOKENS = {
    "float with gaps": (pa.array([10.0, float("nan"), None]), 1),
    "decimal": (pa.array(["10", "2.5", None]).cast(pa.decimal128(5, 2)), 1),
    "unsigned": (pa.array([10, 2**64 - 1, None], pa.uint64()), 1),
    "text": (pa.array(["10", "ten", ""]), 1),
    "dictionary": (pa.array(["10", "x", "y"]).dictionary_encode(), 1),
    "int8": (pa.array([10, -1, None], pa.int8()), 1),
}


@pytest.mark.parametrize("name", TOKENS)
def test_tokens_of_any_column_type_are_read_or_counted(name, tmp_path):
    column, requests = TOKENS[name]
    path = tmp_path / "log.parquet"
    write_parquet(path, pa.table({"prompt_tokens": column, "completion_tokens": [1, 1, 1]}))
    found = audit(path)
    assert (found.requests, found.input_tokens, found.rows) == (requests, 10, 3)


TIMES = {
    "date": pa.array([20254, 20255], pa.date32()),
    "zoned": pa.array([1_750_000_000, 1_750_086_400]).cast(pa.timestamp("s", "Europe/Berlin")),
    "nanoseconds": pa.array([1_750_000_000, 1_750_086_400])
    .cast(pa.timestamp("s"))
    .cast(pa.timestamp("ns")),
    "epoch": pa.array([1_750_000_000, 1_750_086_400]),
}


@pytest.mark.parametrize("name", TIMES)
def test_times_of_any_column_type_are_read(name, tmp_path):
    path = tmp_path / "log.parquet"
    tokens = {"prompt_tokens": [1, 1], "completion_tokens": [1, 1]}
    write_parquet(path, pa.table({"timestamp": TIMES[name], **tokens}))
    found = audit(path)
    assert found.arrivals.span_s == 86_400
    assert found.starts_at.startswith("2025-06-15")


def test_the_database_draws_no_progress_bar_of_its_own(tmp_path):
    """On a slow log it would write into whatever the caller prints."""
    with private_database([], str(tmp_path), DEFAULT_LIMITS) as backend:
        query = "SELECT current_setting('enable_progress_bar')"
        assert backend.con.execute(query).fetchone() == (False,)
