"""Counters of serving engines: an exposition, one engine over HTTP, and a real Prometheus."""

import http.server
import json
import threading
import time

import pytest

from planner.demand.audit import audit
from planner.demand.logs.limits import DEFAULT_LIMITS
from planner.demand.metrics.prometheus import counts_at
from planner.errors import AuditError
from tests.demand.engines import HOURS, MINUTES, MODELS, exposition


def totals(minutes):
    per_minute = [(n, n * prompt, n * answer) for n, prompt, answer in MODELS.values()]
    return tuple(minutes * sum(column) for column in zip(*per_minute, strict=True))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("metrics") / "engine.prom"
    path.write_text("# HELP x y\n" + "\n".join(exposition(10)) + "\n")
    return path


def test_an_exposition_tells_tokens_lengths_phases_and_cache(file):
    found = audit(file)
    assert (found.requests, found.input_tokens, found.output_tokens) == totals(10)
    assert found.cached_tokens == found.input_tokens // 4
    assert [share.name for share in found.by_model] == list(MODELS)
    assert found.prefill_time_frac == pytest.approx(0.25)
    assert (found.kv_use.mean_frac, found.kv_use.max_frac) == (0.5, 0.5)
    assert found.arrivals.mean_per_s is None
    assert any("snapshot" in said for said in found.caveats)
    llama = found.by_model[0]
    assert llama.input_lengths.mean == 1000
    assert 512 < llama.input_lengths.p50 < 2048  # the bucket that holds all of them
    json.dumps(found.as_dict(), allow_nan=False)


def test_sglang_and_tensorrt_names_and_underscores_are_known(tmp_path):
    path = tmp_path / "sglang.prom"
    path.write_text(
        'sglang:num_requests_total{model_name="m"} 10\n'
        'sglang:prompt_tokens_total{model_name="m"} 8000\n'
        'sglang:generation_tokens_total{model_name="m"} 2000\n'
        'sglang:cached_tokens_total{model_name="m",cache_source="device"} 100\n'
        'sglang:cached_tokens_total{model_name="m",cache_source="host"} 60\n'
        'sglang:token_usage{model_name="m"} 0.28\n'
        'sglang:time_to_first_token_seconds_sum{model_name="m"} 5\n'
        'sglang:e2e_request_latency_seconds_sum{model_name="m"} 50\n'
    )
    found = audit(path)
    assert (found.requests, found.input_tokens, found.output_tokens) == (10, 8000, 2000)
    assert found.cached_tokens == 160
    assert found.prefill_time_frac == pytest.approx(0.1)
    assert found.kv_use.mean_frac == 0.28
    path.write_text(path.read_text().replace("sglang:", "sglang_"))
    assert audit(path).input_tokens == 8000


def test_tensorrt_counts_no_tokens_so_answers_follow_from_latencies(tmp_path):
    """Ten requests of 2.1 s, first token after 0.1 s, then one each 20 ms: 101 tokens each."""
    path = tmp_path / "trtllm.prom"
    path.write_text(
        'trtllm_request_success_total{model_name="m",finished_reason="stop"} 10\n'
        'trtllm_e2e_request_latency_seconds_sum{model_name="m"} 21\n'
        'trtllm_e2e_request_latency_seconds_count{model_name="m"} 10\n'
        'trtllm_time_to_first_token_seconds_sum{model_name="m"} 1\n'
        'trtllm_time_to_first_token_seconds_count{model_name="m"} 10\n'
        'trtllm_time_per_output_token_seconds_sum{model_name="m"} 0.2\n'
        'trtllm_time_per_output_token_seconds_count{model_name="m"} 10\n'
        'trtllm_kv_cache_utilization{model_name="m"} 0.62\n'
    )
    found = audit(path)
    assert found.output_tokens == 1010
    assert found.decode_to_prefill_token_ratio is None
    assert any("estimated" in said for said in found.caveats)
    assert any("no engine counts input tokens" in said for said in found.caveats)
    path.write_text(
        path.read_text() + 'dynamo_frontend_input_sequence_tokens_sum{model="m"} 5000\n'
        'dynamo_frontend_input_sequence_tokens_count{model="m"} 10\n'
    )
    assert audit(path).decode_to_prefill_token_ratio == pytest.approx(0.202)


