"""What benchmark files leave unsaid is read by the rules of engines.toml, each case by hand."""

import numpy as np
import pandas as pd
import pytest

from planner.evidence import conventions
from tests.evidence.stand_ins import CATALOG, deployed, typed

NAMES = {
    "vllm": "vllm",
    "vllm (Splitwise fork)": "vllm",
    "dynamo-vllm": "vllm",
    "sglang": "sglang",
    "dynamo-sglang": "sglang",
    "mori-sglang": "sglang",
    "sglang+dynamo (NIXL)": "sglang",
    "trt": "trtllm",
    "trt-llm": "trtllm",
    "dynamo-trt": "trtllm",
    "TensorRT-LLM (pytorch backend)": "trtllm",
    "NIM (TensorRT-LLM)": "trtllm",
    "VLLM": "vllm",
    "llama.cpp": "",
    "": "",
}


def engine_of(*names):
    return list(conventions.engines(pd.Series(names), CATALOG))


def caches(*rows):
    table = typed(*rows)
    engine = conventions.engines(table["engine"], CATALOG)
    weights = conventions.weight_precisions(table, CATALOG)
    return list(conventions.cache_precisions(table, engine, weights, CATALOG))


def drafts(*rows):
    table = typed(*rows)
    return list(conventions.drafts(table, conventions.engines(table["engine"], CATALOG), CATALOG))


def test_engines_by_the_names_of_benchmark_files():
    assert engine_of(*NAMES) == list(NAMES.values())


def test_an_unknown_engine_belongs_to_no_group_and_is_still_answered():
    held = deployed({"engine": "llama.cpp"})
    assert held.rules.step_tokens[0] > 0


def test_weights_are_as_published_where_nobody_says():
    table = typed(
        {"model": "deepseek-r1", "weight_precision": ""},
        {"model": "gpt-oss-120b", "weight_precision": ""},
        {"model": "llama-3.1-70b", "weight_precision": ""},
        {"model": "deepseek-r1", "weight_precision": "fp4"},
    )
    found = conventions.weight_precisions(table, CATALOG)
    assert list(found) == ["fp8", "mxfp4", "bf16", "fp4"]


CACHES = (
    ("vllm", "b200-sxm", "fp8", "fp8"),
    ("vllm", "h100-sxm", "fp8", "bf16"),
    ("sglang", "gb300-nvl72", "fp4", "fp8"),
    ("sglang", "mi355x", "fp4", "bf16"),
    ("sglang", "h200-sxm", "fp8", "bf16"),
    ("trtllm", "h100-sxm", "fp8", "fp8"),
    ("trtllm", "b200-sxm", "fp4", "fp8"),
    ("trtllm", "rtx-pro-6000-se", "fp4", "fp8"),
    ("trtllm", "h100-sxm", "bf16", "bf16"),
    ("llama.cpp", "b200-sxm", "fp8", "bf16"),
)


def test_the_cache_is_as_narrow_as_the_engine_makes_it():
    rows = [
        {"engine": engine, "accelerator": chip, "weight_precision": weights}
        for engine, chip, weights, _ in CACHES
    ]
    assert caches(*rows) == [cache for *_, cache in CACHES]
    assert set(caches(*(row | {"kv_precision": "int8"} for row in rows))) == {"int8"}


STATED = {
    "none": 0,
    "": 0,
    "unknown": 0,
    "mtp1 (accept 1.92)": 1,
    "mtp2 (accept 2.58)": 2,
    "mtp3 (accept 2.82)": 3,
    "mtp3 + relaxed acceptance": 3,
    "mtp": 3,
    "eagle3": 3,
    "draft model": 3,
}


def test_drafts_as_a_row_states_them():
    assert drafts(*({"spec_decode": said} for said in STATED)) == list(STATED.values())


def test_drafts_in_capitals():
    assert drafts({"spec_decode": "MTP3"}, {"spec_decode": "EAGLE"}) == [3, 3]


@pytest.mark.parametrize("version", ["1.2.0rc6.post3", "1.1.0rc2.post2"])
def test_two_releases_draft_although_their_rows_do_not_know(version):
    row = {
        "model": "deepseek-r1", "accelerator": "b200-sxm", "engine": "trt",
        "engine_version": version, "date": "2026-02-01", "spec_decode": "unknown",
    }  # fmt: skip
    others = (
        {"date": "2025-11-30"}, {"model": "llama-3.1-70b"}, {"engine": "sglang"},
        {"engine_version": "1.2.0rc6.post2"}, {"spec_decode": "none"},
    )  # fmt: skip
    assert drafts(row, row | {"spec_decode": ""}) == [3, 3]
    assert drafts(*(row | other for other in others)) == [0] * len(others)


