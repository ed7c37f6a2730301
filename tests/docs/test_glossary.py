"""The glossary for finance readers: it says what the dashboard says, and more."""

import re

import planner
from pages.ui.glossary import WORDS
from tests.sources import ROOT

PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").replace("\\$", "$")
ENTRIES = {
    word: " ".join(said.split())
    for word, said in re.findall(
        r"^\*\*(.+?)\.\*\* (.+?)(?=\n\n|\Z)", PAGE, re.MULTILINE | re.DOTALL
    )
}
ASKED = (
    "TTFT TPOT Prefill Decode Replica PUE Goodput NPV WACC IRR Payback Tornado Regret Nameplate"
).split()


def test_every_word_of_the_dashboard_means_the_same_here():
    differing = {w for w, said in WORDS.items() if not ENTRIES.get(w, "").startswith(said)}
    assert not differing


def test_every_entry_says_more_than_the_dashboard():
    assert not [word for word, said in WORDS.items() if len(ENTRIES[word]) < 2 * len(said)]


def test_the_words_that_finance_asks_for_are_there():
    assert not [word for word in ASKED if word not in ENTRIES]


def test_every_word_of_the_library_is_there():
    said = planner.__doc__.partition("Glossary. ")[2]
    words = re.findall(r"(?:^|\. )([A-Z][\w, -]*?):", " ".join(said.split()))
    assert len(words) > 6
    assert not [word for word in words if word not in ENTRIES]


def test_entries_are_in_order_and_short():
    assert list(ENTRIES) == sorted(ENTRIES, key=str.lower)
    assert not [word for word, said in ENTRIES.items() if len(said.split()) > 50]
