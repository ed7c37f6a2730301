"""The money of random plans against a twin that counts pools, classes and quarters one by one."""

import math
from dataclasses import asdict, replace
from functools import cache

import numpy as np
import pytest

from planner.decision.accounts import flows_usd_by_year
from planner.decision.assumptions import ledger_of
from planner.decision.headline import _shared
from planner.decision.megawatts import record, ways
from planner.decision.plan import judged
from planner.decision.records import option_record
from planner.decision.sized import serving_chips, sized
from planner.demand.scenario import Scenario
from planner.demand.workload import ratio
from planner.facts.catalog import load_catalog
from planner.facts.ledger import Ledger
from planner.fleet.sizing import server_chips
from planner.money import cash
from tests.oracle import money_twin as twin
from tests.stand_ins import PROFILES

CATALOG = load_catalog()
TOLERANCE = 1e-9
N_SWEPT = 10_000
# Fleets of many kinds: as each profile starts, and larger, smaller, greenfield and slower ones.
CHANGES = (
    {},
    {"demand_scale": 20.0},
    {"demand_scale": 5000.0, "ratio_in_18_months": 0.8},
    {"owned": [], "default_accelerator": "b200-sxm"},
    {"candidates": ["h100-sxm", "a100-80-sxm", "mi300x"], "fleet_mix": 0.4},
    {"fabric": {"gbit_per_s_per_node": 20.0, "transfer": "naive"}, "ratio_in_18_months": None},
)
RANGES = {
    ("site", "pue"): (1.0, 2.0),
    ("site", "usd_per_kwh"): (0.0, 0.6),
    ("site", "colocation_usd_per_kw_month"): (0.0, 600.0),
    ("site", "new_power_usd_per_mw"): (0.0, 4e7),
    ("site", "new_power_quarters"): (0.0, 30.0),
    ("site", "retrofit_usd_per_mw"): (0.0, 1e7),
    ("site", "retrofit_quarters"): (0.0, 12.0),
    ("operator", "engineers"): (0.0, 100.0),
    ("operator", "loaded_usd_per_year"): (0.0, 1e6),
    ("operator", "build_quarters"): (0.0, 12.0),
    ("operator", "bad_quarter_probability"): (0.0, 1.0),
    ("operator", "min_confidence"): (0.0, 1.0),
    ("operator", "backfill_usd_per_chip_hour"): (0.0, 3.0),
    ("finance", "wacc_frac"): (0.0, 0.4),
    ("finance", "life_years"): (1.0, 12.0),
    ("finance", "tax_frac"): (0.0, 0.6),
    ("finance", "price_erosion_frac_per_year"): (-0.3, 0.6),
    ("finance", "component_drift_frac_per_year"): (-0.5, 0.5),
    ("finance", "discount_frac"): (0.0, 1.0),
    ("finance", "sold_frac"): (0.0, 1.0),
    ("", "horizon_years"): (1.0, 12.0),
    ("", "growth_frac_per_year"): (-0.5, 1.5),
    ("", "planning_month"): (0.0, 48.0),
    ("", "training_frac"): (0.0, 0.9),
    ("", "backlog_frac"): (0.0, 2.0),
}
PRICES = ("usd_per_mtok_input", "usd_per_mtok_cached", "usd_per_mtok_output")
ESTIMATES = {
    "estimates.money.rollout_engineers": (0.0, 40.0),
    "estimates.money.rollout_quarters": (0.0, 5.0),
    "estimates.money.resale_haircut_frac": (0.0, 1.0),
    "estimates.money.price_elasticity": (0.0, 1.0),
    "estimates.money.bad_quarter_margin_lost_frac": (0.0, 1.0),
    "estimates.money.delivery_quarters": (0.0, 8.0),
    "estimates.money.gap_closing_frac_per_year": (0.0, 0.9),
    "prices.running.it_support_frac_per_year": (0.0, 0.2),
    "prices.capital.network_share_frac": (0.0, 0.5),
    "prices.life.facility_years": (5.0, 40.0),
}


@cache
def starting(profile, change):
    return sized(Scenario.read({"profile": profile} | CHANGES[change]), CATALOG)


