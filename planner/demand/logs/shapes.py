"""Known shapes of documents that hold requests: OpenTelemetry spans, and results of benchmarks.

Sources: OTLP JSON encoding and the OpenTelemetry GenAI attributes; `vllm bench serve
--save-detailed` and SGLang's bench_serving `--output-details`; AIPerf and genai-perf
`profile_export`; InferenceX reads like a plain record and needs no shape.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from planner.demand.logs.synonyms import SYNONYMS, TEXT_NAMES, Role, plain
from planner.facts.units import SECOND_PER

Record = Mapping[str, Any]
Tally = Counter[str]


@dataclass(frozen=True, slots=True)
class Shape:
    """How to know a document, and the requests in it as plain records.

    rows: (document, names of text fields seen, reasons for records passed over) -> records.
    """

    title: str
    fits: Callable[[Record], bool]
    rows: Callable[[Record, Tally, Tally], Iterator[dict[str, Any]]]
    advice: str


AGENT_WORK = {"invoke_agent", "create_agent", "execute_tool", "invoke_workflow"}
"""Operations that repeat the tokens of the calls inside them."""
KNOWN_ATTRIBUTES = {plain(name): role for role, names in SYNONYMS.items() for name in names}


def _is_otlp(record: Record) -> bool:
    return isinstance(record.get("resourceSpans"), list)


def _otlp_rows(record: Record, text: Tally, passed: Tally) -> Iterator[dict[str, Any]]:
    """A record for each span that tells its tokens."""
    for resource in _dicts(record.get("resourceSpans")):
        scopes = resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans")
        for scope in _dicts(scopes):
            for span in _dicts(scope.get("spans")):
                row = _span_row(span, text, passed)
                if row is not None:
                    yield row


def _span_row(span: Record, text: Tally, passed: Tally) -> dict[str, Any] | None:
    """The counts of one span; None where it has none or they are told again further inside."""
    attributes = {
        str(a.get("key")): _otlp_value(a.get("value")) for a in _dicts(span.get("attributes"))
    }
    text.update(name for name in attributes if plain(name) in TEXT_NAMES)
    if attributes.get("gen_ai.operation.name") in AGENT_WORK:
        passed["spans of agents and tools, whose calls are counted by themselves"] += 1
        return None
    row = {name: value for name, value in attributes.items() if plain(name) in KNOWN_ATTRIBUTES}
    roles = {KNOWN_ATTRIBUTES[plain(name)] for name in row}
    if not roles & {Role.INPUT, Role.OUTPUT}:
        passed["spans without token counts"] += 1
        return None
    start, end = (_whole(span.get(name)) for name in ("startTimeUnixNano", "endTimeUnixNano"))
    if start is not None:
        row["start_time_unix_nano"] = start
    if start is not None and end is not None and Role.LATENCY not in roles:
        row["latency_s"] = (end - start) * SECOND_PER["ns"]
    return row


def _otlp_value(value: object) -> object:
    """An attribute's number or name; anything richer is content and stays behind."""
    if not isinstance(value, Mapping):
        return None
    if "intValue" in value:
        return _whole(value["intValue"])
    return value.get("doubleValue", value.get("stringValue"))


def _is_benchmark(record: Record) -> bool:
    return all(isinstance(record.get(name), list) for name in ("input_lens", "output_lens"))


def _benchmark_rows(record: Record, text: Tally, passed: Tally) -> Iterator[dict[str, Any]]:
    """A record for each request of a run that kept its details."""
    text.update(name for name in record if plain(name) in TEXT_NAMES)
    ttfts, gaps = record.get("ttfts") or [], record.get("itls") or []
    starts = record.get("start_times") or []
    first = min(starts, default=0)
    for i, (read, written) in enumerate(
        zip(record["input_lens"], record["output_lens"], strict=False)
    ):
        if not written:
            passed["requests that failed"] += 1
            continue
        row = {"prompt_tokens": read, "completion_tokens": written, "model": record.get("model_id")}
        if i < len(ttfts):
            row["ttft_s"] = ttfts[i]
            if i < len(gaps) and isinstance(gaps[i], list):
                row["latency_s"] = sum([ttfts[i], *gaps[i]])
        if i < len(starts):
            row["arrival_s"] = starts[i] - first
        yield row


def _is_profile(record: Record) -> bool:
    metrics = record.get("metrics")
    return isinstance(metrics, Mapping) and isinstance(
        metrics.get("input_sequence_length"), Mapping
    )


def _profile_rows(record: Record, _text: Tally, passed: Tally) -> Iterator[dict[str, Any]]:
    """One request of AIPerf: each metric with its unit."""
    about = record.get("metadata") or {}
    if about.get("benchmark_phase", "profiling") == "warmup" or record.get("error"):
        passed["requests of the warm-up or that failed"] += 1
        return
    row = {
        f"{name}_{metric.get('unit', 'ms')}".removesuffix("_tokens"): metric.get("value")
        for name, metric in record["metrics"].items()
        if isinstance(metric, Mapping) and plain(name) in KNOWN_ATTRIBUTES
    }
    yield {**row, "request_start_ns": about.get("request_start_ns", about.get("timestamp_ns"))}


def _is_summary(record: Record) -> bool:
    length = record.get("input_sequence_length")
    return isinstance(length, Mapping) and "avg" in length


def _summary_rows(record: Record, _text: Tally, passed: Tally) -> Iterator[dict[str, Any]]:
    """The averages of a run as one request."""
    passed["requests behind averages; profile_export.jsonl holds them one by one"] += int(
        (record.get("request_count") or {}).get("avg", 1)
    )
    yield {
        f"{name}_{metric.get('unit', 'ms')}".removesuffix("_tokens"): round(metric["avg"])
        if metric.get("unit") == "tokens"
        else metric["avg"]
        for name, metric in record.items()
        if isinstance(metric, Mapping) and "avg" in metric and plain(name) in KNOWN_ATTRIBUTES
    }


def _dicts(value: object) -> Iterator[Record]:
    """The objects of a list; of anything else, none."""
    return (
        (item for item in value if isinstance(item, Mapping))
        if isinstance(value, list)
        else iter(())
    )


def _whole(value: object) -> int | None:
    """A whole number, also where JSON writes it as text."""
    try:
        return int(str(value))
    except ValueError:
        return None


SHAPES = (
    Shape(
        "OpenTelemetry spans",
        _is_otlp,
        _otlp_rows,
        "instrument the client or the gateway with gen_ai.usage.* attributes",
    ),
    Shape("a benchmark's results", _is_benchmark, _benchmark_rows, "save the run with its details"),
    Shape("AIPerf records", _is_profile, _profile_rows, "give profile_export.jsonl"),
    Shape("a benchmark's averages", _is_summary, _summary_rows, "give profile_export.jsonl"),
)
