"""Time and throughput of one phase alone: Splitwise, SPAD, DeepSeek's service, SGLang's replica."""

from collections.abc import Iterator, Mapping
from typing import Any

from planner.evidence.studies.rigs import Rig, shipped_rig
from planner.evidence.studies.rows import Row, explained, published, tolerance
from planner.facts.catalog import Catalog
from planner.facts.units import HOURS_PER_DAY, HOURS_PER_YEAR, SECONDS_PER_YEAR
from planner.physics.layout import Layout

DAY_S = SECONDS_PER_YEAR / HOURS_PER_YEAR * HOURS_PER_DAY


def splitwise(catalog: Catalog) -> Iterator[Row]:
    """Measured steps of BLOOM-176B and Llama-2-70B on eight A100 or H100."""
    yield from _latencies(catalog, "splitwise", "Splitwise")


def spad_latency(catalog: Catalog) -> Iterator[Row]:
    """Simulated steps of BLOOM-176B on eight H100, from the artefact of SPAD's authors."""
    yield from _latencies(catalog, "spad_latency", "SPAD artefact")


def _latencies(catalog: Catalog, table: str, source: str) -> Iterator[Row]:
    study, allowed = published(catalog, table), tolerance(catalog, "latency")
    for phase in ("prefill", "decode"):
        for case in study[phase]:
            rig = shipped_rig(catalog, case["model"], case["chip"], Layout(tp=study["tp"].value))
            told = case["time_s"]
            row = Row(
                source, _called(phase, case), told.value, _time_s(rig, phase, case), "s", allowed
            )
            yield explained(row, case.get("missed", study[f"missed_{phase}"]))


def _called(phase: str, case: Mapping[str, Any]) -> str:
    """Name of a case within its source: "llama-2-70b h100 prefill 1 x 512"."""
    chip = case["chip"].partition("-")[0]
    batch, tokens = case["batch"].value, case["context_tokens"].value
    return f"{case['model']} {chip} {phase} {int(batch)} x {int(tokens)}"


def _time_s(rig: Rig, phase: str, case: Mapping[str, Any]) -> float:
    batch, tokens = case["batch"].value, case["context_tokens"].value
    if phase == "prefill":
        return float(rig.prefill(tokens, sequences=batch).total_s)
    return float(rig.decode(batch, tokens).total_s)


def deepseek_phases(catalog: Catalog) -> Iterator[Row]:
    """Throughput of a node in each phase of DeepSeek's service, and the nodes of its day."""
    study, day = published(catalog, "deepseek_phases"), published(catalog, "deepseek_day")
    allowed, source = tolerance(catalog, "phase"), "DeepSeek production day"
    rates = {phase: _per_node(catalog, study, study[phase]) for phase in ("prefill", "decode")}
    tokens = {"prefill": day["input_tokens"].value, "decode": day["output_tokens"].value}
    for phase, rate in rates.items():
        told, reason = study[phase]["tokens_per_s"], study[f"missed_{phase}"]
        row = Row(source, f"{phase} of a node", told.value, rate, "tokens/s", allowed, told.note)
        yield explained(row, reason)
    for phase, rate in rates.items():
        told, reason = study[phase]["nodes"], study[f"missed_{phase}"]
        ours = tokens[phase] / DAY_S / rate
        yield explained(Row(source, f"{phase} nodes", told.value, ours, "1", allowed), reason)


def sglang(catalog: Catalog) -> Iterator[Row]:
    """Throughput of a node in each phase, the other one having all it wants."""
    study, allowed = published(catalog, "sglang_phases"), tolerance(catalog, "phase")
    for phase in ("prefill", "decode"):
        for case in study[phase]:
            told, ours = case["tokens_per_s"], _per_node(catalog, study, case)
            row = Row("SGLang on 96 H100", case["name"], told.value, ours, "tokens/s", allowed)
            yield explained(row, study[f"missed_{phase}"])


def _per_node(catalog: Catalog, study: Mapping[str, Any], case: Mapping[str, Any]) -> float:
    """Tokens that a node handles in a second, cached ones included. [tokens/s]

    Each chip attends to sequences of its own, and experts are spread over all chips of a replica.
    """
    n, per_node = case["n_chips"].value, study["chips_per_node"].value
    layout = Layout(attention_dp=n, ep=n)
    rig = shipped_rig(
        catalog,
        study["model"],
        study["chip"],
        layout,
        weights=study["weights"],
        engine=study["engine"],
    )
    rate = _prefill_per_s(rig, case) if "prompt_tokens" in case else _decode_per_s(rig, case)
    return float(rate * per_node / n)


def _prefill_per_s(rig: Rig, case: Mapping[str, Any]) -> float:
    """Prompt tokens of a replica that works on so many new tokens a chip at once. [tokens/s]"""
    prompt = case["prompt_tokens"].value
    cached = prompt * case["cached_frac"].value
    sequences = case["chip_tokens"].value * rig.layout.n_chips / (prompt - cached)
    step = rig.prefill(prompt - cached, cached, sequences=sequences)
    return float(sequences * prompt / step.total_s)


def _decode_per_s(rig: Rig, case: Mapping[str, Any]) -> float:
    """Tokens of a replica whose chips run so many sequences each. [tokens/s]"""
    batch = case["chip_batch"].value * rig.layout.n_chips
    return float(batch / rig.decode(batch, case["context_tokens"].value).total_s)