def drawn(rng, profile, change):
    """The sized fleets of a start with random money around them, and a few round numbers."""
    held = starting(profile, change)
    fields = held.scenario.model_dump()
    for (part, name), (low, high) in RANGES.items():
        value = float(rng.choice([low, high, rng.uniform(low, high), rng.uniform(low, high)]))
        (fields[part] if part else fields)[name] = value
    fields["power_budget_mw"] = float(fields["power_budget_mw"] * 10 ** rng.uniform(-1.5, 1))
    fields["finance"]["basis"] = str(rng.choice(["own", "rent", "colocate"]))
    fields["software"]["prefix_cache"] = bool(rng.integers(2))
    if rng.integers(2):
        fields["software"] = fields["available_software"]
    for row in fields["classes"]:
        row.update({name: float(rng.choice([0, rng.uniform(0, 8)])) for name in PRICES})
        row["cache_hit_frac"] = float(rng.uniform(0, 0.99))
    for row in fields["owned"]:
        row.update(n=int(row["n"] * rng.uniform(0, 2)), age_years=float(rng.uniform(0, 8)))
        row.update(book_usd=float(rng.uniform(0, 5e4)), resale_usd=float(rng.uniform(0, 5e4)))
    scenario = Scenario.read(fields)
    mine = {name: float(rng.uniform(*ends)) for name, ends in ESTIMATES.items()}
    find = ledger_of(scenario, CATALOG).find

    def other(name):
        return replace(find(name), value=mine[name]) if name in mine else find(name)

    owned = serving_chips(scenario)
    return replace(held, scenario=scenario, ledger=Ledger(other), owned=owned), mine


def case_of(plan, mine):
    """The same plan as the twin sees it."""
    held, scenario = plan.sized, plan.scenario
    numbers = mine | {
        f"calibration.{name}": held.ledger[f"calibration.{name}"]
        for name in ("memory_j_per_byte", "compute_weight", "expert_order")
    }
    row = None
    if scenario.ratio_in_18_months is not None:
        row = held.ledger.find("ratio_in_18_months")
        row = (row.low / row.value, 1.0, row.high / row.value)
    return twin.Case(
        scenario=scenario.model_dump(),
        number=lambda name: numbers[name] if name in numbers else CATALOG.fact(name).value,
        chips={
            name: {
                "access": chip.access,
                "price_scope": chip.price_scope,
                "server_w": chip.server_w is not None,
                "idle_w": chip.idle_w is not None,
                "rental": chip.rental_usd_per_hour is not None,
                "server_chips": server_chips(chip, 8),
            }
            for name, chip in CATALOG.accelerators.items()
        },
        experts={name: float(model.n_experts) for name, model in CATALOG.models.items()},
        demands=[
            {"name": d.name, "mean_per_s": d.mean_per_s, "peak_per_s": d.peak_per_s}
            | {"input_tokens": d.input_tokens, "output_tokens": d.output_tokens}
            for d in held.demands
        ],
        fleets={name: [asdict(p) for p in fleet.pools] for name, fleet in plan.fleets.items()},
        feasible={name: fleet.feasible for name, fleet in plan.fleets.items()},
        owned=dict(plan.sized.owned),
        ratio_frac=row,
        planned_ratio=ratio(scenario, scenario.planning_month),
    )


def option_rows(plan, case, name):
    """Name, the plan's figure, the twin's, and how large its terms are, of one option."""
    watts, lines, sold = (f(case, name) for f in (twin.fleet_watts, twin.costs, twin.sold))
    for kind in twin.WATTS:
        yield kind, getattr(plan.watts[name], f"{kind}_w"), watts[kind], 0
    money = plan.money.costs[name]
    for line in twin.LINES:
        yield line, getattr(money, f"{line}_usd_per_year"), lines[line], 0
    yield "capex", money.capex_usd, lines["capex"], 0
    yield "kwh", money.energy_kwh_per_year, lines["kwh"], 0
    for kind in ("input", "cached", "output", "useful"):
        yield kind, getattr(plan.money.sold[name], f"{kind}_tokens"), sold[kind], 0
    yield "revenue", plan.money.sold[name].revenue_usd, sold["revenue"], 0
    for kind in ("input", "cached", "output"):
        ours = getattr(plan.money.sold[name], f"{kind}_revenue_usd")
        yield f"{kind} revenue", ours, sold[f"{kind} revenue"], 0
    more = twin.extras(case, name)
    gross, whole = twin.gross_usd(case, name), twin.cost_usd(case, name)
    for kind, usd in more.items():
        yield kind, getattr(plan.money.extras[name], kind), usd, gross
    yield "cost", plan.money.cost_usd_per_year(name), whole, 0
    yield from record_rows(plan, case, name)
    yield from cash_rows(plan, case, name)


