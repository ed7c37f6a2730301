"""Published figures by hand, and what the studies put beside them in their limits."""

import json
from dataclasses import replace

import numpy as np
import pytest

from planner.errors import CatalogError
from planner.evidence.reproduce import reproduce
from planner.evidence.studies import phases, power, reallocation
from planner.evidence.studies.knees import knee
from planner.evidence.studies.rigs import shipped_rig, two_roof_rig
from planner.evidence.studies.rows import published
from planner.facts.catalog import catalog_folder, load_catalog
from planner.physics.layout import Layout

CATALOG = load_catalog()
EIGHT = Layout(tp=8.0)
ROWS = {(row.source, row.quantity): row for row in reproduce()}


def told(source, quantity):
    return ROWS[source, quantity].published


def ours(source, quantity):
    return ROWS[source, quantity].ours


def test_nodes_of_deepseeks_day_follow_from_its_tokens():
    """608e9 tokens over 86,400 s at 73.7k a node, 168e9 at 14.8k: together 226.75 in the report."""
    prefill, decode = 608e9 / 86_400 / 73_700, 168e9 / 86_400 / 14_800
    assert told("DeepSeek production day", "prefill nodes") == pytest.approx(prefill, rel=1e-3)
    assert told("DeepSeek production day", "decode nodes") == pytest.approx(decode, rel=1e-3)
    assert prefill + decode == pytest.approx(226.75, rel=1e-3)


def test_ours_needs_the_nodes_that_its_own_rate_gives():
    source = "DeepSeek production day"
    tokens = ours(source, "prefill nodes") * ours(source, "prefill of a node") * 86_400
    assert tokens == pytest.approx(608e9)


def test_a_user_of_deepseek_reads_twenty_one_tokens_a_second():
    held = published(CATALOG, "deepseek_phases")["decode"]
    rate = 14_800 / 8 / held["chip_batch"].value
    assert rate == pytest.approx(21, abs=0.01)


def test_llmcompass_speedups_are_told_as_shorter_times():
    """1.88 times faster is 46.8 % shorter, 1.26 times 20.6 %."""
    assert told("LLMCompass", "A100 decode, 800 to 2000 GB/s") == pytest.approx(-0.468)
    assert told("LLMCompass", "A100 decode, 2000 to 3200 GB/s") == pytest.approx(-0.206)


def test_spads_sensitivities_are_those_of_its_tables():
    tables = json.loads((catalog_folder() / "spad_tables.json").read_text(encoding="utf-8"))
    wide, many = tables["fig2_prefill_latency_vs_bw"], tables["fig3_decode_latency_vs_cores"]
    by_width = dict(zip(wide["gbps"], wide["x"], strict=True))
    by_cores = dict(zip(many["cores"], many["x"], strict=True))
    for name, gbps in (("1.5 TB/s", 1500), ("1 TB/s", 1000), ("4 TB/s", 4000)):
        assert told("SPAD", f"H100 prefill at {name}") == pytest.approx(by_width[gbps] - 1)
    for cores in (44, 66, 108, 160):
        assert told("SPAD", f"H100 decode on {cores} cores") == pytest.approx(by_cores[cores] - 1)


def test_measured_shares_of_an_a100_are_told_in_watts():
    """0.64 of 400 W."""
    assert told("Splitwise power", "a100 request, bloom-176b TP8") == pytest.approx(256)


def test_by_two_roofs_a_long_prefill_goes_with_the_tensor_peak():
    """1920 over 990 TFLOP/s; only the output head, for one token, waits for memory."""
    slow, fast = (
        two_roof_rig(CATALOG, "bloom-176b", f"spad-{chip}", EIGHT).prefill(65_536).total_s
        for chip in ("h100", "prefill")
    )
    assert slow / fast == pytest.approx(1920 / 990, rel=1e-3)


def test_by_two_roofs_decode_goes_with_bandwidth():
    """2048 over 3352 GB/s: 0.61, where the paper says 0.80."""
    assert ours("SPAD", "prefill chip, decode speed over H100") == pytest.approx(2048 / 3352)


def test_two_roofs_of_one_token_are_the_weights_over_the_bandwidth():
    """BLOOM's 176.2e9 weights at 2 bytes on 8 chips: 13.1 ms, position tables apart."""
    rig = two_roof_rig(CATALOG, "bloom-176b", "spad-h100", EIGHT)
    assert float(rig.decode(1, 0).total_s) == pytest.approx(0.0131, rel=0.02)


