"""The hand-off of a request's cache from prefill to decode over the scenario's fabric."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.demand.parts import Fabric
from planner.facts.ledger import Ledger
from planner.facts.units import BYTES_PER_GBIT
from planner.fleet.curves import Curves
from planner.load.handoff import visible_s

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Handoff:
    """kv_bytes of one request, its transfer_s, and what the request sees of that (rows,)."""

    kv_bytes: float
    transfer_s: float
    visible_s: Floats


def kv_handoff(fabric: Fabric, curves: Curves, n_layers: int, ledger: Ledger) -> Handoff:
    """Transfer of one request's cache and the part of it that the first token waits for.

    A contiguous layout moves at the fabric's rate; block-by-block copying is slower by the
    measured factor. Layer-wise streaming leaves max(transfer/layers, transfer − prefill).
    Source: FlowKV, arXiv 2504.03775; Splitwise, ISCA 2024.
    """
    bytes_per_s = fabric.gbit_per_s_per_node * BYTES_PER_GBIT
    slower = 1.0
    if fabric.transfer == "naive":
        before = ledger["software.kv_transfer.flowkv_before_s"]
        slower = before / ledger["software.kv_transfer.flowkv_after_s"]
    transfer_s = curves.kv_bytes_per_request / bytes_per_s * slower
    whole_s = np.full_like(curves.prefill_s, transfer_s)
    seen_s = visible_s(whole_s, curves.prefill_s, np.asarray(n_layers), fabric.overlap)
    return Handoff(curves.kv_bytes_per_request, transfer_s, seen_s)
