"""Inputs drawn from the scenario's own fields: label, unit, limits, help and the start's source."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

import streamlit as st

from pages.ui import state
from pages.ui.widgets import plain
from planner import Scenario, profiles, text

SHOWN_AS = {
    "frac": (100.0, "%"),
    "frac/year": (100.0, "% a year"),
    "W": (1e-3, "kW"),
    "1": (1.0, ""),
}
"""Factor and unit in which a field is shown where that reads better than its own."""

GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "demand": (
        "Demand",
        (
            "demand_scale",
            "growth_frac_per_year",
            "planning_month",
            "ratio_in_18_months",
            "backlog_frac",
            "training_frac",
        ),
    ),
    "chips": ("Chips", ("default_accelerator", "candidates")),
    "horizon": ("Horizon", ("horizon_years",)),
}
COLUMNS = 3


TOLD = ("audited",)
"""What an audit writes and nobody types."""


def more(*groups: str) -> None:
    """The inputs that a page does not show at first, behind one fold."""
    fold = st.expander(
        "More assumptions",
        key="more-" + "-".join(groups),
        on_change="rerun",
        icon=":material/tune:",
    )
    if fold.open:
        with fold:
            for group in groups:
                _group(state.scenario(), group)


def _group(scenario: Scenario, group: str) -> None:
    if group in GROUPS:
        title, names = GROUPS[group]
        _grid(title, scenario, "", names)
    elif group in profiles.LISTS:
        _one_of(scenario, group)
    else:
        part = getattr(scenario, group)
        title = Scenario.model_fields[group].title or group
        _grid(title, part, f"{group}.", tuple(type(part).model_fields))


def _one_of(scenario: Scenario, group: str) -> None:
    """A list of parts: the reader picks one, its inputs follow, and parts come and go."""
    rows = getattr(scenario, group)
    title = Scenario.model_fields[group].title or group
    index = 0
    if rows:
        names = [str(getattr(row, profiles.LISTS[group])).replace("_", " ") for row in rows]
        index = st.segmented_control(
            title,
            range(len(rows)),
            default=0,
            required=True,
            format_func=lambda i: plain(names[i]),
            key=f"pick-{group}-{len(rows)}",
        )
        _grid(
            f"{title}: {names[index]}",
            rows[index],
            f"{group}.{index}.",
            tuple(name for name in type(rows[0]).model_fields if name not in TOLD),
        )
    else:
        st.caption(f"{title}: none.")
    with st.container(horizontal=True):
        _part_button("Add another", "add", state.add_part, (group, index), able=True)
        _part_button("Remove it", "delete", state.drop_part, (group, index), able=bool(rows))


def _part_button(
    label: str, icon: str, act: Callable[..., None], part: tuple[str, int], *, able: bool
) -> None:
    st.button(
        label,
        key=f"{icon}-{part[0]}",
        on_click=act,
        args=part,
        icon=f":material/{icon}:",
        disabled=not able,
    )


def _grid(title: str, part: Any, prefix: str, names: tuple[str, ...]) -> None:
    st.markdown(f"**{plain(title)}**")
    for first in range(0, len(names), COLUMNS):
        for column, name in zip(st.columns(COLUMNS), names[first : first + COLUMNS], strict=False):
            with column:
                _field(part, prefix, name)


def _field(part: Any, prefix: str, name: str) -> None:
    """One input by the type of its field."""
    about, value, path = type(part).model_fields[name], getattr(part, name), prefix + name
    kinds = {get_origin(kind) or kind for kind in (about.annotation, *get_args(about.annotation))}
    key, label = f"field-{path}", plain(about.title or name)
    choices = _choices(name, about.annotation)
    if not choices and bool not in kinds and kinds & {float, int}:
        number(about, path, value, key=key, label=label)
        return
    many = isinstance(value, tuple)
    key = state.show(key, path, list(value) if many else value)
    look = {"key": key, "on_change": _take, "args": (key, path), "help": plain(about.description)}
    if bool in kinds:
        st.toggle(label, **look)
    elif many:
        st.pills(label, choices, selection_mode="multi", **look)
    elif choices:
        st.selectbox(label, choices, **look)
    else:
        st.text_input(label, **look)


def number(
    about: Any,
    path: str,
    value: float | None,
    *,
    key: str,
    label: str,
    format: str = "%.8g",  # noqa: A002
    **look: Any,
) -> None:
    """A number box without silent limits: what lies outside is refused in words."""
    factor, unit = shown_as(about)
    whole = isinstance(value, int)
    shown = value if value is None or whole else float(value) * factor
    key = state.show(key, path, shown)
    st.number_input(
        f"{label} \\[{plain(unit)}\\]" if unit and "label_visibility" not in look else label,
        value=None,
        step=1 if whole else _step(shown),
        format="%d" if whole else format,
        key=key,
        on_change=take_number,
        args=(key, path, about),
        help=plain(about.description),
        **look,
    )
    if "label_visibility" not in look:
        _cite(path)


def take_number(key: str, path: str, about: Any) -> None:
    """Move a typed number into the scenario, or say what is allowed in the unit it was typed in."""
    if state.echoed(key):
        return
    typed = state.typed(key)
    factor, unit = shown_as(about)
    low, high = limits(about)
    needed = type(None) not in get_args(about.annotation)
    if needed if typed is None else not low <= typed / factor <= high:
        allowed = f"{text.number(low * factor)} to {text.number(high * factor)} {unit}".rstrip()
        shown = "an empty box" if typed is None else text.given(typed)
        state.refuse(path, f"{about.title}: {shown} is refused; allowed is {allowed}.")
        return
    state.change(path, typed if typed is None or isinstance(typed, int) else typed / factor)


def shown_as(about: Any) -> tuple[float, str]:
    """Factor and unit in which a field is shown."""
    unit = str(about.json_schema_extra["unit"])
    return SHOWN_AS.get(unit, (1.0, unit))


def limits(about: Any) -> tuple[float, float]:
    """The lowest and highest allowed value of a field."""
    held = {
        end: float(getattr(rule, end))
        for rule in about.metadata
        for end in ("ge", "le")
        if hasattr(rule, end)
    }
    return held.get("ge", -math.inf), held.get("le", math.inf)


def _take(key: str, path: str) -> None:
    typed = state.typed(key)
    if not state.echoed(key):
        state.change(path, tuple(typed) if isinstance(typed, list) else typed)


def _choices(name: str, annotation: Any) -> list[str]:
    """What may be chosen: the words of the field, or the entries of the catalog."""
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    catalog = state.scenario().catalog
    held = {
        "model": catalog.models,
        "accelerator": catalog.accelerators,
        "default_accelerator": catalog.accelerators,
        "candidates": catalog.accelerators,
    }
    return list(held.get(name, ()))


def _step(shown: float | None) -> float:
    """A tenth of the leading digit."""
    return 10.0 ** (math.floor(math.log10(abs(shown))) - 1) if shown else 0.1


def _cite(path: str) -> None:
    """Where the starting value comes from, and its range."""
    start = profiles.quantity(state.scenario().profile, path)
    if start is None:
        return
    source = state.scenario().catalog.sources.get(start.source)
    title = source.title if source else start.source
    st.caption(plain(f"{start.kind}: {title}"))
