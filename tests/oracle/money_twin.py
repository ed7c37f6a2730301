"""The money of a plan counted the slow way: pool by pool, class by class, quarter by quarter.

Written from the definitions of the figures with plain floats and loops; it takes pools as they are
sized and imports no formula of the planner. What the definitions leave open is settled here in
words: cash falls on whole quarters; what a chip has left at the horizon is its unused share of
life at that day's price; owned halls within the ceiling cost no cash.
"""

import math
from dataclasses import dataclass, field
from functools import cache, wraps

HOURS, SECONDS = 8760.0, 8760.0 * 3600.0
LADDER = ("as-built", "monolithic-software", "split-same-chip", "split-capped", "split-mixed")
EXTRA_STEPS = ("fabric", "orchestration", "flexibility")
LINES = ("capital", "space", "energy", "support", "staff", "licences")
UPKEEP = ("support", "staff", "licences")
WATTS = ("nameplate", "provisioned", "peak", "mean", "lean_peak", "lean_mean")


@dataclass
class Case:
    """Everything that a plan's money rests on.

    scenario: its fields as plain values. number: a catalog number by its name. chips: access and
    price scope by id. experts: of each model. demands: name, mean_per_s, peak_per_s, input_tokens
    and output_tokens of each class. fleets: pools by option, plain values. feasible: by option.
    owned: serving chips by type. ratio_frac: low, value and high of the ratio over the planned one;
    planned_ratio: output over input tokens that the fleet is sized for.
    """

    scenario: dict
    number: object
    chips: dict
    experts: dict
    demands: list
    fleets: dict
    feasible: dict
    owned: dict
    ratio_frac: tuple | None
    planned_ratio: float
    known: dict = field(default_factory=dict)

    def part(self, name, field):
        return float(self.scenario[name][field])

    @property
    def split(self):
        return {
            name: any(pool["role"] != "monolithic" for pool in pools)
            for name, pools in self.fleets.items()
        }


def once(function):
    """What a case has been asked already is remembered, for speed alone."""

    @wraps(function)
    def remembered(case, *args):
        key = (function.__name__, *args)
        if key not in case.known:
            case.known[key] = function(case, *args)
        return case.known[key]

    return remembered


# Power.


@once
def overhead_w(case, chip):
    """Nameplate of server, network and storage beside one chip."""
    tdp, beside = case.number(f"accelerators.{chip}.tdp_w"), case.number(NETWORK_W)
    if case.chips[chip]["server_w"]:
        return case.number(f"accelerators.{chip}.server_w") - tdp + beside
    rack = "rack_" if case.chips[chip]["price_scope"] == "rack" else ""
    return tdp * (case.number(f"power.server.{rack}nameplate_over_tdp_frac") - 1) + beside


NETWORK_W = "estimates.power.network_storage_w"


def idle_w(case, chip):
    if case.chips[chip]["idle_w"]:
        return case.number(f"accelerators.{chip}.idle_w")
    return case.number(f"accelerators.{chip}.tdp_w") * case.number("power.idle_frac_of_tdp")


def uncapped_w(case, pool, compute, memory):
    """Draw of one chip that does shares of its peak arithmetic and bandwidth."""
    chip = pool["accelerator"]
    tdp, idle = case.number(f"accelerators.{chip}.tdp_w"), idle_w(case, chip)
    moved = memory * case.number(f"accelerators.{chip}.memory_bytes_per_s")
    work = case.number("calibration.memory_j_per_byte") * moved / (tdp - idle)
    experts = max(case.experts[pool["model"]], 1.0) ** case.number("calibration.expert_order")
    work += case.number("calibration.compute_weight") * compute * experts
    order = case.number("power.bend_order")
    return idle + (tdp - idle) * work / (1 + work**order) ** (1 / order)


