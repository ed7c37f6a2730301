"""The plan answers every key of the public contract, adds up, and follows its sliders."""

import json
import math
from functools import cache

import pytest

import planner
from planner import Scenario, ScenarioError, profiles
from tests.stand_ins import swept

PROFILES = profiles.names()
OPTION_IDS = [
    "as-built",
    "monolithic-software",
    "split-same-chip",
    "split-capped",
    "split-mixed",
    "split-specialised",
]
STEPS = [
    "software",
    "topology",
    "capping",
    "silicon",
    "fabric",
    "orchestration",
    "flexibility",
]
CAUSES = ["surplus", "nameplate", "mismatch", "reserve", "trough"]
# The keys of plan/1, as the contract lists them.
TOP = """schema scenario model_version catalog_date verdict declared headline options proposed views
bridge net stranded checks caveats ledger""".split()
VERDICT = "action option_id sentence confidence_frac flips".split()
DECLARED = "primary_workload by_class prefill_mw decode_mw accelerators".split()
HEADLINE = """prefill_token_frac decode_to_prefill_token_ratio prefill_time_frac j_per_useful_token
tax_frac gross_gap_frac software_gain_frac paper_tax_frac stranded_mw stranded_capital_usd free_mw
recovered_mw extra_throughput_frac revenue_usd_per_kwh cost_usd_per_mtok capex_usd_per_mtok npv_usd
irr_frac payback_years waiting_usd_per_quarter""".split()
DATED = ["speed_to_power_quarters", "at_18_months"]
OPTION = """id label feasible reason pools n_accelerators capex_usd it_peak_w facility_peak_w
facility_mean_w p99_ttft_s p99_tpot_s output_tokens_per_s cost_usd_per_year cost_usd_per_mtok
capex_usd_per_mtok revenue_usd_per_kwh j_per_useful_token kv_gbit_per_s kv_transfer_s
kv_efficiency_frac bottleneck access by_class""".split()
POOL = """role model classes accelerator n_accelerators n_replicas tp ep batch utilization
power_cap_frac""".split()
LEDGER = "parameter value unit low high kind source overridden".split()
RANGED = ("tax_frac", "gross_gap_frac", "stranded_mw", "npv_usd")


@cache
def answer(profile: str):
    return planner.plan(Scenario.read({"profile": profile}), n_samples=64)


@cache
def document(profile: str):
    return answer(profile).as_dict()


def changed(**fields):
    return planner.plan(Scenario.read(fields))


def missing(keys, held):
    return [key for key in keys if key not in held]


@pytest.mark.parametrize("profile", swept(PROFILES, ("axiom", "hyperscaler")))
def test_every_key_of_the_contract_is_there(profile):
    held = document(profile)
    assert missing(TOP, held) == []
    assert held["schema"] == "plan/1"
    assert missing(VERDICT, held["verdict"]) == []
    assert missing(DECLARED, held["declared"]) == []
    assert missing([*HEADLINE, *DATED, "proposed"], held["headline"]) == []
    assert missing([*HEADLINE, *DATED], held["headline"]["proposed"]) == []
    assert missing(["recovered", "new"], held["headline"]["speed_to_power_quarters"]) == []
    later = held["headline"]["at_18_months"]
    assert missing(["tax_frac", "recovered_mw", "action"], later) == []
    for name in RANGED:
        assert missing(["p10", "p50", "p90"], held["headline"][name]) == []
    assert [option["id"] for option in held["options"]] == OPTION_IDS
    views = [held["views"][view]["options"] for view in ("iso_power", "iso_cost")]
    for option in [*held["options"], held["proposed"], *views[0], *views[1]]:
        assert missing(OPTION, option) == []
        for pool in option["pools"]:
            assert missing(POOL, pool) == []
    assert [step["id"] for step in held["bridge"]] == STEPS
    assert [cause["id"] for cause in held["stranded"]["causes"]] == CAUSES
    assert missing(["provisioned_mw", "needed_mw"], held["stranded"]) == []
    for row in held["ledger"]:
        assert missing(LEDGER, row) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_a_missing_value_is_null_and_has_its_reason(profile):
    held = document(profile)
    text = json.dumps(held, allow_nan=False)
    assert "NaN" not in text
    absent = [name for name in HEADLINE if held["headline"][name] is None]
    if absent:
        assert held["caveats"]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("view", ["iso_power", "iso_cost"])
def test_p2_a_scaled_fleet_is_whole_replicas_of_the_same_make(profile, view):
    held = document(profile)
    for option in held["views"][view]["options"]:
        for pool in option["pools"]:
            per_replica = pool["tp"] * pool["attention_dp"] * pool["pp"]
            assert pool["n_accelerators"] >= pool["n_replicas"] * per_replica
            assert pool["n_replicas"] > 0 or not pool["n_accelerators"]
        assert option["n_accelerators"] == sum(pool["n_accelerators"] for pool in option["pools"])


