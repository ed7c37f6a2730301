"""The brief: one page that says what the plan says, in any weather."""

import dataclasses
import hashlib
import math
import os
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from itertools import pairwise

import pytest
from PIL import Image

from planner import Scenario, plan, profiles, text
from planner.demand.parts import COUNTED_AS, counted
from planner.errors import ExportError
from planner.export import brief, notes, setting
from planner.export.brief import brief_pdf, brief_png
from tests.export.printing import AT, page_text, planned, printed, reader
from tests.stand_ins import swept

PAPERS = {"a4": (595.28, 841.89), "letter": (612, 792)}
ALL = [(profile, paper) for profile in profiles.names() for paper in PAPERS]
UNITS = {"": 1, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def dollars(words):
    """ "−$1.2M" as a number."""
    sign, digits, unit = re.fullmatch(r"([−+]?)\$([\d.,]+)([kMBT]?)", words).groups()
    return float(digits.replace(",", "")) * UNITS[unit] * (-1 if sign == "−" else 1)


def column(pdf, first_label, after_label):
    """The values that follow a figure's labels, as printed from `first_label` to `after_label`."""
    (page,) = reader(pdf).pages
    lines = page.extract_text().splitlines()
    start, end = lines.index(first_label), lines.index(after_label)
    n = end - start + 1
    return dict(zip(lines[start : end + 1], lines[end + 1 : end + 1 + n], strict=True))


@pytest.mark.parametrize(("profile", "paper"), ALL)
def test_every_profile_fits_one_page_of_its_paper(profile, paper):
    (page,) = reader(printed(profile, paper)).pages
    assert [float(side) for side in page.mediabox[2:]] == pytest.approx(PAPERS[paper], abs=0.01)


@pytest.mark.parametrize("profile", profiles.names())
def test_the_page_says_what_the_plan_says(profile):
    said, document = page_text(printed(profile)), planned(profile).as_dict()
    head = document["headline"]
    assert document["verdict"]["sentence"] in said
    assert document["model_version"] in said
    assert document["catalog_date"] in said
    assert (
        f"Output : input tokens {_tag(said)} {text.ratio(head['decode_to_prefill_token_ratio'])}"
        in said
    )
    assert text.mw(head["recovered_mw"]) in said
    assert text.usd(head["cost_usd_per_mtok"]) + " →" in said
    assert text.percent(head["extra_throughput_frac"], signed=True) in said
    assert text.number(head["j_per_useful_token"]) + " W" in said
    tax = head["tax_frac"]
    assert text.around(text.percent, tax["p10"], tax["p50"], tax["p90"]) in said


def _tag(said):
    return re.search(r"input tokens (measured|part measured|assumed) ", said).group(1)


@pytest.mark.parametrize("profile", profiles.names())
def test_the_recommendation_stands_with_its_worth(profile):
    said, document = page_text(printed(profile)), planned(profile).as_dict()
    proposed = document["headline"]["proposed"]
    if document["verdict"]["action"] == "stay":
        assert "NPV of best alternative" in said
        assert "Approve no change" in said
    else:
        assert f"NPV against as built {text.usd(proposed['npv_usd']['p50'])}" in said
        assert f"→ {text.usd(proposed['cost_usd_per_mtok'])}" in said


@pytest.mark.parametrize(("profile", "paper"), ALL)
def test_the_bridge_adds_up_to_the_shown_digit(profile, paper):
    shown = column(printed(profile, paper), "Software on the same chips", "Net a year")
    steps = {label: dollars(words) for label, words in shown.items()}
    net = steps.pop("Net a year")
    assert len(steps) == 7
    assert sum(steps.values()) == pytest.approx(net, abs=1e-6 * max(map(abs, steps.values())))
    said = page_text(printed(profile, paper))
    turn, tile = re.search(r"Best split (saves a year|costs extra) (\S+)", said).groups()
    assert shown["Net a year"] == ("−" if turn == "costs extra" else "") + tile
    last_digit = 10 ** (math.floor(math.log10(max(map(abs, steps.values())))) - 2)
    asked = planned(profile).as_dict()["net"]["usd_per_year"]
    assert net == pytest.approx(asked, abs=0.51 * last_digit)


@pytest.mark.parametrize("profile", profiles.names())
def test_the_megawatts_add_up_to_the_shown_digit(profile):
    shown = column(printed(profile), "Provisioned", "Needed")
    mw = [
        float(words.removesuffix(" MW").replace("−", "-").replace(",", ""))
        for words in shown.values()
    ]
    assert len(mw) == 7
    assert sum(mw[:-1]) == pytest.approx(mw[-1], abs=1e-9)
    stranded = planned(profile).as_dict()["stranded"]
    assert mw[0] == pytest.approx(stranded["provisioned_mw"], rel=0.01)


def test_all_six_options_stand_in_the_table_and_the_chosen_one_is_marked():
    said, document = page_text(printed()), planned().as_dict()
    table = said[said.index("Option Capital") : said.index("NPV of the")]
    for row in document["options"]:
        assert text.usd(row["cost_usd_per_mtok"]) in table
        assert text.usd(row["capex_usd"]) in table
    assert table.count("→") == 1


def test_an_option_that_cannot_be_says_so():
    held = planned("enterprise", classes=[{"name": "chat", "p99_tpot_s": 0.001}])
    said = page_text(brief_pdf(held, made_at=AT))
    refused = [row for row in held.as_dict()["options"] if not row["feasible"]]
    assert refused
    assert said.count("Infeasible: ") == len(refused)


@pytest.mark.parametrize("ratio", [0.01, 20])
@pytest.mark.parametrize("profile", swept(profiles.names(), ("axiom", "enterprise")))
def test_extreme_ratios_still_fit(profile, ratio):
    held = planned(profile, decode_to_prefill_token_ratio=ratio)
    for paper in PAPERS:
        said = page_text(brief_pdf(held, paper=paper, made_at=AT))
        assert "assumed" in said
        assert held.verdict.sentence in said


@pytest.mark.parametrize("scale", [1e-3, 1e6])
def test_tiny_and_huge_fleets_still_fit(scale):
    held = planned("hyperscaler", demand_scale=scale)
    for paper in PAPERS:
        assert held.verdict.sentence in page_text(brief_pdf(held, paper=paper, made_at=AT))


def test_the_turns_of_the_verdict_are_on_the_page():
    said = page_text(printed())
    assert "Stay if output : input rises to 1 : 4.0." in said
    assert "Specialise if the power budget falls to 1.5 MW." in said


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("profile", profiles.names())
def test_the_longest_list_of_turns_still_fits(profile, paper):
    held = dataclasses.replace(planned(profile, name="W" * 99))
    sliders = {"decode_to_prefill_token_ratio": 0.0123, "power_budget_mw": 1.23, "fleet_mix": 0.12}
    vars(held)["flips"] = tuple(
        {"input": name, "value": value * scale, "action": "specialise"}
        for name, value in sliders.items()
        for scale in (1, 1000)
    )
    said = page_text(brief_pdf(held, paper=paper, made_at=AT, author="W" * 99))
    assert said.count("Specialise if") == 6


def test_without_samples_the_page_says_that_it_has_no_ranges():
    held = plan(Scenario(profile="enterprise"))
    vars(held)["flips"] = ()
    said = page_text(brief_pdf(held, made_at=AT))
    assert "no range: no samples" in said
    assert "has no P10 to P90" in said


@pytest.mark.parametrize("profile", profiles.names())
def test_the_prose_is_short(profile, monkeypatch):
    seen = {}
    keep = lambda _, page, *__, **___: seen.setdefault("page", page)  # noqa: E731
    monkeypatch.setattr(brief, "typeset", keep)
    brief_pdf(planned(profile), made_at=AT)
    prose = seen["page"]["prose"]
    words = {k: len((v if isinstance(v, str) else " ".join(v)).split()) for k, v in prose.items()}
    assert words["verdict"] + words["ask"] <= 40
    assert sum(words.values()) <= 350


@pytest.mark.parametrize("paper", PAPERS)
def test_no_letter_is_smaller_than_nine_points(paper):
    (page,) = reader(printed("axiom", paper)).pages
    sizes = Counter()

    def note(letters, cm, tm, font, size):
        if letters.strip():
            sizes[round(size * abs(tm[3]) * abs(cm[3]), 2)] += len(letters.strip())

    page.extract_text(visitor_text=note)
    assert sizes.total() > 2000
    assert min(sizes) >= 9


def test_all_fonts_are_inter_and_embedded():
    (page,) = reader(printed()).pages
    fonts = [ref.get_object() for ref in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        (inner,) = (ref.get_object() for ref in font["/DescendantFonts"])
        assert re.match(r"/[A-Z]{6}\+Inter-(Regular|SemiBold)", inner["/BaseFont"])
        assert "/FontFile3" in inner["/FontDescriptor"]


def tagged(node):
    """Every element of the structure tree below a node."""
    node = node.get_object()
    if isinstance(node, list):
        for item in node:
            yield from tagged(item)
    elif hasattr(node, "get"):
        yield node
        if "/K" in node:
            yield from tagged(node["/K"])


def test_the_page_is_tagged_for_readers_who_hear_it():
    pdf = reader(printed())
    root = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert pdf.metadata.title == "Switchyard brief: Axiom Cloud"
    metadata = root["/Metadata"].get_data().decode()
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert "<pdfaid:part>2</pdfaid:part>" in metadata
    elements = list(tagged(root["/StructTreeRoot"]["/K"]))
    kinds = Counter(element.get("/S") for element in elements)
    assert kinds["/H1"] == 1
    assert kinds["/H2"] >= 8
    assert kinds["/Table"] == 1
    assert kinds["/TH"] == 9
    alts = [element["/Alt"] for element in elements if element.get("/S") == "/Figure"]
    assert len(alts) == 3
    assert "Net a year: " in alts[0]
    assert "Needed: " in alts[1]


def test_the_file_is_small():
    assert max(len(printed(profile, paper)) for profile, paper in ALL) <= 300_000


def test_the_same_moment_gives_the_same_bytes():
    again = brief_pdf(planned(), made_at=AT, author="Ada Lovelace")
    assert again == printed()
    later = brief_pdf(planned(), made_at=AT + timedelta(minutes=1), author="Ada Lovelace")
    assert later != printed()


def test_a_moment_is_the_same_in_every_zone():
    there = AT.astimezone(timezone(timedelta(hours=9)))
    here = AT.replace(tzinfo=None)
    assert brief_pdf(planned(), made_at=there, author="Ada Lovelace") == printed()
    assert brief_pdf(planned(), made_at=here, author="Ada Lovelace") == printed()


def test_the_bytes_do_not_depend_on_the_process():
    code = (
        "import hashlib, sys; sys.path.insert(0, '.');"
        "from tests.export.printing import printed;"
        "print(hashlib.sha256(printed()).hexdigest())"
    )
    elsewhere = {"PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **elsewhere},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == hashlib.sha256(printed()).hexdigest()


def test_briefs_made_at_once_do_not_mix():
    profiles_twice = [*profiles.names()] * 2
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(_fresh, profiles_twice))
    assert made == [printed(profile) for profile in profiles_twice]


def _fresh(profile):
    return brief_pdf(planned(profile), made_at=AT, author="Ada Lovelace")


def test_the_id_follows_the_inputs():
    ids = [re.search(r"id (\w+)", page_text(printed(p))).group(1) for p in profiles.names()]
    assert len(set(ids)) == len(ids)
    renamed = brief_pdf(planned("axiom", name="Another"), made_at=AT)
    assert re.search(r"id (\w+)", page_text(renamed)).group(1) not in ids


def test_draft_and_approved_are_stamped():
    assert " DRAFT " in page_text(printed())
    approved = page_text(brief_pdf(planned(), made_at=AT, status="APPROVED"))
    assert " APPROVED " in approved
    assert "DRAFT" not in approved


def test_the_review_is_a_quarter_on():
    assert "Review by 2027-02-23" in page_text(printed())
    end = brief_pdf(planned(), made_at=datetime(2026, 11, 30, tzinfo=UTC))
    assert "Review by 2027-02-28" in page_text(end)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"paper": "a3"}, "paper 'a3' is unknown"),
        ({"status": "SIGNED"}, "status 'SIGNED' is unknown"),
    ],
)
def test_unknown_paper_or_status_is_refused_in_words(given, said):
    with pytest.raises(ExportError, match=said):
        brief_pdf(planned(), made_at=AT, **given)