def drawn_w(case, pool, load, factor, cap):
    """Draw of a chip under its mean load; one that only prefills works at one pace, or rests."""
    if pool["role"] != "prefill":
        return law_w(case, pool, load, factor, cap)
    pace, rest = pool["in_prefill"], {"compute_util_frac": 0.0, "memory_util_frac": 0.0}
    compute = min(load["compute_util_frac"] * factor, 1.0)
    busy = min(compute / pace["compute_util_frac"], 1.0)
    at_rest = law_w(case, pool, rest, 1, cap)
    return at_rest + busy * (law_w(case, pool, pace, 1, cap) - at_rest)


def law_w(case, pool, load, factor, cap):
    compute = min(load["compute_util_frac"] * factor, 1.0)
    memory = min(load["memory_util_frac"] * factor, 1.0)
    tdp = case.number(f"accelerators.{pool['accelerator']}.tdp_w")
    return min(cap * tdp, uncapped_w(case, pool, compute, memory))


def pool_watts(case, pool, cap=None):
    """IT watts of a pool under its own cap, or another."""
    cap = pool["power_cap_frac"] if cap is None else cap
    n, needed, running = pool["n_accelerators"], pool["n_needed"], pool["n_replicas"]
    tdp = case.number(f"accelerators.{pool['accelerator']}.tdp_w")
    rest = overhead_w(case, pool["accelerator"])
    drawn_rest = rest * case.number("estimates.power.overhead_draw_frac")
    lean = needed / running if running else 0.0
    busier = 1 / lean if lean else 1.0
    return {
        "nameplate": n * (tdp + rest),
        "provisioned": n * (tdp * cap + rest),
        "peak": n * (drawn_w(case, pool, pool["peak"], 1, cap) + drawn_rest),
        "mean": n * (day_w(case, pool, 1, cap) + drawn_rest),
        "lean_peak": n * lean * (drawn_w(case, pool, pool["peak"], busier, cap) + drawn_rest),
        "lean_mean": n * lean * (day_w(case, pool, busier, cap) + drawn_rest),
    }


@cache
def load_by_hour(peak_to_mean):
    """Loads over the mean of 24 hours on a von Mises curve with that peak, by halving."""

    def curve(kappa):
        heights = [math.exp(kappa * (math.cos(2 * math.pi * h / 24) - 1)) for h in range(24)]
        return [24 * height / sum(heights) for height in heights]

    if peak_to_mean <= 1:
        return [1.0] * 24
    low, high = 0.0, 1000.0
    for _ in range(64):
        middle = (low + high) / 2
        low, high = (middle, high) if curve(middle)[0] < peak_to_mean else (low, middle)
    return curve(high)


def day_w(case, pool, busier, cap):
    """Mean draw of a chip over the hours of a day; between the mean and the peak on a line."""
    total, top = 0.0, pool["peak_to_mean"]
    for load in load_by_hour(top):
        share = min((load - 1) / (top - 1), 1.0) if load > 1 else 0.0
        at = {
            kind: load * mean if load <= 1 else mean + share * (pool["peak"][kind] - mean)
            for kind, mean in pool["mean"].items()
        }
        total += drawn_w(case, pool, at, busier, cap)
    return total / 24


@once
def fleet_watts(case, option):
    total = dict.fromkeys(WATTS, 0.0)
    for pool in case.fleets[option]:
        for name, watts in pool_watts(case, pool).items():
            total[name] += watts
    return total


def harmless_cap(case, pool):
    """The lowest settable cap that leaves the peak alone, with a margin."""
    tdp = case.number(f"accelerators.{pool['accelerator']}.tdp_w")
    margin = 1 + case.number("estimates.power.cap_margin_frac")
    phases = {"prefill": ["in_prefill"], "decode": ["in_decode"]}
    steps = [pool[name] for name in phases.get(pool["role"], ["in_prefill", "in_decode"])]
    cap = max(law_w(case, pool, step, 1, 1.0) for step in [*steps, pool["peak"]]) / tdp * margin
    return min(max(cap, case.number("power.cap.decode_harmless_frac_of_tdp")), 1.0)


def chip_nameplate_w(case, chip):
    return case.number(f"accelerators.{chip}.tdp_w") + overhead_w(case, chip)


# What a year costs.


