"""Groups that a point of the calibration belongs to, fallbacks of arithmetic, numbers by name."""

from dataclasses import replace

import numpy as np
import pytest

from planner.errors import CatalogError
from planner.facts.catalog import load_catalog
from planner.physics.efficiency import (
    NAMES,
    calibrated,
    compute_precision,
    efficiency,
    groups,
    model_kind,
)

CATALOG = load_catalog()
CHIPS, MODELS, CALIBRATION = CATALOG.accelerators, CATALOG.models, CATALOG.calibration
SHARES = [name for name in NAMES if CALIBRATION.numbers[name].law == "share"]


class TestPrecision:
    @pytest.mark.parametrize(
        ("chip", "asked", "used"),
        [
            ("h100-sxm", "bf16", "bf16"),
            ("h100-sxm", "fp8", "fp8"),
            ("h100-sxm", "fp4", "bf16"),  # kernels for 4-bit weights widen them to 16 bits
            ("h100-sxm", "mxfp4", "bf16"),
            ("h100-sxm", "int4", "bf16"),
            ("a100-80-sxm", "fp8", "int8"),
            ("b200-sxm", "fp4", "fp4"),
            ("b200-sxm", "mxfp4", "fp4"),
            ("b200-sxm", "int4", "bf16"),
            ("sn40l", "fp4", "bf16"),
            ("groq3-lpu", "bf16", "fp8"),
            ("crescent-island", "fp8", ""),
        ],
    )
    def test_a_chip_computes_in_the_next_precision_it_has(self, chip, asked, used):
        assert compute_precision(CHIPS[chip], asked) == used

    @pytest.mark.parametrize("asked", ["bf16", "fp8", "int8", "fp4", "mxfp4", "int4"])
    def test_a_chip_that_multiplies_at_all_multiplies_any_weights(self, asked):
        able = [c for c in CHIPS.values() if {"bf16", "fp8", "int8"} & c.flop_per_s.keys()]
        assert all(compute_precision(chip, asked) in chip.flop_per_s for chip in able)


class TestKinds:
    @pytest.mark.parametrize(
        ("model", "kind"),
        [
            ("llama-3.3-70b", "dense"),
            ("gemma-3-27b", "dense"),  # windows do not set kernels apart
            ("mixtral-8x7b", "experts"),
            ("gpt-oss-120b", "experts"),
            ("deepseek-v3", "latent"),
            ("kimi-k2", "latent"),
            ("deepseek-v3.2", "sparse"),  # latent, but an indexer picks
            ("deepseek-v4-pro", "sparse"),
            ("qwen3-next-80b-a3b", "hybrid"),
        ],
    )
    def test_of_models(self, model, kind):
        assert model_kind(MODELS[model]) == kind


class TestGroups:
    def test_of_a_point_on_every_level(self):
        found = groups("latent", CHIPS["h100-sxm"], "fp4", "vllm", "2026H1")
        assert found == {
            "family": "hopper",
            "chip": "h100-sxm",
            "engine": "vllm",
            "kind": "latent",
            "release": "2026H1",
            "precision": "hopper fp4>bf16",
            "family+engine": "hopper vllm",
            "engine+kind": "vllm latent",
            "chip+engine+kind": "h100-sxm vllm latent",
            "release+engine+kind": "2026H1 vllm latent",
        }

    def test_what_nobody_says_is_no_group(self):
        found = groups("dense", CHIPS["h100-sxm"], "bf16")
        assert {level for level, group in found.items() if not group} == {
            "engine", "release", "family+engine", "engine+kind", "chip+engine+kind",
            "release+engine+kind",
        }  # fmt: skip

    def test_a_chip_that_stands_alone_has_no_family(self):
        alone = replace(CHIPS["h100-sxm"], family="")
        found = groups("dense", alone, "bf16", "vllm")
        assert found["family"] == found["precision"] == found["family+engine"] == ""
        assert found["chip"] == "h100-sxm"

    def test_every_level_of_the_calibration_is_one_of_them(self):
        levels = set(groups("dense", CHIPS["h100-sxm"], "bf16"))
        for number in CALIBRATION.numbers.values():
            assert number.effects.keys() <= levels


class TestNumbers:
    def test_each_is_found_by_its_own_name(self):
        found = efficiency(lambda name: f"the {name}")
        assert all(getattr(found, name) == f"the {name}" for name in NAMES)

    def test_arrays_pass_through(self):
        found = efficiency(lambda name: np.full(3, len(name)))
        assert found.slowdown.tolist() == [8, 8, 8]

    def test_all_are_calibrated(self):
        assert set(NAMES) <= CALIBRATION.numbers.keys()


class TestRegister:
    """Names under which a plan finds what was fitted."""

    def test_what_holds_for_everybody(self):
        whole = CALIBRATION.numbers["memory_j_per_byte"].whole
        assert calibrated(CATALOG, "calibration.memory_j_per_byte") == whole

    @pytest.mark.parametrize("chip", ["h100-sxm", "a100-80-sxm", "mi300x", "tpu-v6e", "gaudi3"])
    @pytest.mark.parametrize("kind", ["dense", "experts", "latent", "sparse", "hybrid"])
    def test_shares_of_any_chip_and_kind_are_shares(self, chip, kind):
        for name in SHARES:
            found = calibrated(CATALOG, f"calibration.{name}.{chip}.{kind}.fp8")
            assert 0 < found.value < 1, name
            assert found.low <= found.value <= found.high, name

    def test_chips_of_a_family_that_nobody_measured_are_alike(self):
        def hopper(chip):
            return [
                calibrated(CATALOG, f"calibration.{name}.{chip}.dense.bf16").value for name in NAMES
            ]

        assert not {"gh200-96", "h20-96"} & CALIBRATION.measured_chips
        assert hopper("gh200-96") == hopper("h20-96") != hopper("h100-sxm")

    def test_speed_is_as_predicted_with_a_wider_range_where_never_measured(self):
        measured, never = (
            calibrated(CATALOG, f"calibration.speed.{chip}_frac") for chip in ("h100-sxm", "gaudi3")
        )
        for found in (measured, never):
            assert found.value == 1
            assert found.low < 1 < found.high
        assert measured.high / measured.low < never.high / never.low

    def test_a_number_that_was_not_fitted_is_refused(self):
        with pytest.raises(CatalogError, match="holds no number luck"):
            calibrated(CATALOG, "calibration.luck")

    def test_without_a_calibration_it_says_what_to_do(self):
        bare = replace(CATALOG, calibration=None)
        with pytest.raises(CatalogError, match="`calibrate` makes one"):
            calibrated(bare, "calibration.compute_frac")
