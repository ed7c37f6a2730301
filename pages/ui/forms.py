"""The form for a chip, a model or a price of one's own: boxes with units, and a needed source."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.ui import own, state
from pages.ui.widgets import plain
from planner import (
    ORIGINS,
    Box,
    Plan,
    ScenarioError,
    SwitchyardError,
    Typed,
    boxes,
    identity,
    load_catalog,
    name_of,
    own_fact,
    place,
    text,
)

CHIPS, MODELS, PRICES = "accelerators", "models", "prices"
KINDS = {CHIPS: "A chip", MODELS: "A model", PRICES: "A price"}
ADD, EDIT = "Add a new one", "Edit one"
SAID, ROUND = "said of own facts", "round of own facts"
COLUMNS = 3
MOST_SPREAD = 90


def show(plan: Plan) -> None:
    """The whole form, behind one fold."""
    fold = st.expander(
        "Add or edit a chip, a model or a price",
        key="own-fold",
        on_change="rerun",
        icon=":material/add_circle:",
    )
    if fold.open:
        with fold:
            _form(plan)


def _form(plan: Plan) -> None:
    left, right = st.columns(2)
    kind = left.segmented_control(
        "What", list(KINDS), default=CHIPS, required=True, format_func=KINDS.get, key="own-kind"
    )
    does = right.segmented_control(
        "Do", [ADD, EDIT], default=ADD, required=True, key="own-do", disabled=kind == PRICES
    )
    new = does == ADD and kind != PRICES
    like = _like(kind, new, plan)
    held = boxes(kind, like, plan.catalog)
    key = f"own-{state.once(ROUND, int)}-{kind}-{new}-{like}"
    with st.form(key, border=False):
        if new:
            _naming(kind, key)
        for first in range(0, len(held), COLUMNS):
            for column, box in zip(st.columns(COLUMNS), held[first:], strict=False):
                with column:
                    _box(box, f"{key}-{box.field}")
        _origin(key)
        st.form_submit_button(
            "Keep it and use it everywhere",
            on_click=_take,
            args=(kind, like, new, key, plan),
        )
    for sentence in state.once(SAID, tuple):
        st.warning(plain(sentence), icon=":material/front_hand:")


def _like(kind: str, new: bool, plan: Plan) -> str:
    """The entry to start from."""
    catalog = plan.catalog
    if kind == PRICES:
        names = [name for name in sorted(plan.ledger.used) if name.startswith(f"{PRICES}.")]
        return st.selectbox(
            "Which price or share",
            names,
            format_func=lambda name: plain(name_of(plan.ledger.find(name), catalog)),
            key="own-price",
            help="Those that this plan rests on.",
        )
    shelf: Mapping[str, Any] = {CHIPS: catalog.accelerators, MODELS: catalog.models}[kind]
    usual = plan.scenario.default_accelerator if kind == CHIPS else plan.scenario.classes[0].model
    fit = [name for name, held in shelf.items() if _usable(kind, name, held)]
    return st.selectbox(
        "Like which one" if new else "Which one",
        fit,
        index=fit.index(usual) if usual in fit else 0,
        format_func=lambda name: plain(shelf[name].name),
        key=f"own-like-{kind}",
        help="Its figures fill the boxes; links and speed in practice are taken over.",
    )


def _usable(kind: str, name: str, held: Any) -> bool:
    if kind == MODELS:
        return name in load_catalog().models and not held.why_not()
    return not held.why_not("timing") and bool(held.flop_per_s.get("bf16"))


def _naming(kind: str, key: str) -> None:
    name, access, consider = st.columns(COLUMNS, vertical_alignment="bottom")
    name.text_input("Name", key=f"{key}-name", max_chars=60, help="Shown everywhere, marked (own).")
    if kind == CHIPS:
        access.selectbox(
            "How to get it",
            ["buy", "rent"],
            key=f"{key}-access",
            format_func={"buy": "Buy it", "rent": "Rent it"}.get,
            help="A chip to buy needs a price; one to rent needs a rent.",
        )
        consider.checkbox(
            "Consider it for the next cluster",
            value=True,
            key=f"{key}-consider",
            help="Adds it to the candidate chips of this scenario.",
        )


def _box(box: Box, key: str) -> None:
    unit = "" if box.unit == "1" else f" \\[{plain(box.unit)}\\]"
    st.number_input(
        f"{plain(box.title)}{unit}",
        value=box.value if not box.whole else int(box.value or 0),
        format="%d" if box.whole else "%.8g",
        step=1 if box.whole else None,
        key=key,
        help=plain(f"{box.about} Allowed: {text.number(box.low)} to {text.number(box.high)}."),
    )


def _origin(key: str) -> None:
    st.markdown("**Where the figures come from**")
    title, kind, url = st.columns(COLUMNS)
    title.text_input("Source", key=f"{key}-title", help="Title of the document or quote; needed.")
    kind.selectbox(
        "Kind of source",
        list(ORIGINS),
        key=f"{key}-kind",
        format_func=lambda name: ORIGINS[name][0],
    )
    url.text_input("Address", key=f"{key}-url", help="Where it can be read: a link or a file name.")
    st.slider(
        "How far each figure may lie off",
        0,
        MOST_SPREAD,
        0,
        format="± %d%%",
        key=f"{key}-spread",
        help="Widens the range of every figure that depends on it.",
    )


def _take(kind: str, like: str, new: bool, key: str, plan: Plan) -> None:
    """Keep what was typed, or say what is refused; what was typed stays in the boxes."""
    typed = _typed(kind, like, new, key, plan)
    try:
        content = own_fact(typed, plan.catalog, _before(typed, plan))
        own.take_up(content, consider=new and bool(state.typed(f"{key}-consider")))
    except ScenarioError as error:
        state.keep(SAID, error.problems)
    except SwitchyardError as error:
        state.keep(SAID, (str(error),))
    else:
        state.keep(SAID, ())
        state.keep(ROUND, state.once(ROUND, int) + 1)


def _typed(kind: str, like: str, new: bool, key: str, plan: Plan) -> Typed:
    name = str(state.typed(f"{key}-name") or "")
    return Typed(
        file=kind,
        entry=identity(name) if new else like,
        like=like,
        name=name,
        values={
            box.field: state.typed(f"{key}-{box.field}") for box in boxes(kind, like, plan.catalog)
        },
        spread_frac=float(state.typed(f"{key}-spread") or 0) / 100,
        origin={part: str(state.typed(f"{key}-{part}") or "") for part in ("title", "kind", "url")},
        access=str(state.typed(f"{key}-access") or plan_access(kind, like, plan)),
    )


def plan_access(kind: str, like: str, plan: Plan) -> str:
    """How a chip that is edited can be had."""
    return plan.catalog.accelerators[like].access if kind == CHIPS else ""


def _before(typed: Typed, plan: Plan) -> Mapping[str, Any] | None:
    """Fields of the reader's overlay on the same entry, if there is one."""
    name = "/".join(place(typed.file, typed.entry, plan.catalog))
    found = [held for held in own.used(plan.scenario) if held.name == name]
    return found[0].content["fields"] if found else None