def payment(rate, years):
    """Twelve equal payments a year that pay a dollar off, by their sum of discount factors."""
    months = years * 12
    if rate == 0:
        return 12 / months
    return 12 * (rate / 12) / (1 - (1 + rate / 12) ** -months)


def all_in_usd(case, chip):
    over = "rack" if case.chips[chip]["price_scope"] == "rack" else "chip"
    multiple = case.number(f"prices.capital.all_in_over_{over}_price_frac")
    if case.chips[chip]["access"] != "paper":
        return case.number(f"accelerators.{chip}.price_usd") * multiple
    made = case.number(f"accelerators.{chip}.manufacturing_cost_usd")
    made /= case.number("accelerators.spad-h100.manufacturing_cost_usd")
    follows = 1 + case.number("estimates.money.price_elasticity") * (made - 1)
    return case.number("accelerators.h100-sxm.price_usd") * follows * multiple


def rented(case, chip):
    return case.scenario["finance"]["basis"] == "rent" and case.chips[chip]["rental"]


def rent_usd_per_year(case, chip):
    return case.number(f"accelerators.{chip}.rental_usd_per_hour") * HOURS


def capital_usd_per_year(case, chip):
    finance = case.scenario["finance"]
    return all_in_usd(case, chip) * payment(finance["wacc_frac"], finance["life_years"])


def wacc(case):
    return case.part("finance", "wacc_frac")


def space_usd_per_w(case, basis):
    if basis != "own":
        return case.part("site", "colocation_usd_per_kw_month") * 12 / 1000
    yearly = payment(wacc(case), case.number("prices.life.facility_years"))
    yearly += case.number("prices.running.facility_maintenance_frac_per_year")
    return case.part("site", "new_power_usd_per_mw") / 1e6 * yearly


def staff_usd_per_w(case):
    hourly = case.number("prices.running.it_staff_usd_per_hour")
    hourly *= case.number("prices.running.loaded_over_wage_frac")
    people = case.number("prices.running.staff_fte_per_mw")
    return people * hourly * case.number("prices.running.full_time_hours") / 1e6


@once
def costs(case, option, basis=None):
    """Capital [USD], the yearly lines [USD/year] and facility energy [kWh/year]."""
    basis = basis or case.scenario["finance"]["basis"]
    total = dict.fromkeys(("capex", *LINES, "kwh"), 0.0)
    for pool in case.fleets[option]:
        chip, n, watts = pool["accelerator"], pool["n_accelerators"], pool_watts(case, pool)
        kwh = watts["mean"] * case.part("site", "pue") * HOURS / 1000
        total["kwh"] += kwh
        total["licences"] += n * case.part("operator", "licence_usd_per_chip_year")
        if basis == "rent" and case.chips[chip]["rental"]:
            total["capital"] += n * rent_usd_per_year(case, chip)
            continue
        total["capex"] += n * all_in_usd(case, chip)
        total["capital"] += n * capital_usd_per_year(case, chip)
        total["space"] += watts["provisioned"] * space_usd_per_w(case, basis)
        total["energy"] += kwh * case.part("site", "usd_per_kwh")
        support = case.number("prices.running.it_support_frac_per_year")
        total["support"] += n * all_in_usd(case, chip) * support
        total["staff"] += watts["provisioned"] * staff_usd_per_w(case)
    return total


def upkeep(lines):
    return sum(lines[line] for line in UPKEEP)


def gross_usd(case, option):
    held = costs(case, option)
    return sum(held[line] for line in LINES)


# What a year sells.