@pytest.mark.parametrize("profile", PROFILES)
def test_the_bridge_sums_to_its_net(profile):
    held = document(profile)
    total = sum(step["usd_per_year"] for step in held["bridge"])
    assert total == pytest.approx(held["net"]["usd_per_year"], rel=1e-9)
    base = held["options"][0]["cost_usd_per_year"]
    assert held["net"]["frac"] * base == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_bridge_leads_from_as_built_to_the_mixed_split(profile):
    held = document(profile)
    if not all(option["feasible"] for option in held["options"][:5]):
        pytest.skip("an infeasible step carries the cost before it")
    ends = [held["options"][index]["cost_usd_per_year"] for index in (0, 4)]
    assert ends[0] - ends[1] == pytest.approx(held["net"]["usd_per_year"], rel=1e-9)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_causes_sum_to_provisioned_less_needed(profile):
    held = document(profile)["stranded"]
    total = sum(cause["mw"] for cause in held["causes"])
    assert total == pytest.approx(held["provisioned_mw"] - held["needed_mw"], rel=1e-9)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_master_check_holds(profile):
    assert document(profile)["checks"] == {"ok": True, "failed": []}


@pytest.mark.parametrize("profile", PROFILES)
def test_ranges_are_in_order(profile):
    for name in RANGED:
        row = document(profile)["headline"][name]
        assert row["p10"] <= row["p50"] <= row["p90"]


@pytest.mark.parametrize("profile", PROFILES)
def test_power_words_are_in_order_for_every_option(profile):
    for option in document(profile)["options"]:
        assert option["it_nameplate_w"] >= option["it_peak_w"]
        assert option["facility_provisioned_w"] >= option["facility_peak_w"]
        assert option["facility_peak_w"] >= option["facility_mean_w"] > 0


@pytest.mark.parametrize("profile", PROFILES)
def test_feasible_options_meet_every_service_level(profile):
    held = document(profile)
    wanted = {row["name"]: row for row in held["scenario"]["classes"]}
    for option in held["options"]:
        for row in option["by_class"] if option["feasible"] else ():
            assert row["p99_ttft_s"] <= wanted[row["name"]]["p99_ttft_s"] * (1 + 1e-6)
            assert row["p99_tpot_s"] <= wanted[row["name"]]["p99_tpot_s"] * (1 + 1e-6)


def test_a_small_enterprise_with_mature_software_stays():
    assert document("enterprise")["verdict"]["action"] == "stay"


def test_a_flip_really_flips():
    found = [(profile, flip) for profile in PROFILES for flip in answer(profile).flips]
    assert found
    for profile, flip in found:
        held = answer(profile)
        assert flip["action"] != held.verdict.action
        moved = held.scenario.model_copy(update={flip["input"]: flip["value"]})
        assert planner.plan(moved, n_samples=64).verdict.action == flip["action"]


def test_the_same_seed_gives_the_same_bytes():
    scenario = Scenario.read({})
    twice = [planner.plan(scenario, n_samples=64, seed=7).as_dict(flips=False) for _ in range(2)]
    assert json.dumps(twice[0]) == json.dumps(twice[1])


def test_without_samples_there_is_no_confidence_and_the_caveats_say_so():
    held = changed().as_dict(flips=False)
    assert held["verdict"]["confidence_frac"] is None
    assert held["headline"]["tax_frac"]["p10"] is None
    assert any("no samples" in caveat for caveat in held["caveats"])


def test_where_nobody_asks_the_answer_is_to_stay():
    held = changed(demand_scale=0).as_dict(flips=False)
    assert held["verdict"]["action"] == "stay"
    assert any(caveat.startswith("Nobody asks for anything") for caveat in held["caveats"])
    assert held["checks"]["ok"]


def test_a_class_that_nobody_asks_for_is_left_out():
    held = changed(classes=[{"name": "chat"}, {"name": "code", "requests_per_s": 0}])
    assert {pool.class_name for pool in held.fleets["as-built"].pools} == {"chat"}


def test_a_model_that_owned_chips_cannot_hold_is_built_from_others_and_said():
    fields = {"candidates": ["b200-sxm"], "owned": [{"accelerator": "a100-40-sxm", "n": 100}]}
    held = changed(classes=[{"name": "chat", "model": "deepseek-v3"}], **fields)
    built = held.fleets["as-built"]
    assert not built.feasible
    assert "deepseek-v3" in built.reason
    assert {pool.accelerator for pool in built.pools} == {"b200-sxm"}


def test_a_prompt_longer_than_the_model_s_context_is_refused_in_words():
    with pytest.raises(ScenarioError, match="131,072 tokens"):
        changed(classes=[{"name": "chat", "input_tokens": 400_000}])


def test_with_only_owned_chips_to_choose_from_there_is_no_tax():
    held = planner.plan(
        Scenario.read({"profile": "hyperscaler", "candidates": ["h100-sxm", "h200-sxm"]})
    ).as_dict(flips=False)
    assert held["headline"]["tax_frac"]["p50"] == pytest.approx(0, abs=1e-12)


