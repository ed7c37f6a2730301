"""B1 and B5: whatever is typed into a field or a link is read rightly or refused in a sentence."""

import json
import random
import re
from urllib.parse import parse_qsl, urlencode

import pytest

from planner import Scenario, ScenarioError
from planner.demand.parts import Finance, Operator, OwnedFleet, Site, WorkloadClass

PARTS = {"": Scenario, "site": Site, "operator": Operator, "finance": Finance}
LISTED = {"classes": WorkloadClass, "owned": OwnedFleet}
NONSENSE = ["NaN", "inf", "-inf", "1e308", "-1e308", "1.234,5", "$3k", "", " ", "1,5", "0x10", "١٢"]
COUNTS = [100, pytest.param(5000, marks=pytest.mark.sweep)]


def numbers():
    """Every numeric field of a scenario: its path, and the field."""
    for top, part in (PARTS | LISTED).items():
        for name, about in part.model_fields.items():
            if about.annotation in (float, int, float | None):
                yield f"{top}.{name}".strip("."), about


FIELDS = dict(numbers())


def given(path, text):
    """A scenario in which one number was typed as a text."""
    top, _, leaf = path.rpartition(".")
    if top in LISTED:
        held = Scenario.read({}).model_dump(mode="json")[top][0]
        return {top: [held | {leaf: text}]}
    return {top: {leaf: text}} if top else {leaf: text}


def read(path, text):
    """The number that a text becomes."""
    held = Scenario.read(given(path, text))
    top, _, leaf = path.rpartition(".")
    part = getattr(held, top) if top else held
    return getattr(part[0] if top in LISTED else part, leaf)


def allowed(about):
    """The least and the most that a field takes."""
    least = next(item.ge for item in about.metadata if hasattr(item, "ge"))
    return least, next(item.le for item in about.metadata if hasattr(item, "le"))


@pytest.mark.parametrize("text", NONSENSE)
@pytest.mark.parametrize("path", FIELDS)
def test_b1_nonsense_is_refused_with_the_field_and_its_range(path, text):
    with pytest.raises(ScenarioError) as refused:
        read(path, text)
    (sentence,) = refused.value.problems
    assert path.rpartition(".")[2] in sentence
    assert re.search(r"allowed is|number", sentence)


@pytest.mark.parametrize("path", FIELDS)
def test_b1_a_number_is_taken_up_to_its_limits_and_no_further(path):
    about = FIELDS[path]
    least, most = allowed(about)
    whole = about.annotation is int
    for value in (least, most):
        assert read(path, str(int(value) if whole else value)) == value
    for beyond in (least - 1, most * 2 + 1):
        with pytest.raises(ScenarioError, match="allowed is"):
            read(path, str(int(beyond) if whole else beyond))


@pytest.mark.parametrize("n_links", COUNTS)
def test_b5_a_mutated_link_is_opened_or_answered_in_sentences(n_links):
    start = {
        "power_budget_mw": 7.5,
        "decode_to_prefill_token_ratio": 0.2,
        "name": "A & B",
        "site": {"pue": 1.3},
        "classes": [{"name": "chat", "input_tokens": 900}],
    }
    link = urlencode(Scenario.read(start).to_query())
    opened = 0
    for n in range(n_links):
        said = answered(mutated(random.Random(n), link))
        opened += not said
        assert all(sentence.endswith(".") and "\n" not in sentence for sentence in said)
    assert n_links / 20 < opened < n_links


def answered(link):
    """What a link is answered with; nothing where it opens."""
    try:
        held = Scenario.from_query(dict(parse_qsl(link)))
    except ScenarioError as error:
        return error.problems or [""]
    json.dumps(held.model_dump(mode="json"), allow_nan=False)
    return ()


def mutated(rng, link):
    """A link with some characters flipped, cut, doubled or put in."""
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(link))
        link = (
            rng.choice(
                [
                    link[:at],
                    link[:at] + chr(rng.randrange(32, 127)) + link[at + 1 :],
                    link[:at] + link,
                    link[:at]
                    + rng.choice(["%00", "%FF", "&&", "=", "%7B", "é", "1e999"])
                    + link[at:],
                ]
            )
            or "&"
        )
    return link
