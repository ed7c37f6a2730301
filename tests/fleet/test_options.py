"""The ladder of options: what each may use, that all demand is served, and that more costs more."""

from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.decision.sized import sized
from planner.demand.scenario import Scenario
from planner.errors import ScenarioError
from planner.facts.catalog import load_catalog
from planner.fleet.options import LABELS, PURCHASABLE
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL, counts
from planner.fleet.sizing import server_chips
from planner.money.prices import usd_per_chip_year
from tests.stand_ins import PROFILES, sized_profile

CATALOG = load_catalog()
PROMPT = (MONOLITHIC, PREFILL)
ANSWER = (MONOLITHIC, DECODE)
every_profile = pytest.mark.parametrize("profile", PROFILES)


def asked(profile="enterprise", **row):
    """A profile with one class of its own, without drift of the ratio."""
    plain = {"name": "chat", "model": "llama-3.3-70b", "input_tokens": 1155, "output_tokens": 211}
    return {"profile": profile, "ratio_in_18_months": None, "classes": [plain | row]}


def answered(given):
    return sized(Scenario.read(given), CATALOG)


def every_pool(held):
    return [pool for option in held.fleets.values() for pool in option.pools]


def total_usd(held, option):
    """What the option's chips cost by the same prices that ranked them."""
    chips = counts(held.fleets[option].pools)
    return sum(
        n * usd_per_chip_year(chip, held.scenario, held.catalog, held.ledger)
        for chip, n in chips.items()
    )


class TestLadder:
    def test_six_options_in_the_order_of_the_bridge(self):
        assert list(sized_profile("axiom").fleets) == [
            "as-built",
            "monolithic-software",
            "split-same-chip",
            "split-capped",
            "split-mixed",
            "split-specialised",
        ]

    def test_paper_cannot_be_purchased(self):
        assert list(LABELS)[-1] == "split-specialised"
        assert "split-specialised" not in PURCHASABLE

    @every_profile
    def test_the_first_two_are_whole_the_others_split(self, profile):
        split = [option.split for option in sized_profile(profile).fleets.values()]
        assert split == [False, False, True, True, True, True]

    @every_profile
    def test_capping_changes_caps_and_nothing_else(self, profile):
        held = sized_profile(profile)
        same, under = held.fleets["split-same-chip"], held.fleets["split-capped"]
        for one, other in zip(same.pools, under.pools, strict=True):
            changed = {
                f.name for f in fields(one) if getattr(one, f.name) != getattr(other, f.name)
            }
            assert changed <= {"power_cap_frac"}
            assert (other.role == PREFILL) <= (other.power_cap_frac == 1)


class TestChips:
    @every_profile
    def test_the_first_four_use_owned_types_alone(self, profile):
        held = sized_profile(profile)
        owned = set(held.owned) or {held.scenario.default_accelerator}
        for name in PURCHASABLE[:-1]:
            assert set(counts(held.fleets[name].pools)) <= owned

    @every_profile
    def test_the_fifth_uses_what_can_be_bought_or_rented(self, profile):
        held = sized_profile(profile)
        for chip in counts(held.fleets["split-mixed"].pools):
            assert chip in {*held.owned, *held.scenario.candidates}
            assert CATALOG.accelerators[chip].access in ("buy", "rent") or chip in held.owned

    @every_profile
    def test_only_the_sixth_uses_paper(self, profile):
        held = sized_profile(profile)
        for name, option in held.fleets.items():
            access = {CATALOG.accelerators[pool.accelerator].access for pool in option.pools}
            assert ("paper" in access) == (name == "split-specialised")

    def test_two_owned_types_stand_in_their_owned_proportions(self):
        held = sized_profile("hyperscaler")
        owned = held.owned["h100-sxm"] / held.owned["h200-sxm"]
        for name in ("as-built", "monolithic-software"):
            chips = counts(held.fleets[name].pools)
            assert chips["h100-sxm"] / chips["h200-sxm"] == pytest.approx(owned, rel=0.02)

    def test_where_nothing_is_owned_the_default_is_bought(self):
        held = answered(asked() | {"owned": [], "default_accelerator": "h200-sxm"})
        assert set(counts(held.fleets["as-built"].pools)) == {"h200-sxm"}

    def test_a_default_without_a_price_is_refused_by_its_own_name(self):
        with pytest.raises(ScenarioError, match="default_accelerator: H100 NVL"):
            answered(asked() | {"owned": [], "default_accelerator": "h100-nvl"})

    def test_a_further_candidate_never_makes_the_best_mix_dearer(self):
        few = asked() | {"candidates": ["h100-sxm"]}
        more = few | {"candidates": ["h100-sxm", "b200-sxm", "mi325x"]}
        cost = [total_usd(answered(given), "split-mixed") for given in (few, more)]
        assert cost[1] <= cost[0]

    @every_profile
    def test_the_best_mix_never_costs_more_than_the_same_split_on_owned_chips(self, profile):
        held = sized_profile(profile)
        assert total_usd(held, "split-mixed") <= total_usd(held, "split-same-chip")