@once
def sold(case, option):
    software = "software" if option == "as-built" else "available_software"
    caches = case.scenario[software]["prefix_cache"]
    classes = {row["name"]: row for row in case.scenario["classes"]}
    kinds = ("input", "cached", "output")
    total = dict.fromkeys((*kinds, "useful", "revenue", *(f"{k} revenue" for k in kinds)), 0.0)
    finance = case.scenario["finance"]
    for demand in case.demands:
        row, requests = classes[demand["name"]], demand["mean_per_s"] * SECONDS
        inputs, outputs = requests * demand["input_tokens"], requests * demand["output_tokens"]
        cached = inputs * row["cache_hit_frac"] if caches else 0.0
        total["input"] += inputs
        total["cached"] += cached
        total["output"] += outputs
        total["useful"] += outputs * (1 - 2 * (1 - case.number("estimates.serving.slo_quantile")))
        for kind, tokens in zip(kinds, (inputs - cached, cached, outputs), strict=True):
            usd = tokens / 1e6 * row[f"usd_per_mtok_{kind}"]
            usd *= (1 - finance["discount_frac"]) * finance["sold_frac"]
            total[f"{kind} revenue"] += usd
            total["revenue"] += usd
    return total


# What only a split costs.


def bad_quarter_usd(case, option):
    margin = max(sold(case, option)["revenue"] - costs(case, option)["energy"], 0.0) / 4
    lost = case.number("estimates.money.bad_quarter_margin_lost_frac")
    return case.part("operator", "bad_quarter_probability") * margin * lost


def team_usd(case):
    return case.part("operator", "engineers") * case.part("operator", "loaded_usd_per_year")


def fabric_usd(case, option):
    """Of each prefill pool: the share of its network that caches take, times its network's cost."""
    total = 0.0
    for pool in case.fleets[option]:
        chip, n = pool["accelerator"], pool["n_accelerators"]
        if pool["role"] != "prefill" or not n or rented(case, chip):
            continue
        nodes = math.ceil(n / case.chips[chip]["server_chips"])
        gbit_per_s = pool["kv_bytes_per_s"] * 8 / 1e9
        used = min(gbit_per_s / nodes / case.part("fabric", "gbit_per_s_per_node"), 1.0)
        network = n * capital_usd_per_year(case, chip)
        total += used * network * case.number("prices.capital.network_share_frac")
    return total


@once
def lost_to_drift(case, option):
    """Expected share of demand that pools of fixed chips cannot serve, pessimist to optimist."""
    if case.ratio_frac is None:
        return 0.0
    lost = 0.0
    for weight, frac in zip((1, 4, 1), case.ratio_frac, strict=True):
        planned, other = case.planned_ratio, case.planned_ratio * frac
        longer = {"prefill": (1 + planned) / (1 + other)}
        longer["decode"] = frac * longer["prefill"]
        for demand in case.demands:
            lost += weight / 6 * unserved(case, option, demand["name"], longer) / len(case.demands)
    return lost


def unserved(case, option, name, longer):
    mine = [p for p in case.fleets[option] if p["class_name"] == name and p["role"] in longer]
    kinds = {role: {p["accelerator"] for p in mine if p["role"] == role} for role in longer}
    if not mine or kinds["prefill"] == kinds["decode"]:
        return 0.0
    room, share = 1.0, 0.0
    for pool in mine:
        room = min(room, 1 / (pool["utilization"] * longer[pool["role"]]))
        share = max(share, pool["demand_frac"])
    return share * (1 - room)


@once
def backfill_usd(case):
    """What training earns in the idle hours of the monolithic fleet that a split gives up."""
    whole = case.fleets.get("monolithic-software") or case.fleets["as-built"]
    total = 0.0
    for pool in whole:
        peak = pool["peak"]["compute_util_frac"]
        mean = pool["mean"]["compute_util_frac"] / peak if peak else 0.0
        idle = min(1 - min(pool["utilization"] * mean, 1.0), case.scenario["training_frac"])
        rate = case.part("operator", "backfill_usd_per_chip_hour")
        total += pool["n_accelerators"] * idle * HOURS * rate
    return total


@once
def extras(case, option):
    if not case.split[option]:
        return dict.fromkeys(EXTRA_STEPS, 0.0)
    risk = bad_quarter_usd(case, option) / case.scenario["horizon_years"]
    drift = lost_to_drift(case, option) * gross_usd(case, option)
    return {
        "fabric": fabric_usd(case, option),
        "orchestration": team_usd(case) + risk,
        "flexibility": drift + backfill_usd(case),
    }


