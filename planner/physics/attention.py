"""What attention keeps, reads and computes, for every kind of layer in the catalog.

All kinds come down to two things: *caches*, of which a query reads some entries, and a
*state* of constant size. A cache keeps one entry per `stride` tokens of the last `kept`
tokens, and a query reads the entries of at most `read` tokens, itself included:

================  =========  =========  ==============================================
layer             kept       read       entry
================  =========  =========  ==============================================
full attention    all        all        keys and values of the key-value heads
window            window     window     the same
indexer           all        all        one index key, beside the main cache
picked by it      all        picked     the main cache
latent (MLA)      all        all        one latent and one rotary key for all heads
compressed        all        all        one vector per `stride` tokens, beside a window
delta rule        --         --         no cache; key_dim × value_dim numbers per head
================  =========  =========  ==============================================
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from planner.facts.attention import Attention, Compressed, Delta, GroupedQuery, Indexer, Latent

Array = npt.NDArray[np.float64]

ALL_TOKENS = 2.0**53
"""More tokens than any context: the largest count a float holds exactly."""

DELTA_PRODUCTS = 2 + 1
"""Products of a token with the delta rule's state: recall by key and by query, and one write."""


@dataclass(frozen=True, slots=True)
class Cache:
    """One stream of cached entries in each of `n_layers` layers.

    elements: numbers per entry, at the precision of the cache; or else entry_bytes: bytes.
    n_holders: chips that may each hold a part of an entry; further chips hold copies.
    step: tokens' worth of entries that each further query of the same sequence reads anew.
    prefill_flop, decode_flop: per query and entry read, all heads of one layer.
    """

    n_layers: int
    elements: int
    entry_bytes: int
    n_holders: int
    stride: int
    kept: float
    read: float
    step: float
    prefill_flop: float
    decode_flop: float


class Read(Protocol):
    """What a query reads of a stream of entries: of `Cache`, or of arrays of several models."""

    @property
    def stride(self) -> Any:
        """Tokens per entry."""

    @property
    def read(self) -> Any:
        """Tokens whose entries a query reads."""

    @property
    def step(self) -> Any:
        """Tokens' worth of entries that each further query reads anew."""


@dataclass(frozen=True, slots=True)
class Layers:
    """Attention of a whole model: its caches, and sums over layers of everything else.

    params: weights of the projections but the output's. state_elements, state_flop: numbers
    kept per sequence and FLOP per token of the layers with a constant state.
    """

    caches: tuple[Cache, ...]
    params: float
    output_params: float
    state_elements: float
    state_flop: float


@cache
def layers(attention: tuple[Attention, ...], hidden: int) -> Layers:
    """Sum the kinds of attention of a model of width `hidden`."""
    kinds = [_kind(kind, hidden) for kind in attention]
    return Layers(
        caches=tuple(stream for kind in kinds for stream in kind.caches),
        params=sum(kind.params for kind in kinds),
        output_params=sum(kind.output_params for kind in kinds),
        state_elements=sum(kind.state_elements for kind in kinds),
        state_flop=sum(kind.state_flop for kind in kinds),
    )


def entries_attended(stream: Read, context_tokens: Array, new_tokens: Array) -> Array:
    """Entries [1] read by `new_tokens` queries after `context_tokens` cached ones, summed over all.

    Σ min(s, read)/stride for s from context + 1 to context + new: exact, so chunks of a prompt
    add up to the prompt. A compressed entry counts from its first token on, in parts.
    """
    end = context_tokens + new_tokens
    tokens = _sum_to(end, stream.read) - _sum_to(context_tokens, stream.read)
    return np.asarray(tokens / stream.stride)


def entries_read(stream: Read, context_tokens: Array, new_tokens: Array) -> Array:
    """Distinct entries that `new_tokens` queries of one sequence read after `context_tokens`. [1]

    A further query moves a window by one token; what an indexer picks for it is taken as new.
    """
    reach = stream.read + (new_tokens - 1) * stream.step
    tokens = np.minimum(context_tokens + new_tokens, reach)
    return np.asarray(np.where(new_tokens > 0, tokens, 0) / stream.stride)


def _sum_to(tokens: Array, most: Any) -> Array:
    """Σ min(s, most) for s = 1 … tokens."""
    rising: Array = np.minimum(tokens, most)
    return np.asarray(rising * (rising + 1) / 2 + most * (tokens - rising))


def _kind(kind: Attention, hidden: int) -> Layers:
    match kind:
        case GroupedQuery():
            return _grouped(kind, hidden)
        case Latent():
            return _latent(kind, hidden)
        case Delta():
            return _delta(kind, hidden)
        case Compressed():
            return _compressed(kind, hidden)


