"""The cheapest replicas that meet the p99 service levels at the peak minute, one failure allowed.

Every candidate configuration is tried at a grid of loads at once; the highest load that still
meets both service levels fixes the replica count.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from planner.demand.workload import Demand
from planner.facts.accelerators import Accelerator
from planner.fleet.curves import Curves
from planner.load.queueing import (
    chunked_replica,
    chunked_saturation_per_s,
    decode_pool,
    decode_pool_saturation_per_s,
    prefill_pool,
    prefill_priority_replica,
    prefill_priority_saturation_per_s,
)
from planner.load.waiting import erlang_c

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
N_LOADS = 24
LOADS = np.linspace(0, 1, N_LOADS + 2)[1:-1]
TOLERABLE = 1 + 1 / N_LOADS
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Table:
    """What each configuration (row) answers at each load (column).

    per_s: requests per second that one replica (prefill: the whole pool) carries at the load;
    n_replicas: replicas of the pool at that load; slack: worst percentile over its service
    level, at most 1 where both hold; ttft_s, tpot_s: quantiles; batch: requests in decode.
    """

    n_replicas: Floats
    load: Floats
    slack: Floats
    ttft_s: Floats
    tpot_s: Floats
    batch: Floats
    saturation_per_s: Floats


@dataclass(frozen=True, slots=True)
class Buying:
    """What a pool costs and comes in: yearly cost by chip, chips per server, replicas for N+1."""

    usd_per_chip_year: Mapping[str, float]
    server_chips: int
    spare_replicas: int


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen configuration (row) and its size; `slack` above 1 means no size serves."""

    row: int
    n_replicas: int
    n_accelerators: int
    n_needed: float
    load: float
    ttft_s: float
    tpot_s: float
    batch: float
    slack: float


def monolithic_table(
    curves: Curves, demand: Demand, peak_per_s: float, *, chunked: bool, prefix_cache: bool
) -> Table:
    """Replicas that do both phases, at every configuration and load.

    A replica alone answers for its batch; its prompts wait as in a fleet that routes by load.
    """
    fresh, source = demand.fresh_tokens(prefix_cache=prefix_cache), demand.source
    answers = 1 + demand.iterations / curves.tokens_per_step
    decode = np.concatenate([curves.idle_decode_s[:, None], curves.decode_s], axis=1)
    mixed = np.concatenate([curves.idle_mixed_s[:, None], curves.mixed_s], axis=1)
    mixed = np.maximum.accumulate(np.maximum(mixed, decode), axis=1)
    spread = {"output_scv": source.output_scv}
    lengths = (fresh, source.input_scv, answers)
    wide = (decode[:, None], mixed[:, None])
    if chunked:
        saturation = chunked_saturation_per_s(fresh, answers, decode, mixed, curves.chunk_tokens)
        rates = LOADS * saturation[:, None]
        result = chunked_replica(rates, *lengths, *wide, curves.chunk_tokens, **spread)
    else:
        per_token_s = curves.prefill_s / fresh
        saturation = prefill_priority_saturation_per_s(fresh, answers, decode, per_token_s)
        rates = LOADS * saturation[:, None]
        result = prefill_priority_replica(rates, *lengths, wide[0], per_token_s[:, None], **spread)
    alone = np.asarray(result.ttft_quantile_s)
    left = pooled_wait_frac(LOADS, peak_per_s / rates, source.arrival_scv, source.input_scv)
    unhindered = alone[:, :1]
    ttft = unhindered + (alone - unhindered) * left + curves.load_s[:, None]
    tpot = np.asarray(result.tpot_quantile_s) / curves.tokens_per_step
    return _table(peak_per_s / rates, ttft, tpot, np.asarray(result.batch_mean), saturation, demand)


def decode_table(
    curves: Curves, demand: Demand, peak_per_s: float, wait_share_frac: float
) -> Table:
    """Replicas that only decode; ttft_s holds the wait for a place in the batch and the first step.

    wait_share_frac: part of the time to first token that this wait may take.
    """
    iterations = demand.iterations / curves.tokens_per_step
    saturation = decode_pool_saturation_per_s(iterations, curves.decode_s)
    rates = LOADS * saturation[:, None]
    result = decode_pool(
        rates, iterations, curves.decode_s[:, None], output_scv=demand.source.output_scv
    )
    ttft = np.asarray(result.wait_quantile_s) + curves.idle_decode_s[:, None]
    tpot = np.asarray(result.tpot_quantile_s) / curves.tokens_per_step
    batch = np.asarray(result.batch_mean)
    return _table(peak_per_s / rates, ttft, tpot, batch, saturation, demand, wait_share_frac)


def prefill_table(
    curves: Curves,
    demand: Demand,
    peak_per_s: float,
    handoff_s: Floats,
    quantile: float,
    share_frac: float,
) -> Table:
    """One shared queue before replicas that only prefill; ttft_s ends with the hand-off.

    Independent parts' excesses over their means add as squares (exact for normal laws).
    share_frac: part of the time to first token that prefill may take.
    """
    service = curves.prefill_s + curves.load_s
    offered = peak_per_s * service
    servers = np.maximum(np.ceil(offered[:, None] / LOADS), 1)
    source = demand.source
    pool = prefill_pool(
        peak_per_s,
        service[:, None],
        source.input_scv,
        servers,
        arrival_scv=source.arrival_scv,
        quantile=quantile,
    )
    own_tail = service * (lognormal_quantile(source.input_scv, quantile) - 1)
    wait_mean = np.asarray(pool.wait_mean_s)
    with np.errstate(invalid="ignore"):
        wait_tail = np.maximum(np.asarray(pool.wait_quantile_s) - wait_mean, 0)
    mean = wait_mean + (service + handoff_s)[:, None]
    ttft = np.where(np.isfinite(mean), mean + np.hypot(wait_tail, own_tail[:, None]), np.inf)
    none = np.zeros_like(ttft)
    return _table(servers, ttft, none, none, 1 / service, demand, share_frac)


