"""The audit of the shipped traces against figures measured elsewhere."""

import json
from pathlib import Path

import pytest

from planner.demand.audit import TIME_SHARE_UNKNOWN, audit

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
TRACES = Path(__file__).parents[2] / "hardware_catalog" / "traces"


@pytest.fixture(scope="module")
def code():
    return audit(TRACES / "azure_2023_code.csv")


@pytest.fixture(scope="module")
def conversation():
    return audit(TRACES / "azure_2023_conversation.csv")


@pytest.fixture(scope="module")
def mooncake():
    return audit(next(TRACES.glob("mooncake*.jsonl")))


@pytest.fixture(scope="module")
def servegen():
    return audit(TRACES / "servegen_deepseek_r1_hour.csv")


def test_code_trace_has_the_published_requests_and_lengths(code):
    """Azure 2023, code: FACTS W12."""
    assert (code.rows, code.requests, code.dropped) == (8819, 8819, {})
    assert code.input_lengths.p50 == 1469
    assert code.output_lengths.p50 == 13
    assert code.input_lengths.mean == pytest.approx(2048, abs=0.5)
    assert code.output_lengths.mean == pytest.approx(27.9, abs=0.05)
    assert code.input_lengths.p99 == pytest.approx(7436, abs=1)
    assert code.output_lengths.p99 == pytest.approx(252, abs=1)
    assert 1 / code.decode_to_prefill_token_ratio == pytest.approx(73, abs=0.5)


def test_conversation_trace_has_the_published_requests_and_lengths(conversation):
    """Azure 2023, conversation: FACTS W12."""
    assert (conversation.rows, conversation.requests) == (19366, 19366)
    assert conversation.input_lengths.p50 == 1020
    assert conversation.output_lengths.p50 == 129
    assert conversation.input_lengths.mean == pytest.approx(1155, abs=0.5)
    assert conversation.output_lengths.mean == pytest.approx(211, abs=0.5)
    assert conversation.input_lengths.p99 == pytest.approx(4142, abs=1)
    assert conversation.output_lengths.p99 == pytest.approx(601, abs=1)
    assert 1 / conversation.decode_to_prefill_token_ratio == pytest.approx(5.5, abs=0.05)


def test_arrivals_are_as_bursty_as_measured(code, conversation):
    """FACTS W12 (rates) and W13 (burstiness)."""
    assert code.arrivals.mean_per_s == pytest.approx(2.57, abs=0.005)
    assert conversation.arrivals.mean_per_s == pytest.approx(5.53, abs=0.005)
    assert code.arrivals.peak_to_mean == pytest.approx(4.10, abs=0.005)
    assert conversation.arrivals.peak_to_mean == pytest.approx(1.53, abs=0.005)
    assert code.arrivals.scv == pytest.approx(173, abs=0.5)
    assert conversation.arrivals.scv == pytest.approx(1.20, abs=0.005)
    published = {"1": 13, "10": 72, "60": 164}
    assert {w: code.arrivals.dispersion[w] for w in published} == pytest.approx(published, abs=0.5)
    assert conversation.arrivals.dispersion["1"] == pytest.approx(1.4, abs=0.05)
    assert conversation.arrivals.dispersion["10"] == pytest.approx(3.9, abs=0.05)
    assert conversation.arrivals.dispersion["60"] == pytest.approx(16, abs=0.5)


def test_mooncake_times_are_milliseconds_and_hits_come_from_its_blocks(mooncake):
    """Mooncake's conversation trace: 12,031 requests an hour (3.3 per second)."""
    assert mooncake.arrivals.mean_per_s == pytest.approx(3.4, abs=0.4)
    assert 0 < mooncake.cached_tokens < mooncake.input_tokens
    assert any("Mooncake" in caveat for caveat in mooncake.caveats)
    assert any("hash_ids" in caveat for caveat in mooncake.caveats)


def test_servegen_hour_is_an_hour_of_seconds(servegen):
    """39,332 requests over one hour."""
    assert servegen.requests == 39332
    assert servegen.arrivals.span_s == pytest.approx(3600, abs=1)
    assert servegen.starts_at is None


def test_the_series_adds_up_to_the_totals(conversation):
    series = conversation.per_minute
    assert series.bin_s == 60
    assert sum(series.requests) == conversation.requests
    assert sum(series.input_tokens) == conversation.input_tokens
    assert sum(series.output_tokens) == conversation.output_tokens
    peak = conversation.arrivals.peak_minute
    assert series.requests[peak] == max(series.requests)
    assert series.minute == tuple(range(len(series.requests)))


def test_hours_add_up_to_the_totals(code):
    assert [hour.name for hour in code.by_hour] == ["2023-11-16T18:00Z", "2023-11-16T19:00Z"]
    assert sum(hour.requests for hour in code.by_hour) == code.requests
    assert sum(hour.input_tokens for hour in code.by_hour) == code.input_tokens


def test_the_document_has_every_promised_key_and_survives_json(conversation):
    document = json.loads(json.dumps(conversation.as_dict(), allow_nan=False))
    promised = (
        "rows requests input_tokens output_tokens cached_tokens decode_to_prefill_token_ratio "
        "prefill_time_frac arrivals by_model by_class by_hour dropped caveats"
    )
    assert set(promised.split()) <= set(document)
    arrivals = {"peak_minute_per_s", "mean_per_s", "scv", "dispersion"}
    assert arrivals <= set(document["arrivals"])
    assert document["prefill_time_frac"] is None
    assert document["cached_tokens"] is None
    assert any(caveat.startswith("prefill_time_frac is null") for caveat in document["caveats"])
    assert any(caveat.startswith("cached_tokens is null") for caveat in document["caveats"])


def test_a_modelled_time_share_replaces_its_caveat(conversation):
    filled = conversation.with_prefill_time_frac(0.2, "modelled")
    assert filled.prefill_time_frac == 0.2
    assert TIME_SHARE_UNKNOWN in conversation.caveats
    assert TIME_SHARE_UNKNOWN not in filled.caveats
    assert filled.caveats[-1] == "modelled"


def test_one_class_carries_the_moments_of_the_log(code):
    (only,) = code.workload()
    assert only.requests_per_s == code.arrivals.mean_per_s
    assert only.input_tokens == code.input_lengths.mean
    assert only.input_scv == pytest.approx(0.929, abs=5e-4)  # 1973.7^2 / 2047.8^2
    assert only.peak_to_mean == code.arrivals.peak_to_mean
    assert only.arrival_scv == code.arrivals.peak_minute_scv
    assert only.cache_hit_frac is None
