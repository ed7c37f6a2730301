"""The hand-off of a request's cache from prefill to decode over the scenario's fabric."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.demand.parts import Fabric
from planner.facts.ledger import Ledger
from planner.facts.units import BYTES_PER_GBIT
from planner.load.handoff import Mechanism, block_pieces, piece_latency_s

Floats = NDArray[np.float64]
CONTIGUOUS, COMPRESSED = "contiguous", "compressed"


@dataclass(frozen=True, slots=True)
class Link:
    """The fabric of one prefill node, and how caches cross it."""

    bytes_per_s: float
    block_tokens: float
    piece_latency_s: float
    bytes_frac: float
    contiguous: bool
    overlap: str

    def mechanism(self, tokens: Floats, n_layers: Floats) -> Mechanism:
        """Pieces of caches of some tokens and layers, and what of their bytes is sent."""
        pieces = block_pieces(tokens, self.block_tokens, n_layers, contiguous=self.contiguous)
        return Mechanism(pieces, self.piece_latency_s, self.bytes_frac)


def link(fabric: Fabric, ledger: Ledger) -> Link:
    """What the scenario's fabric does to a cache.

    `naive` copies each block of each layer by itself, `contiguous` a block at a time (FlowKV's
    layout, arXiv 2504.03775), `compressed` sends that in fewer bytes (CacheGen, arXiv 2310.07240).
    What a piece costs follows from FlowKV's two times for one cache.
    """
    number = "software.kv_transfer"
    tokens, layers = ledger[f"{number}.flowkv_tokens"], ledger[f"{number}.flowkv_layers"]
    block = ledger[f"{number}.block_tokens"]
    many, few = (block_pieces(tokens, block, layers, contiguous=c) for c in (False, True))
    before, after = ledger[f"{number}.flowkv_before_s"], ledger[f"{number}.flowkv_after_s"]
    compressed = fabric.transfer == COMPRESSED
    return Link(
        bytes_per_s=fabric.gbit_per_s_per_node * BYTES_PER_GBIT,
        block_tokens=block,
        piece_latency_s=float(piece_latency_s(before, after, many, few)),
        bytes_frac=ledger[f"{number}.compressed_frac"] if compressed else 1.0,
        contiguous=fabric.transfer in (CONTIGUOUS, COMPRESSED),
        overlap=fabric.overlap,
    )
