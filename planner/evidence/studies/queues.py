"""Queueing forms and the transfer of caches: DistServe and FlowKV."""

from collections.abc import Iterator

from planner.evidence.studies.rows import Row
from planner.facts.catalog import Catalog
from planner.facts.units import BITS_PER_BYTE, BITS_PER_GBIT
from planner.load.queueing import prefill_pool
from planner.physics.profile import kv_bytes, profile
from planner.physics.weights import WIDE

LOADS = (0.2, 0.5, 0.8)


def distserve(catalog: Catalog) -> Iterator[Row]:
    """M/D/1 forms and the size and rate of OPT-66B's cache."""
    number, exact = catalog.number, catalog.number("published.tolerance.exact_frac").value
    service_s = 1.0
    for load in LOADS:
        told = service_s + load * service_s**2 / (2 * (1 - load * service_s))
        ours = service_s + float(prefill_pool(load, service_s, 0.0, 1).wait_mean_s)
        note = "D + RD²/(2(1 − RD)) with D = 1 s"
        yield Row("DistServe", f"M/D/1 first token at load {load}", told, ours, "s", exact, note)
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
    """Transfer time that FlowKV saves, by its own pair of times."""
    number = catalog.number
    before, after = (
        number(f"software.kv_transfer.flowkv_{k}_s").value for k in ("before", "after")
    )
    told = number("software.kv_transfer.flowkv_stated_saving_frac").value
    points = number("published.tolerance.points_frac").value
    note = "the paper's own pair, 0.944 s and 0.053 s, is 94.4 %, not 96 %"
    yield Row("FlowKV", "transfer time saved", told, 1 - after / before, "frac", points, note, True)
