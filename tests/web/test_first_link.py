"""The first link of a day: the server knows every page before anybody opened one."""

import importlib
import sys

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.server.app_discovery import discover_asgi_app

from tests.web.conftest import PAGE_PATHS, ROOT


@pytest.fixture
def unopened(monkeypatch):
    """A process that has not answered anybody."""
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    monkeypatch.chdir(ROOT)
    monkeypatch.delitem(sys.modules, "app", raising=False)
    yield
    sys.modules.pop("app", None)


def test_streamlit_run_serves_what_app_holds():
    assert discover_asgi_app(ROOT / "app.py").import_string == "app:server"


def test_the_folder_of_pages_is_not_taken_for_pages_of_the_older_kind(unopened):
    importlib.import_module("app")
    PagesManager(str(ROOT / "app.py"))
    assert PagesManager.uses_pages_directory is False


def test_no_address_of_a_page_is_its_file_name():
    app = importlib.import_module("app")
    named = {name: path for name, _, path in app.PAGES}
    assert {name: path or "" for name, path in named.items()} == PAGE_PATHS
    assert not set(named) & set(named.values())
