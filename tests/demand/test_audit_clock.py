"""When requests came: units found, dates understood, and burstiness of known processes."""

import random
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner.demand.audit import audit
from planner.demand.logs.arrivals import Minutes, gap_scv
from planner.errors import AuditError

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

START_S = 1_750_000_000
ELAPSED_S = [0.0, 1.5, 3.25, 64.0, 130.125, 3600.5]


def write(path, times, column="timestamp", tokens=("input_tokens", "output_tokens")):
    rows = [f"{column},{','.join(tokens)}", *(f"{time},100,10" for time in times)]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize(
    ("column", "times", "says"),
    [
        ("timestamp", [f"{START_S + t:.6f}" for t in ELAPSED_S], "seconds since 1970"),
        ("timestamp", [f"{(START_S + t) * 1e3:.0f}" for t in ELAPSED_S], "milliseconds since 1970"),
        ("created", [f"{(START_S + t) * 1e6:.0f}" for t in ELAPSED_S], "microseconds since 1970"),
        ("ts", [f"{int((START_S + t) * 1e6)}000" for t in ELAPSED_S], "nanoseconds since 1970"),
        (
            "startTimeUnixNano",
            [f"{int((START_S + t) * 1e6)}000" for t in ELAPSED_S],
            "nanoseconds since 1970",
        ),
        ("seconds", [f"{t}" for t in ELAPSED_S], "seconds since the start"),
        ("arrival_ms", [f"{t * 1e3:.0f}" for t in ELAPSED_S], "milliseconds since the start"),
        ("timestamp", [f"{t}" for t in ELAPSED_S], "assumed"),
        (
            "timestamp",
            [str(np.datetime64(int((START_S + t) * 1e6), "us")) for t in ELAPSED_S],
            "dates",
        ),
        (
            "startTime",
            [f"{np.datetime64(int((START_S + 7200 + t) * 1e6), 'us')}+02:00" for t in ELAPSED_S],
            "dates",
        ),
    ],
)
def test_the_unit_of_time_is_found_and_said(column, times, says, tmp_path):
    found = audit(write(tmp_path / "log.csv", times, column))
    assert found.dropped == {}
    assert found.arrivals.span_s == pytest.approx(ELAPSED_S[-1], abs=2e-3)
    assert any(says in caveat for caveat in found.caveats)
    if "1970" in says or says == "dates":
        assert found.starts_at == "2025-06-15T15:06:40+00:00"
        assert [hour.name for hour in found.by_hour] == ["2025-06-15T15:00Z", "2025-06-15T16:00Z"]
    else:
        assert found.starts_at is None
        assert [hour.name for hour in found.by_hour] == ["hour 0", "hour 1"]


def test_mooncake_columns_mean_milliseconds(tmp_path):
    tokens = ("input_length", "output_length")
    found = audit(write(tmp_path / "log.csv", [0, 3000, 60000], tokens=tokens))
    assert found.arrivals.span_s == 60


def test_the_reader_may_name_the_unit(tmp_path):
    found = audit(write(tmp_path / "log.csv", [0, 3000, 60000]), time_unit="ms")
    assert found.arrivals.span_s == 60
    with pytest.raises(AuditError, match="allowed are s, ms, us, ns"):
        audit(write(tmp_path / "log.csv", [0]), time_unit="min")


BERLIN = {
    "summer is two hours ahead": (["2025-06-15T17:06:40"], "2025-06-15T15:06:40+00:00", 0),
    "winter is one hour ahead": (["2025-01-15 16:06:40.5"], "2025-01-15T15:06:40.500000+00:00", 0),
    "a second over the change in spring": (
        ["2025-03-30T01:59:59", "2025-03-30T03:00:00"],
        "2025-03-30T00:59:59+00:00",
        1,
    ),
    "an hour and a second more in autumn": (
        ["2025-10-26T02:59:59", "2025-10-26T03:00:00"],
        "2025-10-26T00:59:59+00:00",
        3601,
    ),
    "a year holds two changes": (
        ["2024-12-31T01:00:00", "2025-07-01T02:00:00", "2025-12-31T01:00:00"],
        "2024-12-31T00:00:00+00:00",
        365 * 86_400,
    ),
    "a zone that is named stands": (
        ["2025-06-15T15:06:40Z", "2025-06-15T17:06:50"],
        "2025-06-15T15:06:40+00:00",
        10,
    ),
}


@pytest.mark.parametrize("what", BERLIN)
def test_the_reader_may_name_the_zone_of_dates_that_name_none(what, tmp_path):
    times, starts_at, span_s = BERLIN[what]
    found = audit(write(tmp_path / "log.csv", times), time_zone="Europe/Berlin")
    assert found.starts_at == starts_at
    assert found.arrivals.span_s == span_s
    assert "read as Europe/Berlin (as chosen) where they name no zone" in found.times


def test_instants_of_a_parquet_file_have_their_zone(tmp_path):
    at = [datetime(2025, 6, 15, 15, 6, 40)]  # noqa: DTZ001 - its type says it is UTC
    columns = {"input_tokens": [1], "output_tokens": [2]}
    for zone, hour in (("UTC", 15), (None, 13)):
        times = pa.array(at, pa.timestamp("us", zone))
        pq.write_table(pa.table({"timestamp": times, **columns}), tmp_path / "log.parquet")
        found = audit(tmp_path / "log.parquet", time_zone="Europe/Berlin")
        assert found.starts_at == f"2025-06-15T{hour}:06:40+00:00"


