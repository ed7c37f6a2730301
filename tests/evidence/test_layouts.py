"""Chips of a row by hand, from its columns or from the words of those who published it."""

import numpy as np
import pytest

from planner.evidence.layouts import monolithic_cut, pool_cuts
from planner.evidence.points import checked
from tests.evidence.stand_ins import CATALOG, answer, deployed, shipped_rows, typed

BLANK = {"n_accelerators": "", "tp": ""}


def shape(cut, row=0):
    """Replicas, and tp, attention_dp, ep and pp of each."""
    layout = cut.layout
    parts = (cut.workers, layout.tp, layout.attention_dp, layout.ep, layout.pp)
    return tuple(float(np.broadcast_to(part, cut.workers.shape)[row]) for part in parts)


def pools(**cells):
    return tuple(shape(cut) for cut in pool_cuts(typed(cells | {"mode": "disaggregated"})))


REPLICAS = (
    ({"n_accelerators": "8", "tp": "8"}, (1, 8, 1, 1, 1)),
    ({"n_accelerators": "8", "tp": "4"}, (2, 4, 1, 1, 1)),
    ({"n_accelerators": "6", "tp": "4"}, (1, 4, 1, 1, 1)),
    ({"n_accelerators": "8"}, (1, 8, 1, 1, 1)),
    ({"tp": "4"}, (1, 4, 1, 1, 1)),
    ({}, (1, 1, 1, 1, 1)),
    ({"n_accelerators": "8", "tp": "8", "ep": "8"}, (1, 8, 1, 8, 1)),
    ({"n_accelerators": "8", "tp": "1", "attention_dp": "8", "ep": "8"}, (1, 1, 8, 8, 1)),
    ({"n_accelerators": "8", "tp": "8", "attention_dp": "8", "ep": "8"}, (1, 1, 8, 8, 1)),
    ({"n_accelerators": "16", "tp": "4", "attention_dp": "2"}, (2, 4, 2, 1, 1)),
    ({"n_accelerators": "8", "tp": "4", "pp": "2"}, (1, 4, 1, 1, 2)),
    ({"n_accelerators": "8", "pp": "2"}, (1, 4, 1, 1, 2)),
    ({"tp": "4", "pp": "2"}, (1, 4, 1, 1, 2)),
    ({"n_accelerators": "8", "tp": "4", "notes": "throughput; TP4PP2; fixed"}, (1, 4, 1, 1, 2)),
    ({"n_accelerators": "16", "tp": "4", "notes": "TP4PP2"}, (2, 4, 1, 1, 2)),
    ({"n_accelerators": "8", "ep": "8", "notes": "fixed lengths; DEP8; x"}, (1, 1, 8, 8, 1)),
    ({"n_accelerators": "16", "notes": "DEP8PP2"}, (1, 1, 8, 8, 2)),
    ({"n_accelerators": "8", "tp": "1", "notes": "TP4"}, (2, 4, 1, 1, 1)),
    ({"n_accelerators": "8", "tp": "8", "notes": "XTP4PP2Y"}, (1, 8, 1, 1, 1)),
)


def test_chips_of_a_replica_by_hand():
    cut = monolithic_cut(typed(*(BLANK | cells for cells, _ in REPLICAS)))
    for n, (cells, by_hand) in enumerate(REPLICAS):
        assert shape(cut, n) == by_hand, cells


def test_chips_that_nobody_counts_are_those_of_the_layout():
    held = deployed(BLANK | {"tp": "4", "pp": "2"}, BLANK)
    assert list(held.n_accelerators) == [8, 1]


def test_chips_of_pools_that_nobody_counts_are_added_up():
    row = {"mode": "disaggregated", "notes": "1P3D workers TP2", "tp": ""}
    assert list(deployed(row | {"n_accelerators": ""}).n_accelerators) == [8]


POOLS = (
    (
        "prefill TP8 x1 workers EP1 dpattn=False; decode TP8 x2 workers EP1 dpattn=False",
        (1, 8, 1, 1, 1),
        (2, 8, 1, 1, 1),
    ),
    (
        "prefill TP4 x1 workers EP4 dpattn=True; decode TP8 x5 workers EP8 dpattn=False",
        (1, 1, 4, 4, 1),
        (5, 8, 1, 8, 1),
    ),
    (
        "prefill TP4 x4 workers EP4 dpattn=True; decode TP8 x1 workers EP8 dpattn=True",
        (4, 1, 4, 4, 1),
        (1, 1, 8, 8, 1),
    ),
    ("implied; prefill tp2 ep2 x1, decode tp4 ep1 x3", (1, 2, 1, 2, 1), (3, 4, 1, 1, 1)),
    ("1P3D workers TP2; nominal ISL/OSL 2048/128", (1, 2, 1, 1, 1), (3, 2, 1, 1, 1)),
    ("disagg-1p1d-tp4-mxfp4; sa-bench", (1, 4, 1, 1, 1), (1, 4, 1, 1, 1)),
    ("disagg-1p1d-dep4-mega-moe", (1, 1, 4, 4, 1), (1, 1, 4, 4, 1)),
    ("disagg-1p1d-dep4-to-tp8", (1, 1, 4, 4, 1), (1, 8, 1, 1, 1)),
    ("nothing of the kind", (1, 8, 1, 1, 1), (1, 8, 1, 1, 1)),
)


