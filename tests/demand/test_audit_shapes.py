"""Documents in which requests are nested: spans, benchmark results, usage pages."""

import json

import pytest

from planner.demand.audit import audit
from planner.errors import AuditError

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
SECRET = "the merger closes on Friday"
START_NS = 1_750_000_000_000_000_000


def attribute(key, value):
    kind = {int: "intValue", float: "doubleValue", str: "stringValue"}[type(value)]
    return {"key": key, "value": {kind: str(value) if kind == "intValue" else value}}


def span(second, *, operation="chat", prompt=1000, answer=100, **more):
    named = {
        "gen_ai.operation.name": operation,
        "gen_ai.request.model": "llama-3.3-70b",
        "gen_ai.usage.input_tokens": prompt,
        "gen_ai.usage.output_tokens": answer,
        "gen_ai.usage.cache_read.input_tokens": 250,
        "gen_ai.server.time_to_first_token": 0.5,
        "gen_ai.input.messages": SECRET,
    }
    return {
        "name": f"{operation} llama",
        "startTimeUnixNano": str(START_NS + second * 10**9),
        "endTimeUnixNano": str(START_NS + second * 10**9 + 2 * 10**9),
        "attributes": [attribute(*pair) for pair in {**named, **more}.items()],
    }


def export(*spans):
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": [*spans]}]}]}


@pytest.mark.parametrize("indent", [None, 2])
def test_an_opentelemetry_export_is_audited_span_by_span(indent, tmp_path):
    path = tmp_path / "traces.json"
    batches = [export(*(span(i) for i in range(first, first + 30))) for first in (0, 30)]
    path.write_text("\n".join(json.dumps(batch, indent=indent) for batch in batches))
    found = audit(path)
    assert (found.requests, found.input_tokens, found.output_tokens) == (60, 60_000, 6000)
    assert found.cached_tokens == 60 * 250
    assert found.prefill_time_frac == pytest.approx(0.25)  # 0.5 s of 2 s
    assert found.starts_at.startswith("2025-06-15")
    assert found.arrivals.span_s == 59
    assert [share.name for share in found.by_model] == ["llama-3.3-70b"]
    assert SECRET not in json.dumps(found.as_dict())
    assert any("gen_ai.input.messages" in said for said in found.caveats)


def test_agents_do_not_count_the_calls_inside_them_twice(tmp_path):
    path = tmp_path / "traces.jsonl"
    path.write_text(
        json.dumps(export(span(0), span(1), span(0, operation="invoke_agent", prompt=2000)))
    )
    found = audit(path)
    assert found.input_tokens == 2000
    assert any("agents and tools" in said for said in found.caveats)


def test_spans_without_tokens_are_refused_in_words(tmp_path):
    path = tmp_path / "traces.jsonl"
    bare = {"name": "GET /", "startTimeUnixNano": "1", "endTimeUnixNano": "2", "attributes": []}
    path.write_text(json.dumps(export(bare)))
    with pytest.raises(AuditError, match=r"traces\.jsonl is OpenTelemetry spans without token"):
        audit(path)


def test_spans_of_a_console_exporter_are_plain_records(tmp_path):
    path = tmp_path / "spans.jsonl"
    record = {
        "name": "chat",
        "start_time": "2025-06-15T15:06:40.000000Z",
        "end_time": "2025-06-15T15:06:44.000000Z",
        "attributes": {
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 4,
            "gen_ai.server.ttft": 1.0,
        },
    }
    path.write_text("\n".join([json.dumps(record)] * 3))
    found = audit(path)
    assert (found.input_tokens, found.output_tokens) == (30, 12)
    assert found.prefill_time_frac == pytest.approx(0.25)


def test_litellm_spend_logs_tell_latencies_by_their_dates(tmp_path):
    """Four seconds each, the first token after one; an answer that did not stream tells nothing."""
    path = tmp_path / "spend.csv"
    rows = [
        f"acompletion,{100 + i},{10 + i},2025-06-15 15:0{i}:00+00,2025-06-15 15:0{i}:04+00,"
        f"2025-06-15 15:0{i}:0{1 if i < 3 else 4}+00,gpt-4o,{SECRET}"
        for i in range(4)
    ]
    header = "call_type,prompt_tokens,completion_tokens,startTime,endTime,completionStartTime"
    path.write_text("\n".join([f"{header},model_group,messages", *rows]))
    found = audit(path)
    assert found.requests == 4
    assert found.prefill_time_frac == pytest.approx(0.25)
    assert found.by_class[0].name == "acompletion"


def test_an_openai_batch_output_is_read_where_its_usage_lies(tmp_path):
    path = tmp_path / "batch.jsonl"
    usage = {
        "prompt_tokens": 40,
        "completion_tokens": 8,
        "prompt_tokens_details": {"cached_tokens": 16},
    }
    body = {"created": 1_750_000_000, "model": "gpt-4o", "usage": usage, "choices": [SECRET]}
    record = {"id": "a", "custom_id": "b", "response": {"status_code": 200, "body": body}}
    path.write_text("\n".join([json.dumps(record)] * 5))
    found = audit(path)
    assert (found.input_tokens, found.output_tokens, found.cached_tokens) == (200, 40, 80)
    assert found.by_model[0].name == "gpt-4o"
    assert found.columns["input_tokens"] == "response.body.usage.prompt_tokens"


