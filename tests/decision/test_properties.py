"""What must hold of any plan: directions, sums, scales, ends, and that every input counts."""

import math
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planner
from planner import Scenario
from planner.decision.assumptions import scenario_numbers
from planner.decision.plan import judged
from planner.decision.sized import sized
from planner.decision.valued import valued
from planner.facts.catalog import load_catalog
from planner.facts.ledger import Ledger
from planner.fleet.options import PURCHASABLE
from planner.fleet.pools import counts
from planner.money.prices import usd_per_chip_year
from tests.decision.test_against_twin import drawn
from tests.physics.stand_ins import DEEPSEEK, LLAMA_8B, MIXTRAL, USUAL, decode, h100
from tests.stand_ins import PROFILES, sized_profile

CATALOG = load_catalog()
EXACT = 1 + 1e-9
# A search ranks fleets by chips at TDP; what they really draw differs by the little energy costs.
NEARLY = 1.02


def often(few):
    """A few examples every day, two thousand in the sweep."""
    swept = pytest.param(2000, id="2000", marks=[pytest.mark.sweep, pytest.mark.timeout(3600)])
    return pytest.mark.parametrize("n", [few, swept])


def hold(n, *drawn_from):
    """Runs a property on n examples."""

    def decorator(check):
        settings(max_examples=n, deadline=None)(given(*drawn_from)(check))()

    return decorator


def asked(profile="enterprise", given=None, **row):
    plain = {"name": "chat", "model": "llama-3.3-70b", "input_tokens": 1155, "output_tokens": 211}
    rest = {"profile": profile, "ratio_in_18_months": None} | (given or {})
    return rest | {"classes": [plain | row]}


def answered(given, catalog=CATALOG):
    """Cost of each purchasable option that serves: as ranked, and as it comes out."""
    held = sized(Scenario.read(given), catalog)
    money = valued(held, held.ledger, held.fleets)
    found = {}
    for name in PURCHASABLE:
        if name in money.costs and held.fleets[name].feasible:
            chips = counts(held.fleets[name].pools)
            rates = {
                chip: usd_per_chip_year(chip, held.scenario, catalog, held.ledger) for chip in chips
            }
            ranked = sum(n * rates[chip] for chip, n in chips.items())
            found[name] = ranked, float(money.gross_usd_per_year(name))
    return found


def never_cheaper(easy, hard):
    """What is harder to serve, or dearer, costs no less; what it can be served by, the easier can.

    The search minimises the ranked cost option by option: that is exact. The real cost of the
    cheapest option follows it nearly.
    """
    assert hard.keys() <= easy.keys()
    for name in hard:
        assert hard[name][0] * EXACT >= easy[name][0], name
    if hard:
        least = [min(cost for _, cost in found.values()) for found in (easy, hard)]
        assert least[1] * NEARLY >= least[0]


RATES, FACTORS = st.floats(0.1, 300), st.floats(1, 4)
WHO = st.sampled_from(["enterprise", "axiom", "neocloud"])


class TestDirections:
    @often(4)
    def test_p1_more_demand_never_costs_less(self, n):
        @hold(n, WHO, RATES, FACTORS)
        def check(who, rate, factor):
            few, many = (answered(asked(who, requests_per_s=rate * k)) for k in (1, factor))
            never_cheaper(few, many)

    @often(4)
    def test_p1_a_tighter_service_level_never_costs_less(self, n):
        @hold(n, WHO, RATES, FACTORS, st.floats(0.5, 8), st.floats(0.03, 0.3), st.booleans())
        def check(who, rate, factor, ttft, tpot, first):
            limits = {"p99_ttft_s": ttft, "p99_tpot_s": tpot}
            name = "p99_ttft_s" if first else "p99_tpot_s"
            loose, tight = (
                answered(asked(who, requests_per_s=rate, **limits | {name: limits[name] / k}))
                for k in (1, factor)
            )
            never_cheaper(loose, tight)

    @often(4)
    def test_p1_dearer_power_never_costs_less(self, n):
        @hold(n, WHO, RATES, st.floats(0.01, 0.3), FACTORS)
        def check(who, rate, usd, factor):
            cheap, dear = (
                answered(asked(who, {"site": {"usd_per_kwh": usd * k}}, requests_per_s=rate))
                for k in (1, factor)
            )
            never_cheaper(cheap, dear)

    @often(4)
    def test_p1_a_dearer_chip_never_makes_a_fleet_cheaper(self, n):
        @hold(n, WHO, RATES, st.sampled_from(["h100-sxm", "b200-sxm", "mi300x"]), FACTORS)
        def check(who, rate, chip, factor):
            given = asked(who, requests_per_s=rate)
            never_cheaper(answered(given), answered(given, priced(chip, factor)))

    @often(30)
    def test_p1_more_bandwidth_never_decodes_slower(self, n):
        @hold(
            n,
            st.sampled_from([LLAMA_8B, MIXTRAL, DEEPSEEK]),
            st.integers(1, 512),
            st.floats(1, 1e5),
            FACTORS,
        )
        def check(model, batch, context, factor):
            slow, fast = (
                decode(h100(USUAL, memory_bytes_per_s=3.35e12 * k), batch, context, model).total_s
                for k in (1, factor)
            )
            assert fast <= slow * EXACT

    @often(10)
    def test_p1_of_a_given_fleet_every_price_counts_one_way(self, n):
        @hold(n, st.sampled_from(PROFILES), st.sampled_from(DEARER), FACTORS)
        def check(profile, name, factor):
            held = sized_profile(profile)
            more = one_at(held.ledger, {name: held.ledger[name] * factor})
            before, after = (valued(held, ledger, held.fleets) for ledger in (held.ledger, more))
            for option in before.costs:
                cheap, dear = (m.cost_usd_per_year(option) for m in (before, after))
                assert dear * EXACT >= cheap