class TestDemand:
    @every_profile
    def test_every_class_is_served_once_by_every_option(self, profile):
        held = sized_profile(profile)
        for option in held.fleets.values():
            for row in held.demands:
                for roles in (PROMPT, ANSWER):
                    mine = [
                        p
                        for p in option.pools
                        if (p.class_name, p.role in roles) == (row.name, True)
                    ]
                    assert sum(p.demand_frac for p in mine) == pytest.approx(1, rel=1e-9)

    @every_profile
    def test_every_cache_crosses_the_fabric_once(self, profile):
        held = sized_profile(profile)
        for name in ("split-same-chip", "split-mixed"):
            for row in held.demands:
                mine = [p for p in held.fleets[name].pools if p.class_name == row.name]
                each = {p.kv_bytes_per_s / p.demand_frac for p in mine if p.role == PREFILL}
                sent = sum(p.kv_bytes_per_s for p in mine)
                assert len({round(rate, 3) for rate in each}) == 1
                assert sent == pytest.approx(each.pop(), rel=1e-9)

    def test_a_chat_sends_327_680_bytes_a_prompt_token_at_the_peak_rate(self):
        given = asked(requests_per_s=2.0, peak_to_mean=1.5) | {"planning_month": 0}
        given |= {"demand_scale": 10.0, "available_software": {"kv_precision": "bf16"}}
        sent = sum(p.kv_bytes_per_s for p in answered(given).fleets["split-same-chip"].pools)
        assert sent == pytest.approx(327_680 * 1155 * 2 * 10 * 1.5, rel=0.01)  # and retries

    @pytest.mark.parametrize("given", [{"demand_scale": 0.0}, asked(requests_per_s=0.0)])
    def test_where_nobody_asks_the_smallest_fleets_stand_by_and_the_plan_says_so(self, given):
        held = answered({"profile": "enterprise"} | given)
        assert {pool.n_replicas * pool.replica_chips for pool in held.fleets["as-built"].pools} == {
            8
        }
        assert any(said.startswith("Nobody asks for anything") for said in held.caveats)

    def test_a_class_that_nobody_asks_for_needs_no_pool(self):
        quiet = {"name": "quiet", "requests_per_s": 0.0}
        busy = {"name": "chat", "model": "llama-3.3-70b", "requests_per_s": 5.0}
        held = answered({"profile": "enterprise", "classes": [busy, quiet]})
        assert {pool.class_name for pool in every_pool(held)} == {"chat"}


class TestPools:
    @every_profile
    def test_come_in_whole_servers_and_whole_replicas(self, profile):
        for pool in every_pool(sized_profile(profile)):
            chip = CATALOG.accelerators[pool.accelerator]
            assert pool.n_accelerators % server_chips(chip, 8) == 0
            assert pool.n_replicas == pool.n_accelerators // pool.replica_chips

    @every_profile
    def test_survive_the_failure_of_one_replica(self, profile):
        for pool in every_pool(sized_profile(profile)):
            assert pool.n_replicas - 1 >= pool.n_needed

    @every_profile
    def test_time_is_shared_out_completely(self, profile):
        for pool in every_pool(sized_profile(profile)):
            parts = [getattr(pool.shares, f.name) for f in fields(pool.shares)]
            assert sum(parts) == pytest.approx(1, rel=1e-9)
            assert min(parts) >= 0
            whole = {PREFILL: 1, DECODE: 0}.get(pool.role)
            assert whole is None or pool.shares.prefill_frac == pytest.approx(whole)

    @every_profile
    def test_no_chip_is_busier_than_it_can_be(self, profile):
        for pool in every_pool(sized_profile(profile)):
            assert 0 < pool.utilization < 1
            for busy in (pool.mean, pool.peak):
                assert 0 <= busy.compute_util_frac <= 1
                assert 0 <= busy.memory_util_frac <= 1
            assert pool.mean.compute_util_frac <= pool.peak.compute_util_frac * (1 + 1e-9)

    @every_profile
    def test_a_dense_model_keeps_arithmetic_busy_in_prefill_and_memory_in_decode(self, profile):
        held = sized_profile(profile)
        for pool in held.fleets["split-same-chip"].pools:
            compute, memory = pool.peak.compute_util_frac, pool.peak.memory_util_frac
            dense = CATALOG.models[pool.model].n_experts == 0
            assert not dense or (compute > memory) == (pool.role == PREFILL)


