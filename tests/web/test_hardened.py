"""S1 on the running dashboard: what a stranger on the network gets, and what a browser may do."""

import pytest

from tests.web.conftest import PAGE_PATHS, PAGES, ROOT
from tests.web.visitor import asked

STREAM = "/_stcore/stream"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    "Sec-WebSocket-Protocol": "streamlit",
}
TRAVERSALS = [
    "/../app.py",
    "/%2e%2e/app.py",
    "/..%2fapp.py",
    "/..%5capp.py",
    "/%252e%252e%252fapp.py",
    "/....//....//app.py",
    "/static/../../app.py",
    "/static/%2e%2e/%2e%2e/%2e%2e/app.py",
    "/static/..%00/app.py",
    "/static//etc/passwd",
    "/media/../app.py",
    "/media/..%2f..%2fetc%2fpasswd",
    "/media//etc/passwd",
    "/component/../app.py",
    "/component/x/..%2f..%2fapp.py",
    "/component/x//etc/passwd",
    "/_stcore/bidi-components/x/../../app.py",
    "/app/static/../app.py",
    "/app/static/..%2f.streamlit%2fconfig.toml",
    "/.streamlit/config.toml",
    "/.streamlit/secrets.toml",
    "/.git/config",
    "/app.py",
    "//etc/passwd",
    "/%5c%5cserver%5cshare",
    "/C:%5cwindows%5cwin.ini",
    "/%00",
    "/~root",
]
OURS = ("def screen()", "root:x:0", "maxUploadSize", "repositoryformatversion")


@pytest.mark.parametrize("path", ["/", "/ladder", "/_stcore/health", "/ready", "/_stcore/metrics"])
def test_s1_every_answer_tells_the_browser_what_it_may_do(address, path):
    _, held, _ = asked(address, path)
    policy = dict(rule.split(" ", 1) for rule in held["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
    assert not {"'unsafe-inline'", "'unsafe-eval'"} & set(policy["script-src"].split())
    assert held["x-frame-options"] == "DENY"
    assert held["x-content-type-options"] == "nosniff"
    assert held["referrer-policy"] == "same-origin"
    assert "camera=()" in held["permissions-policy"]


def test_s1_a_page_of_this_installation_opens_a_session(address):
    status, _, _ = asked(address, STREAM, Origin=address, **UPGRADE)
    assert status == 101


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "http://evil.example",
        "http://127.0.0.1",
        "https://127.0.0.1.evil.example",
        "http://[",
    ],
)
def test_s1_a_foreign_or_missing_origin_opens_no_session(address, origin):
    given = {} if origin is None else {"Origin": origin}
    status, _, _ = asked(address, STREAM, **given, **UPGRADE)
    assert status == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "[::2]", "[", "[x]", "a@b", ""]
)
@pytest.mark.parametrize("path", ["/", "/_stcore/host-config"])
def test_s1_a_host_of_another_name_is_refused(address, path, host):
    assert asked(address, path, Host=host)[0] == 400


@pytest.mark.parametrize("path", TRAVERSALS)
def test_s1_no_path_leads_out_of_what_is_served(address, path):
    status, _, text = asked(address, path)
    page = asked(address, "/")[2]
    assert status in (400, 404) or (status in (200, 307) and text in ("", page))
    assert not [mark for mark in OURS if mark in text]


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/metrics?families=session_events_total",
        "/_stcore/script-health-check",
        "/_stcore/agent/openapi.json",
        "/_stcore/agent/mcp",
        "/_stcore/%6detrics",
    ],
)
def test_s1_metrics_and_the_inner_addresses_are_closed(address, path):
    status, _, text = asked(address, path)
    assert status == 404
    assert "#" not in text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_s1_pages_are_only_read(address, method):
    assert asked(address, "/", method)[0] == 405


def test_s1_an_upload_needs_our_origin_and_the_token(address):
    path = "/_stcore/upload_file/no-session/no-file"
    assert asked(address, path, "PUT")[0] == 403
    assert asked(address, path, "PUT", Origin="http://evil.example")[0] == 403
    status, _, text = asked(address, path, "PUT", Origin=address)
    assert status == 403
    assert "xsrf" in text.lower()


def test_s1_the_limits_of_streamlit_are_set(monkeypatch):
    from streamlit import config

    monkeypatch.chdir(ROOT)
    assert config.get_option("server.enableXsrfProtection")
    assert config.get_option("server.enableCORS")
    assert config.get_option("server.maxUploadSize") <= 50
    assert config.get_option("client.showErrorDetails") == "none"
    assert not config.get_option("runner.postScriptGC")
    assert not config.get_option("server.enableStaticServing")
    assert not config.get_option("browser.gatherUsageStats")


def test_ready_is_who_reaches_the_store(address):
    assert asked(address, "/ready")[::2] == (200, '{"store":"ready"}')


@pytest.mark.browser
def test_s1_every_page_and_chart_works_under_the_policy(chromium, address):
    context = chromium.new_context(viewport={"width": 1440, "height": 1000}, bypass_csp=False)
    page = context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.add_init_script(
        "window.blocked = []; document.addEventListener('securitypolicyviolation',"
        " e => window.blocked.push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`))"
    )
    charts = 0
    for name in PAGES:
        page.goto(f"{address}/{PAGE_PATHS[name]}")
        page.get_by_text("Master check passed").wait_for()
        page.wait_for_load_state("networkidle")
        assert not page.evaluate("window.blocked"), name
        charts += page.locator(".js-plotly-plot .main-svg").count() > 0
    assert charts >= 4
    context.close()
    assert not [line for line in said if "Content Security Policy" in line or "Refused to" in line]
