"""Chips on paper: cost, power and speed of SPAD's designs, and what bandwidth and cores are worth.

SPAD: arXiv 2510.08544. LLMCompass: ISCA 2024. Both time whole models operator by operator.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from planner.evidence.studies.rigs import Rig, shipped_rig, two_roof_rig
from planner.evidence.studies.rows import Row, explained, published, tolerance
from planner.facts.catalog import Catalog
from planner.facts.quantities import Quantity
from planner.facts.units import BITS_PER_BYTE, BYTES_PER_GB
from planner.physics.layout import Layout
from planner.physics.machines import REFERENCE
from planner.physics.silicon import design_power_w, die_usd


def spad_cost(catalog: Catalog) -> Iterator[Row]:
    """Die cost, memory cost and TDP of the paper's chips from its stated model."""
    number, exact = catalog.number, catalog.number("published.tolerance.exact_frac").value
    wafer = [number(f"prices.manufacturing.wafer_{k}").value for k in ("usd", "diameter_mm")]
    for design in ("prefill", "decode", "h100"):
        area = catalog.accelerators[f"spad-{design}"].die_mm2
        if area is not None:
            told = number(f"published.spad.{design}_die_usd").value
            yield Row("SPAD", f"{design} die", told, die_usd(area.value, *wafer), "USD", exact)
    for design, memory in (("prefill", "gddr7"), ("decode", "hbm3")):
        held = catalog.accelerators[f"spad-{design}"].memory_bytes
        if held is not None:
            told = number(f"published.spad.{design}_memory_usd").value
            ours = held.value / BYTES_PER_GB * number(f"prices.memory.{memory}_usd_per_gb").value
            yield Row("SPAD", f"{design} memory", told, ours, "USD", exact)
    yield from _spad_power(catalog, exact)


def _spad_power(catalog: Catalog, exact: float) -> Iterator[Row]:
    number = catalog.number
    shared = {
        "reference_w": number("power.spad.die_w").value,
        "reference_mm2": number("power.spad.die_mm2").value,
        "overhead": number("power.spad.overhead_frac").value,
    }
    packages = number("published.spad.decode_hbm_packages").value
    hbm_w = packages * number("power.spad.hbm_package_w").value
    bandwidth = catalog.accelerators["spad-prefill"].memory_bytes_per_s
    per_bit = number("power.energy.gddr7_j_per_bit").value
    gddr_w = bandwidth.value * BITS_PER_BYTE * per_bit if bandwidth else 0.0
    for design, memory_w in (("prefill", gddr_w), ("decode", hbm_w), ("h100", hbm_w)):
        chip = catalog.accelerators[f"spad-{design}"]
        if chip.die_mm2 and chip.tdp_w:
            ours = design_power_w(chip.die_mm2.value, memory_w, **shared)
            yield Row("SPAD", f"{design} TDP", chip.tdp_w.value, ours, "W", exact)


def spad_speed(catalog: Catalog) -> Iterator[Row]:
    """Both chips on both phases over the paper's H100, by two roofs and nothing calibrated."""
    study, allowed = published(catalog, "spad_speed"), tolerance(catalog, "response")
    base = _two_roof_times_s(catalog, REFERENCE)
    for design in ("prefill", "decode"):
        times = _two_roof_times_s(catalog, f"spad-{design}")
        for phase in ("prefill", "decode"):
            told = catalog.fact(f"accelerators.spad-{design}.{phase}_perf_frac").value
            ours = base[phase] / times[phase]
            name = f"{design} chip, {phase} speed over H100"
            row = Row("SPAD", name, told, ours, "frac", allowed, study["setting"], True)
            yield explained(row, study[f"missed_{design}_{phase}"])


def _two_roof_times_s(catalog: Catalog, chip: str) -> dict[str, float]:
    """Step of each phase at the settings of the paper's sensitivity figures. [s]"""
    study = published(catalog, "spad_response")
    rig = two_roof_rig(catalog, study["model"], chip, Layout(tp=study["tp"].value))
    return {"prefill": _prefill_s(rig, study), "decode": _decode_s(rig, study)}