def cost_usd(case, option):
    return gross_usd(case, option) + sum(extras(case, option).values())


# Bridge and tax.


def bridge(case):
    names = ("software", "topology", "capping", "silicon")
    before, steps = gross_usd(case, "as-built"), {}
    for name, option in zip(names, LADDER[1:], strict=True):
        after = gross_usd(case, option) if case.feasible[option] else before
        steps[name] = before - after
        before = after
    on_top = extras(case, [n for n in LADDER if n == "as-built" or case.feasible[n]][-1])
    for name in EXTRA_STEPS:
        steps[name] = -on_top.get(name, 0.0)
    return steps


def least(case, options):
    serving = [gross_usd(case, name) for name in options if case.feasible[name]]
    return min(serving) if serving else gross_usd(case, "as-built")


@once
def best(case):
    """The cheapest purchasable option, gross."""
    serving = [name for name in LADDER if case.feasible[name]]
    return min(serving or [n for n in LADDER if case.fleets[n]], key=lambda n: gross_usd(case, n))


def taxes(case):
    first, last = gross_usd(case, "as-built"), None
    for option in LADDER:
        if case.feasible[option] or last is None:
            last = gross_usd(case, option)
    owned = least(case, LADDER[:-1])
    held = {"tax": 1 - least(case, LADDER) / owned, "gap": 1 - last / first}
    if case.feasible["split-specialised"]:
        held["paper"] = 1 - gross_usd(case, "split-specialised") / owned
    return held


# Stranded megawatts.


def stranded(case):
    pue = case.part("site", "pue")
    built = {name: w * pue / 1e6 for name, w in fleet_watts(case, "as-built").items()}
    good = {name: w * pue / 1e6 for name, w in fleet_watts(case, best(case)).items()}
    provisioned = built["nameplate"]
    if case.owned:
        provisioned = sum(n * chip_nameplate_w(case, c) for c, n in case.owned.items()) * pue / 1e6
    under_caps = sum(
        pool_watts(case, pool, harmless_cap(case, pool))["provisioned"]
        for pool in case.fleets["as-built"]
    )
    causes = {
        "surplus": provisioned - built["nameplate"],
        "nameplate": built["nameplate"] - built["peak"],
        "mismatch": built["peak"] - good["peak"],
        "reserve": good["peak"] - good["lean_peak"],
        "trough": good["lean_peak"] - good["lean_mean"],
    }
    cappable = built["nameplate"] - under_caps * pue / 1e6
    return causes | {
        "provisioned": provisioned,
        "needed": good["lean_mean"],
        "stranded": causes["surplus"] + cappable + causes["mismatch"],
        "recovered": provisioned - good["provisioned"],
        "extra_throughput": provisioned / good["provisioned"] - 1,
    }


# Cash.


@once
def served(case, option):
    """Share of demand that the ceiling lets an option serve, the backlog on top at most."""
    facility_mw = fleet_watts(case, option)["provisioned"] * case.part("site", "pue") / 1e6
    wanted = 1 + case.scenario["backlog_frac"]
    if not facility_mw:
        return wanted
    return min(wanted, case.scenario["power_budget_mw"] / facility_mw)


@once
def in_use(case, option):
    chips = dict.fromkeys(case.owned, 0.0)
    for pool in case.fleets[option]:
        more = pool["n_accelerators"] * served(case, option)
        chips[pool["accelerator"]] = chips.get(pool["accelerator"], 0.0) + more
    return chips


def to_buy(case, option):
    more = {c: max(n - case.owned.get(c, 0.0), 0.0) for c, n in in_use(case, option).items()}
    return {chip: n for chip, n in more.items() if n}