def record_rows(plan, case, name):
    """The figures of an option's record, from the definitions."""
    record, sold, lines = option_record(plan, name), twin.sold(case, name), twin.costs(case, name)
    mtok, whole = sold["useful"] / 1e6, twin.cost_usd(case, name)
    pue, watts = case.part("site", "pue"), twin.fleet_watts(case, name)
    yield "cost_usd_per_mtok", record["cost_usd_per_mtok"], whole / mtok, 0
    yield "capex_usd_per_mtok", record["capex_usd_per_mtok"], lines["capital"] / mtok, 0
    per_token = whole / (sold["input"] + sold["output"]) * 1e6
    yield "cost_usd_per_total_mtok", record["cost_usd_per_total_mtok"], per_token, 0
    yield "revenue_usd_per_kwh", record["revenue_usd_per_kwh"], sold["revenue"] / lines["kwh"], 0
    joules = lines["kwh"] * 3.6e6 / sold["useful"]
    yield "j_per_useful_token", record["j_per_useful_token"], joules, 0
    yield "facility_mean_w", record["facility_mean_w"], watts["mean"] * pue, 0


def cash_rows(plan, case, name):
    """Cash plan, flows, NPV and the cost of waiting."""
    ours, mine, terms = plan.money.cash[name], twin.cash(case, name), plan.money.terms
    base = plan.money.cash["as-built"]
    fields = {
        "revenue": "revenue_usd_per_year", "energy": "energy_usd_per_year",
        "running": "running_usd_per_year", "purchase": "purchase_usd", "resale": "resale_usd",
        "book": "displaced_book_usd", "years": "displaced_years", "setup": "setup_usd",
        "team": "team_usd_per_year", "start": "start_quarters", "interim": "interim_frac",
        "resale now": "surplus_resale_usd", "book now": "surplus_book_usd",
        "years now": "surplus_years",
    }  # fmt: skip
    scale = max(abs(mine[key]) for key in ("revenue", "energy", "running", "purchase", "setup"))
    for key, field in fields.items():
        around = 1 if key in ("years", "years now", "start", "interim") else scale
        yield f"cash {key}", getattr(ours, field), mine[key], around
    theirs = twin.cash(case, "as-built")
    scale += max(abs(theirs[key]) for key in ("revenue", "energy", "running", "purchase"))
    usd, later = twin.flows(case, name), twin.flows(case, name, 1)
    for q, (one, two) in enumerate(zip(cash.flows_usd(ours, base, terms), usd, strict=True)):
        yield f"flow {q}", one, two, scale
    scale = scale * len(usd)
    now, late = twin.npv_usd(case, usd), twin.npv_usd(case, later)
    yield "npv", plan.money.npv_usd[name], now, scale
    yield "waiting", cash.waiting_usd_per_quarter(ours, base, terms), now - late, scale


def plan_rows(plan, case):
    """The figures of the plan as a whole."""
    gross = twin.gross_usd(case, "as-built")
    for step, usd in twin.bridge(case).items():
        yield f"bridge {step}", plan.bridge.steps[step], usd, gross
    yield "net", plan.bridge.net, sum(twin.bridge(case).values()), gross
    least = twin.gross_usd(case, twin.best(case))
    assert twin.gross_usd(case, plan.best) <= least * (1 + TOLERANCE)
    case.known["best",] = plan.best  # of options that cost the same
    head, held = _shared(plan, plan.verdict.option_id, []), twin.stranded(case)
    taxes = twin.taxes(case)
    yield "tax", head["tax_frac"]["p50"], taxes["tax"], 1
    yield "gap", head["gross_gap_frac"]["p50"], taxes["gap"], 1
    if "paper" in taxes:
        yield "paper tax", head["paper_tax_frac"], taxes["paper"], 1
    around = held["provisioned"]
    for cause, watts in plan.stranded.causes.items():
        yield cause, watts / 1e6, held[cause], around
    yield "stranded", head["stranded_mw"]["p50"], held["stranded"], around
    yield "recovered", head["recovered_mw"], held["recovered"], around
    free = case.scenario["power_budget_mw"] - held["provisioned"]
    yield "free", head["free_mw"], free, around
    yield "provisioned", plan.stranded.provisioned_w / 1e6, held["provisioned"], around
    yield "needed", plan.stranded.needed_w / 1e6, held["needed"], around
    yield "extra throughput", head["extra_throughput_frac"], held["extra_throughput"], 1
    displaced = twin.cash(case, twin.best(case))
    book = displaced["book"] + displaced["book now"]
    resale = displaced["resale"] + displaced["resale now"]
    yield "stranded capital", head["stranded_capital_usd"], book - resale, book
    option = plan.verdict.option_id
    mw = twin.fleet_watts(case, option)["provisioned"] * case.part("site", "pue") / 1e6
    per_mw = twin.sold(case, option)["revenue"] / mw
    yield "revenue per MW", head["revenue_usd_per_mw_year"], per_mw, 0


