"""What readers come for, from the first look to the end, in a real browser."""

import io
from pathlib import Path

import pypdf
import pytest

from pages.ui import answers, kpis, logs, tables
from planner import Scenario, adopted, audit, plan, text
from tests.web.conftest import PAGE_PATHS, dashboard
from tests.web.test_audit_page import pick
from tests.web.test_browser import TILE, opened, rest, settled, shows, tiles

pytestmark = pytest.mark.browser
ADOPT = "Use this audit as my workload"
SHIPPED = "azure 2023 code"
HASTY = """([button, link, later_ms]) => {
    const ending = (kind, words) =>
        [...document.querySelectorAll(kind)].find(it => it.innerText.trim().endsWith(words));
    ending("button", button).click();
    setTimeout(() => ending("a", link).click(), later_ms);
}"""
FROM_THE_COMMAND = 1024  # draws of `plan --json`
EXCERPT = "timestamp,input_tokens,output_tokens\n" + "".join(
    f"{1_750_000_000 + i},{6000 + i},{400 + i % 40}\n" for i in range(240)
)


@pytest.fixture(scope="module")
def axiom():
    """The answer of `plan --json` to the article's scenario."""
    held = plan(Scenario(profile="axiom"), n_samples=FROM_THE_COMMAND)
    return held, held.as_dict(flips=False)


def go(page, title):
    page.get_by_role("link", name=title, exact=True).click()
    page.get_by_role("heading", level=1).wait_for()
    rest(page)


def test_a_newcomer_reads_the_verdict_and_the_figures_of_the_command(desk, address, axiom):
    held, document = axiom
    opened(desk, address, "?profile=axiom")
    desk.get_by_role("heading", name=document["verdict"]["sentence"]).wait_for()
    assert tiles(desk) == said(held, document)


def said(held, document):
    """The four figures of a plan as a screen writes them."""
    place = tables.last_place(tables.bridge(document)["usd_per_year"].iloc[:-1])
    chosen = tables.record(document, kpis.rival(held))
    return [
        text.usd(document["net"]["usd_per_year"], place=place),
        text.mw(document["headline"]["recovered_mw"]),
        text.usd(chosen["cost_usd_per_mtok"]),
        text.usd(document["headline"]["proposed"]["npv_usd"]["p50"]),
    ]


def test_one_click_explains_a_figure_with_its_formula_and_sources(desk, address):
    opened(desk, address, "?profile=axiom")
    desk.get_by_role("button", name="Explain").nth(1).click()
    desk.get_by_text("Recovered = first − second").wait_for()
    desk.get_by_text("The inputs with the widest ranges").wait_for()


def test_plans_are_saved_compared_and_shared(desk, address, chromium):
    opened(desk, address, "?profile=axiom&power_budget_mw=6&name=Six")
    save(desk)
    box = desk.get_by_role("spinbutton", name="Power budget in megawatts")
    before = tiles(desk)
    box.fill("9")
    box.press("Enter")
    after = settled(desk, before)
    elsewhere = chromium.new_context().new_page()
    elsewhere.goto(shared(desk))
    rest(elsewhere)
    assert tiles(elsewhere) == after
    go(elsewhere, "Compare")
    elsewhere.get_by_text("Six, version 1").first.wait_for()
    elsewhere.get_by_text("Inputs that differ").wait_for()
    elsewhere.context.close()


def save(page):
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save as a new scenario").click()
    page.get_by_text("Saved: Six, version 1.").wait_for()
    page.keyboard.press("Escape")


def test_an_uploaded_log_becomes_the_brief(desk, address, tmp_path):
    path = tmp_path / "requests.csv"
    path.write_text(EXCERPT)
    opened(desk, address, f"{PAGE_PATHS['workload']}?profile=axiom")
    use = desk.get_by_role("button", name=ADOPT)
    pick(desk, "Request log", logs.OWN)
    use.wait_for(state="hidden")
    desk.locator("input[type=file]").set_input_files(str(path))
    use.click()
    go(desk, "Brief")
    figures = with_log(path)
    assert shows(desk, figures)
    picture = desk.get_by_role("img", name="The brief as it prints")
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    assert not missing(figures, printed(desk))
    assert not desk.strangers


