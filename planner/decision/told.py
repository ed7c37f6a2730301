"""An audit in lines of text, for a terminal."""

from collections.abc import Iterator

from planner import text
from planner.demand.logs.results import Audit, Outlook, Share


def told(found: Audit) -> str:
    """The figures of an audit, then what the reader must know of them."""
    return "\n".join(_lines(found))


def _lines(found: Audit) -> Iterator[str]:
    cached = found.cached_tokens
    fresh = "" if cached is None else f", {text.tokens(cached)} of them cached"
    yield f"{found.source}: {text.count(found.requests, 'request')}" + _dropped(found)
    yield f"{text.tokens(found.input_tokens)} in{fresh}, {text.tokens(found.output_tokens)} out"
    if found.line:
        yield found.line.sentence
    yield from _times(found)
    yield from _arrivals(found)
    for label, held in (("Prompts", found.input_lengths), ("Answers", found.output_lengths)):
        points = (("mean", held.mean), ("p50", held.p50), ("p99", held.p99), ("max", held.max))
        yield (
            f"{label}: "
            + ", ".join(f"{k} {text.number(v, place=0)}" for k, v in points)
            + " tokens"
        )
    for title, shares in (("By model", found.by_model), ("By class", found.by_class)):
        if shares:
            yield f"{title}:"
            yield from map(_share, shares)
    if found.in_18_months:
        yield "In 18 months:"
        yield from map(_outlook, found.in_18_months)
    if found.sensitivity:
        yield "What the ratio leans on:"
        for row in found.sensitivity:
            ratio = text.ratio(row.decode_to_prefill_token_ratio)
            time = text.percent(row.prefill_time_frac)
            yield f"  {row.name:42} {ratio:>8} by tokens, {time:>5} of time in prefill"
    yield "Notes:"
    yield from (f"  {said}" for said in found.caveats)


def _dropped(found: Audit) -> str:
    """Rows left out, by reason."""
    reasons = ", ".join(f"{text.number(n, place=0)} {why}" for why, n in found.dropped.items())
    return f" (left out: {reasons})" if reasons else ""


def _times(found: Audit) -> Iterator[str]:
    """Time in prefill as logged and as modelled."""
    if found.time is None:
        return
    if found.time.measured_frac is not None:
        share = text.percent(found.time.measured_frac)
        yield f"Time in prefill, as logged: {share} of request time"
    yield (
        f"Time in prefill, modelled: {text.percent(found.time.modelled_frac)} of chip time, "
        f"for {found.time.modelled_on}"
    )


def _arrivals(found: Audit) -> Iterator[str]:
    """Rate, peak and burstiness."""
    held = found.arrivals
    if held.mean_per_s is None:
        return
    uneven = ", ".join(
        f"{text.number(value)} in {window} s" for window, value in held.dispersion.items()
    )
    peak = text.number(held.peak_to_mean)
    yield (
        f"{text.number(held.mean_per_s)} requests/s, busiest minute {peak} "
        f"times the mean; SCV of gaps {text.number(held.scv)}; index of dispersion {uneven}"
    )


def _share(row: Share) -> str:
    ratio = text.ratio(row.decode_to_prefill_token_ratio)
    return f"  {row.name:42} {text.count(row.requests, 'request'):>18}, {ratio} by tokens"


def _outlook(row: Outlook) -> str:
    ratio, asked = row.decode_to_prefill_token_ratio, row.requests_factor
    span = f"({text.ratio(ratio.low)} to {text.ratio(ratio.high)})"
    factor = text.interval(text.number, asked.low, asked.value, asked.high)
    return (
        f"  {row.name:18} requests x {factor}, "
        f"{text.ratio(ratio.value)} by tokens {span}, "
        f"{text.percent(row.prefill_time_frac)} of chip time in prefill; {row.basis}"
    )
