"""The matrix of reliability: every row has its tests, and the report says what they said."""

import pytest

from tests.reliability import carried, report, rows

EARLIER = """<testsuites><testsuite timestamp="2026-01-01T03:04:05">
<testcase name="test_l3_briefs[a]"><failure message="slow"/></testcase></testsuite></testsuites>"""
JUNIT = """<testsuites><testsuite timestamp="2026-01-02T03:04:05">
<testcase name="test_l3_briefs[a]"><properties><property name="slowest [s]" value="1.5"/>
</properties></testcase>
<testcase name="test_f1_kills"><failure message="no"/></testcase>
<testcase name="test_b3_bombs"><skipped/></testcase>
<testcase name="test_of_nothing"/></testsuite></testsuites>"""


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["id"])
def test_every_row_has_a_test_or_a_reason(row):
    assert carried().get(row["id"]) or row.get("reason")


def test_no_test_carries_an_id_that_the_matrix_lacks():
    assert not carried().keys() - {row["id"] for row in rows()} - {""}


def test_the_report_tells_what_passed_what_failed_and_what_was_measured(tmp_path):
    (tmp_path / "run.xml").write_text(JUNIT)
    (tmp_path / "then.xml").write_text(EARLIER)
    said = report([tmp_path / "run.xml", tmp_path / "then.xml"])
    lines = {line.split(" | ")[0].strip("| "): line for line in said.splitlines()[::-1]}
    assert "2026-01-02" in said
    assert "| L3 | briefs[a] | slowest | 1.5 s |" in said
    assert lines["L3"].endswith("| 1 | holds |")
    assert "**fails**: test_f1_kills" in lines["F1"]
    assert lines["B3"].endswith("| 0 | not run |")
