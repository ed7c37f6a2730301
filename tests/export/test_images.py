"""The rendered page against an approved picture of it: the same layout, also in grey.

Pictures are small and blurred, so that a figure may move and a font may smooth otherwise, but no
block may go missing. `python -m tests.export.test_images` renews them; look at them then.
"""

import io
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from PIL import Image, ImageFilter

from planner import profiles
from planner.export.brief import brief_pdf
from tests.export.printing import AT, page_text, planned, printed, reader

APPROVED = Path(__file__).parent / "approved"
PAPERS = ("a4", "letter")
DPI, BLUR = 40, 3
MEAN, FARTHEST = 4.0, 90.0
"""How far grey values may lie from the approved ones: in the mean, and anywhere."""


def rendered(pdf, dpi=DPI):
    """The page as a picture, by Poppler."""
    if shutil.which("pdftoppm") is None:
        pytest.skip("Poppler is not installed")
    made = subprocess.run(
        ["pdftoppm", "-r", str(dpi), "-png", "-"], input=pdf, capture_output=True, check=True
    )
    return Image.open(io.BytesIO(made.stdout)).convert("RGB")


def blurred(picture):
    return np.asarray(picture.convert("L").filter(ImageFilter.GaussianBlur(BLUR)), dtype=float)


def apart(one, other):
    """Mean and largest difference of two pictures' grey values."""
    difference = np.abs(blurred(one) - blurred(other))
    return difference.mean(), difference.max()


@pytest.mark.parametrize("paper", PAPERS)
def test_the_page_looks_as_it_was_approved(paper):
    approved = Image.open(APPROVED / f"brief-{paper}.png")
    picture = rendered(printed("axiom", paper))
    assert picture.size == approved.size
    mean, farthest = apart(picture, approved)
    assert mean <= MEAN
    assert farthest <= FARTHEST


def test_a_page_that_lost_a_block_would_be_found():
    picture = rendered(printed("axiom"))
    damaged = np.asarray(picture).copy()
    height = len(damaged)
    damaged[height // 3 : height // 2] = 255
    mean, farthest = apart(Image.fromarray(damaged), picture)
    assert mean > MEAN or farthest > FARTHEST


@pytest.mark.parametrize("paper", PAPERS)
def test_ink_stays_inside_the_page(paper):
    """Nothing touches the edge of the paper, and the page is filled to its foot."""
    grey = np.asarray(rendered(printed("hyperscaler", paper), 72).convert("L"))
    inked = grey < 200
    margin = 14
    assert not inked[:margin].any()
    assert not inked[-margin:].any()
    assert not inked[:, :margin].any()
    assert not inked[:, -margin:].any()
    assert inked[-6 * margin :].any()


def test_in_grey_text_and_bars_stand_out_from_the_paper():
    """Ink, the quiet ink and both bar tones are apart from paper and from each other."""
    grey = np.asarray(rendered(printed("hyperscaler"), 150).convert("L"))
    levels = np.bincount(grey.ravel(), minlength=256)
    assert levels[:48].sum() > 5_000
    dark, light = levels[70:110].sum(), levels[165:200].sum()
    assert dark > 2_000
    assert light > 500


def _one(n):
    started = perf_counter()
    name = f"Scenario {n}"
    held = planned(profiles.names()[n % len(profiles.names())])
    pdf = brief_pdf(held, made_at=AT, author=name)
    return n, pdf, perf_counter() - started


@pytest.mark.soak
def test_a_hundred_briefs_at_once_are_whole_and_their_own():
    for profile in profiles.names():
        printed(profile)
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(_one, range(100)))
    for n, pdf, took_s in made:
        assert len(reader(pdf).pages) == 1
        assert f"By Scenario {n} ·" in page_text(pdf)
        assert took_s <= 15
    assert len({pdf for _, pdf, _ in made}) == 100


if __name__ == "__main__":
    APPROVED.mkdir(exist_ok=True)
    for each in PAPERS:
        rendered(printed("axiom", each)).convert("L").save(
            APPROVED / f"brief-{each}.png", optimize=True
        )