@once
def cash(case, option):
    """What an option buys, sells, spends and earns."""
    share, bought = served(case, option), to_buy(case, option)
    energy, running = yearly_cash(case, option, share, bought)
    more = extras(case, option)
    split = case.split[option]
    used = in_use(case, "as-built")
    covered = sum(min(n, case.owned.get(chip, 0.0)) for chip, n in used.items())
    return {
        "revenue": sold(case, option)["revenue"] * share,
        "energy": energy,
        "running": running + more["fabric"] + more["flexibility"],
        "purchase": 0.0
        if case.scenario["finance"]["basis"] == "rent"
        else sum(n * all_in_usd(case, chip) for chip, n in bought.items()),
        "setup": setup_usd(case, option, bought),
        "team": team_usd(case) if split else 0.0,
        "start": start_quarters(case, option, bought),
        "interim": covered / max(sum(used.values()), 1.0),
    } | displaced(case, option)


def yearly_cash(case, option, share, bought):
    basis = case.scenario["finance"]["basis"]
    if basis != "rent":
        held = costs(case, option)
        space = held["space"] if basis == "colocate" else 0.0
        return held["energy"] * share, (upkeep(held) + space) * share
    housed = costs(case, option, "colocate")
    kept = 1 - sum(bought.values()) / max(sum(in_use(case, option).values()), 1.0)
    rent = 0.0
    for chip, n in bought.items():
        yearly = rent_usd_per_year if rented(case, chip) else capital_usd_per_year
        rent += n * yearly(case, chip)
    at_home = (housed["support"] + housed["staff"] + housed["space"]) * share * kept
    return housed["energy"] * share * kept, at_home + housed["licences"] * share + rent


def displaced(case, option):
    """Owned chips that are sold: at the decision what nobody needs, at the start what is freed."""
    used, anyway = in_use(case, option), in_use(case, "as-built")
    at_once, later = {}, {}
    for chip, n in case.owned.items():
        at_once[chip] = max(n - max(used[chip], anyway[chip]), 0.0)
        later[chip] = max(min(n, anyway[chip]) - used[chip], 0.0)
    resale, book, years = fetched(case, later)
    now = dict(zip(("resale now", "book now", "years now"), fetched(case, at_once), strict=True))
    return {"resale": resale, "book": book, "years": years} | now


def fetched(case, chips):
    """What chips bring, stand for in the books, and how long they would have lasted."""
    rows = {row["accelerator"]: row for row in case.scenario["owned"]}
    received = 1 - case.number("estimates.money.resale_haircut_frac")
    resale = book = years = 0.0
    for chip, n in chips.items():
        resale += n * rows[chip]["resale_usd"] * received
        book += n * rows[chip]["book_usd"]
        rest = max(case.part("finance", "life_years") - rows[chip]["age_years"], 0.0)
        years += n * rest / max(sum(chips.values()), 1.0)
    return resale, book, years


def strangers(case, bought):
    return [chip for chip in bought if chip not in case.owned] if case.owned else []


def rollout(case, option):
    same = case.scenario["software"] == case.scenario["available_software"]
    return option != "as-built" and not same


def setup_usd(case, option, bought):
    new_w = sum(bought[chip] * chip_nameplate_w(case, chip) for chip in strangers(case, bought))
    usd = new_w * case.part("site", "pue") / 1e6 * case.part("site", "retrofit_usd_per_mw")
    if case.split[option]:
        usd += bad_quarter_usd(case, option)
    if rollout(case, option):
        years = case.number("estimates.money.rollout_quarters") / 4
        people = case.number("estimates.money.rollout_engineers") * years
        usd += people * case.part("operator", "loaded_usd_per_year")
    return usd


def start_quarters(case, option, bought):
    built = case.part("operator", "build_quarters") if case.split[option] else 0.0
    if not case.split[option] and rollout(case, option):
        free = not case.part("operator", "loaded_usd_per_year")
        built = 0.0 if free else case.number("estimates.money.rollout_quarters")
    arrived = case.number("estimates.money.delivery_quarters") if bought else 0.0
    if strangers(case, bought):
        arrived = max(arrived, case.part("site", "retrofit_quarters"))
    return built + arrived


