"""The runner of documents itself: it must see what is wrong on a page."""

import pytest
from sybil.example import SybilFailure

from tests.docs.blocks import COPIED, Command, commands, matches
from tests.docs.running import run


@pytest.fixture
def told(tmp_path):
    """Run a page of one's own; fences are written as three commas."""

    def written(text):
        (tmp_path / "page.md").write_text(text.replace(",,,", "```"))
        run(tmp_path / "page.md", tmp_path / "folder")

    return written


@pytest.mark.parametrize(
    "text",
    [
        ",,,console\n$ echo two\ntwo\n$ false\n# exits with 1\n,,,",
        ",,,console\n$ cat > a.csv <<END\n> one\n> END\n$ cat a.csv\none\n,,,",
        ",,,python\nname = 'hyperscaler'\n,,,\n,,,pycon\n>>> name\n'hyper...'\n,,,",
        ',,,toml scenario\nprofile = "enterprise"\n,,,',
        ",,,toml\n# FILE: mine.toml\nx = 1\n,,,\n,,,console\n$ tail -1 mine.toml\nx = 1\n,,,",
        ",,,console\n$ python -c 'import planner; print(planner.MODEL_VERSION)'\n...\n,,,",
        ",,,text\na --> b\n,,,",
        "<!-- not run: it needs a host of yours -->\n\n,,,sh\nopenssl s_client\n,,,",
        f"{COPIED}\n\n,,,console\n$ ls planner/__main__.py\nplanner/__main__.py\n,,,",
    ],
)
def test_a_page_that_tells_the_truth_passes(told, text):
    told(text)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (",,,console\n$ echo two\nthree\n,,,", "but shows\ntwo"),
        (",,,console\n$ echo two\n,,,", "but shows\ntwo"),
        (",,,console\n$ true\nsomething\n,,,", "should show\nsomething"),
        (",,,console\n$ echo gone; exit 2\ngone\n,,,", "ended in 2, not 0"),
        (",,,console\n$ true\n# exits with 2\n,,,", "ended in 0, not 2"),
        (",,,pycon\n>>> 1 + 1\n3\n,,,", "Got:\n    2"),
        (",,,toml\nx = 1\n,,,", "begins with"),
        (",,,sh\nrm -r build\n,,,", "not run: why"),
        ("<!-- not run: no host -->\n\nWords.\n\n,,,sh\nls\n,,,", "not run: why"),
        (",,,json\n{}\n,,,", "json runs nowhere"),
        (",,,\nls\n,,,", "no kind runs nowhere"),
        ("Words.\n\n    python -m planner plan\n", "no kind runs nowhere"),
        ("- a point\n\n  ,,,bash\n  ls\n  ,,,", "bash runs nowhere"),
        ("~~~yaml\na: 1\n~~~", "yaml runs nowhere"),
    ],
)
def test_a_page_that_does_not_is_found_out(told, text, seen):
    with pytest.raises(SybilFailure, match=seen):
        told(text)


def test_a_page_whose_python_fails_fails_in_its_own_words(told):
    with pytest.raises(ZeroDivisionError):
        told(",,,python\n1 / 0\n,,,")


def test_a_page_whose_scenario_is_refused_fails_in_the_planner_s_words(told):
    with pytest.raises(Exception, match="power_budget_mw"):
        told(",,,toml scenario\npower_budget_mw = -1\n,,,")


def test_a_command_goes_on_over_lines_and_ends_before_its_output():
    text = "$ cat <<END\n> a\n> END\na\n$ false\n\n# exits with 1\n"
    assert commands(text) == [
        Command("cat <<END\na\nEND", ("a",), 0),
        Command("false", (), 1),
    ]


@pytest.mark.parametrize(
    ("wanted", "seen", "same"),
    [
        ("a", "a  \n", True),
        ("a...c", "abbc\n", True),
        ("a...c", "ab\nc\n", False),
        ("a\n...\nd", "a\nb\nc\nd\n", True),
        ("a\n...\nd", "a\nd\n", True),
        ("a\n...", "a\n", True),
        ("...", "", True),
        ("a", "a\nb\n", False),
        ("1.5", "1x5\n", False),
    ],
)
def test_dots_stand_for_anything(wanted, seen, same):
    assert matches(tuple(wanted.split("\n")), seen) is same
