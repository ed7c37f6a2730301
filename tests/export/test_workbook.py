"""The workbook: live formulas that give the planner's figures, and follow a changed input."""

from dataclasses import fields, replace

import pytest

from planner import profiles
from planner.decision import plan as planning
from planner.decision.valued import valued
from planner.export.words import title_of
from planner.export.workbook.inputs import HEAD
from planner.export.workbook.making import workbook
from planner.facts.ledger import Ledger
from planner.fleet.options import PURCHASABLE
from planner.money import tax
from planner.money.economics import Costs, revenue_usd_per_kwh, usd_per_mtok
from tests.export.printing import AT, planned
from tests.export.spreadsheet import checked, made, named, opened, recalculated

EVERYDAY = ("axiom", "neocloud")
FACTORS = {
    "in_site_usd_per_kwh": 1.7,
    "in_finance_wacc_frac": 0.6,
    "in_accelerators_h200_sxm_price_usd": 1.3,
    "in_accelerators_h100_sxm_price_usd": 0.8,
    "in_site_pue": 1.2,
    "in_prices_running_it_support_frac_per_year": 2.0,
    "in_prices_running_staff_fte_per_mw": 1.5,
    "in_operator_licence_usd_per_chip_year": 2.0,
    "in_prices_memory_capital_share_frac": 1.2,
    "in_prices_memory_drift_frac_per_year": 2.0,
    "in_class_1_usd_per_mtok_output": 1.1,
    "in_class_1_usd_per_mtok_cached": 3.0,
    "in_operator_engineers": 2.0,
    "in_operator_backfill_usd_per_chip_hour": 0.5,
    "in_finance_life_years": 0.8,
    "in_finance_tax_frac": 0.5,
    "in_finance_component_drift_frac_per_year": 2.0,
    "in_finance_sold_frac": 0.9,
    "in_fabric_gbit_per_s_per_node": 0.25,
    "in_power_budget_mw": 1.3,
    "in_estimates_money_delivery_quarters": 3.0,
    "in_estimates_money_resale_haircut_frac": 1.5,
    "in_owned_h200_sxm_serving": 0.5,
    "in_owned_h100_sxm_serving": 0.5,
    "in_owned_h200_sxm_age_years": 1.5,
}
"""Each name that a scenario has is multiplied (0 becomes 0.1); all at once is one more case."""
RENT = {"finance": {"basis": "rent"}}


def figures(plan):
    """What the sheet Checks compares, from the planner: (figure, option) -> value."""
    found = {("Net a year", ""): plan.bridge.net}
    for option, lines in plan.money.costs.items():
        label = LABELS[option]
        total, sold = plan.money.cost_usd_per_year(option), plan.money.sold[option]
        found |= {
            ("Cost a year, all in", label): total,
            ("Revenue a year", label): sold.revenue_usd,
            ("Cost per million useful tokens", label): usd_per_mtok(total, sold),
            ("Revenue per kWh", label): revenue_usd_per_kwh(sold, lines),
        }
        if option != "as-built":
            found["Net present value", label] = plan.money.npv_usd[option]
    found |= {(tax.LABELS[step], ""): usd for step, usd in plan.bridge.steps.items()}
    found["Bifurcation tax", ""] = tax.tax_frac(*plan.ladder_costs)
    held = plan.stranded
    found["Provisioned, MW", ""] = held.provisioned_w / 1e6
    found["Stranded, MW", ""] = held.stranded_w / 1e6
    found["Recovered, MW", ""] = held.recovered_w / 1e6
    found["Needed, MW", ""] = held.needed_w / 1e6
    found["Extra throughput", ""] = held.extra_throughput_frac
    return found


LABELS = {
    "as-built": "As built today",
    "monolithic-software": "Same chips, software on",
    "split-same-chip": "Split, same chips",
    "split-capped": "Split, decode capped",
    "split-mixed": "Split, best chips",
    "split-specialised": "Split, paper chips",
    "proposed": "Proposed mix",
}