def pooled_wait_frac(load: Floats, n_replicas: Floats, arrival_scv: float, scv: float) -> Floats:
    """Wait left when requests go to the replica that can start them first, not to a random one.

    The M/M/c over the M/M/1 wait at equal load, C/(cρ), times the burstiness of arrivals over that
    of a Poisson stream (Allen–Cunneen): the same routing that the shared prefill queue assumes.
    """
    whole = np.maximum(np.floor(n_replicas), 1)
    pooled = erlang_c(whole, whole * load) / (whole * load)
    return pooled * (arrival_scv + scv) / (1 + scv)


def lognormal_quantile(scv: float, quantile: float) -> float:
    """A quantile of a lognormal length of mean 1 (Johnson, Kotz, Balakrishnan, ch. 14)."""
    sigma = np.sqrt(np.log1p(scv))
    return float(np.exp(ndtri(quantile) * sigma - sigma**2 / 2))


def _table(
    n_replicas: Floats,
    ttft_s: Floats,
    tpot_s: Floats,
    batch: Floats,
    saturation_per_s: Floats,
    demand: Demand,
    ttft_share_frac: float = 1.0,
) -> Table:
    service = demand.source
    allowed_s = service.p99_ttft_s * ttft_share_frac
    slack = np.maximum(ttft_s / allowed_s, tpot_s / service.p99_tpot_s)
    load = np.broadcast_to(LOADS, slack.shape)
    n_replicas = np.broadcast_to(n_replicas, slack.shape)
    return Table(n_replicas, load, slack, ttft_s, tpot_s, batch, saturation_per_s)


def choose(
    table: Table,
    curves: Curves,
    peak_per_s: float,
    buying: Buying,
    *,
    allowed: Container[str],
    share: float = 1.0,
    matching_frac: float = 1.0,
) -> Choice | None:
    """The cheapest feasible row among the allowed chips, else the one that comes closest.

    share: part of the class's demand served here. matching_frac: share of ideal throughput left
    by imperfect routing. None when no allowed chip holds the model.
    """
    usable = np.array([chip.id in allowed for chip in curves.chips])
    if not usable.any():
        return None
    column = _last_feasible(table.slack)
    rows = np.arange(len(column))
    n_ideal = _replicas_at_unit_slack(table, column) * share
    n = np.ceil(n_ideal / matching_frac - ROUNDING).astype(np.int64) + buying.spare_replicas
    server = np.array([server_chips(chip, buying.server_chips) for chip in curves.chips])
    n_accelerators = np.ceil(n * curves.n_chips / server) * server
    usd = np.array([buying.usd_per_chip_year.get(chip.id, np.inf) for chip in curves.chips])
    feasible = usable & (table.slack[rows, column] <= 1)
    closest = np.where(usable, table.slack.min(axis=1), np.inf)
    order = np.where(feasible, n_accelerators * usd, np.inf) if feasible.any() else closest
    row = int(np.lexsort((n_accelerators, order))[0])
    peak = peak_per_s * share
    return _chosen(table, curves, row, int(n_accelerators[row]), peak, matching_frac)


def _last_feasible(slack: Floats) -> Ints:
    """Highest load that meets the service levels; where none does, the one nearly as good."""
    feasible = slack <= np.maximum(1, slack.min(axis=1, keepdims=True) * TOLERABLE)
    last: Ints = slack.shape[1] - 1 - feasible[:, ::-1].argmax(axis=1)
    return last


def _replicas_at_unit_slack(table: Table, column: Ints) -> Floats:
    """Replicas where the slack crosses 1 between two loads of the grid (linear in the slack)."""
    rows = np.arange(len(column))
    after = np.minimum(column + 1, table.slack.shape[1] - 1)
    low, high = table.slack[rows, column], table.slack[rows, after]
    usable = np.isfinite(high) & (high > low) & (low <= 1)
    step = np.where(usable, (1 - low) / np.where(usable, high - low, 1), 0)
    n_low, n_high = table.n_replicas[rows, column], table.n_replicas[rows, after]
    ideal: Floats = n_low + np.clip(step, 0, 1) * (n_high - n_low)
    return ideal


def _chosen(
    table: Table, curves: Curves, row: int, n_accelerators: int, peak_per_s: float, matching: float
) -> Choice:
    """The row at the load that its whole servers leave, percentiles read off its own curve."""
    tp = int(curves.n_chips[row])
    n = n_accelerators // tp
    full_per_s = float(table.saturation_per_s[row])
    load = peak_per_s / (n * full_per_s * matching)

    def at_load(values: Floats) -> float:
        finite = np.isfinite(values[row])
        if not finite.any():
            return float("inf")
        return float(np.interp(load, table.load[row][finite], values[row][finite]))

    return Choice(
        row=row,
        n_replicas=n,
        n_accelerators=n_accelerators,
        n_needed=peak_per_s / (full_per_s * matching),
        load=load,
        ttft_s=at_load(table.ttft_s),
        tpot_s=at_load(table.tpot_s),
        batch=at_load(table.batch),
        slack=at_load(table.slack),
    )


def server_chips(chip: Accelerator, at_most: int) -> int:
    """Chips that can only be bought together: a rack where sold as one, else a server."""
    domain = int(chip.scale_up_domain.value) if chip.scale_up_domain else 1
    return domain if chip.price_scope == "rack" else min(domain, at_most)