DEARER = (
    "site.usd_per_kwh", "site.pue", "site.new_power_usd_per_mw", "finance.wacc_frac",
    "accelerators.h100-sxm.price_usd", "accelerators.b200-sxm.price_usd",
    "prices.running.it_support_frac_per_year", "operator.engineers",
    "operator.loaded_usd_per_year", "operator.bad_quarter_probability",
    "operator.backfill_usd_per_chip_hour", "prices.capital.all_in_over_chip_price_frac",
)  # fmt: skip


def priced(chip, factor):
    """The catalog with one chip at another price."""
    held = CATALOG.accelerators[chip]
    usd = {end: getattr(held.price_usd, end) * factor for end in ("value", "low", "high")}
    dear = replace(held, price_usd=replace(held.price_usd, **usd))
    return replace(CATALOG, accelerators={**CATALOG.accelerators, chip: dear})


def one_at(ledger, values):
    """The same register with some numbers at other values."""

    def find(name):
        row = ledger.find(name)
        return replace(row, value=float(values[name])) if name in values else row

    return Ledger(find)


class TestSums:
    @often(4)
    def test_p2_nothing_is_lost_between_lines_and_totals(self, n):
        @hold(n, st.sampled_from(PROFILES), st.integers(0, 2**32 - 1))
        def check(profile, seed):
            held = judged(drawn(np.random.default_rng(seed), profile, 0)[0])
            self.money(held)
            self.megawatts(held)
            self.tokens(held)

    def money(self, held):
        steps = sum(held.bridge.steps.values())
        top = max(abs(usd) for usd in held.bridge.steps.values())
        assert held.bridge.net == pytest.approx(steps, rel=1e-9, abs=1e-9 * top)
        for option, lines in held.money.costs.items():
            parts = [lines.capital_usd_per_year, lines.space_usd_per_year]
            parts += [lines.energy_usd_per_year, lines.support_usd_per_year]
            parts += [lines.staff_usd_per_year, lines.licences_usd_per_year]
            extra = held.money.extras[option]
            parts += [extra.fabric, extra.orchestration, extra.flexibility]
            assert sum(parts) == pytest.approx(held.money.cost_usd_per_year(option), rel=1e-9)

    def megawatts(self, held):
        found = held.stranded
        total = found.provisioned_w - found.needed_w
        assert sum(found.causes.values()) == pytest.approx(total, abs=1e-9 * found.provisioned_w)
        for option, fleet in held.fleets.items():
            whole = sum(held.pool_watts(pool).mean_w for pool in fleet.pools)
            assert whole == pytest.approx(held.watts[option].mean_w, rel=1e-9)

    def tokens(self, held):
        asked_for = sum(d.mean_per_s * d.output_tokens for d in held.sized.demands) * 31_536_000
        for option, sold in held.money.sold.items():
            assert sold.output_tokens == pytest.approx(asked_for, rel=1e-9)
            for demand in held.sized.demands:
                pools = [p for p in held.fleets[option].pools if p.class_name == demand.name]
                for role in {pool.role for pool in pools} - {"decode"}:
                    share = sum(p.demand_frac for p in pools if p.role == role)
                    assert share <= 1 + 1e-9
                whole = sum(p.demand_frac for p in pools if p.role != "decode")
                assert whole == pytest.approx(1, rel=1e-9)


