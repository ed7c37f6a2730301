"""Published results come out of our formulas within the tolerance that each states.

What does not come out is listed here by name; its row says why.
"""

from dataclasses import replace

import pytest

from planner.evidence.reproduce import Row, reproduce
from planner.evidence.studies.rows import explained
from planner.physics.silicon import design_power_w, die_usd, dies_per_wafer

OUT_OF_REACH = {
    "SPAD": {
        "prefill chip, prefill speed over H100",
        "prefill chip, decode speed over H100",
        "decode chip, prefill speed over H100",
        "H100 prefill at bandwidth -40 %",
        "H100 prefill at 1.5 TB/s",
        "H100 prefill at 1 TB/s",
        "H100 decode on 66 cores",
        "H100 decode on 44 cores",
    },
    "LLMCompass": {
        "A100 prefill, 800 to 2000 GB/s",
        "A100 decode, 800 to 2000 GB/s",
        "A100 decode, 2000 to 3200 GB/s",
    },
    "SPAD artefact": {
        "bloom-176b h100 decode 1 x 1024",
        "bloom-176b h100 decode 8 x 1024",
        "bloom-176b h100 decode 16 x 1024",
        "bloom-176b h100 decode 32 x 1024",
    },
    "Splitwise": {
        "bloom-176b a100 prefill 1 x 8192",
        "bloom-176b a100 decode 1 x 1024",
        "bloom-176b h100 prefill 1 x 512",
        "bloom-176b h100 prefill 1 x 4096",
        "bloom-176b h100 prefill 1 x 8192",
        "llama-2-70b h100 prefill 1 x 512",
        "llama-2-70b h100 prefill 1 x 1024",
        "llama-2-70b h100 prefill 1 x 2048",
        "llama-2-70b h100 prefill 1 x 4096",
        "llama-2-70b h100 prefill 1 x 8192",
        "bloom-176b h100 decode 1 x 1024",
        "llama-2-70b h100 decode 1 x 1024",
        "bloom-176b h100 decode 64 x 512",
        "llama-2-70b h100 decode 64 x 512",
        "prefill machines, conversation",
    },
    "DeepSeek production day": {
        "prefill of a node",
        "decode of a node",
        "prefill nodes",
        "decode nodes",
    },
    "SGLang on 96 H100": {
        "prefill of a node, prompts of 1024",
        "prefill of a node, prompts of 2048",
        "prefill of a node, prompts of 4096",
        "decode of a node, 256 a chip at 2000",
    },
    "DistServe": {"goodput of a split over chunks, summarisation"},
    "SPAD clusters": {
        "whole machines, coding, loose",
        "whole machines, coding, normal",
        "whole machines, coding, tight",
        "whole machines, conversation, tight",
        "SPAD machines, coding",
        "hardware saving, coding",
        "hardware saving, conversation",
        "software-only saving, coding",
    },
    "SPAD reallocation": {
        "18P+7D to conversation, bloom-176b: tdp saving",
        "8P+17D in conversation, llama-3.1-70b: cost saving",
        "8P+17D in conversation, llama-3.1-70b: tdp saving",
    },
    "FlowKV": {"speed-up between nodes"},
    "InferenceX": {
        f"{chip}, {buyer}"
        for buyer in ("hyperscaler", "neocloud")
        for chip in (
            "h100-sxm",
            "h200-sxm",
            "b200-sxm",
            "gb200-nvl72",
            "mi300x",
            "mi325x",
            "mi355x",
        )
    }
    - {"h200-sxm, neocloud"},
    "fleet-sim": {
        "h100 decode at batch 1",
    },
    "Splitwise power": {
        "h100 token constant",
        "a100 request, llama-2-70b TP8",
    },
}

ROWS = reproduce()


def is_out_of_reach(row):
    return row.quantity in OUT_OF_REACH.get(row.source, ())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.source}: {row.quantity}")
def test_a_published_figure_comes_out_unless_it_is_known_not_to(row):
    assert row.within != is_out_of_reach(row), f"{row.ours} {row.unit} against {row.published}"


@pytest.mark.parametrize("row", [r for r in ROWS if is_out_of_reach(r)], ids=lambda r: r.quantity)
def test_what_does_not_come_out_says_why(row):
    assert any(word in row.note for word in ("ours", "two roofs", "tells neither"))


def test_every_result_out_of_reach_is_still_tried():
    held = {(row.source, row.quantity) for row in ROWS}
    assert {(source, name) for source, names in OUT_OF_REACH.items() for name in names} <= held


def test_every_row_has_a_name_of_its_own():
    assert len({(row.source, row.quantity) for row in ROWS}) == len(ROWS)


def test_a_row_out_of_tolerance_says_so():
    assert not Row("a paper", "speed", 100.0, 102.0, "1", 0.01).within
    assert Row("a paper", "share", 0.96, 0.94, "frac", 0.1, absolute=True).within


def test_a_saving_of_the_other_sign_is_not_within_where_the_sign_counts():
    near = Row("a paper", "saving", -0.07, 0.03, "frac", 0.12, absolute=True)
    assert near.within
    assert not replace(near, signed=True).within
    assert replace(near, ours=-0.01, signed=True).within


def test_a_change_below_zero_has_a_tolerance_too():
    assert Row("a paper", "change", -0.1, -0.105, "frac", 0.1).within


def test_a_reason_stands_only_where_ours_misses():
    good = Row("a paper", "speed", 100.0, 100.5, "1", 0.01, "as printed")
    poor = Row("a paper", "speed", 100.0, 102.0, "1", 0.01, "as printed")
    assert explained(good, "ours is slow").note == "as printed"
    assert explained(poor, "ours is slow").note == "as printed; ours is slow"


def test_json_rows_have_what_the_contract_names():
    names = {"source", "quantity", "published", "ours", "unit", "tolerance", "within", "note"}
    assert all(set(row.as_dict()) == names for row in ROWS)


def test_rows_can_be_asked_for_by_source():
    assert {row.source for row in reproduce("flow")} == {"FlowKV"}


def test_gross_dies_of_an_h100_on_a_300_mm_wafer():
    """By hand: 70,686/814 = 86.84 less 942.5/40.35 = 23.36."""
    assert dies_per_wafer(814, 300) == pytest.approx(63.48, abs=0.01)


def test_a_larger_die_costs_more_than_its_share_of_area():
    assert die_usd(800, 20_000, 300) > 2 * die_usd(400, 20_000, 300)


def test_without_memory_and_losses_power_goes_with_area():
    shared = {"reference_w": 480.0, "reference_mm2": 800.0, "overhead": 0.0}
    assert design_power_w(400, 0.0, **shared) == pytest.approx(240)