class TestServiceLevels:
    @every_profile
    def test_what_is_called_feasible_meets_both_limits(self, profile):
        held = sized_profile(profile)
        limits = {row.name: row.source for row in held.demands}
        for option in held.fleets.values():
            for pool in option.pools if option.feasible else ():
                limit = limits[pool.class_name]
                assert (pool.p99_ttft_s or 0) <= limit.p99_ttft_s * (1 + 1e-6)
                assert (pool.p99_tpot_s or 0) <= limit.p99_tpot_s * (1 + 1e-6)

    def test_what_cannot_be_met_says_what_was_asked_and_what_is_possible(self):
        held = answered(asked(p99_ttft_s=0.01))
        option = held.fleets["as-built"]
        assert not option.feasible
        assert option.pools
        assert "meets the p99 of chat: best first token" in option.reason
        assert "10 ms asked" in option.reason

    def test_a_model_that_fits_nowhere_says_what_to_change(self):
        chips = {"owned": [], "default_accelerator": "l40s", "candidates": ["l40s"]}
        wide = {"weight_precision": "bf16"}
        option = answered(asked(model="kimi-k2") | chips | {"software": wide}).fleets["as-built"]
        assert not option.feasible
        assert option.reason == (
            "No allowed chip holds kimi-k2 for chat: "
            "allow a chip with more memory, or lower precision."
        )

    def test_whole_prompts_before_answers_are_worse_than_chunks_between_them(self):
        given = asked("axiom", requests_per_s=5.0)
        now = {"chunked_prefill": False, "weight_precision": "fp8", "kv_precision": "fp8"}
        held = answered(
            given | {"software": now, "available_software": now | {"chunked_prefill": True}}
        )
        assert total_usd(held, "monolithic-software") < total_usd(held, "as-built")

    def test_software_already_in_place_changes_nothing(self):
        given = asked("axiom")
        now = answered(given).scenario.available_software.model_dump()
        held = answered(given | {"software": now})
        assert held.fleets["as-built"].pools == held.fleets["monolithic-software"].pools

    def test_the_waits_of_a_split_request_fit_its_limit_together(self):
        # Prompts of constant length take 1.6 s each; then a place in decode is waited for.
        row = {"input_tokens": 20_000, "input_scv": 0, "output_tokens": 500, "requests_per_s": 3.0}
        held = answered(asked("axiom", p99_ttft_s=3.0, **row))
        prefill, decode = held.fleets["split-same-chip"].pools
        assert held.fleets["split-same-chip"].feasible
        assert prefill.p99_ttft_s + decode.p99_ttft_s <= 3.0


class TestDirections:
    """What is asked more of, or allowed less, never gets cheaper."""

    OPTIONS = ("as-built", "monolithic-software", "split-same-chip", "split-mixed")

    def compare(self, easier, harder):
        easy, hard = answered(easier), answered(harder)
        for name in self.OPTIONS:
            if hard.fleets[name].feasible:
                assert easy.fleets[name].feasible
                assert total_usd(hard, name) >= total_usd(easy, name) * (1 - 1e-9)

    @settings(max_examples=30)
    @given(st.floats(0.1, 300), st.floats(1, 4))
    def test_demand(self, rate, factor):
        self.compare(asked(requests_per_s=rate), asked(requests_per_s=rate * factor))

    @settings(max_examples=30)
    @given(st.floats(0.3, 10), st.floats(1, 4))
    def test_time_to_first_token(self, limit, tighter):
        easy, hard = ({"p99_ttft_s": limit / k, "requests_per_s": 50.0} for k in (1, tighter))
        self.compare(asked(**easy), asked(**hard))

    @settings(max_examples=30)
    @given(st.floats(0.02, 0.5), st.floats(1, 4))
    def test_time_per_token(self, limit, tighter):
        easy, hard = ({"p99_tpot_s": limit / k, "requests_per_s": 50.0} for k in (1, tighter))
        self.compare(asked(**easy), asked(**hard))

    @settings(max_examples=30)
    @given(st.floats(100, 10_000), st.floats(1, 3))
    def test_length_of_prompts(self, tokens, longer):
        easy, hard = ({"input_tokens": tokens * k, "requests_per_s": 20.0} for k in (1, longer))
        self.compare(asked(**easy), asked(**hard))