@pytest.mark.parametrize("pages", [False, True])
def test_openai_usage_buckets_count_many_requests_each(pages, tmp_path):
    def bucket(hour, model, n):
        result = {
            "object": "organization.usage.completions.result",
            "input_tokens": 1000 * n,
            "input_cached_tokens": 400 * n,
            "output_tokens": 200 * n,
            "num_model_requests": n,
            "model": model,
        }
        start = 1_750_003_200 + 3600 * hour
        return {"start_time": start, "end_time": start + 3600, "results": [result]}

    buckets = [bucket(hour, "gpt-4o", 60 * (hour + 1)) for hour in range(24)]
    buckets.append(bucket(5, "o3", 50))
    documents = [{"object": "page", "data": buckets}] if pages else buckets
    path = tmp_path / "usage.jsonl"
    path.write_text("\n".join(map(json.dumps, documents)))
    found = audit(path)
    n = 60 * 300 + 50  # 1 + 2 + ... + 24 = 300
    assert (found.requests, found.input_tokens, found.output_tokens) == (n, 1000 * n, 200 * n)
    assert found.cached_tokens == 400 * n
    assert [share.name for share in found.by_model] == ["gpt-4o", "o3"]
    assert len(found.by_hour) == 24
    assert found.arrivals.mean_per_s == pytest.approx(n / 86_400)
    assert found.arrivals.scv is None
    assert found.starts_at.startswith("2025-06-15T16:00:00")


def test_a_detailed_benchmark_run_is_read_request_by_request(tmp_path):
    """As `vllm bench serve --save-detailed` and SGLang write them; one request failed."""
    path = tmp_path / "run.json"
    run = {
        "date": "20250615-150640",
        "model_id": "llama-3.3-70b",
        "input_lens": [100, 200, 300],
        "output_lens": [3, 3, 0],
        "ttfts": [0.5, 0.5, 0.0],
        "itls": [[0.75, 0.75], [0.75, 0.75], []],
        "start_times": [10.0, 20.0, 30.0],
        "generated_texts": [SECRET],
    }
    path.write_text(json.dumps(run, indent=1))
    found = audit(path)
    assert (found.requests, found.input_tokens, found.output_tokens) == (2, 300, 6)
    assert found.prefill_time_frac == pytest.approx(0.25)
    assert found.arrivals.span_s == 10
    assert SECRET not in json.dumps(found.as_dict())


def test_aiperf_records_carry_their_units(tmp_path):
    def record(second, phase="profiling"):
        return {
            "metadata": {
                "request_start_ns": START_NS + second * 10**9,
                "benchmark_phase": phase,
            },
            "metrics": {
                "input_sequence_length": {"value": 550, "unit": "tokens"},
                "output_sequence_length": {"value": 50, "unit": "tokens"},
                "time_to_first_token": {"value": 250.0, "unit": "ms"},
                "request_latency": {"value": 1000.0, "unit": "ms"},
            },
            "error": None,
        }

    path = tmp_path / "profile_export.jsonl"
    records = [record(0, "warmup"), *(record(second) for second in range(1, 9))]
    path.write_text("\n".join(map(json.dumps, records)))
    found = audit(path)
    assert (found.requests, found.input_tokens, found.output_tokens) == (8, 4400, 400)
    assert found.prefill_time_frac == pytest.approx(0.25)
    assert found.starts_at.startswith("2025-06-15")
    assert any("warm-up" in said for said in found.caveats)


def test_averages_of_a_benchmark_are_one_request_and_said_so(tmp_path):
    path = tmp_path / "profile_export_genai_perf.json"
    run = {
        "request_count": {"unit": "requests", "avg": 40},
        "input_sequence_length": {"unit": "tokens", "avg": 550.4},
        "output_sequence_length": {"unit": "tokens", "avg": 50.0},
        "time_to_first_token": {"unit": "ms", "avg": 250.0},
        "request_latency": {"unit": "ms", "avg": 1000.0},
    }
    path.write_text(json.dumps(run))
    found = audit(path)
    assert (found.requests, found.input_tokens, found.output_tokens) == (1, 550, 50)
    assert any("40 requests behind averages" in said for said in found.caveats)


def test_inferencex_rows_are_read_as_they_are(tmp_path):
    path = tmp_path / "results.jsonl"
    row = {"hw": "h200", "isl": 1024, "osl": 1024, "conc": 4, "mean_ttft": 0.25, "mean_e2el": 10.0}
    path.write_text("\n".join([json.dumps(row)] * 2))
    found = audit(path)
    assert found.decode_to_prefill_token_ratio == 1
    assert found.prefill_time_frac == pytest.approx(0.025)
