"""The model entries: complete, cited, and refused in one sentence when they are not."""

import copy
import tomllib

import pytest

from planner.errors import CatalogError
from planner.facts.attention import Compressed, Delta, GroupedQuery, Latent
from planner.facts.catalog import load_catalog
from planner.facts.models import models_from

MEASURED = {
    "deepseek-r1", "deepseek-v3", "deepseek-v3.2", "deepseek-v4-pro", "gemma-3-27b", "glm-5",
    "gpt-oss-120b", "gpt-oss-20b", "kimi-k2", "llama-2-70b", "llama-3.1-405b", "llama-3.1-70b",
    "llama-3.1-8b", "llama-3.3-70b", "llama-4-maverick", "llama-4-scout", "minimax-m2",
    "minimax-m3", "mistral-large-2", "mixtral-8x22b", "mixtral-8x7b", "qwen3-235b-a22b",
    "qwen3-30b-a3b", "qwen3-32b", "qwen3.5-397b-a17b",
}  # fmt: skip

SMALL = tomllib.loads("""
[tiny]
name = "Tiny"
vendor = "Nobody"
released = "2026"
native_precision = "bf16"
published_total_params = { value = 3000, low = 2900, high = 3100, unit = "1", kind = "quote", source = "doc" }
checkpoints = [{ precision = "fp4", attention = "bf16", source = "doc" }]
[tiny.dims]
source = "doc"
n_layers = 2
hidden = 8
vocab = 16
max_context = 64
tied_embeddings = false
gated_mlp = true
n_dense_layers = 1
dense_ffn = 32
n_experts = 4
n_experts_active = 2
expert_ffn = 16
attention = [
    { kind = "grouped-query", n_layers = 1, n_heads = 4, n_kv_heads = 2, head_dim = 2 },
    { kind = "latent", n_layers = 1, n_heads = 4, q_rank = 4, kv_rank = 4, nope_dim = 2, rope_dim = 1, value_dim = 2, indexer = { n_heads = 2, dim = 2, top_entries = 8 } },
]
""")  # noqa: E501


@pytest.fixture(scope="module")
def models():
    return load_catalog().models


def read(change=None):
    table = copy.deepcopy(SMALL)
    if change:
        change(table["tiny"])
    return models_from(table, {"doc"})["tiny"]


def test_every_measured_model_has_an_entry_that_can_be_timed(models):
    assert set(models) >= MEASURED
    assert all(models[name].why_not() == "" for name in MEASURED)


def test_a_model_without_published_dimensions_says_what_is_missing(models):
    unusable = [name for name, model in models.items() if model.why_not()]
    assert unusable == ["mistral-large-4"]
    assert "kv_source_layers" in models["mistral-large-4"].why_not()


def test_every_model_cites_its_dimensions_and_its_published_total(models):
    sources = load_catalog().sources
    for model in models.values():
        assert model.missing or model.source in sources
        assert model.published_total_params is not None
        assert model.missing or model.published_kv_bytes_per_token is not None


def test_layers_group_by_kind_of_attention(models):
    assert models["gpt-oss-120b"].attention == (
        GroupedQuery(n_layers=18, n_heads=64, n_kv_heads=8, head_dim=64),
        GroupedQuery(n_layers=18, n_heads=64, n_kv_heads=8, head_dim=64, window=128),
    )
    kinds = [type(kind) for kind in models["kimi-k3"].attention]
    assert kinds == [Latent, Delta]
    strides = [(kind.n_layers, kind.stride) for kind in models["deepseek-v4-flash"].attention]
    assert strides == [(21, 4), (20, 128), (2, 0)]
    assert {type(kind) for kind in models["deepseek-v4-flash"].attention} == {Compressed}


def test_a_latent_cache_cannot_be_split_by_heads(models):
    assert models["llama-3.1-70b"].n_kv_heads == 8
    assert models["deepseek-v3"].n_kv_heads == 1
    assert models["deepseek-v3"].n_heads == 128


def test_a_checkpoint_keeps_the_parts_it_names_wider(models):
    kimi = models["kimi-k2"].checkpoint("int4")
    assert (kimi.attention, kimi.dense, kimi.experts) == ("bf16", "bf16", "int4")
    llama = models["llama-3.1-70b"].checkpoint("fp4")
    assert (llama.attention, llama.attention_output, llama.dense) == ("fp4", "fp4", "fp4")


