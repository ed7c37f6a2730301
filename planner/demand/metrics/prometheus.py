"""Counters of serving engines over time, from the HTTP interface of a Prometheus server."""

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, TypeAlias
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

import numpy as np

from planner.demand.logs.limits import Limits
from planner.demand.metrics.addresses import EXPOSED, NAMED, check, spoken, token_for
from planner.demand.metrics.counted import Counts, Rise, counted, measure_of
from planner.demand.metrics.exposition import samples
from planner.demand.metrics.names import GAUGES, pattern
from planner.errors import AuditError
from planner.facts.units import MINUTE_S
from planner.text import given

BUCKET = "_bucket"
LOOKBACK_S = 5 * MINUTE_S
"""How long Prometheus repeats a value after its last sample."""
Series: TypeAlias = tuple[str, dict[str, str], "np.ndarray"]
"""Name, labels, and the value at every edge, NaN where there is none."""
NO_PROMETHEUS = (
    "{} does not answer as Prometheus does; give the address of a Prometheus server, or of an "
    "engine's /metrics"
)


class _NoRedirects(HTTPRedirectHandler):
    """An address is read as it was given; it may not send the reader elsewhere."""

    def redirect_request(self, *_given: Any, **_named: Any) -> None:
        """Follow nothing."""
        return


_OPENER = build_opener(_NoRedirects, ProxyHandler({}))


def fetched(server: str, path: str, params: Mapping[str, object], limits: Limits) -> bytes:
    """The body of an answer, bounded in size and time; a named server is given the token.

    Raises: AuditError in a sentence that names the address without its password.
    """
    address, token = f"{server}{path}", token_for(server)
    shown = spoken(address)
    request = Request(f"{address}?{urlencode(params)}" if params else address)  # noqa: S310 - http only
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with _OPENER.open(request, timeout=limits.http_patience_s) as answer:
            body: bytes = answer.read(limits.max_answer_bytes + 1)
    except HTTPError as error:
        with error:
            said = _complaint(error.read(limits.magic_bytes)) or error.reason
        advice = f"; a token is given to the servers named in {NAMED}"
        closed = error.code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and not token
        raise AuditError(
            f"{shown} answers {error.code} {said}{advice if closed else ''}"
        ) from error
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise AuditError(f"{shown} does not answer: {getattr(error, 'reason', error)}") from error
    if len(body) > limits.max_answer_bytes:
        raise AuditError(
            f"{shown} answers with more than {limits.max_answer_bytes} bytes; ask for fewer days"
        )
    return body


def _complaint(body: bytes) -> str:
    """What Prometheus says is wrong."""
    try:
        return str(json.loads(body).get("error", ""))
    except (ValueError, AttributeError):
        return ""