def with_fleets_held(plan, changed):
    """The planner with other numbers in its register and the fleets as they were sized."""
    chips = {name.split(".")[1]: n for name, n in changed.items() if name.endswith(".serving")}

    def find(name):
        held = plan.ledger.find(name)
        return replace(held, value=changed[name]) if name in changed else held

    ledger = Ledger(find)
    held = replace(plan.sized, ledger=ledger, owned={**plan.sized.owned, **chips})
    money = valued(held, ledger, plan.fleets)
    gross = {name: money.gross_usd_per_year(name) for name in PURCHASABLE}
    serving = [name for name in gross if plan.fleets[name].feasible]
    best = min(serving, key=gross.get)
    return replace(
        plan,
        sized=held,
        money=money,
        best=best,
        stranded=planning._stranded(held, ledger, best),
        bridge=tax.bridge(*planning.ladder_costs(held, money), money.extras),
    )


def register_names(book):
    """Name in formulas -> label row of the sheet Inputs."""
    column = HEAD.index("Name in formulas")
    rows = book["Inputs"].iter_rows(values_only=True)
    return {row[column]: row for row in rows if (row[column] or "").startswith("in_")}


def changed_books(profile, plan, alone=tuple(FACTORS)):
    """A workbook for each input changed alone, and one with all; with what the planner says."""
    data = workbook(plan, made_at=AT)
    names = [name for name in FACTORS if name in opened(data).defined_names]
    cases = {name: [name] for name in alone if name in names} | {"all": names}
    books, wanted = {}, {}
    parameters = parameters_of(plan)
    for case, changed in cases.items():
        book, values = opened(data), {}
        for name in changed:
            cell = named(book, name)
            cell.value = cell.value * FACTORS[name] if cell.value else 0.1
            values[parameters[name]] = cell.value
        books[f"{profile}-{case}"] = book
        wanted[f"{profile}-{case}"] = figures(with_fleets_held(plan, values))
    return books, wanted


def parameters_of(plan):
    """Name in formulas -> name in the register, as a reader would match them."""
    classes = {row.name: f"class_{n}" for n, row in enumerate(plan.scenario.classes, 1)}
    found = {}
    every = [*plan.ledger.used, *(f"owned.{chip}.serving" for chip in plan.sized.owned)]
    for parameter in every:
        short = parameter
        for name, number in classes.items():
            short = short.replace(f"classes.{name}.", f"{number}.")
        found["in_" + short.lower().replace(".", "_").replace("-", "_")] = parameter
    return found


def same(mine, planner, figure):
    assert mine[figure][0] == pytest.approx(planner[figure], rel=1e-9, abs=0.005), figure


def check_changes(computed, wanted):
    for case, planner in wanted.items():
        mine = checked(computed[case])
        for figure in planner:
            same(mine, planner, figure)
        if case.endswith("-all"):
            assert computed[case]["Checks"]["B4"].value == "differs"


def check_unchanged(computed, names):
    for name in names:
        mine, planner = checked(computed[name]), figures(planned(name))
        assert len(mine) > 150
        assert {verdict for _, _, verdict in mine.values()} == {"same"}
        assert computed[name]["Checks"]["B4"].value == "same"
        for figure in planner:
            same(mine, planner, figure)


@pytest.fixture(scope="module")
def everyday(tmp_path_factory):
    """Two scenarios as made, and changed inputs of one: computed by a spreadsheet, all at once."""
    alone = ("in_site_usd_per_kwh", "in_finance_wacc_frac")
    books, wanted = changed_books("neocloud", planned("neocloud"), alone)
    books |= {name: opened(made(name)) for name in EVERYDAY}
    return recalculated(books, tmp_path_factory.mktemp("office") / "all"), wanted


def test_recalculated_from_its_formulas_it_says_what_the_planner_says(everyday):
    check_unchanged(everyday[0], EVERYDAY)


def test_a_changed_input_gives_what_the_planner_gives_with_the_fleets_held(everyday):
    check_changes(*everyday)


@pytest.mark.sweep
def test_every_starting_scenario_recalculates_to_the_cent(tmp_path):
    books = {name: opened(made(name)) for name in profiles.names()}
    check_unchanged(recalculated(books, tmp_path / "all"), profiles.names())