def test_pools_in_published_words():
    for notes, *by_hand in POOLS:
        prefill, decode = (workers * tp * own for workers, tp, own, *_ in by_hand)
        found = pools(
            notes=notes, prefill_accelerators=f"{prefill}", decode_accelerators=f"{decode}"
        )
        assert list(found) == by_hand, notes


def test_the_chips_of_named_pools_count_before_their_name():
    found = pools(notes="disagg-2p1d-tp4", prefill_accelerators="4", decode_accelerators="8")
    assert found == ((1, 4, 1, 1, 1), (2, 4, 1, 1, 1))


def test_workers_that_nobody_counts_fill_their_pool():
    notes = "prefill TP4 x workers EP dpattn=None; decode TP8 x workers EP dpattn=None; nominal"
    found = pools(notes=notes, prefill_accelerators="8", decode_accelerators="24")
    assert found == ((2, 4, 1, 1, 1), (3, 8, 1, 1, 1))


def test_columns_of_pools_come_before_words():
    columns = {
        "prefill_workers": "3", "prefill_tp": "2", "decode_workers": "1", "decode_tp": "1",
        "decode_attention_dp": "8", "decode_ep": "8",
    }  # fmt: skip
    assert pools(notes="1P3D workers TP2", **columns) == ((3, 2, 1, 1, 1), (1, 1, 8, 8, 1))


SHIPPED = checked(shipped_rows("serving.csv"), CATALOG).table
PUBLISHED_POOLS = SHIPPED[SHIPPED["mode"] == "disaggregated"].reset_index(drop=True)
BY_NODES = PUBLISHED_POOLS["notes"].str.contains("disagg-2p2d|disagg-1p2d").to_numpy()


def with_chips(rows):
    """Pools of published rows beside the chips that their columns state."""
    for role, cut in zip(("prefill", "decode"), pool_cuts(PUBLISHED_POOLS[rows]), strict=True):
        stated = PUBLISHED_POOLS.loc[rows, f"{role}_accelerators"].to_numpy()
        known = ~np.isnan(stated)
        yield cut.n_chips[known], stated[known]


def test_published_pools_have_the_chips_that_they_state():
    for ours, stated in with_chips(~BY_NODES):
        assert len(stated) > 200
        np.testing.assert_array_equal(ours, stated)


def test_pools_named_by_nodes_have_the_chips_that_they_state():
    for ours, stated in with_chips(BY_NODES):
        assert len(stated) == 3
        np.testing.assert_array_equal(ours, stated)


def test_every_chip_of_a_published_row_is_in_its_pools():
    prefill, decode = pool_cuts(PUBLISHED_POOLS[~BY_NODES])
    counted = PUBLISHED_POOLS.loc[~BY_NODES, "n_accelerators"].to_numpy()
    np.testing.assert_array_equal(prefill.n_chips + decode.n_chips, counted)


def test_every_chip_of_a_published_replica_is_in_a_cut():
    rows = SHIPPED[SHIPPED["mode"] == "monolithic"]
    cut = monolithic_cut(rows)
    np.testing.assert_array_equal(cut.n_chips, rows["n_accelerators"].to_numpy())


HELD = (
    # 141 GB of 16-bit weights do not fit 80 GB; 8 GB of FP8 do; 112 GB in INT4 fit two chips.
    ({"weight_precision": "bf16", "tp": "1"}, (1, 8, 1, 8, 1)),
    ({"model": "llama-3.1-8b", "tp": "1"}, (8, 1, 1, 1, 1)),
    ({"weight_precision": "bf16", "tp": "2"}, (4, 2, 1, 1, 1)),
    # Experts, one chip a replica, nothing said of expert parallel: spread. Said: as said.
    ({"model": "qwen3-30b-a3b", "tp": "1"}, (1, 8, 1, 8, 1)),
    ({"model": "qwen3-30b-a3b", "tp": "1", "ep": "1"}, (8, 1, 1, 1, 1)),
    ({"model": "qwen3-30b-a3b", "tp": "1", "notes": "TP1"}, (8, 1, 1, 1, 1)),
    ({"model": "qwen3-30b-a3b", "tp": "2"}, (4, 2, 1, 1, 1)),
    # 671 GB of FP8 weights do not fit four chips of 141 GB: two stages of a pipeline.
    (
        {"model": "deepseek-r1", "accelerator": "h200-sxm", "tp": "4", "ep": "1"},
        (1, 4, 1, 1, 2),
    ),
)


def test_a_replica_that_cannot_hold_its_weights_is_spread():
    cut = deployed(*(cells for cells, _ in HELD)).decode
    for n, (cells, by_hand) in enumerate(HELD):
        assert shape(cut, n) == by_hand, cells


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"prefill_workers": "2", "decode_workers": "1", "prefill_accelerators": "8"},
        {"prefill_workers": "2", "prefill_tp": "4"},
    ],
)
def test_pools_that_nobody_describes_are_refused_or_answered(columns):
    found = answer(mode="disaggregated", n_accelerators="16", tp="", **columns)
    assert found["refused"] or np.isfinite(found["predicted_tpot_s"])


def test_the_parallelism_of_a_pool_counts_without_its_workers():
    columns = {
        "prefill_accelerators": "8", "prefill_tp": "4",
        "decode_accelerators": "8", "decode_tp": "8",
    }  # fmt: skip
    assert pools(**columns) == ((2, 4, 1, 1, 1), (1, 8, 1, 1, 1))
