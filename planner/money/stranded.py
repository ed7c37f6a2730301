"""Stranded megawatts: provisioned power less needed power, by cause in a fixed order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.fleet.watts import Watts

LABELS = {
    "surplus": "Chips beyond the need",
    "nameplate": "Nameplate never drawn",
    "mismatch": "Chips unlike the work",
    "reserve": "Reserve for peaks and failures",
    "trough": "Quiet hours",
}

SHORT_OF = {"surplus": "Chips short of the need"}
"""What a cause is called below zero, where its name would say the opposite."""


def label_of(cause: str, watts: Any) -> str:
    """What a cause is called at its size. watts: one number [W]"""
    return SHORT_OF.get(cause, LABELS[cause]) if watts < 0 else LABELS[cause]


@dataclass(frozen=True, slots=True)
class Stranded:
    """Facility power [W]. causes sum to provisioned − needed; stranded_w is the headline."""

    provisioned_w: Any
    needed_w: Any
    causes: Mapping[str, Any]
    stranded_w: Any
    recovered_w: Any
    extra_throughput_frac: Any


def stranded(owned_nameplate_w: Any, built: Watts, built_harmless_w: Any, best: Watts) -> Stranded:
    """Causes as differences of computed fleets, all in facility watts.

    owned_nameplate_w: the owned fleet; None where nothing is owned (as-built stands for it).
    built_harmless_w: as-built provisioned under caps that slow nothing. best: the cheapest
    purchasable option.
    """
    provisioned = built.nameplate_w if owned_nameplate_w is None else owned_nameplate_w
    causes = {
        "surplus": provisioned - built.nameplate_w,
        "nameplate": built.nameplate_w - built.peak_w,
        "mismatch": built.peak_w - best.peak_w,
        "reserve": best.peak_w - best.lean_peak_w,
        "trough": best.lean_peak_w - best.lean_mean_w,
    }
    cappable = built.nameplate_w - built_harmless_w
    return Stranded(
        provisioned_w=provisioned,
        needed_w=best.lean_mean_w,
        causes=causes,
        stranded_w=causes["surplus"] + cappable + causes["mismatch"],
        recovered_w=provisioned - best.provisioned_w,
        extra_throughput_frac=provisioned / best.provisioned_w - 1,
    )
