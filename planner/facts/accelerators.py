"""The accelerators of the catalog: what each can do, draw and cost, and who can get it."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from planner.facts.entry import Entry
from planner.facts.quantities import Quantity

FILE = "accelerators.toml"
PRECISIONS = ("fp32", "tf32", "bf16", "fp8", "int8", "fp4")
STATUS = ("shipping", "announced", "modelled")
ACCESS = ("buy", "rent", "captive", "paper")
PRICE_SCOPE = ("accelerator", "rack", "system")
NEEDS = ("timing", "power", "price", "access")

_TEXTS = (
    "family", "owner", "availability", "launch", "process_node", "phase_fit", "notes",
    "memory_type", "memory_note", "tdp_scope", "scale_up_technology",
)  # fmt: skip
_NUMBERS = {
    "memory_bytes": "bytes",
    "memory_bytes_per_s": "bytes/s",
    "on_chip_bytes": "bytes",
    "die_mm2": "mm2",
    "tdp_w": "W",
    "server_w": "W",
    "idle_w": "W",
    "scale_up_domain": "1",
    "scale_up_bytes_per_s": "bytes/s",
    "scale_out_bytes_per_s": "bytes/s",
    "peer_bytes_per_s": "bytes/s",
    "price_usd": "USD",
    "rental_usd_per_hour": "USD/h",
    "manufacturing_cost_usd": "USD",
    "manufacturing_memory_usd": "USD",
    "prefill_perf_frac": "frac",
    "decode_perf_frac": "frac",
}


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One accelerator in SI base units; None and "" mean not published, never zero.

    family: chips of one architecture, whose efficiency is alike; "" where it stands alone.
    access: buy (sold by a merchant), rent (a cloud's own part), captive (its owner alone),
        paper (a design nobody makes). owner: who holds a captive part, else "".
    price_scope: accelerator (bare part), rack (share of a rack with CPUs and switches), system.
    flop_per_s: peak by precision, dense only. matmul_frac: measured share of that peak; like
        on_chip_bytes, peer_bytes_per_s and manufacturing_memory_usd it enters no formula.
    scale_up_bytes_per_s, scale_out_bytes_per_s: one direction, per accelerator;
        peer_bytes_per_s: one direction to any single peer, where that is less.
    idle_w: measured draw at rest. server_w: all-in nameplate of the server, per accelerator.
    prefill_perf_frac, decode_perf_frac: speed relative to the H100 of the same paper.
    sources: every document weighed for the entry, cited by a number or not.
    """

    id: str
    name: str
    vendor: str
    family: str
    status: str
    access: str
    owner: str
    availability: str
    launch: str
    process_node: str
    phase_fit: str
    notes: str
    flop_per_s: Mapping[str, Quantity]
    matmul_frac: Mapping[str, Quantity]
    memory_bytes: Quantity | None
    memory_bytes_per_s: Quantity | None
    memory_type: str
    memory_note: str
    on_chip_bytes: Quantity | None
    die_mm2: Quantity | None
    tdp_w: Quantity | None
    tdp_scope: str
    server_w: Quantity | None
    idle_w: Quantity | None
    scale_up_domain: Quantity | None
    scale_up_bytes_per_s: Quantity | None
    scale_out_bytes_per_s: Quantity | None
    peer_bytes_per_s: Quantity | None
    scale_up_technology: str
    price_usd: Quantity | None
    price_scope: str
    rental_usd_per_hour: Quantity | None
    manufacturing_cost_usd: Quantity | None
    manufacturing_memory_usd: Quantity | None
    prefill_perf_frac: Quantity | None
    decode_perf_frac: Quantity | None
    sources: tuple[str, ...]

    def why_not(self, need: str) -> str:
        """One sentence on why this part cannot be used for `need`, or "" when it can.

        need: timing | power | price (of a paper design: its manufacturing cost) | access (can an
        outsider buy or rent it today). Raises ValueError on any other.
        """
        if need not in NEEDS:
            raise ValueError(f"need {need!r} is unknown; choose one of {', '.join(NEEDS)}.")
        if need == "access":
            return self._why_no_access()
        missing = self._missing(need)
        return (
            f"{self.name} has no published {missing}; enter one to use it for {need}."
            if missing
            else ""
        )

    def _missing(self, need: str) -> str:
        made = self.manufacturing_cost_usd if self.access == "paper" else None
        facts: dict[str, tuple[tuple[str, object], ...]] = {
            "timing": (
                ("dense peak compute", self.flop_per_s),
                ("memory capacity", self.memory_bytes),
                ("memory bandwidth", self.memory_bytes_per_s),
            ),
            "power": (("chip power", self.tdp_w),),
            "price": (
                (
                    "purchase price or rental rate",
                    self.price_usd or self.rental_usd_per_hour or made,
                ),
            ),
        }
        return " and ".join(words for words, fact in facts[need] if not fact)

    def _why_no_access(self) -> str:
        if self.access == "paper":
            return f"{self.name} is a design on paper; nobody makes it."
        if self.access == "captive":
            return f"{self.name} is captive to {self.owner}; nobody else can get it."
        if self.status != "shipping":
            return f"{self.name} is {self.status}, not shipping; it cannot be ordered today."
        return ""


def accelerators_from(
    tables: Mapping[str, object], sources: Container[str], file: str = FILE
) -> dict[str, Accelerator]:
    """Read every table of the accelerators file; refuses as `Entry` does."""
    return {name: _accelerator(Entry(file, name, table, sources)) for name, table in tables.items()}


def _accelerator(entry: Entry) -> Accelerator:
    numbers: dict[str, Any] = {name: entry.positive(name, unit) for name, unit in _NUMBERS.items()}
    texts: dict[str, Any] = {name: entry.text(name, "") for name in _TEXTS}
    peak = entry.positives("flop_per_s", "FLOP/s", PRECISIONS)
    read = Accelerator(
        id=entry.name,
        name=entry.text("name"),
        vendor=entry.text("vendor"),
        status=entry.text("status", allowed=STATUS),
        access=entry.text("access", allowed=ACCESS),
        flop_per_s=peak,
        matmul_frac=entry.positives("matmul_frac", "frac", tuple(peak)),
        price_scope=entry.text("price_scope", "accelerator", PRICE_SCOPE),
        sources=entry.source_ids(),
        **numbers,
        **texts,
    )
    entry.finish()
    _check(entry, read)
    return read


def _check(entry: Entry, read: Accelerator) -> None:
    if (read.access == "captive") != bool(read.owner):
        raise entry.refusal("owner", "a captive part, and only a captive part, names its owner.")
    for precision, share in read.matmul_frac.items():
        if share.high > 1:
            problem = "is above 1; a share of peak is at most 1."
            raise entry.refusal(f"matmul_frac.{precision}", problem)
