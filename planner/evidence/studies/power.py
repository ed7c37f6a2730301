"""Draw of a chip at rest, in prefill, in decode and over whole requests, against measured watts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from planner.errors import CatalogError
from planner.evidence.studies.rigs import Rig, shipped_rig
from planner.evidence.studies.rows import Row, explained, published, tolerance
from planner.facts.catalog import Catalog
from planner.fleet.watts import POWER_NUMBERS
from planner.physics.layout import Layout
from planner.physics.phases import StepTime
from planner.physics.power import activity_frac, chip_draw_w, work_rate


@dataclass(frozen=True, slots=True)
class Meter:
    """Watts of one chip from how busy a step keeps it."""

    idle_w: float
    tdp_w: float
    bend_order: float
    numbers: Mapping[str, float]

    def draw_w(self, rig: Rig, step: StepTime) -> float:
        """Mean draw of a chip while steps follow each other. [W]"""
        busy, moving = (s / step.total_s for s in (step.peak_compute_s, step.peak_memory_s))
        rate = work_rate(
            busy,
            moving * rig.machine.memory_bytes_per_s,
            self.tdp_w - self.idle_w,
            rig.held.n_experts,
            memory_j_per_byte=self.numbers["memory_j_per_byte"],
            compute_weight=self.numbers["compute_weight"],
            expert_order=self.numbers["expert_order"],
        )
        return float(chip_draw_w(self.idle_w, self.tdp_w, activity_frac(rate, self.bend_order)))


def draws(catalog: Catalog) -> Iterator[Row]:
    """Watts of A100 and H100 as Splitwise, a study of idle chips and fleet-sim print them."""
    study, allowed = published(catalog, "power"), tolerance(catalog, "power")
    for case in study["cases"]:
        meter, told = _meter(catalog, case["chip"]), catalog.number(case["figure"])
        told_w = told.value * (meter.tdp_w if told.unit == "frac" else 1)
        ours = PHASES[case["phase"]](catalog, meter, case)
        row = Row(case["source_name"], case["name"], told_w, ours, "W", allowed, case["note"])
        yield explained(row, case["missed"])


def _meter(catalog: Catalog, chip: str) -> Meter:
    """Idle and TDP from the catalog, the three numbers from the calibration.

    Raises:
        CatalogError: there is no calibration.
    """
    if catalog.calibration is None:
        raise CatalogError("The catalog holds no calibration.toml; `calibrate` makes one.")
    name, held = f"accelerators.{chip}", catalog.calibration.numbers
    return Meter(
        idle_w=catalog.fact(f"{name}.idle_w").value,
        tdp_w=catalog.fact(f"{name}.tdp_w").value,
        bend_order=catalog.number("power.bend_order").value,
        numbers={each: held[each].whole.value for each in POWER_NUMBERS},
    )


def _idle_w(_: Catalog, meter: Meter, __: Mapping[str, Any]) -> float:
    return float(chip_draw_w(meter.idle_w, meter.tdp_w, 0.0))


def _prefill_w(catalog: Catalog, meter: Meter, case: Mapping[str, Any]) -> float:
    rig = _rig(catalog, case)
    return meter.draw_w(rig, rig.prefill(case["context_tokens"].value))


def _decode_w(catalog: Catalog, meter: Meter, case: Mapping[str, Any]) -> float:
    rig = _rig(catalog, case)
    return meter.draw_w(rig, rig.decode(case["batch"].value, case["context_tokens"].value))


def _request_w(catalog: Catalog, meter: Meter, case: Mapping[str, Any]) -> float:
    """Mean over a request alone: its prefill, then each token of its answer. [W]"""
    rig, prompt, n = _rig(catalog, case), case["context_tokens"].value, case["output_tokens"].value
    first, later = rig.prefill(prompt), rig.decode(1, prompt + n / 2)
    first_s, later_s = float(first.total_s), float(later.total_s) * n
    joules = first_s * meter.draw_w(rig, first) + later_s * meter.draw_w(rig, later)
    return float(joules / (first_s + later_s))


def _rig(catalog: Catalog, case: Mapping[str, Any]) -> Rig:
    return shipped_rig(catalog, case["model"], case["chip"], Layout(tp=case["tp"].value))


PHASES: Mapping[str, Callable[[Catalog, Meter, Mapping[str, Any]], float]] = {
    "idle": _idle_w,
    "prefill": _prefill_w,
    "decode": _decode_w,
    "request": _request_w,
}
