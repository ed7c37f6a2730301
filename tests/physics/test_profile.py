"""What a model keeps: caches against published figures, weights, and many models as one."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import CatalogError
from planner.physics.profile import Profile, Stream, kv_bytes, kv_bytes_per_token, profile, stacked
from planner.physics.transformer import mixed_work
from planner.physics.weights import weight_bytes
from tests.oracle import transformer_twin as twin
from tests.physics.stand_ins import MODELS, of

TIMED = sorted(name for name, model in MODELS.items() if not model.missing)
FORMATS = st.sampled_from(["bf16", "fp8", "int8", "fp4", "mxfp4", "int4"])
names = st.sampled_from(TIMED)


class TestCache:
    @pytest.mark.parametrize("name", TIMED)
    def test_bytes_per_token_reproduce_the_published_figure(self, name):
        published = MODELS[name].published_kv_bytes_per_token.value
        assert kv_bytes_per_token(of(name)) == pytest.approx(published, rel=0.012)

    @pytest.mark.parametrize(
        ("name", "published"),
        [
            ("llama-3.1-70b", 327_680),
            ("llama-3.1-405b", 516_096),  # DeepSeek-V3 hardware paper, table 1
            ("qwen2.5-72b", 327_680),
            ("deepseek-v3", 70_272),
        ],
    )
    def test_anchors_exactly(self, name, published):
        assert kv_bytes_per_token(of(name)) == published
        assert kv_bytes_per_token(of(name, kv="fp8")) == published / 2

    def test_deepseek_v4_pro_holds_a_million_tokens_in_9_62_gib(self):
        assert kv_bytes(of("deepseek-v4-pro"), 2**20) / 2**30 == pytest.approx(9.62, rel=0.002)

    def test_opt_66b_holds_512_tokens_in_1_13_gib(self):
        # DistServe, section 3.3: "1.13 GB" counts GiB.
        assert kv_bytes(of("opt-66b"), 512) / 2**30 == pytest.approx(1.13, abs=0.005)

    def test_index_keys_keep_their_own_precision(self):
        # DeepSeek V3.2: 61 layers, each an FP8 key of 128 and a scale of 4 bytes per token.
        assert kv_bytes_per_token(of("deepseek-v3.2")) == 70_272 + 61 * 132
        assert kv_bytes_per_token(of("deepseek-v3.2", kv="fp8")) == 70_272 / 2 + 61 * 132

    def test_a_window_is_capped(self):
        # gpt-oss-120b: 18 layers keep 128 tokens, 18 all; 2·8·64 numbers a token in each.
        per_token = 18 * 2 * 8 * 64 * 2
        held = kv_bytes(of("gpt-oss-120b"), [64, 128, 1000])
        assert held == pytest.approx([2 * 64 * per_token, 256 * per_token, 1128 * per_token])
        assert kv_bytes_per_token(of("gpt-oss-120b")) == per_token

    def test_a_recurrent_state_is_constant(self):
        # Qwen3-Next: 39,518,208 bytes of state, then 24,576 per token.
        held = kv_bytes(of("qwen3-next-80b-a3b"), [0, 1, 1000])
        assert held == pytest.approx([0, 39_518_208 + 24_576, 39_518_208 + 24_576_000])

    @given(names, st.integers(0, 10**6))
    def test_equals_the_twin(self, name, context):
        expected = twin.cache_bytes(MODELS[name], context, "fp8") if context else 0
        assert kv_bytes(of(name, kv="fp8"), context) == pytest.approx(expected, rel=1e-9)

    @given(names, st.floats(0, 1e6), st.floats(0, 1e5))
    def test_a_longer_context_never_takes_less(self, name, context, more):
        assert kv_bytes(of(name), context + more) >= kv_bytes(of(name), context)


class TestWeights:
    @given(names, FORMATS)
    def test_parts_add_up_to_the_checkpoint(self, name, precision):
        whole = weight_bytes(MODELS[name], precision)
        assert of(name, precision).weight_bytes == pytest.approx(whole, rel=1e-15)

    def test_deepseek_v3_in_eight_bits_by_hand(self):
        # 58 layers of 256 experts, each 3 matrices of 7168 × 2048; the head at 16 bits.
        held = of("deepseek-v3", "fp8")
        assert held.expert_bytes == 58 * 256 * 3 * 7168 * 2048
        assert held.expert_params_at == {"fp8": 58 * 8 * 3 * 7168 * 2048}
        assert held.head_bytes == held.table_bytes == 2 * 129280 * 7168


class TestRefusals:
    def test_an_unknown_cache_precision(self):
        with pytest.raises(ValueError, match="cache precision 'fp3' is unknown; choose one of"):
            of("llama-3.1-8b", kv="fp3")

    def test_an_unknown_weight_precision(self):
        with pytest.raises(ValueError, match="weight precision 'fp3' is unknown"):
            of("llama-3.1-8b", "fp3")

    def test_a_model_of_unknown_dimensions(self):
        with pytest.raises(CatalogError, match="cannot be timed"):
            profile(MODELS["mistral-large-4"], "bf16", "bf16")


HELD = [of(name, precision) for name in TIMED for precision in ("bf16", "fp4")]
WHICH = np.random.default_rng(4).integers(0, len(HELD), 200)


def plain(held):
    """All scalar fields of a profile, and of its streams."""
    return {f.name: getattr(held, f.name) for f in fields(Profile)[:15] if "_at" not in f.name}


class TestStacked:
    MANY = stacked(HELD, WHICH)

    def test_each_place_holds_the_numbers_of_its_model(self):
        for place, model in enumerate(WHICH):
            for name, value in plain(HELD[model]).items():
                assert getattr(self.MANY, name)[place] == value, name

    def test_arithmetic_that_a_model_does_not_use_is_nothing(self):
        for place, model in enumerate(WHICH):
            for held in ("fixed_params_at", "expert_params_at"):
                own, many = getattr(HELD[model], held), getattr(self.MANY, held)
                assert own.items() <= {key: many[key][place] for key in many}.items()
                assert sum(many[key][place] for key in many) == pytest.approx(sum(own.values()))

    def test_streams_that_a_model_lacks_are_empty(self):
        assert len(self.MANY.streams) == max(len(each.streams) for each in HELD)
        for place, model in enumerate(WHICH):
            own = HELD[model].streams
            for number, stream in enumerate(self.MANY.streams):
                if number < len(own):
                    for field in fields(Stream):
                        wanted = getattr(own[number], field.name)
                        assert getattr(stream, field.name)[place] == wanted
                else:
                    assert stream.n_layers[place] == 0

    def test_caches_and_weights_are_those_of_the_models_one_by_one(self):
        contexts = 37.0 * np.arange(len(WHICH))
        for quantity in (
            kv_bytes,
            lambda held, _: kv_bytes_per_token(held),
            lambda held, _: held.weight_bytes,
        ):
            alone = [float(quantity(HELD[m], c)) for m, c in zip(WHICH, contexts, strict=True)]
            assert quantity(self.MANY, contexts).tolist() == alone

    def test_work_is_that_of_the_models_one_by_one(self):
        batch, chunk = 1.0 + np.arange(len(WHICH)) % 70, 5.0 * np.arange(len(WHICH))
        many = mixed_work(self.MANY, batch, 777, chunk, 55)
        for place, model in enumerate(WHICH):
            alone = mixed_work(HELD[model], batch[place], 777, chunk[place], 55)
            for part in ("flop", "weight_bytes", "kv_read_bytes", "moved_bytes", "sequences"):
                found = getattr(many, part)[place]
                assert found == pytest.approx(float(getattr(alone, part)), rel=1e-14), part

    def test_one_model_is_itself(self):
        alone = stacked([HELD[0]], np.array([0]))
        assert {k: v.tolist() for k, v in plain(alone).items()} == {
            key: [value] for key, value in plain(HELD[0]).items()
        }