def flows(case, option, delay=0):
    """After-tax cash of an option less that of as-built, quarter by quarter from the decision."""
    own, base = cash(case, option), cash(case, "as-built")
    mine, theirs = Books(case, own, base, delay), Books(case, base, base, 0)
    closing = (1 - case.number("estimates.money.gap_closing_frac_per_year")) ** (delay / 4)
    return between(case, mine, theirs, closing)


def between(case, mine, theirs, closing=1.0):
    """After-tax cash of one set of books less that of another."""
    tax, out = case.part("finance", "tax_frac"), []
    for q in range(mine.last + 1):
        gained = (mine.operating(q) - theirs.operating(q)) * closing
        spent = mine.spent(q) - theirs.spent(q)
        deducted = mine.deducted(q) - theirs.deducted(q)
        capital = mine.capital(q) - theirs.capital(q)
        out.append(gained - spent + capital - tax * (gained - spent - deducted))
    return out


class Books:
    """One way to serve, quarter by quarter; `base` is what runs until it starts."""

    def __init__(self, case, own, base, delay):
        finance = case.scenario["finance"]
        self.case, self.own, self.base, self.delay = case, own, base, delay
        self.last = round(case.scenario["horizon_years"] * 4)
        self.start = math.ceil(own["start"]) + delay
        self.life = max(round(finance["life_years"] * 4), 1)
        self.drift = 1 + finance["component_drift_frac_per_year"]
        self.memory = case.number("prices.memory.capital_share_frac")
        self.memory_drift = 1 + case.number("prices.memory.drift_frac_per_year")
        self.falling = 1 - finance["price_erosion_frac_per_year"]
        self.growth = 1 + case.scenario["growth_frac_per_year"]
        self.full = case.scenario["planning_month"] / 12

    def operating(self, q):
        if q == 0:
            return 0.0
        if q > self.start:
            return self.margin(self.own, q)
        return self.base["interim"] * self.margin(self.base, q)

    def margin(self, plan, q):
        years = q / 4
        demand = min(self.growth ** (years - self.full), 1.0)
        moved = plan["revenue"] * self.falling**years - plan["energy"]
        return (demand * moved - plan["running"]) / 4

    def price(self, q):
        memory = self.memory * self.memory_drift ** (q / 4)
        return self.own["purchase"] * ((1 - self.memory) * self.drift ** (q / 4) + memory)

    def purchases(self):
        return range(self.start, self.last, self.life)

    def left(self):
        """Share of life that the last purchase has left at the horizon."""
        if not self.purchases():
            return 0.0
        return 1 - (self.last - self.purchases()[-1]) / self.life

    def capital(self, q):
        usd = -self.price(q) if q in self.purchases() else 0.0
        if q == self.start < self.last:
            usd += self.own["resale"]
        if q == 0:
            usd += self.own["resale now"]
        if q == self.last:
            usd += self.price(q) * self.left()
        return usd

    def deducted(self, q):
        usd = 0.0
        for bought in self.purchases():
            if bought < q <= bought + self.life:
                usd += self.price(bought) / self.life
        if q == self.last and self.purchases():
            usd += (self.price(self.purchases()[-1]) - self.price(q)) * self.left()
        return usd + self.written_off(q, self.start) + self.written_off(q, 0, " now")

    def written_off(self, q, sold_at, when=""):
        """Deductions of chips that are sold against keeping them on the books."""
        book, rest = self.own["book" + when], max(self.own["years" + when] * 4, 1.0)
        if q > sold_at:
            return -book / rest * min(max(rest - (q - 1), 0.0), 1.0)
        if q == sold_at < self.last:
            return book * max(1 - q / rest, 0.0) - self.own["resale" + when]
        return 0.0

    def spent(self, q):
        setup = self.own["setup"] if q == self.delay else 0.0
        return setup + (self.own["team"] / 4 if q > self.delay else 0.0)


def npv_usd(case, usd):
    return sum(flow / (1 + wacc(case)) ** (q / 4) for q, flow in enumerate(usd))