def test_no_step_is_faster_than_the_peaks_of_its_chip():
    rig = shipped_rig(CATALOG, "llama-2-70b", "h100-sxm", EIGHT)
    roofs = two_roof_rig(CATALOG, "llama-2-70b", "h100-sxm", EIGHT)
    for batch in (1, 16, 64):
        assert rig.decode(batch, 1024).total_s > roofs.decode(batch, 1024).total_s
    for prompt in (128, 2048, 8192):
        assert rig.prefill(prompt).total_s > roofs.prefill(prompt).total_s


def test_a_rig_with_its_own_peaks_is_itself():
    rig = shipped_rig(CATALOG, "llama-2-70b", "h100-sxm", EIGHT)
    assert rig.with_peaks().decode(8, 1024).total_s == rig.decode(8, 1024).total_s
    assert rig.with_peaks(bandwidth=2).decode(8, 1024).total_s < rig.decode(8, 1024).total_s
    assert rig.with_peaks(compute=0.5).prefill(2048).total_s > rig.prefill(2048).total_s


def test_a_request_draws_between_its_prefill_and_its_decode():
    draws = {
        phase: power.PHASES[phase](CATALOG, METER, CASE)
        for phase in ("prefill", "decode", "request")
    }
    low, high = sorted((draws["prefill"], draws["decode"]))
    assert METER.idle_w < low < draws["request"] < high < METER.tdp_w


METER = power._meter(CATALOG, "a100-80-sxm")
CASE = next(case for case in published(CATALOG, "power")["cases"] if case["phase"] == "request")
CASE = CASE | {"batch": replace(CASE["tp"], value=1.0)}


@pytest.mark.parametrize("study", [phases.splitwise, power.draws])
def test_without_a_calibration_a_study_says_what_to_do(study):
    with pytest.raises(CatalogError, match="calibrate"):
        list(study(replace(CATALOG, calibration=None)))


def test_sglang_as_printed():
    figures = [row.published for (source, _), row in ROWS.items() if source == "SGLang on 96 H100"]
    assert figures == [57_674, 54_543, 50_302, 22_282]


def test_a_knee_is_where_waits_leave_the_first_token_before_them():
    """Half a second more for each request beyond 80 of a replica that answers at once in 1 s."""
    in_flight = np.array([1.0, 50.0, 100.0, 150.0, 200.0])
    first_s = 1 + np.maximum(in_flight - 80, 0) / 2
    assert knee(in_flight, first_s, 50, 100) == pytest.approx(80)


def test_the_measured_knee_by_hand():
    """From 34.79 s at 150 to 88.61 s at 250 a request adds 0.538 s; 0.83 s is reached at 86.9."""
    source = "llama-3.3-70b on two h100-sxm"
    slope_s = (88.6053 - 34.7942) / 100
    by_hand = 150 - (34.7942 - 0.83451) / slope_s
    assert told(source, "requests in flight at the knee") == pytest.approx(by_hand, rel=1e-3)
    assert told(source, "output beyond the knee") == pytest.approx(460.26)


def test_two_chips_in_a_row_or_side_by_side_by_hand():
    """DistServe's eq. 2 and 3 at R = 0.5, D = 1: 1 + 0.5/6, and 1/1.6 + 0.5/(3.2 x 1.1)."""
    assert told("DistServe", "first token of two stages at load 0.5") == pytest.approx(1 + 1 / 12)
    side_by_side = 0.625 + 0.5 / 3.52
    assert told("DistServe", "first token of two chips at load 0.5") == pytest.approx(side_by_side)


def test_an_hour_of_an_h200_by_hand():
    """1.15 of capital; 68.59 + 150 $ a kW and month for 10.93 kW over 8, at 730 hours a month."""
    hosted = (68.59 + 150) * 10.93 / 8 / 730
    assert ours("SemiAnalysis H200 TCO", "an hour") == pytest.approx(1.1538 + hosted, abs=1e-3)


