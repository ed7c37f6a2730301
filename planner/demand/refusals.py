"""What a refused field says: the path, what was given, and what is allowed."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from planner import text

SHOWN_CHARACTERS = 80
UNSAID = ("1", "frac")
"""Units of plain numbers: nothing is written after their limits."""


def sentences(part: type[BaseModel], error: ValidationError) -> list[str]:
    """One sentence per refused field of a part, in the reader's words."""
    said: dict[tuple[str, str], list[str]] = {}
    fields: dict[str, FieldInfo | None] = {}
    for item in error.errors():
        steps = [step for step in item["loc"] if not _names_an_alternative(step)]
        path = ".".join(map(str, steps))
        fields[path] = _field(part, steps)
        message = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
        said.setdefault((path, _shown(item["input"])), []).append(message)
    return [
        _sentence(path, shown, messages, fields[path])
        for (path, shown), messages in said.items()
        if not any(other.startswith(f"{path}.") for other in fields)  # a list short of what it lost
    ]


def _sentence(path: str, shown: str, messages: list[str], field: FieldInfo | None) -> str:
    """Alternatives are joined by "or"; a number says its range whatever was wrong with it."""
    if not path:
        return f"{' '.join(messages)}."
    if field is not None and (limits := allowed(field)):
        return f"{path}: {shown} is refused; allowed is {limits}."
    reasons = " or ".join(dict.fromkeys(message[0].lower() + message[1:] for message in messages))
    return f"{path}: {shown} is refused: {reasons}."


def allowed(field: FieldInfo) -> str:
    """The range of a numeric field with its unit, and its words; empty for other fields."""
    rules = [*field.metadata, *_rules(field.annotation)]
    low, high = (_end(rules, end) for end in ("ge", "le"))
    if low is None or high is None:
        return ""
    unit = str((field.json_schema_extra or {}).get("unit", ""))  # type: ignore[union-attr]
    kind = "a whole number from " if field.annotation is int else ""
    shown = f"{kind}{_plain(low)} to {_plain(high)}"
    return " ".join([shown, *([] if unit in UNSAID else [unit]), *_words(field.annotation)])


def _plain(value: float) -> str:
    return text.number(value, place=0 if value.is_integer() else None)


def _rules(annotation: Any) -> list[Any]:
    """Limits that stand inside a choice, as in `Literal["auto"] | Annotated[float, …]`."""
    return [
        rule
        for choice in get_args(annotation)
        for held in getattr(choice, "__metadata__", ())
        for rule in getattr(held, "metadata", ())
    ]


def _end(rules: list[Any], end: str) -> float | None:
    return next((float(getattr(rule, end)) for rule in rules if hasattr(rule, end)), None)


def _words(annotation: Any) -> Iterator[str]:
    """What a number may be instead."""
    for choice in get_args(annotation):
        if choice is type(None):
            yield "or empty"
        elif get_origin(choice) is Literal:
            yield from (f"or {word!r}" for word in get_args(choice))


def _field(part: type[BaseModel], steps: list[int | str]) -> FieldInfo | None:
    """The field that a path leads to, through parts and lists of them; None where there is none."""
    field = None
    for step in steps:
        if isinstance(step, int):
            continue
        field = part.model_fields.get(step)
        if field is None:
            return None
        inner = [held for held in (field.annotation, *get_args(field.annotation)) if _is_part(held)]
        part = inner[0] if inner else part
    return field


def _is_part(held: Any) -> bool:
    return isinstance(held, type) and issubclass(held, BaseModel)


def _shown(value: Any) -> str:
    return "the given table" if isinstance(value, Mapping) else repr(value)[:SHOWN_CHARACTERS]


def _names_an_alternative(step: int | str) -> bool:
    """Whether a step of a refused path only tells which alternative of a union was tried."""
    return str(step).startswith(("constrained", "literal["))
