"""No row is lost in silence: faults by reason, and small logs against plain Python."""

import csv
import io
import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.demand.audit import audit
from planner.demand.logs.lengths import distribution
from planner.errors import AuditError

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

HEADER = "seconds,prompt_tokens,completion_tokens,cached_tokens"


def audited(tmp_path, *lines, header=HEADER):
    path = tmp_path / "log.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return audit(path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,,5,0", "input tokens missing"),
        ("1,  ,5,0", "input tokens missing"),
        ("1,many,5,0", "input tokens not a whole number"),
        ("1,1.5,5,0", "input tokens not a whole number"),
        ("1,nan,5,0", "input tokens not a whole number"),
        ("1,inf,5,0", "input tokens not a whole number"),
        ('1,"1,234",5,0', "input tokens not a whole number"),
        ("1,$3k,5,0", "input tokens not a whole number"),
        ("1,-3,5,0", "input tokens negative"),
        ("1,1e9,5,0", "input tokens implausibly many"),
        ("1,1e300,5,0", "input tokens implausibly many"),
        ("1,10,,0", "output tokens missing"),
        ("1,10,x,0", "output tokens not a whole number"),
        ("1,10,-1,0", "output tokens negative"),
        ("1,10,99999999999,0", "output tokens implausibly many"),
        ("1,0,0,0", "neither input nor output tokens"),
        ("1,10,5,lots", "cached tokens not a whole number"),
        ("1,10,5,-1", "cached tokens not a whole number"),
        ("1,10,5,11", "more cached than input tokens"),
        (",10,5,0", "timestamp missing"),
        ("noon,10,5,0", "timestamp not readable"),
        ("-1,10,5,0", "timestamp out of range or in another unit"),
        (",,,", "line without any known field"),
        ("1,10,5", "unreadable line"),
        ("1,10,5,0,9", "unreadable line"),
    ],
)
def test_a_faulty_row_is_dropped_with_its_reason(line, reason, tmp_path):
    found = audited(tmp_path, "0,100,10,0", line, "9,100,10,0")
    assert found.dropped == {reason: 1}
    assert (found.rows, found.requests, found.input_tokens) == (3, 2, 200)


@pytest.mark.parametrize("line", ["1,+10,5,0", "1,10.0,5e0,0", "1, 10 ,5,", '1,"10","5","0"'])
def test_whole_numbers_are_read_however_they_are_written(line, tmp_path):
    found = audited(tmp_path, line)
    assert (found.input_tokens, found.output_tokens, found.dropped) == (10, 5, {})


def test_a_request_without_output_is_kept_and_said(tmp_path):
    found = audited(tmp_path, "0,100,0,0", "1,100,10,0")
    assert (found.requests, found.output_tokens) == (2, 10)
    assert any("1 requests without output are kept" in caveat for caveat in found.caveats)


def test_blank_lines_are_no_rows(tmp_path):
    assert audited(tmp_path, "", "0,100,10,0", "", "1,100,10,0", "").rows == 2


def test_a_log_without_any_sound_row_is_refused_with_the_reasons(tmp_path):
    with pytest.raises(AuditError, match="no usable request: 2 with input tokens negative"):
        audited(tmp_path, "0,-1,1,0", "1,-1,1,0")


def test_no_input_token_leaves_the_ratio_null(tmp_path):
    found = audited(tmp_path, "0,0,5,0", "1,0,5,0")
    assert found.decode_to_prefill_token_ratio is None
    assert any("ratio is null" in caveat for caveat in found.caveats)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=200))
def test_percentiles_of_a_histogram_are_those_of_the_sample(sample):
    found = distribution(*np.unique(np.array(sample), return_counts=True), max(sample))
    expected = np.percentile(sample, [50, 90, 95, 99])
    assert [found.p50, found.p90, found.p95, found.p99] == pytest.approx(expected, rel=1e-12)
    assert found.mean == pytest.approx(statistics.fmean(sample))
    assert found.max == max(sample)


CELLS = st.one_of(
    st.integers(-5, 300).map(str),
    st.sampled_from(["", " ", "x", "1.5", "NaN", "1e999", "-0", "7.0", "1_0", "0x1f"]),
)
TIMES = st.one_of(
    st.floats(0, 400, allow_nan=False).map(lambda t: f"{t:.3f}"),
    st.sampled_from(["", "later", "-3", "inf"]),
)
LOGS = st.lists(st.tuples(TIMES, CELLS, CELLS), min_size=1, max_size=60)


def number(text):
    """Plain Python's reading of a cell, None for no number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def sound(row):
    """Is a row of text a request?"""
    time, read, written = map(number, row)
    tokens = (read, written)
    return (
        time is not None
        and time >= 0
        and all(n is not None and n >= 0 and n == int(n) for n in tokens)
        and any(tokens)
    )


@given(LOGS)
@settings(max_examples=settings.default.max_examples // 2)  # each is a whole audit
def test_small_logs_agree_with_plain_python(tmp_path_factory, log):
    path = tmp_path_factory.mktemp("log") / "log.csv"
    text = io.StringIO()
    csv.writer(text).writerows([("seconds", "input_tokens", "output_tokens"), *log])
    path.write_text(text.getvalue())
    kept = [tuple(map(float, row)) for row in log if sound(row)]
    if not kept:
        with pytest.raises(AuditError, match="no usable request"):
            audit(path)
        return
    found = audit(path)
    assert found.requests == len(kept)
    assert found.rows == len(log) == found.requests + sum(found.dropped.values())
    assert found.input_tokens == sum(row[1] for row in kept)
    assert found.output_tokens == sum(row[2] for row in kept)
    assert_arrivals(found.arrivals, sorted(row[0] for row in kept))


def assert_arrivals(found, times):
    """Rate, peak, gaps and dispersion, the slow way."""
    since = [round(t - times[0], 6) for t in times]
    span = since[-1]
    assert found.span_s == pytest.approx(span, abs=1e-9)
    if span == 0:
        assert found.mean_per_s is None
        return
    assert found.mean_per_s == pytest.approx(len(times) / span)
    busiest = max(sum(m <= t / 60 < m + 1 for t in since) for m in range(8))
    assert found.peak_minute_per_s == pytest.approx(max(busiest / 60, len(times) / span))
    gaps = [b - a for a, b in itertools.pairwise(since)]
    if len(gaps) > 1:
        spread = statistics.pvariance(gaps) / statistics.fmean(gaps) ** 2
        assert found.scv == pytest.approx(spread, rel=1e-6, abs=1e-6)
    for window in (1, 10, 60):
        n = int(span // window)
        if n < 2:
            assert found.dispersion[str(window)] is None
            continue
        counts = [sum(w * window <= t < (w + 1) * window for t in since) for w in range(n)]
        expected = statistics.pvariance(counts) / statistics.fmean(counts)
        assert found.dispersion[str(window)] == pytest.approx(expected, rel=1e-6, abs=1e-9)