def test_a_step_with_drafts_yields_what_was_measured():
    """TensorRT-LLM tech blog 1: 1.92, 2.58 and 2.82 tokens; more drafts yield no more."""
    found = conventions.gained(np.array([0.0, 1, 2, 3, 7]), CATALOG)
    assert list(found) == [1, 1.92, 2.58, 2.82, 2.82]


LENGTHS = (
    ({"input_tokens": "1024", "output_tokens": "1024"}, True),
    ({"input_tokens": "8192", "output_tokens": "1024"}, True),
    ({"input_tokens": "1024", "output_tokens": "8192.0"}, True),
    ({"input_tokens": "1000", "output_tokens": "1000"}, False),
    ({"input_tokens": "1024", "output_tokens": "1025"}, False),
    ({"source": "InferenceX (SemiAnalysis) db-dump"}, True),
    ({"source": "AMD ATOM nightly PD runs (atom-mesh-dashboard)"}, True),
    ({"source": "NVIDIA srt-slurm DeepSeek-V4-Pro GB300"}, True),
    ({"source": "NVIDIA NIM LLM benchmarking guide"}, False),
)


def test_lengths_are_drawn_from_four_fifths_or_are_nominal():
    """0.8 to 1 of nominal: 0.9 in the mean, and a range of 0.2/0.9 of it."""
    rows = [cells for cells, _ in LENGTHS]
    held, table = deployed(*rows), typed(*rows)
    mean = np.array([0.9 if is_drawn else 1 for _, is_drawn in LENGTHS])
    spread = [0.2222 if is_drawn else 0 for _, is_drawn in LENGTHS]
    assert held.input_tokens == pytest.approx(mean * table["input_tokens"])
    assert held.output_tokens == pytest.approx(mean * table["output_tokens"])
    assert held.drawn_frac == pytest.approx(spread, abs=1e-4)


def test_cached_prefixes_are_drawn_with_their_prompts():
    row = {"input_tokens": "1024", "output_tokens": "1024", "cached_input_tokens": "512"}
    assert deployed(row).cached_tokens[0] == pytest.approx(460.8)


LOADS = (
    ("closed loop at fixed concurrency", "closed"),
    ("closed-loop max concurrency (genai-perf)", "closed"),
    ("closed-loop agentic multi-turn trace replay", "closed"),
    ("closed-loop saturation", "closed"),
    ("single stream", "closed"),
    ("", "closed"),
    ("offline max throughput (all requests queued)", "offline"),
    ("Offline fixed batch", "batch"),
    ("static batch, phase-isolated timings", "static"),
    ("open-loop offered 32 qps, 1000 ShareGPT prompts (overloaded)", "open"),
    ("Open loop", "open"),
)


def test_loads_by_their_words():
    found = conventions.loads(typed(*({"load": said} for said, _ in LOADS)))
    assert list(found) == [kind for _, kind in LOADS]


def test_a_mode_of_its_own_comes_before_words():
    modes = ("disaggregated", "prefill_only", "decode_only")
    found = conventions.loads(typed(*({"mode": m, "load": "static batch"} for m in modes)))
    assert list(found) == ["split", "prefill", "decode"]


def test_a_rate_without_a_number_in_flight_is_an_open_loop():
    rated = {"request_rate_per_s": "2"}
    table = typed(rated | {"concurrency": ""}, rated, {"concurrency": ""})
    assert list(conventions.loads(table)) == ["open", "closed", "closed"]


def test_a_single_stream_is_one_request():
    stream = {"load": "Single stream", "concurrency": ""}
    found = conventions.requests(typed(stream, stream | {"concurrency": "4"}, {"concurrency": ""}))
    np.testing.assert_array_equal(found, [1, 4, np.nan])


SENT = (
    ("open-loop offered 32 qps, 1000 ShareGPT prompts (overloaded)", 1000),
    ("open-loop, 500 prompts", 500),
    ("open-loop offered 32 qps", np.nan),
)


def test_prompts_of_a_run_that_ends():
    found = conventions.requests_sent(typed(*({"load": said} for said, _ in SENT)))
    np.testing.assert_array_equal(found, [n for _, n in SENT])


RELEASES = (
    ("2026-01-15", "0.5.9", "2026H1"),
    ("2025-06-30", "", "2025H1"),
    ("2025-07-01", "", "2025H2"),
    ("2025-12-31", "", "2025H2"),
    ("2025", "", "2025"),
    ("", "lmsysorg/sglang:latest (Sep 2025), nixl", "2025"),
    ("", "0.5.9", ""),
    ("", "", ""),
)


def test_releases_by_half_years():
    table = typed(*({"date": date, "engine_version": said} for date, said, _ in RELEASES))
    assert list(conventions.releases(table)) == [release for *_, release in RELEASES]