def test_a_second_page_is_never_made(monkeypatch):
    monkeypatch.setattr(notes, "EXCLUDED", "and another thing " * 400)
    with pytest.raises(ExportError, match="more than one page"):
        brief_pdf(planned(), made_at=AT)


LITERAL = [
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "#let x = 1; #x *b* _i_ $x^2$ @r <l>",
    "[a](http://127.0.0.1:9/) http://b.test",
    "<img src=http://127.0.0.1:9/x>",
    "../../../etc/passwd",
    "-> => 3x4 -- ... 'q' \"r\" ~ \\n",
    '#read("/etc/passwd") #sys.inputs',
    "Ωμέγα Żółć Привет",
]
MENDED = [
    ("a\u202eb\u2066c\u200fd", "abcd"),
    ("nul\x00byte\x1b[0m", "nulbyte[0m"),
    ("party \U0001f389 time \U0001f468\u200d\U0001f469\u200d\U0001f466", "party time"),
    ("line\nbreak\ttab", "line break tab"),
    ("日本", "□□"),
]


@pytest.mark.parametrize(("given", "said"), [*((name, name) for name in LITERAL), *MENDED])
def test_b4_names_print_as_they_were_typed(given, said):
    held = planned("enterprise", name=given)
    pdf = brief_pdf(held, made_at=AT, author=given)
    assert page_text(pdf).startswith(f"{said} Master check")
    (page,) = reader(pdf).pages
    assert "/Annots" not in page