def check_every_change(profile, plan, folder):
    books, wanted = changed_books(profile, plan)
    check_changes(recalculated(books, folder), wanted)


@pytest.mark.sweep
@pytest.mark.parametrize("profile", profiles.names())
def test_changed_inputs_follow_the_planner_on_every_starting_scenario(profile, tmp_path):
    check_every_change(profile, planned(profile), tmp_path / "all")


@pytest.mark.sweep
def test_rented_fleets_recalculate_too(tmp_path):
    check_every_change("rent", planned("neocloud", **RENT), tmp_path / "all")


@pytest.mark.parametrize("profile", profiles.names())
def test_cached_values_are_filled_in(profile):
    held, mine = opened(made(profile), values=True), figures(planned(profile))
    found = checked(held)
    for figure, value in mine.items():
        assert found[figure][0] == pytest.approx(value, rel=1e-12, abs=1e-6), figure


def test_every_figure_but_inputs_and_sizes_is_a_formula():
    book = opened(made())
    for sheet in ("Options", "Cash flow", "Bridge"):
        numbers = [
            cell.coordinate
            for row in book[sheet].iter_rows(min_row=5)
            for cell in row
            if isinstance(cell.value, int | float)
        ]
        quarters = 21 if sheet == "Cash flow" else 0
        assert len(numbers) == quarters, sheet


def test_sheets_stand_in_the_order_of_an_audit():
    names = ["Inputs", "Sources", "Options", "Power", "Cash flow", "Bridge", "Checks"]
    assert opened(made()).sheetnames == names


def test_inputs_that_may_be_changed_are_yellow_and_named():
    book = opened(made())
    for name, row in register_names(book).items():
        cell = named(book, name)
        assert cell.value == row[1]
        yellow = cell.fill.fgColor.rgb == "FFFFF7CC"
        assert yellow != (cell.font.italic is True), name
    assert named(book, "in_site_usd_per_kwh").fill.fgColor.rgb == "FFFFF7CC"
    assert named(book, "in_horizon_years").fill.fgColor.rgb != "FFFFF7CC"


def test_no_formula_hides_an_input():
    """Money enters by name: no formula of a year holds a price or a rate as a number."""
    held, book = planned(), opened(made())
    prices = {held.ledger["accelerators.h100-sxm.price_usd"], held.ledger["site.usd_per_kwh"]}
    texts = [
        cell.value
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and cell.value.startswith("=")
    ]
    assert len(texts) > 2000
    assert not [text for text in texts for price in prices if f"{price:g}" in text.split("*")]
    assert max(map(len, texts)) < 8192


def test_every_line_of_cost_has_a_row():
    column = [row[0] for row in opened(made())["Options"].iter_rows(values_only=True)]
    for field in fields(Costs):
        assert title_of(field.name) in column


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_b4_text_that_looks_like_a_formula_stays_text(name):
    made_here = workbook(planned("enterprise", classes=[{"name": name}]), made_at=AT)
    cells = [
        cell
        for sheet in opened(made_here)
        for row in sheet.iter_rows()
        for cell in row
        if cell.value == name
    ]
    assert len(cells) > 5
    assert {cell.data_type for cell in cells} == {"s"}


def test_b4_negative_numbers_stay_numbers():
    values = opened(made(), values=True)["Bridge"]
    losses = [row[1].value for row in values.iter_rows(min_row=5) if row[1].value is not None]
    assert any(value < 0 for value in losses if isinstance(value, float))


def test_the_same_moment_gives_the_same_bytes():
    assert workbook(planned(), made_at=AT) == made()


def test_thirty_two_classes_still_make_formulas_that_a_spreadsheet_takes():
    rows = [{"name": f"class {n}", "requests_per_s": 0.5} for n in range(32)]
    data = workbook(planned("enterprise", classes=rows), made_at=AT)
    texts = [
        cell.value
        for sheet in opened(data)
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and cell.value.startswith("=")
    ]
    assert max(map(len, texts)) < 8192