def spad_response(catalog: Catalog) -> Iterator[Row]:
    """Latency of an H100 with other bandwidth in prefill, and with other cores in decode."""
    study = published(catalog, "spad_response")
    rig = shipped_rig(catalog, study["model"], study["chip"], Layout(tp=study["tp"].value))
    base_s = {"prefill": _prefill_s(rig, study), "decode": _decode_s(rig, study)}
    for case in study["bandwidth"]:
        factor = case["bytes_per_s"].value / study["bytes_per_s"].value
        ours = _prefill_s(rig.with_peaks(bandwidth=factor), study) / base_s["prefill"] - 1
        name = f"H100 prefill at {case['name']}"
        yield _response(catalog, "SPAD", name, case["change_frac"], ours, study["missed_bandwidth"])
    for case in study["cores"]:
        share = case["n_cores"].value / study["n_cores"].value
        ours = _decode_s(rig.with_peaks(compute=share), study) / base_s["decode"] - 1
        name = f"H100 decode on {int(case['n_cores'].value)} cores"
        yield _response(catalog, "SPAD", name, case["change_frac"], ours, study["missed_cores"])


def llmcompass(catalog: Catalog) -> Iterator[Row]:
    """Latency of an A100 from one memory bandwidth to the next, in both phases."""
    study = published(catalog, "llmcompass")
    rig = shipped_rig(catalog, study["model"], study["chip"], Layout(tp=study["tp"].value))
    for case in study["bandwidth"]:
        before, after = (
            rig.with_peaks(bandwidth=case[end].value / rig.machine.memory_bytes_per_s)
            for end in ("from_bytes_per_s", "to_bytes_per_s")
        )
        timed = _prefill_s if case["phase"] == "prefill" else _decode_s
        ours = timed(after, study) / timed(before, study) - 1
        name = f"A100 {case['phase']}, {case['name']}"
        yield _response(catalog, "LLMCompass", name, case["change_frac"], ours, case["missed"])


def _response(
    catalog: Catalog, source: str, name: str, told: Quantity, ours: float, reason: str
) -> Row:
    """A change of latency in points."""
    allowed = tolerance(catalog, "response")
    row = Row(source, name, told.value, ours, "frac", allowed, told.note, absolute=True)
    return explained(row, reason)


def _prefill_s(rig: Rig, study: Mapping[str, Any]) -> float:
    at = study["prefill"]
    return float(rig.prefill(at["prompt_tokens"].value, sequences=at["batch"].value).total_s)


def _decode_s(rig: Rig, study: Mapping[str, Any]) -> float:
    at = study["decode"]
    return float(rig.decode(at["batch"].value, at["context_tokens"].value).total_s)


def spad_cluster_power(catalog: Catalog) -> Iterator[Row]:
    """TDP that SPAD's clusters save, from published machines and the TDP of each chip."""
    study, allowed = published(catalog, "spad_power"), tolerance(catalog, "tdp")
    prefill_w, decode_w, h100_w = (
        catalog.fact(f"accelerators.spad-{design}.tdp_w").value
        for design in ("prefill", "decode", "h100")
    )
    for cluster in study["cluster"]:
        n = {key: held.value for key, held in cluster.items() if key != "name"}
        spad_w = n["prefill"] * prefill_w + n["decode"] * decode_w
        others_w = {
            "homo": n["homo"] * h100_w,
            "pcap": n["pcap_full"] * h100_w + n["pcap_capped"] * study["cap_w"].value,
        }
        for other, watts in others_w.items():
            if (told := n.get(f"saving_over_{other}")) is not None:
                name = f"TDP saving over {other}, {cluster['name']}"
                ours = 1 - spad_w / watts
                yield Row("SPAD clusters", name, told, ours, "frac", allowed, absolute=True)