class TestScales:
    @often(3)
    def test_p3_knows_no_currency(self, n):
        """Every price in another currency: the same fleets and shares, every amount converted."""

        @hold(n, st.sampled_from(PROFILES), st.sampled_from([0.01, 0.5, 7.0]))
        def check(profile, rate):
            here, there = (converted(profile, k) for k in (1.0, rate))
            for option in here.money.costs:
                assert there.fleets[option] == here.fleets[option]
                cost, other = (m.money.cost_usd_per_year(option) for m in (here, there))
                assert other == pytest.approx(rate * cost, rel=1e-9)
                worth, other = (m.money.npv_usd[option] for m in (here, there))
                assert other == pytest.approx(rate * worth, rel=1e-6, abs=1e-9 * rate * cost)
            assert there.verdict.option_id == here.verdict.option_id
            assert there.stranded.causes == here.stranded.causes

    @often(3)
    def test_p3_of_samples_is_that_of_each_sample(self, n):
        @hold(n, st.sampled_from(PROFILES), st.integers(0, 1000))
        def check(profile, seed):
            held = judged(sized_profile(profile))
            draws = held.ledger.sampled(3, seed)
            together = valued(held.sized, draws, held.fleets)
            for k in range(3):
                single = {
                    name: float(np.broadcast_to(draws[name], 3)[k]) for name in held.ledger.used
                }
                alone = valued(held.sized, one_draw(held.ledger, single), held.fleets)
                for option in together.costs:
                    cost = np.broadcast_to(together.cost_usd_per_year(option), 3)[k]
                    assert alone.cost_usd_per_year(option) == pytest.approx(cost, rel=1e-12)
                    worth = np.broadcast_to(together.npv_usd[option], 3)[k]
                    near = {"rel": 1e-9, "abs": 1e-9 * cost}
                    assert alone.npv_usd[option] == pytest.approx(worth, **near)


def one_draw(ledger, values):
    """A register that draws one value of each number; what a plan calls nominal stays."""
    return Ledger(ledger.find, {name: np.array(value) for name, value in values.items()})


def converted(profile, rate):
    """A plan with every price of the scenario and of the catalog times a rate."""
    start = Scenario(profile=profile)
    given = times(start.model_dump(), rate)
    chips = {
        name: replace(chip, **{
            field.name: quantity(getattr(chip, field.name), rate)
            for field in fields(chip)
            if "usd" in field.name and getattr(chip, field.name) is not None
        })
        for name, chip in CATALOG.accelerators.items()
    }  # fmt: skip
    numbers = dict(CATALOG.numbers)
    numbers["prices.running.it_staff_usd_per_hour"] = quantity(
        numbers["prices.running.it_staff_usd_per_hour"], rate
    )
    catalog = replace(CATALOG, accelerators=chips, numbers=numbers)
    return planner.plan(Scenario.read(given), catalog)


def quantity(held, rate):
    return replace(held, value=held.value * rate, low=held.low * rate, high=held.high * rate)


def times(given, rate):
    if isinstance(given, dict):
        return {
            key: value * rate
            if "usd" in key and isinstance(value, int | float)
            else times(value, rate)
            for key, value in given.items()
        }
    return [times(item, rate) for item in given] if isinstance(given, list | tuple) else given


# Inputs that move no number of the document, and why.
SILENT = {
    "name": "how the scenario is called",
    "profile": "fills what is left out; the fields below are what it fills",
    "default_accelerator": "stands in only where nothing is owned",
}
# Other values, where the usual ones move nothing, and under what an input counts.
OTHERWISE = {
    "fleet_mix": 0.5,
    "decode_to_prefill_token_ratio": 0.3,
    "candidates": ["h100-sxm"],
    "operator.min_confidence": 0.95,
    "site.n_racks": 2.0,
    "finance.capital_budget_usd": 1e6,
}
WHEN = {
    "site.colocation_usd_per_kw_month": {"finance": {"basis": "colocate"}},
    "software.kv_offload": {"software": {"prefix_cache": True}},
    "operator.min_confidence": {"profile": "enterprise"},
    "finance.capital_budget_usd": {"profile": "axiom", "owned": []},
}
SWITCHES = {
    "software.weight_precision": "fp8", "software.speculative": "mtp1",
    "software.chunked_prefill": False, "software.kv_precision": "fp8",
    "software.prefix_cache": True, "software.kv_offload": True,
    "available_software.chunked_prefill": False,
    "available_software.weight_precision": "fp4", "available_software.kv_precision": "bf16",
    "available_software.prefix_cache": False, "available_software.kv_offload": True,
    "available_software.speculative": "mtp1", "fabric.transfer": "naive",
    "fabric.overlap": "none", "site.cooling": "liquid", "finance.basis": "rent",
}  # fmt: skip


