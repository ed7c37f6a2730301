"""What an installation may be set to, and what it refuses to start with."""

import pytest

from server.settings import DEFAULTS, SettingsError, is_loopback, read, require_safe

SECRET = "s" * 32
PROXY = {
    "SWITCHYARD_AUTH": "proxy",
    "SWITCHYARD_PUBLIC_URL": "https://switchyard.example.com",
    "SWITCHYARD_PROXY_SECRET": SECRET,
}
OIDC = {
    "SWITCHYARD_AUTH": "oidc",
    "SWITCHYARD_PUBLIC_URL": "https://switchyard.example.com/",
    "SWITCHYARD_COOKIE_SECRET": SECRET,
    "SWITCHYARD_OIDC_CLIENT_ID": "switchyard",
    "SWITCHYARD_OIDC_CLIENT_SECRET": "given by the provider",
    "SWITCHYARD_OIDC_METADATA_URL": "https://id.example.com/.well-known/openid-configuration",
}


def test_nothing_set_is_this_machine_alone_without_sign_in():
    held = read({})
    assert (held.auth, held.public_url, held.metrics) == ("none", "", None)
    assert set(held.hosts) == {"localhost", "127.0.0.1", "::1"}


def test_streamlits_sign_in_gets_what_it_asks_for():
    assert read(OIDC).oidc == {
        "redirect_uri": "https://switchyard.example.com/oauth2callback",
        "cookie_secret": SECRET,
        "client_id": "switchyard",
        "client_secret": "given by the provider",
        "server_metadata_url": OIDC["SWITCHYARD_OIDC_METADATA_URL"],
    }


def test_what_is_set_to_nothing_is_as_if_unset():
    assert read(dict.fromkeys(DEFAULTS, "") | OIDC) == read(OIDC)


def test_a_secret_may_lie_in_a_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text(f"{'f' * 40}\n")
    given = PROXY | {"SWITCHYARD_PROXY_SECRET": "", "SWITCHYARD_PROXY_SECRET_FILE": str(file)}
    assert read(given).proxy_secret == "f" * 40


@pytest.mark.parametrize(
    "name",
    [
        "SWITCHYARD_PUBLIC_URL",
        "SWITCHYARD_COOKIE_SECRET",
        "SWITCHYARD_OIDC_CLIENT_ID",
        "SWITCHYARD_OIDC_CLIENT_SECRET",
        "SWITCHYARD_OIDC_METADATA_URL",
    ],
)
def test_what_a_sign_in_lacks_is_named(name):
    with pytest.raises(SettingsError, match=name):
        read(OIDC | {name: " "})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SWITCHYARD_AUTH", "open"),
        ("SWITCHYARD_PUBLIC_URL", "switchyard.example.com"),
        ("SWITCHYARD_PUBLIC_URL", "http://switchyard.example.com"),
        ("SWITCHYARD_PUBLIC_URL", "https://switchyard.example.com/planner"),
        ("SWITCHYARD_PROXY_SECRET", "short"),
        ("SWITCHYARD_PROXY_SECRET_FILE", "/no/such/file"),
        ("SWITCHYARD_PROXY_SIGN_OUT_URL", "javascript:alert(1)"),
        ("SWITCHYARD_SESSION_HOURS", "0"),
        ("SWITCHYARD_STEPS_PER_MINUTE", "many"),
        ("SWITCHYARD_SAVES_PER_DAY", "-1"),
        ("SWITCHYARD_METRICS", "9464"),
    ],
)
def test_nonsense_is_refused_by_name_without_showing_secrets(name, text):
    with pytest.raises(SettingsError, match=name) as refused:
        read(PROXY | {name: text})
    assert SECRET not in str(refused.value)
    assert "short" not in str(refused.value)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "10.0.0.1", "dashboard.local", "", None])
def test_s2_without_sign_in_other_addresses_are_refused(address):
    with pytest.raises(SettingsError, match="SWITCHYARD_AUTH"):
        require_safe(read({}), address)
    require_safe(read(PROXY), address)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_s2_loopback_is_this_machine(address):
    assert is_loopback(address)
    require_safe(read({}), address)
