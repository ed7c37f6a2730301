"""Weights of every catalog model against published counts, and bytes against checkpoints."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import CatalogError
from planner.facts.catalog import load_catalog
from planner.physics.weights import (
    active_parameter_count,
    experts_touched,
    parameter_count,
    weight_bytes,
)

MODELS = load_catalog().models
TIMED = sorted(name for name, model in MODELS.items() if not model.missing)
ROUTED = sorted(name for name in TIMED if MODELS[name].n_experts)
ROUNDED = {"kimi-k2", "deepseek-v4-pro"}
"""Published as 1T and 1.6T: rounded by more than the tolerance."""

CHECKPOINTS = {
    # Parameters that the published safetensors files hold, vectors included.
    "llama-2-70b": 68_976_648_192,
    "llama-3.1-8b": 8_030_261_248,
    "llama-3.1-70b": 70_553_706_496,
    "llama-3.1-405b": 405_853_388_800,
    "mixtral-8x7b": 46_702_792_704,
    "qwen2.5-72b": 72_706_203_648,
    "qwen3-32b": 32_762_123_264,
    "bloom-176b": 176_247_271_424,
}

ACTIVE = {
    # Billions without the input embedding, from the arithmetic of the shared model survey.
    "llama-4-scout": 16.138, "llama-4-maverick": 16.15, "qwen3-30b-a3b": 3.042,
    "qwen3-235b-a22b": 21.568, "qwen3-next-80b-a3b": 3.564, "qwen3.5-397b-a17b": 16.332,
    "deepseek-v3": 36.626, "deepseek-v3.2": 37.477, "kimi-k2": 31.687, "glm-4.5": 32.856,
    "glm-5": 40.833, "minimax-m2": 10.416, "gpt-oss-120b": 5.133, "gpt-oss-20b": 3.608,
    "mixtral-8x7b": 12.749, "mixtral-8x22b": 38.955, "mistral-large-2": 122.207,
    "gemma-3-27b": 27.009, "bloom-176b": 176.247, "opt-66b": 65.72, "opt-175b": 174.604,
    # Published by the vendor, head counted.
    "kimi-k3": 104.0, "deepseek-v4-pro": 49.0,
}  # fmt: skip


@pytest.mark.parametrize("name", TIMED)
def test_total_parameters_reproduce_the_published_figure(name):
    model = MODELS[name]
    published = model.published_total_params
    counted = parameter_count(model)
    if name in ROUNDED:
        assert published.low <= counted <= published.high
    else:
        assert counted == pytest.approx(published.value, rel=0.012)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_total_parameters_reproduce_the_checkpoint_but_for_vectors(name):
    assert parameter_count(MODELS[name]) == pytest.approx(CHECKPOINTS[name], rel=1e-4)
    assert parameter_count(MODELS[name]) < CHECKPOINTS[name]


def test_kimi_k2_is_over_its_name_because_1t_is_rounded():
    assert parameter_count(MODELS["kimi-k2"]) / 1e12 == pytest.approx(1.026, abs=5e-4)


def test_deepseek_v4_pro_reaches_1600_with_its_multi_token_module():
    # One more layer: 384 + 1 experts and a router, attention, two 2·7168 → 7168 projections.
    expert = 3 * 7168 * 3072
    attention = 7168 * (1536 + 512) + 1536 * 65536 + 4096 * 16384 + 16384 * 7168
    module = 385 * expert + 384 * 7168 + attention + 2 * 7168 * 7168
    assert parameter_count(MODELS["deepseek-v4-pro"]) + module == pytest.approx(1.6e12, rel=0.001)


@pytest.mark.parametrize("name", ACTIVE)
def test_active_parameters_reproduce_outside_arithmetic(name):
    assert active_parameter_count(MODELS[name]) / 1e9 == pytest.approx(ACTIVE[name], rel=5e-3)


@pytest.mark.parametrize("name", TIMED)
def test_a_token_meets_no_more_weights_than_there_are(name):
    model = MODELS[name]
    assert 0 < active_parameter_count(model) <= parameter_count(model)


def test_llama_8b_by_hand():
    layer = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336
    assert parameter_count(MODELS["llama-3.1-8b"]) == 32 * layer + 2 * 128256 * 4096
    assert active_parameter_count(MODELS["llama-3.1-8b"]) == 32 * layer + 128256 * 4096


def test_a_model_of_unknown_dimensions_is_refused_in_a_sentence():
    with pytest.raises(CatalogError, match=r"Mistral Large 4 .* cannot be timed: which layers"):
        parameter_count(MODELS["mistral-large-4"])
    with pytest.raises(CatalogError, match="cannot be timed"):
        weight_bytes(MODELS["mistral-large-4"], "fp8")


def test_weight_bytes_of_llama_70b_by_precision():
    layers = 80 * (2 * 8192 * 8192 + 2 * 8192 * 1024 + 3 * 8192 * 28672)
    tables = 2 * 128256 * 8192
    model = MODELS["llama-3.1-70b"]
    assert weight_bytes(model, "bf16") == 2 * (layers + tables)
    assert weight_bytes(model, "fp8") == layers + 2 * tables
    assert weight_bytes(model, "fp4") == 0.5625 * layers + 2 * tables


@pytest.mark.parametrize(
    ("name", "precision", "published_gb"),
    [
        ("gpt-oss-120b", "mxfp4", 65.3),  # 60.8 GiB checkpoint, gpt-oss model card, table 1
        ("gpt-oss-20b", "mxfp4", 13.7),  # 12.8 GiB checkpoint, the same table
        (
            "deepseek-v3",
            "fp8",
            673,
        ),  # 688.6 GB on the hub less 11.5 of MTP and its copies of two tables
        ("kimi-k2", "int4", 594),  # Kimi K2 Thinking, INT4: 594 GB on the hub
    ],
)
def test_weight_bytes_reproduce_the_size_of_published_checkpoints(name, precision, published_gb):
    assert weight_bytes(MODELS[name], precision) / 1e9 == pytest.approx(published_gb, rel=0.02)


def test_a_checkpoint_that_keeps_attention_wide_takes_more_than_a_uniform_one():
    model = MODELS["deepseek-r1"]
    uniform = 0.5625 * parameter_count(model)
    assert uniform < weight_bytes(model, "fp4") < weight_bytes(model, "fp8")


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="weight precision 'fp3' is unknown"):
        weight_bytes(MODELS["llama-3.1-8b"], "fp3")


def touched_by(name, tokens):
    return experts_touched(MODELS[name].n_experts, MODELS[name].n_experts_active, tokens)


@pytest.mark.parametrize("name", ROUTED)
def test_one_token_touches_k_experts_and_many_touch_all(name):
    model = MODELS[name]
    touched = touched_by(name, [0, 1, 1e9])
    assert touched == pytest.approx([0, model.n_experts_active, model.n_experts])


def test_experts_touched_by_two_tokens_by_hand():
    # DeepSeek V3: each expert is missed by a token with probability 1 - 8/256.
    assert experts_touched(256, 8, 2) == pytest.approx(256 * (1 - (248 / 256) ** 2))


def test_experts_touched_match_uniform_routing_by_chance():
    rng = np.random.default_rng(0)
    tokens, trials = 32, 400
    chosen = rng.random((trials, tokens, 256)).argsort(axis=-1)[..., :8]
    distinct = np.mean([np.unique(each).size for each in chosen])
    assert experts_touched(256, 8, tokens) == pytest.approx(distinct, rel=0.01)


def test_a_dense_model_touches_no_experts():
    assert touched_by("llama-3.1-8b", [1, 100]) == pytest.approx([0, 0])


@given(st.floats(0, 1e5), st.floats(0, 1e5), st.sampled_from(ROUTED))
def test_more_tokens_touch_no_fewer_experts(few, more, name):
    low, high = touched_by(name, sorted((few, more)))
    assert 0 <= low <= high <= MODELS[name].n_experts


def test_a_layer_that_chooses_every_expert_touches_all_at_once():
    assert experts_touched(4, 4, [0, 1, 2]) == pytest.approx([0, 4, 4])


def test_each_model_touches_its_own():
    tokens = np.array([1.0, 2, 50, 3])
    together = experts_touched([256, 128, 8, 0], [8, 4, 2, 0], tokens)
    alone = [experts_touched(256, 8, 1), experts_touched(128, 4, 2), experts_touched(8, 2, 50), 0]
    assert together == pytest.approx([float(each) for each in alone], rel=1e-15)
