"""Work of a prefill, of a decode iteration and of both at once: FLOP and bytes, nothing timed.

Conventions: a multiply-add is 2 FLOP. Softmax, norms, rotary positions and activations are left
out (under 1% of FLOP). All token and sequence counts may be arrays, which broadcast against each
other, and need not be whole numbers, so that means can be put in. "Context" is what the cache
already holds before the step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.physics.attention import entries_attended, entries_read
from planner.physics.profile import Profile, Stream, bytes_per_token
from planner.physics.weights import BYTES_PER_ELEMENT, WIDE, experts_touched

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Attending:
    """Attention of one kind of sequences in a step: those in decode, or a chunk of a prompt.

    flop: products with cached entries and states. read_bytes, write_bytes: of each stream of the
    cache, one copy. state_bytes: states read, and as much is written.
    """

    flop: Array
    read_bytes: tuple[Array, ...]
    write_bytes: tuple[Array, ...]
    state_bytes: Array


@dataclass(frozen=True, slots=True)
class Work:
    """What one step computes and moves, over all chips of a replica, one copy of everything.

    tokens: that pass the layers; prompt_tokens: those of prompts. sequences: that run.
    expert_rows: tokens times the experts of each. experts: that some token goes to, of a layer.
    holders: chips that each stream of the cache may be cut over. fixed_flop_at, expert_flop_at:
    products with weights, by precision of the arithmetic (a checkpoint may mix). fixed_bytes,
    expert_bytes, head_bytes: weights read once; of routed experts those that some token goes to.
    activation_bytes: hidden vectors read and written around both halves of each layer, and logits,
    at 16 bits.
    """

    tokens: Array
    prompt_tokens: Array
    sequences: Array
    expert_rows: Array
    experts: Array
    holders: tuple[Any, ...]
    fixed_flop_at: Mapping[str, Array]
    expert_flop_at: Mapping[str, Array]
    head_flop: Array
    fixed_bytes: Array
    expert_bytes: Array
    head_bytes: Array
    attending: tuple[Attending, ...]
    activation_bytes: Array

    def padded(self, padding_rows: Any) -> Array:
        """Rows that experts compute over those asked for: each fills up its last tile. [1]."""
        rows = np.maximum(self.expert_rows, 1.0)
        return np.asarray(1 + self.experts * padding_rows / rows)

    @property
    def linear_flop(self) -> Array:
        """Products with weights at any precision. [FLOP]."""
        parts = (*self.fixed_flop_at.values(), *self.expert_flop_at.values(), self.head_flop)
        return np.asarray(sum(parts))

    @property
    def attention_flop(self) -> Array:
        """Products with cached entries and states. [FLOP]."""
        return np.asarray(sum(each.flop for each in self.attending))

    @property
    def flop(self) -> Array:
        """All arithmetic. [FLOP]."""
        return self.linear_flop + self.attention_flop

    @property
    def weight_bytes(self) -> Array:
        """Weights read. [bytes]."""
        return self.fixed_bytes + self.expert_bytes + self.head_bytes

    @property
    def kv_read_bytes(self) -> Array:
        """Cache and states read. [bytes]."""
        return np.asarray(
            sum(sum(each.read_bytes, start=each.state_bytes) for each in self.attending)
        )

    @property
    def kv_write_bytes(self) -> Array:
        """Cache and states written. [bytes]."""
        return np.asarray(
            sum(sum(each.write_bytes, start=each.state_bytes) for each in self.attending)
        )

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


def prefill_work(
    held: Profile,
    new_tokens: ArrayLike,
    cached_tokens: ArrayLike = 0,
    *,
    sequences: ArrayLike = 1,
    sampled: ArrayLike = 1,
) -> Work:
    """Work of `sequences` prompts at once, each of `new_tokens` after a cached prefix.

    sampled: 1 if the prompt ends here, so that its last token passes the output head; 0 for a
    chunk before the end. FLOP of the chunks of a prompt add up to those of the prompt: latent
    attention expands a cached prefix once, not again for every chunk.
    """
    prompts = _queries(sequences, new_tokens, cached_tokens, decoding=False)
    return _work(held, (prompts,), prompts.running * np.asarray(sampled, float))


def decode_work(
    held: Profile,
    batch: ArrayLike,
    context_tokens: ArrayLike,
    *,
    tokens_per_sequence: ArrayLike = 1,
) -> Work:
    """Work of one decode iteration of `batch` sequences with `context_tokens` cached each.

    tokens_per_sequence: 1, or 1 + drafts when speculated tokens are verified together.
    """
    answers = _queries(batch, tokens_per_sequence, context_tokens, decoding=True)
    return _work(held, (answers,), answers.tokens)


def mixed_work(
    held: Profile,
    batch: ArrayLike,
    context_tokens: ArrayLike,
    chunk_tokens: ArrayLike,
    chunk_context_tokens: ArrayLike,
    *,
    tokens_per_sequence: ArrayLike = 1,
    chunks: ArrayLike = 1,
    chunk_sampled: ArrayLike = 1,
) -> Work:
    """Work of a decode iteration that carries chunks of prompts: weights are read once.

    chunk_tokens, chunk_context_tokens: tokens of each chunk, and of its prompt before it.
    chunks: of how many prompts. chunk_sampled: 1 if they end their prompts, else 0; a mean is fine.
    """
    answers = _queries(batch, tokens_per_sequence, context_tokens, decoding=True)
    prompts = _queries(chunks, chunk_tokens, chunk_context_tokens, decoding=False)
    heads = answers.tokens + prompts.running * np.asarray(chunk_sampled, float)
    return _work(held, (answers, prompts), heads)


def _work(held: Profile, queries: tuple[_Queries, ...], heads: Array) -> Work:
    tokens = sum((each.tokens for each in queries), start=np.zeros(()))
    zero = 0 * (heads + sum(each.context for each in queries))
    experts = experts_touched(held.n_experts, held.n_experts_active, tokens)
    return Work(
        tokens=tokens + zero,
        prompt_tokens=sum((q.tokens for q in queries if not q.decoding), start=zero),
        sequences=sum((q.running for q in queries), start=zero),
        expert_rows=tokens * held.n_experts_active + zero,
        experts=experts + zero,
        holders=tuple(each.n_holders for each in held.streams),
        fixed_flop_at=_flop_at(held.fixed_params_at, tokens + zero),
        expert_flop_at=_flop_at(held.expert_params_at, tokens + zero),
        head_flop=2 * held.head_params * heads + zero,
        fixed_bytes=held.fixed_bytes * (tokens > 0) + zero,
        expert_bytes=held.expert_bytes * experts / np.maximum(held.n_experts, 1) + zero,
        head_bytes=held.head_bytes * (heads > 0) + zero,
        attending=tuple(_attending(held, each, zero) for each in queries),
        activation_bytes=_activation_bytes(held, tokens, heads) + zero,
    )


def _flop_at(params_at: Mapping[str, Any], tokens: Array) -> dict[str, Array]:
    return {precision: 2 * params * tokens for precision, params in params_at.items()}


def _queries(
    sequences: ArrayLike, new: ArrayLike, context: ArrayLike, *, decoding: bool
) -> _Queries:
    return _Queries(
        np.asarray(sequences, float), np.asarray(new, float), np.asarray(context, float), decoding
    )


def _attending(held: Profile, queries: _Queries, zero: Array) -> Attending:
    """Scores and weighted values over every query-entry pair, and work on states."""
    pairs = (_entry_flop(each, queries) for each in held.streams)
    flop = queries.sequences * sum(pairs, start=held.state_flop * queries.new)
    return Attending(
        flop=flop + zero,
        read_bytes=tuple(_read_bytes(each, queries) + zero for each in held.streams),
        write_bytes=tuple(bytes_per_token(each) * queries.tokens + zero for each in held.streams),
        state_bytes=queries.running * held.state_bytes + zero,
    )


def _entry_flop(each: Stream, queries: _Queries) -> Array:
    """Products of one sequence with the entries of a stream. [FLOP]."""
    flop = each.decode_flop if queries.decoding else each.prefill_flop
    return np.asarray(each.n_layers * flop * entries_attended(each, queries.context, queries.new))


def _read_bytes(each: Stream, queries: _Queries) -> Array:
    """Each entry that some query of a sequence reads, read once per sequence. [bytes]."""
    entries = entries_read(each, queries.context, queries.new)
    return np.asarray(queries.sequences * each.n_layers * each.entry_bytes * entries)


def _activation_bytes(held: Profile, tokens: Array, heads: Array) -> Array:
    """Hidden vectors around attention and MLP, and logits, each written and read. [bytes]."""
    vectors = 2 * held.n_layers * held.hidden * tokens + held.vocab * heads
    return np.asarray(2 * BYTES_PER_ELEMENT[WIDE] * vectors)