@cache
def rich(path=""):
    """A scenario in which an input has something to do."""
    given = WHEN.get(path, {})
    plain = {
        "profile": "axiom",
        "demand_scale": 250.0,
        "training_frac": 0.2,
        "backlog_frac": 0.5,
        "classes": [
            {"name": name, "cache_hit_frac": 0.3} for name in ("chat", "code", "long_documents")
        ],
        "finance": {"component_drift_frac_per_year": -0.1},
    }
    return Scenario.read(given if "profile" in given else plain | given)


def others(path):
    """Legal values of an input away from its start."""
    row = scenario_numbers(rich(path)).get(path)
    if path in OTHERWISE or row is None:
        return [{**OTHERWISE, **SWITCHES}[path]]
    far = (row.value * 1.6, row.value / 2, row.value + 0.5, row.value / 8, row.high)
    near = [value for value in far if row.low <= value <= row.high and value != row.value]
    return [int(value) if path.endswith(".n") else value for value in near]


PATHS = sorted({*scenario_numbers(rich()), *OTHERWISE, *SWITCHES})


def told(scenario, path=""):
    """All that the document says but what it was asked and rests on."""
    n_samples = 32 if path == "operator.min_confidence" else 0
    held = planner.plan(scenario, n_samples=n_samples).as_dict(flips=False)
    return {key: held[key] for key in held.keys() - {"scenario", "ledger"}}


@cache
def before(path):
    return told(rich(path), path) if path in WHEN else told(rich())


def with_one(path, value):
    given = rich(path).model_dump(mode="json")
    here, (*way, last) = given, path.split(".")
    for step in way:
        if isinstance(here, list):
            here = next(row for row in here if step in (row.get("name"), row.get("accelerator")))
        else:
            here = here[step]
    here[last] = value
    return Scenario.read(given)


class TestInputs:
    @pytest.mark.parametrize("path", PATHS)
    def test_p3_every_one_moves_something(self, path):
        start = before(path if path in WHEN else "")
        assert any(told(with_one(path, value), path) != start for value in others(path))

    def test_p3_none_is_forgotten(self):
        every = set()
        for field, held in rich().model_dump().items():
            if isinstance(held, dict):
                every |= {f"{field}.{name}" for name in held}
            elif field not in ("classes", "owned"):
                every.add(field)
        assert every - set(PATHS) == SILENT.keys()


class TestEnds:
    def verdict(self, **given):
        held = planner.plan(Scenario.read(given), n_samples=32)
        document = held.as_dict(flips=False)
        assert document["checks"]["ok"]
        assert all(math.isfinite(float(m)) for m in held.money.npv_usd.values())
        return held.verdict.action

    @pytest.mark.parametrize("profile", PROFILES)
    def test_p5_all_software_in_place_and_nothing_better_to_buy_is_to_stay(self, profile):
        start = Scenario(profile=profile)
        owned = {row.accelerator for row in start.owned} or {start.default_accelerator}
        in_place = start.available_software.model_dump()
        given = {
            "candidates": sorted(owned),
            "software": in_place,
            "decode_to_prefill_token_ratio": None,
        }
        assert self.verdict(profile=profile, operator={"engineers": 1e4}, **given) == "stay"

    @pytest.mark.parametrize("profile", PROFILES)
    def test_p5_a_huge_team_leaves_no_split_worth_it(self, profile):
        operator = {"engineers": 1e4, "loaded_usd_per_year": 5e6}
        assert self.verdict(profile=profile, operator=operator) in ("stay", "software")

    @pytest.mark.parametrize("profile", PROFILES)
    def test_p5_almost_no_traffic_is_to_stay(self, profile):
        """On chips of one type: of two, one server is enough, and the other kind is sold."""
        start = Scenario(profile=profile)
        given = {"demand_scale": 1e-9, "software": start.available_software.model_dump()}
        given["owned"] = [row.model_dump() for row in start.owned[:1]]
        assert self.verdict(profile=profile, **given) == "stay"

    @pytest.mark.parametrize("profile", PROFILES)
    def test_p5_without_power_nothing_is_worth_doing(self, profile):
        assert self.verdict(profile=profile, power_budget_mw=0.0) == "stay"

    def test_p5_prices_of_nothing_divide_by_nothing(self):
        free = dict.fromkeys(
            ("usd_per_mtok_input", "usd_per_mtok_cached", "usd_per_mtok_output"), 0
        )
        rows = [{"name": name, **free} for name in ("chat", "code")]
        held = planner.plan(Scenario.read({"profile": "axiom", "classes": rows}))
        assert held.as_dict(flips=False)["headline"]["revenue_usd_per_kwh"] == 0

    def test_p5_no_interest_no_tax_and_a_long_life_are_finite(self):
        finance = {"wacc_frac": 0.0, "tax_frac": 0.0, "life_years": 20.0, "sold_frac": 0.0}
        assert self.verdict(profile="axiom", finance=finance)
