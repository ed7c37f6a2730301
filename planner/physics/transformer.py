"""Work of a prefill, of a decode iteration and of both at once: FLOP and bytes, nothing timed.

Conventions: a multiply-add is 2 FLOP. Softmax, norms, rotary positions and activations are left
out (under 1% of FLOP). All token and sequence counts may be arrays, which broadcast against each
other, and need not be whole numbers, so that means can be put in. "Context" is what the cache
already holds before the step.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.facts.models import Model
from planner.physics.attention import (
    ALL_TOKENS,
    Cache,
    Layers,
    entries_attended,
    entries_read,
    layers,
)
from planner.physics.weights import BYTES_PER_ELEMENT, WIDE, experts_touched, parts, stored

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Work:
    """What one step computes and moves, over all chips of a replica; arrays of one shape.

    linear_flop_at: products with weights, by precision of the arithmetic (a checkpoint may mix).
    attention_flop: products with cached entries and states, at 16 bits unless kernels say else.
    weight_bytes: weights read once, of routed experts those that some token goes to.
    kv_read_bytes, kv_write_bytes: cache and states. activation_bytes: hidden vectors read and
    written around both halves of each layer, and logits, at 16 bits.
    """

    linear_flop_at: Mapping[str, Array]
    attention_flop: Array
    weight_bytes: Array
    kv_read_bytes: Array
    kv_write_bytes: Array
    activation_bytes: Array

    @property
    def linear_flop(self) -> Array:
        """Products with weights at any precision. [FLOP]."""
        return np.asarray(sum(self.linear_flop_at.values()))

    @property
    def flop(self) -> Array:
        """All arithmetic. [FLOP]."""
        return self.linear_flop + self.attention_flop

    @property
    def moved_bytes(self) -> Array:
        """All traffic to and from memory. [bytes]."""
        cache_bytes = self.kv_read_bytes + self.kv_write_bytes
        return self.weight_bytes + cache_bytes + self.activation_bytes


@dataclass(frozen=True, slots=True)
class _Queries:
    """Sequences that each put `new` tokens through the model after `context` cached ones."""

    sequences: Array
    new: Array
    context: Array
    decoding: bool

    @property
    def tokens(self) -> Array:
        return self.sequences * self.new

    @property
    def running(self) -> Array:
        return self.sequences * (self.new > 0)


def kv_bytes_per_token(model: Model, kv_precision: str) -> float:
    """Cache that a sequence grows by per token, once its windows are full. Returns: [bytes]."""
    growing = (each for each in _layers(model).caches if each.kept == ALL_TOKENS)
    return sum(_bytes_per_token(each, kv_precision) for each in growing)


def kv_bytes(model: Model, context_tokens: ArrayLike, kv_precision: str) -> Array:
    """Cache and states of one sequence of `context_tokens`: windows capped. Returns: [bytes]."""
    context = np.asarray(context_tokens, float)
    caches = (
        _bytes_per_token(each, kv_precision) * np.minimum(context, each.kept)
        for each in _layers(model).caches
    )
    return np.asarray(sum(caches, start=_state_bytes(model) * (context > 0)))


def prefill_work(
    model: Model,
    new_tokens: ArrayLike,
    cached_tokens: ArrayLike = 0,
    *,
    weight_precision: str,
    kv_precision: str,
    sequences: ArrayLike = 1,
    sampled: ArrayLike = 1,
) -> Work:
    """Work of `sequences` prompts at once, each of `new_tokens` after a cached prefix.

    sampled: 1 if the prompt ends here, so that its last token passes the output head; 0 for a
    chunk before the end. FLOP of the chunks of a prompt add up to those of the prompt: latent
    attention expands a cached prefix once, not again for every chunk.
    """
    prompts = _queries(sequences, new_tokens, cached_tokens, decoding=False)
    heads = prompts.running * np.asarray(sampled, float)
    return _work(model, (prompts,), heads, weight_precision, kv_precision)


def decode_work(
    model: Model,
    batch: ArrayLike,
    context_tokens: ArrayLike,
    *,
    weight_precision: str,
    kv_precision: str,
    tokens_per_sequence: ArrayLike = 1,
) -> Work:
    """Work of one decode iteration of `batch` sequences with `context_tokens` cached each.

    tokens_per_sequence: 1, or 1 + drafts when speculated tokens are verified together.
    """
    answers = _queries(batch, tokens_per_sequence, context_tokens, decoding=True)
    return _work(model, (answers,), answers.tokens, weight_precision, kv_precision)


def mixed_work(
    model: Model,
    batch: ArrayLike,
    context_tokens: ArrayLike,
    chunk_tokens: ArrayLike,
    chunk_context_tokens: ArrayLike,
    *,
    weight_precision: str,
    kv_precision: str,
    tokens_per_sequence: ArrayLike = 1,
    chunk_sampled: ArrayLike = 1,
) -> Work:
    """Work of a decode iteration that carries a chunk of one prompt: weights are read once.

    chunk_tokens, chunk_context_tokens: tokens of the chunk, and of its prompt before it.
    chunk_sampled: 1 if the chunk ends its prompt, else 0; a mean is fine.
    """
    answers = _queries(batch, tokens_per_sequence, context_tokens, decoding=True)
    chunk = _queries(1, chunk_tokens, chunk_context_tokens, decoding=False)
    heads = answers.tokens + chunk.running * np.asarray(chunk_sampled, float)
    return _work(model, (answers, chunk), heads, weight_precision, kv_precision)


def _work(
    model: Model,
    queries: tuple[_Queries, ...],
    heads: Array,
    weight_precision: str,
    kv_precision: str,
) -> Work:
    kinds, held = _layers(model), stored(model, weight_precision)
    tokens = sum((each.tokens for each in queries), start=np.zeros(()))
    states = sum(each.running for each in queries) * _state_bytes(model)
    reads = (_kv_read_bytes(kinds, each, kv_precision) for each in queries)
    zero = 0 * (heads + sum(each.context for each in queries))
    touched = experts_touched(model, tokens) / (model.n_experts or 1)
    written = sum(_bytes_per_token(each, kv_precision) for each in kinds.caches)
    head_flop = 2 * held.head_params * heads + zero
    return Work(
        linear_flop_at={
            precision: 2 * params * tokens + (head_flop if precision == WIDE else zero)
            for precision, params in held.params_at.items()
        },
        attention_flop=sum((_attention_flop(kinds, each) for each in queries), start=zero),
        weight_bytes=held.fixed_bytes * (tokens > 0)
        + held.head_bytes * (heads > 0)
        + held.expert_bytes * touched
        + zero,
        kv_read_bytes=sum(reads, start=states + zero),
        kv_write_bytes=written * tokens + states + zero,
        activation_bytes=_activation_bytes(model, tokens, heads) + zero,
    )


def _queries(
    sequences: ArrayLike, new: ArrayLike, context: ArrayLike, *, decoding: bool
) -> _Queries:
    return _Queries(
        np.asarray(sequences, float), np.asarray(new, float), np.asarray(context, float), decoding
    )


def _layers(model: Model) -> Layers:
    parts(model)  # refuses a model whose dimensions are not published
    return layers(model.attention, model.hidden)


def _attention_flop(kinds: Layers, queries: _Queries) -> Array:
    """Scores and weighted values over every query-entry pair, and work on states. [FLOP]."""
    entries = (
        each.n_layers
        * (each.decode_flop if queries.decoding else each.prefill_flop)
        * entries_attended(each, queries.context, queries.new)
        for each in kinds.caches
    )
    return queries.sequences * sum(entries, start=kinds.state_flop * queries.new)


def _kv_read_bytes(kinds: Layers, queries: _Queries, kv_precision: str) -> Array:
    """Each entry that some query of a sequence reads, read once per sequence. [bytes]."""
    entries = (
        each.n_layers
        * _entry_bytes(each, kv_precision)
        * entries_read(each, queries.context, queries.new)
        for each in kinds.caches
    )
    return queries.sequences * sum(entries, start=np.zeros(()))


def _activation_bytes(model: Model, tokens: Array, heads: Array) -> Array:
    """Hidden vectors around attention and MLP, and logits, each written and read. [bytes]."""
    vectors = 2 * model.n_layers * model.hidden * tokens + model.vocab * heads
    return 2 * BYTES_PER_ELEMENT[WIDE] * vectors


def _entry_bytes(each: Cache, kv_precision: str) -> float:
    if kv_precision not in BYTES_PER_ELEMENT:
        known = ", ".join(BYTES_PER_ELEMENT)
        raise ValueError(f"cache precision {kv_precision!r} is unknown; choose one of {known}.")
    return each.entry_bytes or each.elements * BYTES_PER_ELEMENT[kv_precision]


def _bytes_per_token(each: Cache, kv_precision: str) -> float:
    """Bytes of one token in the caches of all layers of a kind."""
    return each.n_layers * _entry_bytes(each, kv_precision) / each.stride


def _state_bytes(model: Model) -> float:
    """Recurrent states of one sequence, at 16 bits whatever the cache's precision. [bytes]."""
    return _layers(model).state_elements * BYTES_PER_ELEMENT[WIDE]