@pytest.mark.parametrize("zone", ["Berlin", "", "../../etc/passwd", "Europe", "/etc/passwd", "a\0"])
def test_a_zone_that_is_none_is_refused(zone, tmp_path):
    with pytest.raises(AuditError, match="is not known; allowed are UTC"):
        audit(write(tmp_path / "log.csv", ["2025-06-15T17:06:40"]), time_zone=zone)


def test_a_log_without_times_has_tokens_but_no_arrivals(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("prompt_tokens,completion_tokens\n10,20\n30,40\n")
    found = audit(path)
    assert (found.input_tokens, found.output_tokens) == (40, 60)
    assert found.arrivals.mean_per_s is None
    assert found.arrivals.dispersion == {"0.1": None, "1": None, "10": None, "60": None}
    assert found.by_hour == ()
    assert found.per_minute.requests == ()
    assert any("no times" in caveat for caveat in found.caveats)
    assert found.workload()[0].requests_per_s is None


def test_stray_times_are_dropped_and_counted(tmp_path):
    times = ["2025-06-15T15:00:00Z", "2025-06-15T15:00:30Z", "", "soon", "0001-01-01", "infinity"]
    found = audit(write(tmp_path / "log.csv", times))
    assert found.requests == 2
    assert found.dropped == {"timestamp not readable": 3, "timestamp missing": 1}
    assert found.arrivals.span_s == 30


def test_another_unit_in_the_same_column_is_dropped_and_counted(tmp_path):
    times = [START_S, START_S + 1, START_S + 2, (START_S + 3) * 1000, -5, 0]
    found = audit(write(tmp_path / "log.csv", times))
    assert found.dropped == {"timestamp out of range or in another unit": 3}


def test_logs_that_count_time_differently_are_not_mixed(tmp_path):
    write(tmp_path / "a.csv", [0.5, 1.5])
    write(tmp_path / "b.csv", ["2025-06-15T15:00:00Z"], column="created_at")
    with pytest.raises(AuditError, match=r"a\.csv and b\.csv count time differently"):
        audit(tmp_path)


def test_overlaid_files_are_said(tmp_path):
    write(tmp_path / "a.csv", [0.5, 1.5])
    write(tmp_path / "b.csv", [0.5, 1.5])
    assert any("overlaid" in caveat for caveat in audit(tmp_path).caveats)


def test_one_request_has_no_rate(tmp_path):
    found = audit(write(tmp_path / "log.csv", [5]))
    assert found.arrivals.mean_per_s is None
    assert found.arrivals.scv is None
    assert any("too short" in caveat for caveat in found.caveats)


def test_a_log_shorter_than_a_minute_peaks_at_its_mean(tmp_path):
    found = audit(write(tmp_path / "log.csv", [0, 10, 20]))
    assert found.arrivals.peak_to_mean == 1


def test_regular_arrivals_have_no_spread(tmp_path):
    found = audit(write(tmp_path / "log.csv", [t * 0.5 for t in range(1201)]))
    assert found.arrivals.scv == pytest.approx(0, abs=1e-9)
    # one window of 0.1 s in five holds an arrival: variance 0.2·0.8 over mean 0.2
    assert found.arrivals.dispersion == pytest.approx(
        {"0.1": 0.8, "1": 0, "10": 0, "60": 0}, abs=1e-3
    )
    assert found.arrivals.peak_minute_per_s == pytest.approx(2, rel=2e-3)


def test_poisson_arrivals_have_spread_and_dispersion_one(tmp_path):
    draw = random.Random(0)
    times = np.cumsum([draw.expovariate(10) for _ in range(60_000)])
    found = audit(write(tmp_path / "log.csv", [f"{t:.6f}" for t in times]))
    assert found.arrivals.scv == pytest.approx(1, abs=0.03)
    assert found.arrivals.dispersion["1"] == pytest.approx(1, abs=0.06)
    assert found.arrivals.dispersion["10"] == pytest.approx(1, abs=0.2)
    assert found.arrivals.mean_per_s == pytest.approx(10, rel=0.02)


def test_sparse_months_do_not_overflow():
    """A gap of 59 s in each of 300,000 minutes: the squares pass 2^63 when added up."""
    n = 300_000
    minute = np.arange(n)
    first_us = minute * 60_000_000
    gaps = np.full(n, 59_000_000**2)
    minutes = Minutes(minute, np.full(n, 2), minute, minute, first_us, first_us + 59_000_000, gaps)
    mean = (60 * n - 1) / (2 * n - 1)
    squares = (n * 59**2 + (n - 1)) / (2 * n - 1)
    assert gap_scv(minutes) == pytest.approx(squares / mean**2 - 1, rel=1e-9)


def test_a_year_is_shown_in_hours(tmp_path):
    day_s = 86_400
    found = audit(write(tmp_path / "log.csv", [START_S + day * day_s for day in range(365)]))
    assert found.per_minute.bin_s == 3600
    assert sum(found.per_minute.requests) == 365
    assert found.per_minute.minute[24] == 24 * 60
