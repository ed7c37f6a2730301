"""The same log on DuckDB, on a real Spark cluster and in a real PostgreSQL: the same audit."""

import json
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from planner.demand.audit import audit
from planner.errors import AuditError

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
TRACES = Path(__file__).parents[2] / "hardware_catalog" / "traces"
HEADER = "timestamp,model,class,prompt_tokens,completion_tokens,cached_tokens,ttft_ms,latency_ms"


def lines(n=300):
    """Requests of two models and classes with every column that an audit knows."""
    for i in range(n):
        model, kind = ("llama", "deepseek")[i % 2], ("chat", "code", "chat")[i % 3]
        at = f"2025-06-15T15:{6 + i % 7:02d}:{i * 7 % 60:02d}.{i:03d}Z"
        yield f"{at},{model},{kind},{50 + i * i % 900},{i % 40},{i % 50},{20 + i},{400 + 3 * i}"


def figures(found):
    return replace(found, source="", caveats=(), times="")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log with rows that are odd in several ways."""
    path = tmp_path_factory.mktemp("log") / "log.csv"
    odd = ["2025-06-15T15:09:00Z,llama,chat,many,3,,1,2", "short,1", "never,llama,chat,1,1,0,1,2"]
    odd.append("2025-06-15T17:10:00,llama,chat,1,1,0,1,2")  # Berlin's, where no zone is named
    path.write_text("\n".join([HEADER, *lines(), *odd]) + "\n")
    return path


@pytest.mark.spark
def test_spark_gives_the_same_audit_as_duckdb(spark_cluster, log):
    here = audit(log, time_zone="Europe/Berlin")
    there = audit(log, time_zone="Europe/Berlin", backend=spark_cluster)
    assert sum(here.dropped.values()) == 3
    assert here.arrivals.span_s < 3600
    assert there == here


@pytest.mark.sweep
@pytest.mark.spark
@pytest.mark.parametrize("name", [path.name for path in sorted(TRACES.glob("*_*"))])
def test_spark_gives_the_same_audit_of_every_shipped_trace(spark_cluster, name):
    assert audit(TRACES / name, backend=spark_cluster) == audit(TRACES / name)


def test_a_cluster_or_backend_that_is_not_there_is_said_in_words(log):
    for backend in ("mysql://127.0.0.1/x", "http://[::1", ""):
        with pytest.raises(AuditError, match="allowed are duckdb, spark"):
            audit(log, backend=backend)


@pytest.mark.postgres
def test_a_postgres_table_gives_the_same_audit_as_its_file(postgres_address, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("\n".join([HEADER, *lines()]) + "\n")
    plain = postgres_address.replace("+psycopg", "")
    with psycopg.connect(plain) as connection:
        connection.execute(
            'CREATE TABLE "odd Table" (prompt text, timestamp timestamptz, model text, class text,'
            "prompt_tokens int, completion_tokens bigint, cached_tokens numeric, ttft_ms float8,"
            "latency_ms float8)"
        )
        copy = f'COPY "odd Table" ({HEADER}) FROM STDIN (FORMAT csv, HEADER)'
        with connection.cursor().copy(copy) as into:
            into.write(path.read_text())
        connection.execute("UPDATE \"odd Table\" SET prompt = 'the merger closes on Friday'")
    found = audit("odd Table", backend=plain)
    assert figures(found) == figures(audit(path))
    assert any("never read: 'prompt'" in said for said in found.caveats)
    assert "merger" not in json.dumps(found.as_dict())
    assert figures(audit("public.odd Table", backend=plain)) == figures(found)


@pytest.mark.postgres
def test_a_table_that_is_none_is_refused_in_words(postgres_address):
    plain = postgres_address.replace("+psycopg", "")
    with pytest.raises(AuditError, match="is no table that this user"):
        audit("nowhere; DROP TABLE x", backend=plain)
    with pytest.raises(AuditError, match="cannot be read from PostgreSQL") as refused:
        audit("x", backend="postgresql://ann:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(refused.value)
