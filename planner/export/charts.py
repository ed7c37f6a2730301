"""Every chart of a plan as a file: the brief's three, and what the pages show beside them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from planner import text
from planner.decision.plan import Plan
from planner.export import pictures
from planner.export.content import contender, swings_of
from planner.export.figures import GAIN, LOSS, Bar, Chart, last_place, waterfall
from planner.export.sources import Sources
from planner.export.words import OPTIONS, title_of
from planner.facts.units import QUARTERS_PER_YEAR, W_PER_MW
from planner.money.economics import Costs

BESIDE = ("capex_usd", "memory_usd_per_year", "energy_kwh_per_year")
LINES = [field.name for field in fields(Costs) if field.name not in BESIDE]
SPLIT = "only a split"
TONES = (GAIN, LOSS)
SHOWN_ROWS = 8


def charts(plan: Plan, document: Mapping[str, Any]) -> dict[str, Chart]:
    """Every chart by a name fit for a file, with its title."""
    option = contender(plan, plan.risk)
    about = OPTIONS[option][0].lower() + OPTIONS[option][1:]
    found = {
        "bridge": (pictures.bridge(document)[0], "Saved and spent a year"),
        "stranded": (pictures.stranded(document["stranded"]), "From provisioned to needed power"),
        "tornado": (tornado(plan, option), f"NPV of: {about}, one assumption low, then high"),
        "cost": (costs(plan), "Cost of a year"),
        "watts": (watts(document), "Watts per useful token a second"),
        "worth": (worth(plan), "NPV against as built"),
        "cash": (cash(plan, option), f"Running sum of cash: {about}, against as built"),
        "power": (power(plan), "Power held at the meter"),
        "throughput": (throughput(document), "Demand served from the power budget"),
        "pools": (pools(plan, option), f"Chips of each pool: {about}"),
    }
    return {name: replace(chart, title=title) for name, (chart, title) in found.items()}


def tornado(plan: Plan, option: str) -> Chart:
    """What moves the NPV most, widest first."""
    bars = swings_of(plan, option)[:SHOWN_ROWS]
    sources = Sources(plan.catalog)
    chart = pictures.tornado(bars, float(plan.money.npv_usd[option]), plan.catalog, sources)
    return replace(chart, note=" ".join(sources.notes()))


def costs(plan: Plan) -> Chart:
    """Yearly cost of each option, line after line."""
    rows = {
        option: [
            *(float(getattr(held, line)) for line in LINES),
            float(plan.money.extras[option].total),
        ]
        for option, held in plan.money.costs.items()
    }
    return _stacks(rows, [*map(title_of, LINES), SPLIT], text.usd)


def watts(document: Mapping[str, Any]) -> Chart:
    """Joules of a useful token by cause, an option a row."""
    held = {
        row["id"]: row["j_per_useful_token_by_cause"]
        for row in (*document["options"], document["proposed"])
        if row["j_per_useful_token_by_cause"]
    }
    causes = [each["label"] for each in next(iter(held.values()))]
    return _stacks({k: [each["j"] for each in row] for k, row in held.items()}, causes, text.number)


def worth(plan: Plan) -> Chart:
    """NPV of each option: P10 to P50 light, P50 to P90 dark."""
    bars = [_range(OPTIONS[name], npv) for name, npv in plan.risk.npv_usd.items()]
    return Chart(bars, n_columns=2, note="From P10 to P90; the tone changes at P50.")


def _range(label: str, npv: Mapping[str, float]) -> Bar:
    low, middle, high = npv["p10"], npv["p50"], npv["p90"]
    shown = text.around(text.usd, low, middle, high)
    return Bar(label, shown, ((low, middle, LOSS), (middle, high, GAIN)))


def cash(plan: Plan, option: str) -> Chart:
    """What has come in less what has gone out by the end of each year."""
    flows = plan.flows_usd(option)
    sums = [float(flows[: q + 1].sum()) for q in range(0, len(flows), QUARTERS_PER_YEAR)]
    place = last_place(sums)
    bars = [
        Bar(
            f"Year {year}" if year else "Today",
            text.usd(usd, place=place),
            ((0, usd, pictures.tone(usd)),),
        )
        for year, usd in enumerate(sums)
    ]
    return Chart(bars)


def power(plan: Plan) -> Chart:
    """Provisioned power of each option, of it the mean draw. [MW]"""
    facility = float(plan.ledger["site.pue"]) / W_PER_MW
    bars = []
    for option in plan.money.costs:
        held = plan.watts[option].times(facility)
        mean, whole = float(held.mean_w), float(held.provisioned_w)
        said = f"{text.mw(whole)}, mean {text.number(mean)}"
        bars.append(Bar(OPTIONS[option], said, ((0, mean, GAIN), (mean, whole, LOSS))))
    return Chart(bars, note="Dark: drawn in the mean of a day.")


def throughput(document: Mapping[str, Any]) -> Chart:
    """Share of demand that the power ceiling feeds under each option."""
    budget_w = float(document["scenario"]["power_budget_mw"]) * W_PER_MW
    bars = [
        Bar(OPTIONS[row["id"]], text.percent(share), ((0, share, GAIN),))
        for row in (*document["options"], document["proposed"])
        if row["facility_provisioned_w"]
        for share in (budget_w / row["facility_provisioned_w"],)
    ]
    return Chart(
        bars, guides=(0.0, 1.0), n_columns=2, note="The line is the demand that is planned for."
    )


def pools(plan: Plan, option: str) -> Chart:
    """Chips of each pool of an option; dark: owned ones, as far as they reach."""
    left = dict(plan.sized.owned)
    bars = []
    for pool in plan.fleets[option].pools:
        n, chip = float(pool.n_accelerators), pool.accelerator
        kept = min(n, left.get(chip, 0.0))
        left[chip] = left.get(chip, 0.0) - kept
        label = f"{pool.class_name.replace('_', ' ')}, {pool.role}"
        said = f"{text.number(n, place=0)} × {plan.catalog.accelerators[chip].name}"
        bars.append(Bar(label, said, ((0, kept, GAIN), (kept, n, LOSS))))
    return Chart(bars, n_columns=2, note="Dark: owned chips; light: chips to buy or rent.")


def _stacks(
    rows: Mapping[str, Sequence[float]], parts: Sequence[str], show: Callable[[float], str]
) -> Chart:
    """A row an option, its parts end to end in two turns of tone; the total in words."""
    bars = [
        Bar(OPTIONS[option], show(sum(sizes)), tuple(_spans(sizes)))
        for option, sizes in rows.items()
    ]
    names = ", ".join(part[0].lower() + part[1:] for part in parts)
    return Chart(bars, n_columns=2, note=f"From the left: {names}.")


def _spans(parts: Sequence[float]) -> Iterator[tuple[float, float, str]]:
    for n, (start, end) in enumerate(waterfall(parts)):
        yield start, end, TONES[n % len(TONES)]