def test_a_fabric_too_slow_makes_a_split_infeasible_and_names_the_speed_that_would_do():
    held = changed(fabric={"gbit_per_s_per_node": 1})
    split = held.fleets["split-same-chip"]
    assert not split.feasible
    assert "Gbit/s would do" in split.reason


def test_an_air_cooled_hall_takes_no_liquid_cooled_chip():
    held = changed(site={"cooling": "air"}, candidates=["mi355x"])
    assert any("liquid cooling" in caveat for caveat in held.sized.caveats)


# The three headline sliders.


def test_the_ratio_slider_moves_the_work_between_the_pools():
    def decode_share(ratio):
        pools = changed(decode_to_prefill_token_ratio=ratio).fleets["split-same-chip"].pools
        chips = dict.fromkeys(("prefill", "decode"), 0)
        for pool in pools:
            chips[pool.role] += pool.n_accelerators
        return chips["decode"] / sum(chips.values())

    assert decode_share(0.02) < decode_share(0.2) < decode_share(2)


def test_the_ratio_slider_is_the_ratio_shown():
    shown = changed(decode_to_prefill_token_ratio=0.5).as_dict(flips=False)["headline"]
    assert shown["decode_to_prefill_token_ratio"] == pytest.approx(0.5)
    assert shown["prefill_token_frac"] == pytest.approx(2 / 3)


def test_the_power_slider_moves_free_power_and_the_iso_power_view_only():
    low, high = (changed(power_budget_mw=mw).as_dict(flips=False) for mw in (12, 24))
    assert high["headline"]["free_mw"] - low["headline"]["free_mw"] == pytest.approx(12)
    for before, after in zip(
        low["views"]["iso_power"]["options"], high["views"]["iso_power"]["options"], strict=True
    ):
        assert after["output_tokens_per_s"] == pytest.approx(2 * before["output_tokens_per_s"])
    assert low["options"][0]["n_accelerators"] == high["options"][0]["n_accelerators"]


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_the_mix_slider_is_the_share_of_power_in_split_pools(share):
    held = changed(fleet_mix=share)
    pools = held.fleets["proposed"].pools
    watts = {pool: held.pool_watts(pool).provisioned_w for pool in pools}
    split = sum(w for pool, w in watts.items() if pool.role != "monolithic")
    assert split / sum(watts.values()) == pytest.approx(share, abs=0.02)


def test_the_mix_slider_leaves_the_pure_options_where_they_are():
    plans = [changed(fleet_mix=mix).as_dict(flips=False)["options"] for mix in ("auto", 0.0, 1.0)]
    for one, other in ((plans[0], plans[1]), (plans[0], plans[2])):
        assert [o["cost_usd_per_year"] for o in one] == [o["cost_usd_per_year"] for o in other]


def test_all_power_in_split_pools_leaves_none_monolithic():
    roles = {pool.role for pool in changed(fleet_mix=1.0).fleets["proposed"].pools}
    assert roles == {"prefill", "decode"}


# Odd but legal scenarios.


def test_a_greenfield_operator_is_built_from_the_default_chip():
    held = changed(owned=[], default_accelerator="b200-sxm")
    assert {pool.accelerator for pool in held.fleets["as-built"].pools} == {"b200-sxm"}
    assert held.stranded.causes["surplus"] == pytest.approx(0)


def test_an_impossible_service_level_is_an_answer_with_its_reason():
    held = changed(classes=[{"name": "chat", "p99_ttft_s": 0.011}]).as_dict(flips=False)
    assert not held["options"][0]["feasible"]
    assert "chat" in held["options"][0]["reason"]
    assert held["options"][0]["cost_usd_per_year"] > 0
    assert held["verdict"]["action"]


def test_candidates_out_of_reach_are_named_with_the_reason():
    held = changed(candidates=["maia-200", "h100-sxm"])
    assert any("Maia 200" in caveat for caveat in held.sized.caveats)


def test_one_dollar_more_for_power_never_lowers_cost():
    cheap, dear = (changed(site={"usd_per_kwh": usd}) for usd in (0.05, 0.25))
    for name in OPTION_IDS:
        assert dear.money.gross_usd_per_year(name) >= cheap.money.gross_usd_per_year(name)


def test_more_demand_never_costs_less():
    costs = [
        float(changed(demand_scale=scale).money.gross_usd_per_year("split-mixed"))
        for scale in (50, 100, 200, 400)
    ]
    assert costs == sorted(costs)


def test_every_number_of_the_document_is_finite():
    def check(value):
        if isinstance(value, dict):
            for item in value.values():
                check(item)
        elif isinstance(value, list):
            for item in value:
                check(item)
        elif isinstance(value, float):
            assert math.isfinite(value)

    check(document("axiom"))
