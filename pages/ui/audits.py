"""What an audit found, as tables and sentences of the workload page."""

from collections.abc import Iterable

import pandas as pd

from planner import Audit, text


def parts(audit: Audit) -> pd.DataFrame:
    """Tokens by model, class and hour, with percentiles where they are known."""
    kinds = (("Model", audit.by_model), ("Class", audit.by_class), ("Hour", audit.by_hour))
    rows = [
        {
            "By": kind,
            "Name": share.name,
            "Requests": share.requests,
            "Tokens in": share.input_tokens,
            "Cached": share.cached_tokens,
            "Tokens out": share.output_tokens,
            "Out per in": share.decode_to_prefill_token_ratio,
            "Logged time in prefill": share.prefill_time_frac,
            "Prompt p50": share.input_lengths and share.input_lengths.p50,
            "Prompt p99": share.input_lengths and share.input_lengths.p99,
            "Answer p50": share.output_lengths and share.output_lengths.p50,
            "Answer p99": share.output_lengths and share.output_lengths.p99,
        }
        for kind, shares in kinds
        for share in shares
    ]
    return pd.DataFrame(rows)


def day(audit: Audit) -> pd.DataFrame:
    """An average day, hour by hour in UTC."""
    return pd.DataFrame(
        [
            {
                "Hour (UTC)": row.hour,
                "Requests/s": row.requests_per_s,
                "Out per in": row.decode_to_prefill_token_ratio,
            }
            for row in audit.diurnal
        ]
    )


def outlook(audit: Audit) -> pd.DataFrame:
    """Where 18 months may lead, as words."""
    return pd.DataFrame(
        [
            {
                "In 18 months": row.name,
                "Requests": "x "
                + text.interval(
                    text.number,
                    row.requests_factor.low,
                    row.requests_factor.value,
                    row.requests_factor.high,
                ),
                "Output : input": text.ratio(row.decode_to_prefill_token_ratio.value),
                "Range": _span(
                    [row.decode_to_prefill_token_ratio.low, row.decode_to_prefill_token_ratio.high]
                ),
                "Chip time reading": text.percent(row.prefill_time_frac),
                "Basis": row.basis,
            }
            for row in audit.in_18_months
        ]
    )


def _span(ends: Iterable[float]) -> str:
    return " to ".join(text.ratio(end) for end in ends)


def leaning(audit: Audit) -> pd.DataFrame:
    """What the ratio leans on, as words."""
    return pd.DataFrame(
        [
            {
                "When": row.name,
                "Output : input": text.ratio(row.decode_to_prefill_token_ratio),
                "Chip time reading": text.percent(row.prefill_time_frac),
            }
            for row in audit.sensitivity
        ]
    )


def read_as(audit: Audit) -> pd.DataFrame:
    """Which column was read as what, how times were, and the rows that were left out."""
    columns = [
        {"What": role.replace("_", " "), "Read from": n} for role, n in audit.columns.items()
    ]
    dropped = [
        {"What": "left out", "Read from": f"{text.count(n, 'row')}: {why}"}
        for why, n in audit.dropped.items()
    ]
    times = [{"What": "times", "Read from": audit.times}] if audit.times else []
    return pd.DataFrame(columns + times + dropped, columns=["What", "Read from"])


def line(audit: Audit) -> str:
    """Where the workload stands against the article's line, and how its time was told."""
    said = [audit.line.sentence] if audit.line else []
    split = audit.time
    if split and split.measured_frac is not None:
        said.append(f"As logged, {text.percent(split.measured_frac)} of request time is prefill.")
    if split and split.modelled_frac is not None:
        modelled = text.percent(split.modelled_frac)
        said.append(f"Modelled for {split.modelled_on}, {modelled} of chip time is prefill.")
    if audit.kv_use:
        said.append(f"The KV cache is {text.percent(audit.kv_use.mean_frac)} full on average.")
    return " ".join(said)