def counts_at(address: str, days: float, limits: Limits, now_s: float | None = None) -> Counts:
    """What the engines behind an address counted.

    address: of a Prometheus server, whose last `days` are read minute by minute; or, ending in
    /metrics, of one engine, which tells its totals since it started.
    Raises: AuditError.
    """
    check(address)
    if urlsplit(address).path.endswith(EXPOSED):
        text = fetched(address, "", {}, limits).decode("utf-8", "replace")
        return snapshot(text, spoken(address))
    end_s = math.floor((time.time() if now_s is None else now_s) / MINUTE_S) * MINUTE_S
    wanted = max(round(days * limits.day_s), limits.min_watched_s)
    bin_s = -(-wanted // (MINUTE_S * limits.max_series_bins)) * MINUTE_S
    edges_s = np.arange(end_s - wanted // bin_s * bin_s, end_s + 1, bin_s)
    try:
        series = list(_series(address.rstrip("/"), edges_s, bin_s, limits))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise AuditError(NO_PROMETHEUS.format(spoken(address))) from error
    watched = [i for i in range(len(edges_s)) if any(np.isfinite(s[2][i]) for s in series)]
    if not watched:
        raise AuditError(
            f"{spoken(address)} holds no metric of vLLM, SGLang, TensorRT-LLM or Dynamo in the "
            f"last {given(days)} days"
        )
    first, last = watched[0], max(watched[-1], watched[0] + 1)
    last = max(first + 1, last - _stale(series, first, last, LOOKBACK_S // bin_s))
    rises = [
        Rise(name, labels, _rises(name, values)[first:last]) for name, labels, values in series
    ]
    starts_at = datetime.fromtimestamp(float(edges_s[first]), UTC)
    return Counts(counted(rises, last - first), starts_at, bin_s, last - first, len(rises))


def _stale(series: list[Series], first: int, last: int, most: int) -> int:
    """Bins at the end in which nothing rose: a server repeats the last value for a while."""
    rose = np.zeros(last - first, dtype=bool)
    for name, _, values in series:
        if measure_of(name) not in GAUGES and not name.endswith(BUCKET):
            rose |= _rises(name, values)[first:last] > 0
    still = int(np.argmax(rose[::-1])) if rose.any() else 0
    return min(still, most)


def snapshot(text: str, name: str) -> Counts:
    """The totals of an exposition, without times."""
    rises = [
        Rise(sample.name, sample.labels, np.array([sample.value]))
        for sample in samples(text, name)
        if measure_of(sample.name)
    ]
    return Counts(counted(rises, 1), None, MINUTE_S, 1, len(rises))


def _series(address: str, edges_s: np.ndarray, bin_s: int, limits: Limits) -> Iterator[Series]:
    """Each series with its value at every edge, NaN where there is none.

    Buckets of histograms are read at fewer edges: only their whole rise is needed.
    """
    query = f'{{__name__=~"{pattern()}"}}'
    names = _names(address, query, edges_s, limits)
    for name in names:
        coarse = name.endswith(BUCKET)
        stride = max(1, len(edges_s) // limits.bucket_edges) if coarse else 1
        held: dict[str, tuple[dict[str, str], np.ndarray]] = {}
        for part in _pieces(len(edges_s), stride * limits.points_per_query):
            answer = _json(
                address,
                "query_range",
                {
                    "query": f'{{__name__="{name}"}}',
                    "start": float(edges_s[part.start]),
                    "end": float(edges_s[part.stop - 1]),
                    "step": bin_s * stride,
                },
                limits,
            )
            for row in answer["result"]:
                labels = dict(row["metric"])
                key = json.dumps(labels, sort_keys=True)
                values = held.setdefault(key, (labels, np.full(len(edges_s), np.nan)))[1]
                _place(values, row["values"], float(edges_s[0]), bin_s)
        yield from ((name, labels, values) for labels, values in held.values())


def _pieces(n: int, size: int) -> Iterator[slice]:
    """Consecutive stretches of at most `size` edges."""
    return (slice(first, min(first + size, n)) for first in range(0, n, size))


def _place(values: np.ndarray, points: Sequence[Sequence[Any]], start_s: float, bin_s: int) -> None:
    """Put the points of an answer where their times belong."""
    for at_s, value in points:
        values[round((float(at_s) - start_s) / bin_s)] = float(value)


def _names(address: str, query: str, edges_s: np.ndarray, limits: Limits) -> list[str]:
    """The metrics of serving engines that a server holds."""
    window = {"match[]": query, "start": float(edges_s[0]), "end": float(edges_s[-1])}
    found = _json(address, "label/__name__/values", window, limits)
    return sorted(name for name in found if measure_of(str(name)))


def _json(address: str, path: str, params: Mapping[str, object], limits: Limits) -> Any:
    """The data of an answer. Raises: AuditError where it is not Prometheus that answers."""
    body = fetched(address, f"/api/v1/{path}", params, limits)
    try:
        answer = json.loads(body)
        if answer["status"] == "success":
            return answer["data"]
    except (ValueError, KeyError, TypeError) as error:
        raise AuditError(NO_PROMETHEUS.format(spoken(address))) from error
    raise AuditError(f"{spoken(address)} refuses the question: {answer.get('error', '')}")


def _rises(name: str, values: np.ndarray) -> np.ndarray:
    """How much a counter rose in each bin; one that fell was restarted and counts from zero.

    One that appears later counts from zero too, but for buckets, which are read at few edges.
    A gauge is read at the end of each bin.
    """
    if measure_of(name) in GAUGES:
        return np.asarray(values[1:])
    known = np.flatnonzero(np.isfinite(values))
    rises = np.zeros(len(values) - 1)
    if len(known):
        steps = np.diff(values[known])
        rises[known[1:] - 1] = np.where(steps < 0, values[known[1:]], steps)
        if known[0] > 0 and not name.endswith(BUCKET):
            rises[known[0] - 1] += values[known[0]]
    return rises