def rates(usd, n):
    """Yearly rates from −99 % to 1000 % at which flows are worth nothing, by their signs."""

    def worth(log_rate):
        return sum(flow * math.exp(-log_rate * q / 4) for q, flow in enumerate(usd))

    low, high = math.log(0.01), math.log(11.0)
    marks = [low + (high - low) * k / n for k in range(n + 1)]
    values = [worth(mark) for mark in marks]
    found = []
    for k in range(n):
        if values[k] * values[k + 1] < 0:
            a, b = marks[k], marks[k + 1]
            for _ in range(60):
                middle = (a + b) / 2
                a, b = (middle, b) if worth(middle) * values[k] > 0 else (a, middle)
            found.append(math.exp((a + b) / 2) - 1)
    return found


def payback_years(usd):
    """Years after which the sum of all flows so far is never below nothing again."""
    total, negative, sums = 0.0, -1, []
    for flow in usd:
        total += flow
        sums.append(total)
    for q, value in enumerate(sums):
        if value < 0:
            negative = q
    return None if sums[-1] <= 0 else (negative + 1) / 4


# What a megawatt is worth.


NOTHING = dict.fromkeys(
    (
        "revenue,energy,running,purchase,resale,book,years,setup,team,start,interim,"
        "resale now,book now,years now"
    ).split(","),
    0.0,
)


def worth(case):
    """Megawatts, extra throughput, NPV and quarters of recovered, new and rebuilt power."""
    option, held = best(case), stranded(case)
    mw = held["provisioned"] - held["recovered"]
    backlog = case.scenario["backlog_frac"]
    freed = min(max(held["recovered"] / mw, 0.0), backlog)
    arrives = case.number("estimates.money.delivery_quarters")
    start = cash(case, option)["start"]
    newly = max(case.part("site", "new_power_quarters"), arrives)
    share = served(case, option)
    return {
        "recovered": extended(case, option, freed, mw * freed, max(start, arrives), new=False),
        "new": extended(case, option, backlog, mw * backlog, newly, new=True),
        "rebuild": {
            "mw": mw * share,
            "throughput_frac": share - served(case, "as-built"),
            "npv_usd": npv_usd(case, flows(case, option)),
            "quarters": start,
        },
    }


def extended(case, option, more, mw, start, *, new):
    """The best option a share larger: chips, cash opex and power; nothing of it is owned twice."""
    lines, basis = costs(case, option), case.scenario["finance"]["basis"]
    running = upkeep(lines) + extras(case, option)["fabric"]
    own = NOTHING | {"start": start, "revenue": sold(case, option)["revenue"] * more}
    own["energy"] = lines["energy"] * more
    chips = {}
    for pool in case.fleets[option]:
        chips[pool["accelerator"]] = chips.get(pool["accelerator"], 0) + pool["n_accelerators"]
    rows = {row["accelerator"]: row for row in case.scenario["owned"]}
    for chip, n in chips.items():
        idle = 0.0 if new else max(case.owned.get(chip, 0.0) - n, 0.0)
        reused = min(idle, n * more)
        own["purchase"] += (n * more - reused) * all_in_usd(case, chip)
        if reused:
            kept = 1 - case.number("estimates.money.resale_haircut_frac")
            own["resale"] -= reused * rows[chip]["resale_usd"] * kept
        if not new and case.owned and chip not in case.owned:
            hall_mw = n * more * chip_nameplate_w(case, chip) * case.part("site", "pue") / 1e6
            own["setup"] += hall_mw * case.part("site", "retrofit_usd_per_mw")
    if new and basis == "own":
        own["setup"] += mw * case.part("site", "new_power_usd_per_mw")
    elif new:
        running += lines["space"]
    if basis == "rent":
        running, own["purchase"] = running + lines["capital"], 0.0
    own["running"] = running * more
    usd = between(case, Books(case, own, NOTHING, 0), Books(case, NOTHING, NOTHING, 0))
    held = {"mw": mw, "throughput_frac": more, "npv_usd": npv_usd(case, usd), "quarters": start}
    return held | {"scale": (own["revenue"] + own["purchase"] + own["setup"]) * len(usd)}
