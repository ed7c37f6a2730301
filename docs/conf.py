"""How the documentation is built: `make docs`, from the root of the repository, without a network.

The root is the source folder, so that a link between documents is the same here and in the
repository; only what is listed below is read.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from planner import MODEL_VERSION  # noqa: E402 - the root must be importable first

project = "Switchyard"
author = "the authors of Switchyard"
project_copyright = f"{author}, Apache-2.0"
version = release = MODEL_VERSION

root_doc = "docs/index"
include_patterns = ["docs/**.md", "*.md", "hardware_catalog/**.md"]
exclude_patterns = [
    ".*", "benchmarks", "build", "data", "deploy", "dist", "pages", "planner", "server", "tests",
    "docs/site", "**/__pycache__",
]  # fmt: skip
extensions = [
    "myst_parser",
    "docs.site.contents",
    "docs.site.mathml",
]

nitpicky = True
smartquotes = False  # two dashes before an option are two dashes
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"Switchyard {release}"
html_static_path = ["site/static", "../planner/export/fonts"]
html_extra_path = ["site/front"]
html_css_files = ["look.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0A4F8A",
        "color-brand-content": "#0A4F8A",
        "font-stack": "Inter, sans-serif",
    },
    "dark_css_variables": {
        "color-brand-primary": "#8CC2F8",
        "color-brand-content": "#8CC2F8",
    },
}
