"""Kinds of attention, as the dimensions of a published configuration describe them.

The layers of a model are not listed one by one but grouped by kind::

    GroupedQuery   MHA and GQA; a sliding or chunked window; an indexer picks what is read
    Latent         MLA: one latent and one rotary key per token, shared by all heads
    Delta          linear attention by the delta rule: a constant state instead of a cache
    Compressed     DeepSeek V4: one shared key-value entry per `stride` tokens, beside a window
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Indexer:
    """A small scorer that picks the cache entries a query reads (sparse attention).

    top_entries: entries picked. entry_bytes: bytes of one cached index key, scale included;
    0 = `dim` elements of the cache's own precision.
    """

    n_heads: int
    dim: int
    top_entries: int
    entry_bytes: int = 0


@dataclass(frozen=True, slots=True)
class GroupedQuery:
    """Layers whose `n_heads` query heads share `n_kv_heads` keys and values (equal: MHA).

    window: tokens of context kept, chunked windows included; 0 = all of it.
    output_gate: the attention's output is gated by a projection of its own size.
    """

    n_layers: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    window: int = 0
    output_gate: bool = False
    indexer: Indexer | None = None


@dataclass(frozen=True, slots=True)
class Latent:
    """Layers of multi-head latent attention; q_rank 0 = queries are projected directly."""

    n_layers: int
    n_heads: int
    kv_rank: int
    nope_dim: int
    rope_dim: int
    value_dim: int
    q_rank: int = 0
    output_gate: bool = False
    indexer: Indexer | None = None

    @property
    def n_kv_heads(self) -> int:
        """One: all heads read the same latent."""
        return 1


@dataclass(frozen=True, slots=True)
class Delta:
    """Layers of gated delta-rule attention (Gated DeltaNet, Kimi Delta Attention).

    conv: taps of the short convolution. decay_rank: rank of the per-channel decay's
    projection; 0 = one decay per value head.
    """

    n_layers: int
    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    conv: int
    decay_rank: int = 0

    @property
    def n_heads(self) -> int:
        """The value heads, each with a state of its own."""
        return self.value_heads

    @property
    def n_kv_heads(self) -> int:
        """The value heads: the state is split as they are."""
        return self.value_heads


@dataclass(frozen=True, slots=True)
class Compressed:
    """Layers of DeepSeek V4: a window of shared key-value vectors, and a compressed past.

    stride: tokens per compressed entry; 0 = the window alone. overlap: windows of `stride`
    tokens that each entry is drawn from. out_rank, out_groups: the output projection is done
    in groups of heads through a low rank.
    """

    n_layers: int
    n_heads: int
    head_dim: int
    q_rank: int
    out_rank: int
    out_groups: int
    window: int
    stride: int = 0
    overlap: int = 1
    indexer: Indexer | None = None

    @property
    def n_kv_heads(self) -> int:
        """One: all heads read the same entries."""
        return 1


Attention = GroupedQuery | Latent | Delta | Compressed
KINDS: Mapping[str, type[Attention]] = {
    "grouped-query": GroupedQuery,
    "latent": Latent,
    "delta": Delta,
    "compressed": Compressed,
}
