"""The scenario: every input of a plan, each with its unit, limits and help on the field.

Widgets, links, the register of assumptions and the documents all read the fields from here.
Starting values are facts and live in `hardware_catalog/operators.toml`, one table a profile.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from planner.demand import profiles
from planner.demand.parts import (
    Fabric,
    Finance,
    Operator,
    OwnedFleet,
    Part,
    Site,
    Software,
    WorkloadClass,
    number,
)
from planner.demand.refusals import sentences
from planner.errors import ScenarioError
from planner.facts.catalog import Catalog, load_catalog

NONE = "none"


class Scenario(Part):
    """Everything that a plan depends on. Fields left out take the profile's starting values."""

    name: str = Field(title="Scenario", description="How the scenario is called.", max_length=200)
    profile: str = Field(title="Profile", description="Whose starting values are used.")
    demand_scale: float = number(
        "Demand scale", "1", 0, 1e7, "The audited log times this is the demand (an assumption)."
    )
    planning_month: float = number(
        "Sized for month", "months", 0, 120, "The fleet is sized once, for this month."
    )
    horizon_years: float = number("Horizon", "years", 1, 20, "Years of cash flow.")
    growth_frac_per_year: float = number(
        "Growth", "frac/year", -0.9, 20, "Yearly growth of requests."
    )
    ratio_in_18_months: float | None = Field(
        default=None,
        title="Ratio in 18 months",
        description="Expected output to input tokens in 18 months; empty: unchanged.",
        ge=0.001,
        le=100,
        json_schema_extra={"unit": "1"},
    )
    decode_to_prefill_token_ratio: float | None = Field(
        default=None,
        title="Output : input tokens",
        description="Rescales prompts and answers around the audited log; empty: as audited.",
        ge=0.01,
        le=20,
        json_schema_extra={"unit": "1"},
    )
    power_budget_mw: float = number(
        "Power budget", "MW", 0, 1e5, "Ceiling of the serving fleet at the meter."
    )
    fleet_mix: Literal["auto"] | Annotated[float, Field(ge=0, le=1)] = Field(
        title="Fleet mix",
        description="Share of serving power in split pools; auto: what the optimiser picks.",
        json_schema_extra={"unit": "frac"},
    )
    training_frac: float = number(
        "Training share", "frac", 0, 1, "Share of the owned fleet that trains models."
    )
    backlog_frac: float = number(
        "Turned-away demand", "frac", 0, 10, "Unserved demand over served demand."
    )
    classes: tuple[WorkloadClass, ...] = Field(
        title="Workload", description="The classes of requests.", min_length=1, max_length=32
    )
    owned: tuple[OwnedFleet, ...] = Field(
        title="Owned fleet", description="Chips already installed.", max_length=32
    )
    default_accelerator: str = Field(
        title="Default chip", description="What would be bought where nothing is owned."
    )
    candidates: tuple[str, ...] = Field(
        title="Candidate chips", description="Chips this operator can buy or rent.", min_length=1
    )
    software: Software = Field(title="Software in place", description="What runs today.")
    available_software: Software = Field(
        title="Software available", description="What the operator could switch on."
    )
    fabric: Fabric = Field(title="Fabric", description="Network between pools.")
    site: Site = Field(title="Site", description="Power, cooling and their prices.")
    operator: Operator = Field(title="Operator", description="Team and risk.")
    finance: Finance = Field(title="Finance", description="Capital, prices and tax.")

    _catalog: Catalog | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _start_from_profile(cls, given: Any) -> Any:
        return profiles.completed(given) if isinstance(given, Mapping) else given

    @field_validator("ratio_in_18_months", "decode_to_prefill_token_ratio", mode="before")
    @classmethod
    def _none_in_words(cls, given: Any) -> Any:
        """TOML has no empty value: there a field is emptied by the word "none"."""
        return None if given == NONE else given

    @model_validator(mode="after")
    def _known_names(self, info: ValidationInfo) -> Self:
        problems = [*_repeated(self), *_unknown_names(self, info.context or load_catalog())]
        if problems:
            raise ValueError(" ".join(problems))
        if info.context is not load_catalog():
            self._catalog = info.context
        return self

    @property
    def catalog(self) -> Catalog:
        """The facts it was read against: the shipped ones, or those with a user's own on top."""
        return self._catalog or load_catalog()

    @classmethod
    def read(cls, given: Mapping[str, Any], catalog: Catalog | None = None) -> Self:
        """A scenario from any subset of fields; the rest starts from the profile.

        catalog: whose chips and models it may name; None is the shipped one.

        Raises ScenarioError with a sentence per refused field; `accepted` holds the others.
        """
        try:
            return cls.model_validate(given, context=catalog)
        except ValidationError as error:
            rest = _accepted(given, [item["loc"] for item in error.errors()])
            raise ScenarioError(sentences(cls, error), rest) from None

    def to_query(self) -> dict[str, str]:
        """The fields that differ from the profile's start, as texts for a link."""
        start = dict(_leaves(self.read({"profile": self.profile}).model_dump(mode="json")))
        mine = _leaves(self.model_dump(mode="json"))
        changed = {path: value for path, value in mine if start[path] != value}
        return {"profile": self.profile} | {path: _text(item) for path, item in changed.items()}

    @classmethod
    def from_query(cls, query: Mapping[str, str], catalog: Catalog | None = None) -> Self:
        """The scenario of a link.

        catalog: as for `read`.

        Raises ScenarioError with one sentence per refused value; `accepted` holds the others.
        """
        known = dict(_leaves(cls.read({}).model_dump(mode="json")))
        given: dict[str, Any] = {}
        for path in query.keys() & known.keys():
            top, _, leaf = path.partition(".")
            value = _value(query[path], known[path])
            given |= {top: given.get(top, {}) | {leaf: value}} if leaf else {top: value}
        strangers = [
            f"{path}: a scenario has no such field." for path in sorted(query.keys() - known.keys())
        ]
        try:
            scenario = cls.read(given, catalog)
        except ScenarioError as error:
            raise ScenarioError((*strangers, *error.problems), error.accepted) from None
        if strangers:
            raise ScenarioError(strangers, given)
        return scenario


def _accepted(given: Mapping[str, Any], refused: list[tuple[int | str, ...]]) -> dict[str, Any]:
    """The given fields less the refused ones; of a part only the refused field goes."""
    rest = dict(given)
    for top, *inner in filter(None, refused):
        part = rest.get(str(top))
        if isinstance(part, Mapping) and inner:
            rest[str(top)] = {key: value for key, value in part.items() if key != inner[0]}
        else:
            rest.pop(str(top), None)
    return rest


def _repeated(scenario: Scenario) -> Iterator[str]:
    names = [item.name for item in scenario.classes]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"classes: the name {name!r} stands twice; each class needs its own name."


def _unknown_names(scenario: Scenario, catalog: Catalog) -> Iterator[str]:
    chips = {"default_accelerator": [scenario.default_accelerator]}
    chips |= {"candidates": list(scenario.candidates)}
    chips |= {"owned": [item.accelerator for item in scenario.owned]}
    for field, names in chips.items():
        yield from profiles.unknown(field, names, "accelerators", catalog)
    models = [item.model for item in scenario.classes]
    yield from profiles.unknown("classes", models, "models", catalog)


def _leaves(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Dotted paths and values; a list is one value."""
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{leaf}", item) for leaf, item in value.items())
        else:
            yield key, value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _value(text: str, sample: Any) -> Any:
    """A link's text as JSON where it is JSON, else as it stands, for the model to judge."""
    if isinstance(sample, str) and sample != "auto":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
