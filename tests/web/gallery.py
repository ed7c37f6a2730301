"""The gallery of the documentation, taken anew: `python -m tests.web.gallery`."""

import os
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import planner
from tests.web.conftest import CHROMIUM, PAGE_PATHS, ROOT, SILENT, dashboard
from tests.web.test_browser import opened, rest

GALLERY = ROOT / "docs" / "gallery"
DESK, PHONE = 1440, 390
HIGHEST = 2600
SHOTS = {
    **{name: (name, DESK, "light", "hyperscaler") for name in PAGE_PATHS},
    "start-dark": ("start", DESK, "dark", "hyperscaler"),
    "options-dark": ("options", DESK, "dark", "hyperscaler"),
    "start-phone": ("start", PHONE, "light", "enterprise"),
    "risk-phone": ("risk", PHONE, "dark", "hyperscaler"),
}


def take(page, address, name, width, profile, path):
    """One picture, half size and of few colours, so that the gallery stays small."""
    page.set_viewport_size({"width": width, "height": 1000})
    opened(page, address, f"{PAGE_PATHS[name]}?profile={profile}")
    rest(page)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": min(height, HIGHEST)})
    rest(page)
    page.screenshot(path=path)
    with Image.open(path) as shot:
        small = shot.convert("RGB").reduce(2) if width == DESK else shot.convert("RGB")
    small.quantize(200).save(path, optimize=True)


def front():
    """The two pictures of the README: the verdict as it opens, and the page to sign."""
    with Image.open(GALLERY / "start.png") as shot:
        shot.crop((160, 40, DESK // 2, 600)).save(GALLERY / "verdict.png", optimize=True)
    held = planner.plan(planner.Scenario(profile="hyperscaler"), n_samples=1024)
    with Image.open(BytesIO(planner.brief_png(held))) as page:
        wide = page.convert("RGB").resize((900, 900 * page.height // page.width), Image.LANCZOS)
    wide.quantize(64).save(GALLERY / "page.png", optimize=True)


def main():
    """Serve the dashboard over an empty store and take every picture."""
    GALLERY.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as held:
        os.environ["SWITCHYARD_DATA_DIR"] = data
        browser = held.chromium.launch(executable_path=str(CHROMIUM), args=list(SILENT))
        with dashboard() as server:
            for file, (name, width, theme, profile) in SHOTS.items():
                context = browser.new_context(
                    color_scheme=theme, reduced_motion="reduce", bypass_csp=True
                )
                path = Path(GALLERY / f"{file}.png")
                take(context.new_page(), server.address, name, width, profile, path)
                context.close()
        browser.close()
    front()


if __name__ == "__main__":
    main()
