"""S3 in a real browser: in through a real OpenID provider on this machine, and out again."""

import re
import secrets

import pytest

from tests.web.conftest import dashboard, free_port

provider = pytest.importorskip("oidc_provider_mock")
pytestmark = [
    pytest.mark.browser,
    # The provider still uses an interface that Authlib will drop.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
PEOPLE = {
    "1": {"email": "ada@example.com", "email_verified": True, "groups": ["planning"]},
    "2": {"email": "cy@example.com", "email_verified": True, "groups": ["sales"]},
    "3": {"email": "mal@example.com", "email_verified": False, "groups": ["finance-leads"]},
}


@pytest.fixture(scope="module")
def identities():
    """The address of a provider that knows three people."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
        people = [provider.User(sub=sub, claims=claims) for sub, claims in PEOPLE.items()]
        with provider.run_server_in_thread(user_claims=people, require_nonce=True) as server:
            yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def address(identities, tmp_path_factory):
    """A dashboard that asks that provider who comes."""
    port = free_port()
    settings = {
        "SWITCHYARD_AUTH": "oidc",
        "SWITCHYARD_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SWITCHYARD_COOKIE_SECRET": secrets.token_hex(),
        "SWITCHYARD_OIDC_CLIENT_ID": "switchyard",
        "SWITCHYARD_OIDC_CLIENT_SECRET": "secret",
        "SWITCHYARD_OIDC_METADATA_URL": f"{identities}/.well-known/openid-configuration",
        "SWITCHYARD_EDITORS": "planning",
        "SWITCHYARD_APPROVERS": "finance-leads",
        "SWITCHYARD_DATA_DIR": str(tmp_path_factory.mktemp("store")),
    }
    with dashboard(port=port, **settings) as server:
        yield server.address


@pytest.fixture
def tab(chromium, address):
    context = chromium.new_context(viewport={"width": 1440, "height": 1000}, bypass_csp=False)
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()


def signed_in(page, sub):
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=sub, exact=True).click()


def test_s3_an_editor_comes_in_saves_and_goes_out(tab, address):
    tab.get_by_role("button", name="Sign in").wait_for()
    assert not tab.get_by_text("Output : input tokens").count()
    signed_in(tab, "1")
    tab.get_by_text(re.compile("ada@.?example.com · editor")).wait_for()
    tab.get_by_text("Master check passed").wait_for()
    cookies = {cookie["name"]: cookie for cookie in tab.context.cookies(address)}
    assert cookies["_streamlit_user"]["httpOnly"]
    tab.get_by_role("button", name="Save", exact=True).click()
    tab.get_by_role("button", name="Save as a new scenario").click()
    tab.get_by_text(re.compile("Saved: .* version 1")).wait_for()
    tab.keyboard.press("Escape")
    tab.get_by_role("button", name="Sign out").click()
    tab.get_by_role("button", name="End session").click()
    tab.get_by_role("button", name="Sign in").wait_for()
    assert "_streamlit_user" not in {c["name"] for c in tab.context.cookies(address)}


def test_s3_a_viewer_sees_and_saves_nothing(tab):
    signed_in(tab, "2")
    tab.get_by_text(re.compile("cy@.?example.com · viewer")).wait_for()
    tab.get_by_role("button", name="Save", exact=True).click()
    tab.get_by_role("button", name="Save as a new scenario").click()
    tab.get_by_text("saving takes editor").wait_for()


def test_s3_a_name_that_the_provider_has_not_verified_stays_outside(tab):
    signed_in(tab, "3")
    tab.get_by_text("has not verified your e-mail address").wait_for()
    assert not tab.get_by_text("Output : input tokens").count()
    tab.get_by_role("button", name="Sign out").wait_for()


def test_s3_a_cookie_of_ones_own_making_opens_nothing(chromium, address):
    context = chromium.new_context(bypass_csp=False)
    forged = "2|1:0|10:1700000000|15:_streamlit_user|20:eyJlbWFpbCI6ImJvYiJ9|aaaa"
    context.add_cookies([{"name": "_streamlit_user", "value": forged, "url": address}])
    page = context.new_page()
    page.goto(address)
    page.get_by_role("button", name="Sign in").wait_for()
    context.close()