def worth_rows(plan, case):
    """Recovered, new and rebuilt megawatts, and the yearly sums of the recommended flows."""
    theirs, option = twin.worth(case), plan.verdict.option_id
    for row in record(ways(plan.sized, plan.money, plan.best, plan.stranded)):
        mine = theirs[row["id"]]
        scale = mine.get("scale", len(twin.flows(case, option)) * case_scale(case))
        for key in ("mw", "throughput_frac", "quarters", "npv_usd"):
            around = scale if key == "npv_usd" else 1
            yield f"{row['id']} {key}", row[key], mine[key], around
    usd = twin.flows(case, option)
    for year, ours in enumerate(flows_usd_by_year(plan, option)):
        mine = sum(usd[max(4 * year - 3, 0) : 4 * year + 1])
        yield f"year {year}", ours, mine, 4 * case_scale(case)


def case_scale(case):
    """The largest yearly amount or purchase of any option."""
    held = [twin.cash(case, name) for name, pools in case.fleets.items() if pools]
    return max(
        abs(row[key]) for row in held for key in ("revenue", "energy", "purchase", "running")
    )


def check_returns(plan, case):
    """IRR and payback of every option, by walking rates and sums."""
    base, terms = plan.money.cash["as-built"], plan.money.terms
    for name in plan.money.cash:
        usd = cash.flows_usd(plan.money.cash[name], base, terms)
        total = max(abs(usd).sum(), 1.0)
        if abs(usd).max() < 1e-6 or abs(np.cumsum(usd)[-1]) < TOLERANCE * total:
            continue
        found, _ = cash.irr_frac(usd)
        fine = (same_rate(found, twin.rates(list(map(float, usd)), n)) for n in (500, 10_000))
        assert any(fine), (name, found, usd.tolist())
        sums = np.cumsum(twin.flows(case, name))
        if abs(sums).min() > TOLERANCE * total:
            assert cash.payback_years(usd)[0] == twin.payback_years(twin.flows(case, name))


def same_rate(found, rates):
    """The one rate is found; of none or several, none is told."""
    if found is None:
        return len(rates) != 1
    return any(abs(found - rate) < 1e-6 * (1 + abs(found)) for rate in rates)


def compare(rng, profile, change):
    held, mine = drawn(rng, profile, change)
    plan = judged(held)
    case = case_of(plan, mine)
    rows = [("", *row) for row in (*plan_rows(plan, case), *worth_rows(plan, case))]
    for name in plan.money.costs:
        rows += [(name, *row) for row in option_rows(plan, case, name)]
    for option, figure, ours, theirs, scale in rows:
        allowed = TOLERANCE * max(abs(ours), abs(theirs), scale)
        close = math.isfinite(ours) and abs(ours - theirs) <= allowed
        assert close, f"{profile} {change} {option} {figure}: {ours!r} against {theirs!r}"
    return plan, case


@pytest.mark.parametrize("profile", PROFILES)
def test_p4_random_money_around_a_profile_is_that_of_the_twin(profile):
    rng = np.random.default_rng(0)
    for k in range(40):
        plan, case = compare(rng, profile, 0)
        if k == 0:
            check_returns(plan, case)


@pytest.mark.sweep
@pytest.mark.timeout(3000)
def test_p4_ten_thousand_plans_are_those_of_the_twin():
    rng = np.random.default_rng()
    kinds = [(profile, change) for profile in PROFILES for change in range(len(CHANGES))]
    for k in range(N_SWEPT):
        plan, case = compare(rng, *kinds[k % len(kinds)])
        if k % 25 == 0:
            check_returns(plan, case)
