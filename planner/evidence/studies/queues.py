"""Queueing forms and the transfer of caches: DistServe and FlowKV."""

from collections.abc import Iterator

import numpy as np

from planner import text
from planner.evidence.studies.rows import Row, explained, published, tolerance
from planner.facts.catalog import Catalog
from planner.facts.units import BITS_PER_BYTE, BITS_PER_GBIT
from planner.load.handoff import Mechanism, block_pieces, piece_latency_s, transfer_s
from planner.load.queueing import prefill_pool
from planner.physics.profile import kv_bytes, profile
from planner.physics.weights import WIDE


def distserve(catalog: Catalog) -> Iterator[Row]:
    """M/D/1 forms and the size and rate of OPT-66B's cache."""
    yield from _first_token_forms(catalog)
    yield from _cache(catalog)


def _first_token_forms(catalog: Catalog) -> Iterator[Row]:
    """One worker, n stages in a row, and one worker K times as fast, as each its own queue.

    Of n stages the first is the queue: the others take what it sends, one prompt per D/n.
    """
    study, exact = published(catalog, "distserve_forms"), tolerance(catalog, "exact")
    prompt_s, stages, speedup = (study[k].value for k in ("prompt_s", "stages", "speedup"))
    for load in study["load"]:
        rate = load["requests_per_s"].value
        at, used = f"at load {text.given(rate)}", rate * prompt_s
        told = prompt_s + used * prompt_s / (2 * (1 - used))
        ours = prompt_s + _wait_s(rate, prompt_s)
        note = "D + RD²/(2(1 − RD)) with D = 1 s"
        yield Row("DistServe", f"M/D/1 first token {at}", told, ours, "s", exact, note)
        told = prompt_s + used * prompt_s / (2 * stages * (stages - used))
        ours = prompt_s + _wait_s(rate, prompt_s / stages)
        note = "D + RD²/(4(2 − RD)): two stages of D/2"
        yield Row("DistServe", f"first token of two stages {at}", told, ours, "s", exact, note)
        told = prompt_s / speedup + used * prompt_s / (2 * speedup * (speedup - used))
        ours = prompt_s / speedup + _wait_s(rate, prompt_s / speedup)
        note = f"D/K + RD²/(2K(K − RD)) with K = {text.given(speedup)}"
        yield Row("DistServe", f"first token of two chips {at}", told, ours, "s", exact, note)


def _wait_s(rate: float, service_s: float) -> float:
    """Wait for one server of constant service, by our own queue."""
    return float(prefill_pool(rate, service_s, 0.0, 1).wait_mean_s)


def _cache(catalog: Catalog) -> Iterator[Row]:
    number, exact = catalog.number, tolerance(catalog, "exact")
    prompt = number("published.distserve.prompt_tokens").value
    ours = float(kv_bytes(profile(catalog.models["opt-66b"], WIDE, WIDE), prompt))
    told = number("published.distserve.kv_bytes").value
    yield Row("DistServe", "cache of a 512-token prompt, OPT-66B", told, ours, "bytes", exact)
    rate = ours * number("published.distserve.requests_per_s").value * BITS_PER_BYTE
    told = number("published.distserve.kv_bytes_per_s").value * BITS_PER_BYTE
    note = number("published.distserve.kv_bytes_per_s").note
    yield Row(
        "DistServe",
        "fabric at 10 requests/s",
        told / BITS_PER_GBIT,
        rate / BITS_PER_GBIT,
        "Gbit/s",
        exact,
        note,
    )


def flowkv(catalog: Catalog) -> Iterator[Row]:
    """What FlowKV's layout saves of a transfer, by pieces that each cost the same.

    The cost of a piece is the paper's own pair over their number; the model, its prompt and the
    link are those it describes. The speed-up between nodes is told apart from that pair.
    """
    number = "software.kv_transfer"
    tokens, layers, block = (
        np.array(catalog.number(f"{number}.{name}").value)
        for name in ("flowkv_tokens", "flowkv_layers", "block_tokens")
    )
    naive, whole = (block_pieces(tokens, block, layers, contiguous=c) for c in (False, True))
    slow, fast = (catalog.number(f"{number}.flowkv_{k}_s").value for k in ("before", "after"))
    latency_s = piece_latency_s(slow, fast, naive, whole)
    study = published(catalog, "flowkv")
    cache = kv_bytes(profile(catalog.models[study["model"]], WIDE, WIDE), tokens)
    link = np.array(study["link_bytes_per_s"].value)
    before, after = (
        float(transfer_s(cache, link, Mechanism(pieces, latency_s))) for pieces in (naive, whole)
    )
    told = catalog.number(f"{number}.flowkv_stated_saving_frac").value
    points, close = tolerance(catalog, "points"), tolerance(catalog, "latency")
    note = "the paper's own pair, 0.944 s and 0.053 s, is 94.4 %, not 96 %"
    saved = 1 - after / before
    yield Row("FlowKV", "transfer time saved", told, saved, "frac", points, note, True)
    told = catalog.number(f"{number}.flowkv_multi_node_multiple").value
    row = Row("FlowKV", "speed-up between nodes", told, before / after, "1", close)
    yield explained(row, study["missed"])