def test_a_ratio_that_was_counted_is_measured_and_names_its_log():
    typed = {"name": "chat", "input_tokens": 900, "output_tokens": 100}
    assert "assumed" in page_text(brief_pdf(planned("axiom", classes=[typed]), made_at=AT))
    (row,) = planned("axiom", classes=[typed]).scenario.classes
    told = row.model_dump() | {"audited": counted("log.csv, 9 requests", row.model_dump())}
    said = page_text(brief_pdf(planned("axiom", classes=[told]), made_at=AT))
    assert "Output : input tokens measured" in said
    assert "counted in log.csv, 9 requests" in said
    assert COUNTED_AS not in said


def test_b4_names_of_classes_print_as_they_were_typed():
    name = "<b>$x^2$</b> -> #x \u202e\U0001f389"
    held = planned("enterprise", classes=[{"name": name}])
    pdf = brief_pdf(held, made_at=AT)
    assert "/Annots" not in reader(pdf).pages[0]


def test_what_is_too_long_is_cut_and_said_so():
    said = page_text(brief_pdf(planned("axiom", name="W" * 200), made_at=AT, author="x" * 10_000))
    title = said.split(" Master check")[0]
    assert re.fullmatch("W{20,}…", title)
    assert re.search(r"By x{15,}… · ", said)
    assert "scenario of 200 characters, author of 10,000 characters" in said


def test_colours_stay_apart_in_grey():
    template = setting.FOLDER / brief.TEMPLATE
    style = (setting.FOLDER / "figures.mplstyle").read_text()
    gain, loss, *_ = re.findall(r"'([0-9a-f]{6})'", style)
    assert _contrast(gain, loss) >= 3
    colours = dict(re.findall(r'#let (\w+) = rgb\("#(\w+)"\)', template.read_text()))
    for ink in ("ink", "quiet", "deep"):
        for paper in ("ffffff", colours["wash"]):
            assert _contrast(colours[ink], paper) >= 4.5


def _contrast(one, other):
    """Contrast of two colours, WCAG 2.2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour):
    channels = [int(colour[i:j], 16) / 255 for i, j in pairwise((0, 2, 4, 6))]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_picture_on_screen_is_the_page_that_prints():
    picture = brief_png(planned("axiom"), made_at=AT)
    assert picture.startswith(b"\x89PNG")
    width, height = Image.open(BytesIO(picture)).size
    assert height / width == pytest.approx(297 / 210, rel=0.01)
    with pytest.raises(ExportError, match="allowed are a4, letter"):
        brief_png(planned("axiom"), paper="a3")