def _grouped(kind: GroupedQuery, hidden: int) -> Layers:
    query = kind.n_heads * kind.head_dim
    key_value = 2 * kind.n_kv_heads * kind.head_dim
    params = hidden * (query + key_value + query * kind.output_gate)
    flop = 2 * 2 * query
    indexed = _index_params(kind.indexer, hidden, hidden, 1) if kind.indexer else 0
    main = _cache(
        kind.n_layers,
        key_value,
        flop,
        flop,
        kind.indexer,
        window=kind.window,
        n_holders=kind.n_kv_heads,
    )
    caches = (main, *_index_cache(kind.n_layers, kind.indexer))
    return _summed(kind.n_layers, caches, params + indexed, query * hidden)


def _latent(kind: Latent, hidden: int) -> Layers:
    value = kind.n_heads * kind.value_dim
    query = kind.n_heads * (kind.nope_dim + kind.rope_dim)
    expand = kind.kv_rank * kind.n_heads * (kind.nope_dim + kind.value_dim)
    params = (
        _low_rank(hidden, kind.q_rank, query)
        + hidden * (kind.kv_rank + kind.rope_dim + value * kind.output_gate)
        + expand
    )
    if kind.indexer:
        params += _index_params(kind.indexer, hidden, kind.q_rank, 1)
        params += hidden * kind.indexer.n_heads
    absorbed = 2 * kind.n_heads * (2 * kind.kv_rank + kind.rope_dim)
    # Sparse kernels gather latents, so they work on them in prefill too.
    prefill = absorbed if kind.indexer else 2 * (query + value)
    main = _cache(kind.n_layers, kind.kv_rank + kind.rope_dim, prefill, absorbed, kind.indexer)
    caches = (main, *_index_cache(kind.n_layers, kind.indexer))
    return _summed(kind.n_layers, caches, params, value * hidden)


def _delta(kind: Delta, hidden: int) -> Layers:
    key, value = kind.key_heads * kind.key_dim, kind.value_heads * kind.value_dim
    convolved = 2 * key + value
    decay = _low_rank(hidden, kind.decay_rank, key if kind.decay_rank else kind.value_heads)
    params = hidden * (convolved + value + kind.value_heads) + decay + convolved * kind.conv
    memory = value * kind.key_dim
    return Layers(
        caches=(),
        params=kind.n_layers * params,
        output_params=kind.n_layers * value * hidden,
        state_elements=kind.n_layers * (memory + (kind.conv - 1) * convolved),
        state_flop=kind.n_layers * 2 * DELTA_PRODUCTS * memory,
    )


def _compressed(kind: Compressed, hidden: int) -> Layers:
    query = kind.n_heads * kind.head_dim
    flop = 2 * 2 * query
    params = _low_rank(hidden, kind.q_rank, query) + hidden * kind.head_dim
    output = kind.out_rank * (query + kind.out_groups * hidden)
    caches = [_cache(kind.n_layers, kind.head_dim, flop, flop, window=kind.window)]
    if kind.stride:
        params += 2 * hidden * kind.overlap * kind.head_dim
        caches.append(
            _cache(kind.n_layers, kind.head_dim, flop, flop, kind.indexer, stride=kind.stride)
        )
    if kind.indexer:
        params += _index_params(kind.indexer, hidden, kind.q_rank, 2 * kind.overlap)
        params += hidden * kind.indexer.n_heads
        caches.extend(_index_cache(kind.n_layers, kind.indexer, stride=kind.stride))
    return _summed(kind.n_layers, tuple(caches), params, output)


def _summed(n_layers: int, caches: tuple[Cache, ...], params: int, output_params: int) -> Layers:
    return Layers(caches, n_layers * params, n_layers * output_params, 0, 0)


def _low_rank(wide: int, rank: int, out: int) -> int:
    """Weights of a projection through `rank`; rank 0 = straight."""
    return rank * (wide + out) if rank else wide * out


def _index_params(indexer: Indexer, hidden: int, query_width: int, key_projections: int) -> int:
    return indexer.dim * (query_width * indexer.n_heads + key_projections * hidden)


def _index_cache(n_layers: int, indexer: Indexer | None, stride: int = 1) -> Iterator[Cache]:
    if indexer:
        flop = 2 * indexer.n_heads * indexer.dim
        elements = 0 if indexer.entry_bytes else indexer.dim
        yield _cache(n_layers, elements, flop, flop, stride=stride, entry_bytes=indexer.entry_bytes)


def _cache(
    n_layers: int,
    elements: int,
    prefill_flop: float,
    decode_flop: float,
    indexer: Indexer | None = None,
    *,
    window: int = 0,
    stride: int = 1,
    entry_bytes: int = 0,
    n_holders: int = 1,
) -> Cache:
    picked = indexer.top_entries * stride if indexer else ALL_TOKENS
    kept = window or ALL_TOKENS
    return Cache(
        n_layers=n_layers,
        elements=elements,
        entry_bytes=entry_bytes,
        n_holders=n_holders,
        stride=stride,
        kept=kept,
        read=min(kept, picked),
        step=picked if indexer else 1,
        prefill_flop=prefill_flop,
        decode_flop=decode_flop,
    )