def test_two_generations_of_a_name_are_not_added_up(tmp_path):
    path = tmp_path / "both.prom"
    old = "vllm:gpu_prefix_cache_hits_total 7\n"
    path.write_text("\n".join(exposition(1)) + "\n" + old)
    assert audit(path).cached_tokens == totals(1)[1] // 4


REFUSED = {
    "endless.prom": ("vllm:prompt_tokens_total 1e300\n", "more than 1e.15"),
    "negative.prom": ("vllm:prompt_tokens_total -1\n", "less than nothing"),
    "other.prom": ("# HELP up x\nup 1\n", "counts no request with tokens"),
    "broken.prom": ("# HELP up x\nup one\n", "no metric on line 2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_metrics_that_tell_nothing_are_refused_in_words(name, tmp_path):
    text, part = REFUSED[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(AuditError, match=part):
        audit(tmp_path / name)


@pytest.fixture
def served():
    """A small HTTP server that answers with what the test puts into it."""
    answers = {}

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answers.get(self.path.partition("?")[0], (404, b"{}"))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body.decode())
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()


def test_one_engine_is_read_over_http(served):
    address, answers = served
    answers["/metrics"] = (200, "\n".join(exposition(10)).encode())
    found = audit(f"{address}/metrics")
    assert (found.requests, found.input_tokens, found.output_tokens) == totals(10)


def test_an_address_that_is_no_prometheus_is_refused_in_words(served):
    address, answers = served
    with pytest.raises(AuditError, match="answers 404"):
        audit(address)
    answers["/api/v1/label/__name__/values"] = (200, b"<html>")
    with pytest.raises(AuditError, match="does not answer as Prometheus does"):
        audit(address)
    answers["/api/v1/label/__name__/values"] = (302, b"http://127.0.0.1:1/elsewhere")
    with pytest.raises(AuditError, match="answers 302"):
        audit(address)
    answers["/api/v1/label/__name__/values"] = (200, b'{"status":"success","data":[]}')
    with pytest.raises(AuditError, match="holds no metric of vLLM"):
        audit(address)
    with pytest.raises(AuditError, match="does not answer"):
        audit("http://127.0.0.1:1")


def test_a_live_prometheus_gives_the_counts_of_every_minute(prometheus):
    found = audit(prometheus, days=1)
    both = totals(2 * MINUTES)
    one_minute = totals(1)
    assert found.requests == both[0] - one_minute[0]  # lost: the minute in which b restarted
    assert found.input_tokens == both[1] - one_minute[1]
    assert found.output_tokens == both[2] - one_minute[2]
    assert found.arrivals.span_s == HOURS * 3600
    assert found.arrivals.peak_minute_per_s == pytest.approx(2 * one_minute[0] / 60)
    assert sum(found.per_minute.requests) == found.requests
    assert sum(hour.requests for hour in found.by_hour) == found.requests
    assert 3 <= len(found.by_hour) <= 4
    assert found.prefill_time_frac == pytest.approx(0.25)
    assert [share.name for share in found.by_model] == list(MODELS)
    assert found.by_model[0].input_lengths.mean == 1000
    assert 512 < found.by_model[0].input_lengths.p50 < 2048
    assert found.kv_use.max_frac == 0.5
    assert [part.model for part in found.workload()] == list(MODELS)


def test_what_prometheus_repeats_after_the_last_sample_is_not_watched_time(prometheus):
    """Asked three minutes later it still shows the last values; nothing rose in them."""
    later = counts_at(prometheus, 1.0, DEFAULT_LIMITS, now_s=time.time() + 180)
    assert later.n_bins == MINUTES
