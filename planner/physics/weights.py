"""Weights of a model by the part they belong to: how many, how many bytes, how many are read.

Counted are the matrices. Left out are vectors (norms, biases, gates of one column), under 0.05%
of any model, hyper-connections (DeepSeek V4, 0.2% of what a token touches) and
multi-token-prediction modules, which published totals leave out too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.errors import CatalogError
from planner.facts.models import Model
from planner.physics.attention import layers

Array = NDArray[np.float64]

BYTES_PER_ELEMENT: Mapping[str, float] = {
    "bf16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    "fp4": 0.5625,
    "mxfp4": 0.53125,
    "int4": 0.5625,
}
"""Bytes per number with its scales: FP4 (NVFP4) shares one byte among 16 numbers, MXFP4 one and
INT4 two among 32; the block scales of FP8 are under 0.1% and left out."""

MOST_CHOSEN = 1 - 2.0**-52
"""Keeps the logarithm finite where every expert is chosen."""

WIDE = "bf16"
"""The precision of embeddings, output head, router, image towers and recurrent states."""

ARITHMETIC: Mapping[str, str] = {"mxfp4": "fp4", "int4": WIDE}
"""What a format is multiplied in where that is not its own name: INT4 is widened first."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Weights by part [1]; experts: all routed ones; embedding: tables that are looked up."""

    attention: float
    attention_output: float
    dense: float
    router: float
    experts: float
    head: float
    embedding: float
    vision: float


@dataclass(frozen=True, slots=True)
class Stored:
    """A model in a checkpoint: bytes by how often a step reads them, weights by arithmetic.

    fixed_bytes: read by every step. head_bytes: read when a token is sampled. expert_bytes: all
    routed experts. table_bytes: looked up, never multiplied. fixed_params_at, expert_params_at:
    weights that one token is multiplied with, by precision of the arithmetic.
    """

    fixed_bytes: float
    head_bytes: float
    expert_bytes: float
    table_bytes: float
    head_params: float
    fixed_params_at: Mapping[str, float]
    expert_params_at: Mapping[str, float]


def parameter_count(model: Model) -> float:
    """All weights, image towers included. Returns: [1]."""
    part = parts(model)
    return active_parameter_count(model) + (
        part.experts * (1 - _active_share(model)) + part.embedding + part.vision
    )


def active_parameter_count(model: Model) -> float:
    """Weights that one text token is multiplied with, output head included. Returns: [1]."""
    part = parts(model)
    always = part.attention + part.attention_output + part.dense + part.router + part.head
    return always + part.experts * _active_share(model)


def weight_bytes(model: Model, precision: str) -> float:
    """Memory that the weights of a checkpoint take. Returns: [bytes].

    precision: what the checkpoint is called; parts it keeps wider are counted wider.
    """
    held = stored(model, precision)
    return held.fixed_bytes + held.head_bytes + held.expert_bytes + held.table_bytes


def experts_touched(n_experts: ArrayLike, n_active: ArrayLike, tokens: ArrayLike) -> Array:
    """Routed experts of one layer that at least one of `tokens` tokens goes to. Returns: [1].

    E·(1 − (1 − k/E)^t) for k of E experts chosen uniformly: k at t = 1, E as t grows. Real
    routing is less even and touches fewer. Arrays broadcast; 0 for a model without experts.
    """
    chosen = np.asarray(n_active, float) / np.maximum(n_experts, 1)
    missed = np.log1p(-np.minimum(chosen, MOST_CHOSEN))
    return np.asarray(-np.asarray(n_experts) * np.expm1(np.asarray(tokens, float) * missed))


@cache
def parts(model: Model) -> Parts:
    """Count the weights of each part.

    Raises:
        CatalogError: the dimensions of the model are not all published.
    """
    if reason := model.why_not():
        raise CatalogError(reason)
    kinds = layers(model.attention, model.hidden)
    matrices = 2 + model.gated_mlp
    expert_hidden = model.expert_hidden or model.hidden
    to_latent = 2 * model.hidden * model.expert_hidden
    shared = matrices * model.hidden * model.n_shared_experts * model.shared_ffn
    table = model.vocab * model.hidden
    return Parts(
        attention=kinds.params,
        attention_output=kinds.output_params,
        dense=model.n_dense_layers * matrices * model.hidden * model.dense_ffn
        + model.n_moe_layers * (shared + to_latent),
        router=model.n_moe_layers * model.hidden * model.n_experts,
        experts=model.n_moe_layers * model.n_experts * matrices * expert_hidden * model.expert_ffn,
        head=table,
        embedding=(0 if model.tied_embeddings else table) + model.n_positions * model.hidden,
        vision=model.vision_params.value if model.vision_params else 0,
    )


@cache
def stored(model: Model, precision: str) -> Stored:
    """The weights of the checkpoint called `precision`.

    Raises:
        ValueError: the precision is unknown.
        CatalogError: the dimensions of the model are not all published.
    """
    part, form = parts(model), model.checkpoint(precision)
    always = (
        (part.attention, form.attention),
        (part.attention_output, form.attention_output),
        (part.dense, form.dense),
        (part.router, WIDE),
    )
    return Stored(
        fixed_bytes=sum(params * BYTES_PER_ELEMENT[held] for params, held in always),
        head_bytes=part.head * BYTES_PER_ELEMENT[WIDE],
        expert_bytes=part.experts * BYTES_PER_ELEMENT[form.experts],
        table_bytes=(part.embedding + part.vision) * BYTES_PER_ELEMENT[WIDE],
        head_params=part.head,
        fixed_params_at=_by_arithmetic(always),
        expert_params_at=_by_arithmetic(((part.experts * _active_share(model), form.experts),)),
    )


def _by_arithmetic(held: Iterable[tuple[float, str]]) -> dict[str, float]:
    """Weights by the precision that they are multiplied in."""
    params_at: dict[str, float] = {}
    for params, precision in held:
        arithmetic = ARITHMETIC.get(precision, precision)
        params_at[arithmetic] = params_at.get(arithmetic, 0) + params
    return params_at


def _active_share(model: Model) -> float:
    return model.n_experts_active / model.n_experts if model.n_experts else 0
