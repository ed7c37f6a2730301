"""What an audit found: plain, frozen records that travel between processes and into JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import Any

TIME_SHARE_UNKNOWN = (
    "prefill_time_frac is null: the log holds tokens but not both time to first token and "
    "latency, so the share of time in prefill follows from the phase model."
)


DISPERSION_WINDOWS_S = (0.1, 1, 10, 60)
"""Windows in which arrivals are counted for the index of dispersion."""


PERCENTILES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True, slots=True)
class Lengths:
    """Distribution of the tokens of a request; `scv` = variance over squared mean."""

    mean: float
    scv: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    p999: float | None
    max: int | None


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Arrivals of a log or of one class in it; null where the log has no times or is too short.

    span_s: from the log's first arrival to its last. mean_per_s: requests over that span.
    peak_minute: the busiest minute, counted from the log's first arrival; peak_minute_per_s its
    rate (of a log shorter than a minute, the mean rate). scv: variance over squared mean of the
    gaps between arrivals; peak_minute_scv: of the gaps inside the peak minute alone.
    dispersion: variance over mean of the arrivals in whole windows, by their length in seconds
    (1 for Poisson arrivals).
    """

    span_s: float | None
    mean_per_s: float | None
    peak_minute_per_s: float | None
    peak_minute: int | None
    peak_to_mean: float | None
    scv: float | None
    peak_minute_scv: float | None
    dispersion: dict[str, float | None]


UNTIMED = Arrivals(
    None, None, None, None, None, None, None, dict.fromkeys(map(str, DISPERSION_WINDOWS_S))
)
"""Arrivals of a log without times."""


@dataclass(frozen=True, slots=True)
class Share:
    """Tokens of one model, class or hour of a log.

    fresh_tokens: input tokens that no cache served, null where the log does not tell.
    prefill_time_frac: measured. The lengths are null for hours and for what was put together.
    """

    name: str
    requests: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int | None
    fresh_tokens: int | None
    decode_to_prefill_token_ratio: float | None
    prefill_time_frac: float | None
    input_lengths: Lengths | None = None
    output_lengths: Lengths | None = None


@dataclass(frozen=True, slots=True)
class HourOfDay:
    """An average day: mean rate and ratio of one hour of it, in UTC, over the days of the log."""

    hour: int
    requests_per_s: float
    decode_to_prefill_token_ratio: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """Requests and tokens over time: bins of `bin_s` seconds since the first arrival.

    `bin_s` is a minute, an hour for logs too long to show in minutes. Empty bins are present.
    """

    bin_s: int
    minute: tuple[int, ...]
    requests: tuple[int, ...]
    input_tokens: tuple[int, ...]
    output_tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClassMoments:
    """What a scenario needs to know of one workload class; null where the log cannot tell.

    Lengths are means per request [tokens] with their squared coefficient of variation; the rate
    is the mean over the whole log [1/s]; peak_to_mean is the busiest minute over that mean;
    arrival_scv is taken of the gaps between arrivals inside that busiest minute, first to last.
    `model` is empty where the log names none or several.
    """

    name: str
    model: str
    requests: int
    input_tokens: float
    input_scv: float | None
    output_tokens: float
    output_scv: float | None
    cache_hit_frac: float | None
    requests_per_s: float | None
    peak_to_mean: float | None
    arrival_scv: float | None


@dataclass(frozen=True, slots=True)
class KvUse:
    """Share of the KV cache in use, as the engines show it."""

    mean_frac: float
    max_frac: float


@dataclass(frozen=True, slots=True)
class Range:
    """A value with its low and high."""

    low: float
    value: float
    high: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """One way that 18 months may go: factor on requests, and the ratio then.

    prefill_time_frac: of accelerator time at the middle of the ratio, by the phase model.
    """

    name: str
    basis: str
    requests_factor: Range
    decode_to_prefill_token_ratio: Range
    prefill_time_frac: float | None


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The ratio by tokens and by time as it is, or when one thing is looked at otherwise."""

    name: str
    decode_to_prefill_token_ratio: float | None
    prefill_time_frac: float | None


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """Wall-clock time in prefill: as logged, and of accelerators by the calibrated phase model.

    measured_frac: of request-seconds, waiting included. modelled_frac: of accelerator-seconds,
    on the models and chips named in `modelled_on`; by_class: class -> modelled share.
    """

    measured_frac: float | None
    modelled_frac: float | None
    modelled_on: str
    by_class: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Line:
    """Decode over prefill against the article's line, by tokens and by time; null if unknown."""

    line_ratio: float
    by_tokens_ratio: float | None
    by_time_ratio: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Audit:
    """Tokens, lengths and arrivals of a request log; `rows` = `requests` + all of `dropped`.

    decode_to_prefill_token_ratio = output over input tokens, cached ones included.
    prefill_time_frac is measured (time to first token over latency, in request-seconds) or null;
    a later room may fill it with `with_prefill_time_frac`. columns: role -> column of the log;
    unread: its other columns but those of text. times: how its times were read, in a sentence.
    """

    source: str
    files: int
    columns: Mapping[str, str]
    rows: int
    requests: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int | None
    decode_to_prefill_token_ratio: float | None
    prefill_time_frac: float | None
    input_lengths: Lengths
    output_lengths: Lengths
    arrivals: Arrivals
    starts_at: str | None
    per_minute: Series
    by_model: tuple[Share, ...]
    by_class: tuple[Share, ...]
    by_hour: tuple[Share, ...]
    diurnal: tuple[HourOfDay, ...]
    classes: tuple[ClassMoments, ...]
    dropped: Mapping[str, int]
    caveats: tuple[str, ...]
    unread: tuple[str, ...] = ()
    times: str = ""
    kv_use: KvUse | None = None
    time: TimeSplit | None = None
    line: Line | None = None
    in_18_months: tuple[Outlook, ...] = ()
    sensitivity: tuple[Sensitivity, ...] = ()

    @classmethod
    def of(
        cls,
        total: Share,
        *,
        starts_at: datetime | None,
        dropped: Mapping[str, int],
        **found: Any,  # the other fields
    ) -> "Audit":
        """The audit whose tokens and lengths are those of `total`, which is named as the log is."""
        whole = {f.name: getattr(total, f.name) for f in fields(Share)}
        told = {f.name: whole[f.name] for f in fields(cls) if f.name in whole}
        return cls(
            source=total.name,
            rows=total.requests + sum(dropped.values()),
            starts_at=starts_at.isoformat() if starts_at else None,
            dropped=dropped,
            **told,
            **found,
        )

    def as_dict(self) -> dict[str, object]:
        """The document that `audit --json` prints: plain numbers, text, lists and nulls."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    def workload(self) -> tuple[ClassMoments, ...]:
        """The classes of the log as a scenario takes them, the busiest first."""
        return self.classes

    def with_prefill_time_frac(self, frac: float, caveat: str = "") -> "Audit":
        """The same audit with the modelled share of accelerator time in prefill.

        caveat: what the reader should know of the model; the remark on the missing share goes.
        """
        kept = tuple(said for said in self.caveats if said != TIME_SHARE_UNKNOWN)
        said = (*kept, caveat) if caveat else kept
        return replace(self, prefill_time_frac=frac, caveats=said)


def _plain(value: object) -> object:
    """A record, mapping or tuple as JSON knows it."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