def test_an_unknown_weight_precision_is_refused(models):
    with pytest.raises(ValueError, match="weight precision 'fp3' is unknown; choose one of bf16"):
        models["llama-3.1-8b"].checkpoint("fp3")


def test_the_small_example_loads():
    model = read()
    assert (model.n_layers, model.n_moe_layers, model.n_kv_heads) == (2, 1, 1)
    assert model.published_total_params.value == 3000


REFUSED = {
    "a layer without attention": (
        lambda t: t["dims"].update(n_layers=3),
        "models.toml, tiny.dims, attention: covers 2 of 3 layers",
    ),
    "an unknown kind of attention": (
        lambda t: t["dims"]["attention"][0].update(kind="magic"),
        "models.toml, tiny.dims.attention.0, kind: 'magic' is unknown; allowed are grouped-query",
    ),
    "a dimension with a fraction": (
        lambda t: t["dims"].update(hidden=8.5),
        "models.toml, tiny.dims, hidden: 8.5 is not a whole number of at least 1",
    ),
    "a dimension that is true": (
        lambda t: t["dims"].update(vocab=True),
        "models.toml, tiny.dims, vocab: True is not a whole number",
    ),
    "a negative window": (
        lambda t: t["dims"]["attention"][0].update(window=-1),
        "models.toml, tiny.dims.attention.0, window: -1 is not a whole number of at least 0",
    ),
    "a missing dimension": (
        lambda t: t["dims"]["attention"][1].pop("kv_rank"),
        "models.toml, tiny.dims.attention.1, kv_rank: is missing",
    ),
    "a missing part of an indexer": (
        lambda t: t["dims"]["attention"][1]["indexer"].pop("dim"),
        "models.toml, tiny.dims.attention.1.indexer, dim: is missing",
    ),
    "an unknown dimension": (
        lambda t: t["dims"].update(n_wheels=4),
        "models.toml, tiny.dims, n_wheels: unknown key",
    ),
    "an unknown field": (
        lambda t: t.update(colour="red"),
        "models.toml, tiny, colour: unknown key",
    ),
    "uncited dimensions": (
        lambda t: t["dims"].pop("source"),
        "models.toml, tiny.dims, source: is missing",
    ),
    "a source that is not in sources.toml": (
        lambda t: t["dims"].update(source="rumour"),
        "models.toml, tiny.dims, source: 'rumour' is not in sources.toml",
    ),
    "no dimensions and no reason": (lambda t: t.pop("dims"), "models.toml, tiny, dims: is missing"),
    "more experts at work than there are": (
        lambda t: t["dims"].update(n_experts_active=5),
        "models.toml, tiny.dims, n_experts_active: 5 is above n_experts = 4",
    ),
    "experts without a width": (
        lambda t: t["dims"].pop("expert_ffn"),
        "models.toml, tiny.dims, expert_ffn: is needed: some layers use it",
    ),
    "a width that no layer uses": (
        lambda t: t["dims"].update(shared_ffn=16),
        "models.toml, tiny.dims, shared_ffn: is given, but no layer uses it",
    ),
    "more dense layers than layers": (
        lambda t: t["dims"].update(n_dense_layers=3),
        "models.toml, tiny.dims, n_dense_layers: 3 is above n_layers = 2",
    ),
    "a checkpoint of unknown precision": (
        lambda t: t["checkpoints"][0].update(experts="fp3"),
        "models.toml, tiny.checkpoints.0, experts: 'fp3' is unknown; allowed are bf16",
    ),
    "an uncited published total": (
        lambda t: t["published_total_params"].update(source="rumour"),
        "models.toml, tiny, published_total_params: source 'rumour' is not in sources.toml",
    ),
    "a published total in bytes": (
        lambda t: t["published_total_params"].update(unit="bytes"),
        "models.toml, tiny, published_total_params: is in bytes",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_refuses_naming_file_entry_and_field(fault):
    change, sentence = REFUSED[fault]
    with pytest.raises(CatalogError) as refusal:
        read(change)
    assert str(refusal.value).startswith(sentence)


def test_refuses_an_entry_that_is_no_table():
    with pytest.raises(CatalogError, match=r"models.toml, tiny: 7 is not a table"):
        models_from({"tiny": 7}, {"doc"})
