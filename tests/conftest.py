"""Rules of the whole suite: how long a property is tried, and when a skip is a failure."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile("everyday", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("sweep", max_examples=2000, deadline=None)
settings.register_profile("soak", settings.get_profile("sweep"))
# `make mutate`: a failure is enough, its smallest example is not asked for.
settings.register_profile(
    "mutation",
    settings.get_profile("everyday"),
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.differing_executors],
)
settings.load_profile("everyday")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _strict((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _strict((yield))


def _strict(report):
    """With SWITCHYARD_REQUIRE_ALL=1 what would be skipped fails and says why."""
    expected_to_fail = hasattr(report, "wasxfail")
    if report.skipped and not expected_to_fail and os.environ.get("SWITCHYARD_REQUIRE_ALL") == "1":
        report.outcome = "failed"
        report.longrepr = f"SWITCHYARD_REQUIRE_ALL=1 allows no skip: {report.longreprtext}"
    return report
