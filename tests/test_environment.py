"""F7: locale, time zone, leap day and hash seed change no figure and no byte."""

import os
import re
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pypdf
import pytest

pytestmark = pytest.mark.soak
ROOT = Path(__file__).parents[1]
MADE = """
import json, locale, sys
locale.setlocale(locale.LC_ALL, "")
sys.stderr.write(locale.localeconv()["decimal_point"])
import planner
held = planner.plan(planner.Scenario.read({"profile": "enterprise"}), n_samples=64)
sys.stdout.write(json.dumps(held.as_dict()) + "\\n")
sys.stdout.flush()
sys.stdout.buffer.write(planner.brief_pdf(held))
"""
ZULU = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"}
ELSEWHERE = {"LC_ALL": "de_DE.UTF-8", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"}
LEAP_NOON = {"UTC": "2028-02-29 12:00:00", "Pacific/Kiritimati": "2028-03-01 02:00:00"}


@pytest.fixture(scope="module")
def german(tmp_path_factory):
    """A folder with a locale that writes a comma where others write a point."""
    folder = tmp_path_factory.mktemp("locales")
    command = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / "de_DE.UTF-8")]
    if not shutil.which("localedef") or subprocess.call(command, stderr=subprocess.DEVNULL) > 1:
        pytest.skip("the Debian package locales is not installed")
    return folder


def made(where, locales, *, clock=""):
    """The JSON and the brief of a process of its own, and its decimal point."""
    faketime = shutil.which("faketime")
    if clock and not faketime:
        pytest.skip("the Debian package faketime is not installed")
    command = [faketime, "-f", clock] if clock else []
    environment = {**os.environ, **where, "LOCPATH": str(locales), "DONT_FAKE_MONOTONIC": "1"}
    done = subprocess.run(
        [*command, sys.executable, "-W", "ignore", "-c", MADE],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=True,
    )
    document, pdf = done.stdout.split(b"\n", 1)
    return document, pdf, done.stderr.decode()[-1]


@pytest.fixture(scope="module")
def leap_noon(german):
    """What is made at noon of a leap day in Greenwich."""
    return made(ZULU, german, clock=LEAP_NOON["UTC"])


def words(pdf):
    return pypdf.PdfReader(BytesIO(pdf)).pages[0].extract_text()


def lasting(pdf):
    """The words of a page but for the moments that it names, and its hash of them."""
    return re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?|hash \w+", "", words(pdf))


def test_f7_neither_place_nor_hash_seed_changes_a_byte(leap_noon, german):
    there = made(ELSEWHERE, german, clock=LEAP_NOON["Pacific/Kiritimati"])
    assert (leap_noon[2], there[2]) == (".", ",")
    assert "2028-02-29" in words(leap_noon[1])
    assert leap_noon[:2] == there[:2]


def test_f7_a_leap_day_changes_nothing_but_the_moment_it_names(leap_noon, german):
    today = made(ZULU, german)
    assert leap_noon[0] == today[0]
    assert lasting(leap_noon[1]) == lasting(today[1])
    assert words(leap_noon[1]) != words(today[1])
