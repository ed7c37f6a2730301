"""The page on audits: every command on it is run, every query is asked of a stand-in."""

import http.server
import json
import re
import shlex
import threading
from pathlib import Path

import duckdb
import psycopg
import pytest

from planner.__main__ import _parser, main
from planner.demand.audit import audit
from tests.demand.engines import exposition
from tests.demand.test_audit_fuzzed import USAGE
from tests.docs.blocks import blocks

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
TYPED, QUERIES = (block.text.splitlines() for block in blocks(PAGE) if block.kind == "sh")
COMMANDS = [shlex.split(line, comments=True)[3:] for line in TYPED]
LOG = "timestamp,prompt_tokens,completion_tokens\n" + "".join(
    f"2025-06-15T15:0{i}:00Z,100,10\n" for i in range(3)
)
SPEND_LOGS = """
    CREATE TABLE "LiteLLM_SpendLogs" (request_id text, call_type text, prompt_tokens int,
    completion_tokens int, "startTime" timestamp(3), "endTime" timestamp(3),
    "completionStartTime" timestamp(3), model_group text, messages jsonb);
    INSERT INTO "LiteLLM_SpendLogs" SELECT n, 'acompletion', 100, 10, now() - n * interval '1 min',
    now() - n * interval '1 min' + interval '2 s', now() - n * interval '1 min' + interval '0.5 s',
    'llama', '[{"content": "the merger closes on Friday"}]' FROM generate_series(1, 5) AS n
"""


def query(beginning):
    """The one line of the page that begins so."""
    (line,) = [line for line in QUERIES if line.startswith(beginning)]
    return line


@pytest.fixture(scope="module")
def engine():
    class Engine(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write("\n".join(exposition(5)).encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()


@pytest.fixture
def litellm(postgres_address):
    """The address of a server that holds the spend logs of LiteLLM."""
    plain = postgres_address.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(SPEND_LOGS)
    return plain


def test_the_page_has_every_kind_of_command():
    assert len(COMMANDS) == 6
    assert {command[0] for command in COMMANDS} == {"audit"}


@pytest.mark.postgres
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_of_the_page_runs(command, tmp_path, prometheus, engine, litellm, capsys):
    (tmp_path / "requests.csv").write_text(LOG)
    stand_ins = {
        "requests.csv": str(tmp_path / "requests.csv"),
        "http://127.0.0.1:9090": prometheus,
        "http://127.0.0.1:8000/metrics": engine,
        "postgresql://USER@HOST/DATABASE": litellm,
    }
    assert _parser().parse_args(command).log == command[1]
    if "spark://HOST:7077" in command:
        return  # run in test_audit_backends.py, where a cluster stands
    assert main([stand_ins.get(word, word) for word in command]) == 0
    shown = capsys.readouterr().out
    assert "merger" not in shown
    assert "Decode : prefill is" in shown


@pytest.mark.postgres
def test_the_query_for_litellm_gives_a_log(litellm, tmp_path):
    (quoted,) = re.findall(r"copy \((.*)\) TO 'requests.csv' CSV HEADER", query("psql"))
    copy = f"COPY ({quoted.replace(chr(92), '')}) TO STDOUT (FORMAT csv, HEADER)"
    with psycopg.connect(litellm) as connection, connection.cursor().copy(copy) as pieces:
        (tmp_path / "requests.csv").write_bytes(b"".join(map(bytes, pieces)))
    found = audit(tmp_path / "requests.csv")
    assert (found.requests, found.input_tokens, found.output_tokens) == (5, 500, 50)
    assert found.prefill_time_frac == pytest.approx(0.25)
    assert [share.name for share in found.by_model] == ["llama"]
    assert found.unread == ()


def test_the_query_for_azure_gives_a_log(tmp_path):
    (names,) = re.findall(r"project ([^\"]*)\"", query("az "))
    odd = {"TimeGenerated": "2025-06-15T15:06:40Z", "PromptTokens": "100", "CompletionTokens": "10"}
    row = {name: odd.get(name, "some") for name in names.split(", ")}
    (tmp_path / "requests.json").write_text(json.dumps([{"TableName": "PrimaryResult", **row}] * 3))
    found = audit(tmp_path / "requests.json")
    assert (found.requests, found.input_tokens, found.output_tokens) == (3, 300, 30)
    assert found.starts_at == "2025-06-15T15:06:40+00:00"
    assert [share.name for share in found.by_model] == ["some"]


def test_the_query_for_a_warehouse_gives_a_log(tmp_path):
    path = tmp_path / "requests.parquet"
    with duckdb.connect() as warehouse:
        warehouse.execute(
            "CREATE TABLE requests AS SELECT timestamptz '2025-06-15 15:06:40Z' AS ts, "
            "'m' AS model, '/chat' AS route, 100 AS prompt_tokens, 10 AS completion_tokens, "
            "40 AS cached_tokens, 100.0 AS ttft_ms, 400.0 AS latency_ms FROM range(3)"
        )
        warehouse.execute(f"COPY ({query('SELECT')}) TO '{path}' (FORMAT parquet)")
    found = audit(path)
    assert (found.requests, found.cached_tokens, found.prefill_time_frac) == (3, 120, 0.25)
    assert [share.name for share in found.by_class] == ["/chat"]
    assert found.unread == ()


def test_what_the_usage_endpoint_answers_is_a_log(tmp_path):
    assert "/v1/organization/usage/completions?" in query("curl -s -H")
    page = {"object": "page", "data": USAGE, "has_more": False, "next_page": None}
    (tmp_path / "usage.json").write_text(json.dumps(page, indent=2))
    assert audit(tmp_path / "usage.json").requests == 40