def with_log(path):
    """The four figures of Axiom once a log is its workload."""
    start = Scenario(profile="axiom")
    held = plan(adopted(start, audit(path, start)), n_samples=FROM_THE_COMMAND)
    return said(held, held.as_dict(flips=False))


@pytest.mark.parametrize("later_ms", [0, 40, 200])
def test_a_step_is_kept_though_the_next_page_was_already_pressed(desk, address, later_ms):
    opened(desk, address, f"{PAGE_PATHS['workload']}?profile=axiom")
    pick(desk, "Request log", SHIPPED)
    rest(desk)
    desk.evaluate(HASTY, [ADOPT, "Brief", later_ms])
    desk.get_by_text("What will be signed").wait_for()
    assert shows(desk, with_log(answers.logs()[SHIPPED]))


def printed(page):
    """The words of the one-page brief that the Brief page hands out."""
    with page.expect_download() as held:
        page.get_by_role("button", name="One-page brief, PDF").click()
    (sheet,) = pypdf.PdfReader(io.BytesIO(Path(held.value.path()).read_bytes())).pages
    return " ".join(sheet.extract_text().split())


def missing(figures, words):
    return [figure for figure in figures if figure not in words]


def test_a_shared_link_says_the_same_after_a_restart(chromium, tmp_path):
    data = {"SWITCHYARD_DATA_DIR": str(tmp_path)}
    with dashboard(**data) as server:
        desk = chromium.new_context().new_page()
        opened(desk, server.address, "?profile=axiom&power_budget_mw=7")
        link, before = shared(desk).removeprefix(server.address), tiles(desk)
        desk.context.close()
    with dashboard(**data) as server:
        elsewhere = chromium.new_context().new_page()
        opened(elsewhere, server.address, link.lstrip("/"))
        assert tiles(elsewhere) == before
        elsewhere.context.close()


def shared(page):
    """The link that Share makes."""
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("code").first
    link.wait_for()
    return link.inner_text()


def test_a_forced_mix_redraws_the_fleet_as_the_plan_says(desk, address):
    opened(desk, address, f"{PAGE_PATHS['fleet']}?profile=hyperscaler")
    slider = desk.get_by_role("slider", name="Power in split pools")
    slider.focus()
    for _ in range(9):
        desk.keyboard.press("ArrowRight")
    desk.get_by_text("you asked for").first.wait_for()
    rest(desk)
    forced = plan(Scenario(profile="hyperscaler", fleet_mix=0.4), n_samples=FROM_THE_COMMAND)
    assert "fleet_mix=0.4" in desk.url
    share = text.percent(tables.split_power_frac(forced, "proposed"), place=-2)
    assert share in desk.get_by_test_id(TILE).all_inner_texts()


def test_the_keyboard_alone_leads_from_start_to_brief(desk, address):
    opened(desk, address, "?profile=axiom")
    before = tiles(desk)
    tab_to(desk, "slider", "Output : input tokens")
    for _ in range(6):
        desk.keyboard.press("ArrowRight")
    settled(desk, before)
    rest(desk)
    changed = tiles(desk)
    tab_to(desk, "link", "Brief")
    desk.keyboard.press("Enter")
    desk.get_by_role("heading", name="What do I sign?").wait_for()
    rest(desk)
    assert tiles(desk) == changed
    tab_to(desk, "button", "One-page brief, PDF")
    with desk.expect_download():
        desk.keyboard.press("Enter")


def tab_to(page, role, name):
    """Press Tab until that part of the page has the focus."""
    wanted = page.get_by_role(role, name=name).first
    for _ in range(120):
        page.keyboard.press("Tab")
        if wanted.evaluate("part => part === document.activeElement"):
            return
    raise AssertionError(f"the keyboard does not reach {name}")


def test_undo_brings_back_every_figure(desk, address):
    opened(desk, address, "?profile=axiom")
    before = tiles(desk)
    slider = desk.get_by_role("slider", name="Output : input tokens")
    slider.focus()
    for _ in range(12):
        desk.keyboard.press("ArrowRight")
    changed = settled(desk, before)
    rest(desk)
    while desk.get_by_role("button", name="Undo").is_enabled():
        desk.get_by_role("button", name="Undo").click()
        rest(desk)
    assert changed != before
    assert tiles(desk) == before
