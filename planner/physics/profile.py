"""A model in one checkpoint as the numbers that its work depends on, alone or stacked over points.

Every field is a number for one model and an array for several, so that the formulas of this room
are written once and time a single model and thousands of measured points of many models alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.facts.models import Model
from planner.physics.attention import ALL_TOKENS, Cache, layers
from planner.physics.weights import BYTES_PER_ELEMENT, WIDE, stored

Number = Any
"""A float, or an array of one number a point."""

NO_CACHE = (0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0)
"""A stream of no layers, which fills up models with fewer streams than others."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of cached entries at a precision, as `Cache` describes it. entry_bytes: of one."""

    n_layers: Number
    entry_bytes: Number
    n_holders: Number
    stride: Number
    kept: Number
    read: Number
    step: Number
    prefill_flop: Number
    decode_flop: Number


@dataclass(frozen=True, slots=True)
class Profile:
    """What steps of a model depend on.

    fixed_params_at, expert_params_at: weights a token is multiplied with, by arithmetic.
    fixed_bytes, head_bytes, expert_bytes, table_bytes: as `Stored` names them.
    streams: caches. state_bytes, state_flop: constant states, of a sequence and of a token.
    """

    n_layers: Number
    n_moe_layers: Number
    n_experts: Number
    n_experts_active: Number
    hidden: Number
    vocab: Number
    fixed_params_at: dict[str, Number]
    expert_params_at: dict[str, Number]
    head_params: Number
    fixed_bytes: Number
    head_bytes: Number
    expert_bytes: Number
    table_bytes: Number
    state_bytes: Number
    state_flop: Number
    streams: tuple[Stream, ...]

    @property
    def weight_bytes(self) -> Number:
        """Memory that one copy of the weights takes. [bytes]."""
        return self.fixed_bytes + self.head_bytes + self.expert_bytes + self.table_bytes


@cache
def profile(model: Model, weight_precision: str, kv_precision: str) -> Profile:
    """The numbers of one model in a checkpoint, with its cache kept at a precision.

    Raises:
        ValueError: a precision is unknown.
        CatalogError: the dimensions of the model are not all published.
    """
    held, kinds = stored(model, weight_precision), layers(model.attention, model.hidden)
    return Profile(
        n_layers=model.n_layers,
        n_moe_layers=model.n_moe_layers,
        n_experts=model.n_experts,
        n_experts_active=model.n_experts_active,
        hidden=model.hidden,
        vocab=model.vocab,
        fixed_params_at=dict(held.fixed_params_at),
        expert_params_at=dict(held.expert_params_at),
        head_params=held.head_params,
        fixed_bytes=held.fixed_bytes,
        head_bytes=held.head_bytes,
        expert_bytes=held.expert_bytes,
        table_bytes=held.table_bytes,
        state_bytes=kinds.state_elements * BYTES_PER_ELEMENT[WIDE],
        state_flop=kinds.state_flop,
        streams=tuple(_stream(each, kv_precision) for each in kinds.caches),
    )


def stacked(profiles: Sequence[Profile], which: NDArray[np.int64]) -> Profile:
    """One profile whose fields are arrays: the numbers of `profiles[which[i]]` at place i."""
    numbers = {
        field.name: np.array([getattr(each, field.name) for each in profiles], float)[which]
        for field in fields(Profile)
        if field.name not in ("fixed_params_at", "expert_params_at", "streams")
    }
    return Profile(
        **numbers,
        fixed_params_at=_stacked_mapping([each.fixed_params_at for each in profiles], which),
        expert_params_at=_stacked_mapping([each.expert_params_at for each in profiles], which),
        streams=_stacked_streams([each.streams for each in profiles], which),
    )


def _stacked_mapping(
    held: Sequence[dict[str, Number]], which: NDArray[np.int64]
) -> dict[str, Number]:
    names = sorted({name for each in held for name in each})
    return {name: np.array([each.get(name, 0.0) for each in held])[which] for name in names}


def _stacked_streams(
    held: Sequence[tuple[Stream, ...]], which: NDArray[np.int64]
) -> tuple[Stream, ...]:
    most = max(map(len, held), default=0)
    none = Stream(*NO_CACHE)
    filled = [(*each, *[none] * (most - len(each))) for each in held]
    return tuple(
        Stream(
            *(
                np.array([getattr(each[place], field.name) for each in filled], float)[which]
                for field in fields(Stream)
            )
        )
        for place in range(most)
    )


def _stream(each: Cache, kv_precision: str) -> Stream:
    if kv_precision not in BYTES_PER_ELEMENT:
        known = ", ".join(BYTES_PER_ELEMENT)
        raise ValueError(f"cache precision {kv_precision!r} is unknown; choose one of {known}.")
    return Stream(
        n_layers=each.n_layers,
        entry_bytes=each.entry_bytes or each.elements * BYTES_PER_ELEMENT[kv_precision],
        n_holders=each.n_holders,
        stride=each.stride,
        kept=each.kept,
        read=each.read,
        step=each.step,
        prefill_flop=each.prefill_flop,
        decode_flop=each.decode_flop,
    )


def kv_bytes_per_token(held: Profile) -> Number:
    """Cache that a sequence grows by per token, once its windows are full. Returns: [bytes]."""
    return sum(
        np.where(each.kept == ALL_TOKENS, bytes_per_token(each), 0.0) for each in held.streams
    )


def kv_bytes(held: Profile, context_tokens: Number) -> Number:
    """Cache and states of one sequence of `context_tokens`: windows capped. Returns: [bytes]."""
    context = np.asarray(context_tokens, float)
    caches = (bytes_per_token(each) * np.minimum(context, each.kept) for each in held.streams)
    return sum(caches, start=held.state_bytes * (context > 0))


def bytes_per_token(each: Stream) -> Number:
    """Bytes of one token in the caches of all layers of a stream. [bytes]"""
    return each.n_layers * each.entry_bytes / each.stride