def test_capital_of_a_gb200_is_its_share_of_a_rack():
    """3.9 M$ over 72 chips."""
    held = published(CATALOG, "inferencex")["capital"]
    by_chip = {case["chip"]: case["all_in_usd"].value for case in held}
    assert by_chip["gb200-nvl72"] == pytest.approx(3.9e6 / 72, abs=1)
    assert by_chip["h200-sxm"] == pytest.approx(361_255 / 8, abs=1)


def test_no_facility_is_counted_twice_in_an_inferencex_hour():
    """5 years at 10.25 %; 1.73 kW with its facility at 0.087 $ and 80 %, 1.73/1.26 kW hosted."""
    annuity = 0.1025 / (1 - (1 + 0.1025 / 12) ** -60)
    hour = 45_157 * annuity / 8760 + 1.73 * 0.087 * 0.8 + 1.73 / 1.26 * 150 / 730
    assert ours("InferenceX", "h200-sxm, neocloud") == pytest.approx(hour, rel=1e-6)


def test_spads_cluster_saves_a_sixth_of_the_tdp_of_h100s():
    """8 x 596 + 17 x 507 W over 23 x 700 W: 17 % less at normal limits, as the abstract says."""
    told_name = "TDP saving over homo, conversation, normal"
    saved = 1 - (8 * 596 + 17 * 507) / (23 * 700)
    assert ours("SPAD clusters", told_name) == pytest.approx(saved)


class TestReallocation:
    """SPAD, Tables 7 and 8: machines of two chips that change roles."""

    STUDY = published(CATALOG, "spad_reallocation")

    def case(self, name, **speeds):
        told = next(each for each in self.STUDY["case"] if each["name"] == name)
        held = reallocation._case(CATALOG, self.STUDY, told)
        return replace(held, **speeds)

    def test_the_cases_are_those_of_the_tables(self):
        tables = json.loads((catalog_folder() / "spad_tables.json").read_text(encoding="utf-8"))
        for told, row in zip(self.STUDY["case"], tables["table7_8_reallocation"], strict=True):
            assert told["name"].startswith(row["cluster"])
            assert told["requests_per_s"].value == row["rps"]
            assert told["h100_machines"].value == row["splitwise_h100"]
            assert told["cost_saving"].value == pytest.approx(row["hw_pct"] / 100)
            assert told["tdp_saving"].value == pytest.approx(row["tdp_pct"] / 100)

    @pytest.mark.parametrize("place", range(6))
    def test_the_published_savings_follow_from_the_published_machines(self, place):
        """18P+7D cost 18·0.48 + 7·0.88 = 14.8 H100 machines and draw 18·596/700 + 7·507/700."""
        told = self.STUDY["case"][place]
        prefill, decode = told["prefill_machines"].value, told["decode_machines"].value
        h100 = told["h100_machines"].value
        cost = 1 - (0.48 * prefill + 0.88 * decode) / h100
        watts = 1 - (596 * prefill + 507 * decode) / 700 / h100
        assert told["cost_saving"].value == pytest.approx(cost, abs=0.015)
        assert told["tdp_saving"].value == pytest.approx(watts, abs=0.015)

    def test_a_cluster_of_chips_that_are_h100_is_worth_its_machines(self):
        chips = ("spad-prefill", "spad-decode", "spad-h100")
        same = dict.fromkeys(chips, 1.0)
        room = dict.fromkeys(chips, 66_000.0)
        held = self.case(
            "18P+7D to conversation, bloom-176b",
            prefill_frac=same,
            decode_frac=same,
            held_tokens=room,
        )
        assert held.h100_machines(held.most_per_s(18, 7)) == pytest.approx(25, abs=1)

    def test_machines_that_change_roles_serve_more_than_those_that_do_not(self):
        held = self.case("18P+7D to conversation, bloom-176b")
        fixed = min(
            held.prefill_per_s(18 * held.prefill_frac["spad-prefill"]),
            7 * held.decode_per_s("spad-decode"),
        )
        assert held.most_per_s(18, 7) > 1.3 * fixed

    def test_memory_bounds_what_a_prefill_chip_decodes(self):
        """35,000 tokens of cache against 66,000, at 0.80 of the speed: well under 0.80."""
        held = self.case("18P+7D to conversation, bloom-176b")
        share = held.decode_per_s("spad-prefill") / held.decode_per_s("spad-h100")
        assert 0.35 < share < 0.65
