"""S3: from what a provider says of somebody to the role they have here."""

import pytest

from planner import ForbiddenError, Identity
from server.accounts import admitted, is_stale, of_headers
from server.settings import read

HELD = read(
    {
        "SWITCHYARD_VIEWERS": "everybody@work",
        "SWITCHYARD_EDITORS": "planning, user:eve@example.com",
        "SWITCHYARD_APPROVERS": "finance-leads",
    }
)
HOUR_S = 3600


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["everybody@work"], "viewer"),
        ("planning", "editor"),
        (["everybody@work", "planning"], "editor"),
        (["planning", "finance-leads"], "approver"),
    ],
)
def test_s3_the_highest_listed_role_counts(groups, role):
    assert admitted({"email": "a@example.com", "groups": groups}, HELD) == Identity(
        "a@example.com", role
    )


def test_s3_a_name_may_be_listed_itself():
    assert admitted({"email": "eve@example.com"}, HELD).role == "editor"


def test_s3_a_name_gives_no_group_and_a_group_no_name():
    held = read({"SWITCHYARD_USER_CLAIM": "nickname", "SWITCHYARD_APPROVERS": "leads, user:eve"})
    assert admitted({"nickname": "leads"}, held).role == "viewer"
    assert admitted({"nickname": "ada", "groups": ["user:eve", "eve"]}, held).role == "viewer"


@pytest.mark.parametrize("groups", [None, [], ["visitors"], {"planning": True}, [["planning"]], 7])
def test_s3_who_is_listed_nowhere_stays_outside(groups):
    with pytest.raises(ForbiddenError, match="nobody has let you"):
        admitted({"email": "a@example.com", "groups": groups}, HELD)


@pytest.mark.parametrize("name", [None, "", "  ", 7, ["a"], "a\nb", "a\u202eb", "x" * 300])
def test_s3_a_name_that_nobody_could_read_stays_outside(name):
    with pytest.raises(ForbiddenError):
        admitted({"email": name, "groups": ["planning"]}, HELD)


def test_s3_an_address_that_nobody_verified_is_no_name():
    with pytest.raises(ForbiddenError, match="verified"):
        admitted({"email": "eve@example.com", "email_verified": False}, HELD)


def test_a_sign_in_lasts_as_long_as_it_may():
    assert not is_stale({"iat": 0}, HELD, 11.9 * HOUR_S)
    assert is_stale({"iat": 0}, HELD, 12.1 * HOUR_S)
    assert is_stale({}, HELD, 0)
    assert is_stale({"iat": "now"}, HELD, 0)


def test_a_proxys_groups_stand_between_commas():
    given = {"X-Forwarded-Email": "a@example.com", "X-Forwarded-Groups": "one, finance-leads,"}
    claims = of_headers(given, HELD)
    assert claims == {"email": "a@example.com", "groups": ["one", "finance-leads"]}
    assert admitted(claims, HELD).role == "approver"
