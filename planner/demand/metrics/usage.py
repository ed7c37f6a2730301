"""OpenAI's usage pages: tokens of an organisation by time bucket and model."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from planner.demand.logs.limits import Limits
from planner.demand.metrics.counted import NO_MODEL, Counts, ModelCounts
from planner.demand.metrics.names import Measure
from planner.errors import AuditError

FIELDS = {
    Measure.REQUESTS: "num_model_requests",
    Measure.INPUT: "input_tokens",
    Measure.OUTPUT: "output_tokens",
    Measure.CACHED: "input_cached_tokens",
}


def is_usage(record: Mapping[str, Any]) -> bool:
    """Is this a page or a bucket of the organisation's completions usage?"""
    return any(True for _ in _results(record))


def usage_counts(records: Iterable[Mapping[str, Any]], name: str, limits: Limits) -> Counts:
    """Counts per bucket and model, in the narrowest bucket that occurs.

    Raises: AuditError for figures that are no numbers, or buckets that lie years apart.
    """
    try:
        return _counts([result for record in records for result in _results(record)], limits)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise AuditError(f"{name} holds a usage bucket that cannot be read: {error}") from error


def _counts(found: list[tuple[int, int, Mapping[str, Any]]], limits: Limits) -> Counts:
    """Counts of every result."""
    bin_s = min(end - start for start, end, _ in found)
    first, last = min(start for start, _, _ in found), max(end for _, end, _ in found)
    n_bins = -(-(last - first) // bin_s)
    if n_bins > limits.max_series_bins:
        raise ValueError(f"{n_bins} buckets; at most {limits.max_series_bins} are read")
    models: dict[str, ModelCounts] = {}
    for start, _, result in found:
        counters = models.setdefault(str(result.get("model") or NO_MODEL), ModelCounts()).counters
        for measure, name in FIELDS.items():
            held = counters.setdefault(measure, np.zeros(n_bins))
            held[(start - first) // bin_s] += float(result.get(name) or 0)
    return Counts(models, datetime.fromtimestamp(first, UTC), bin_s, n_bins, len(found))


def _results(record: Mapping[str, Any]) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """Start, end [s since 1970] and figures of each result in a page or bucket."""
    pages = record.get("data")
    for bucket in pages if isinstance(pages, list) else [record]:
        results = bucket.get("results") if isinstance(bucket, Mapping) else None
        for result in results if isinstance(results, list) else []:
            if isinstance(result, Mapping) and "num_model_requests" in result:
                start, end = bucket.get("start_time"), bucket.get("end_time")
                if isinstance(start, int) and isinstance(end, int) and end > start:
                    yield start, end, result
