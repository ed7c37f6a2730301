"""What a fleet consists of: pools of replicas, and options made of pools."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

ROUNDING = 1e-9
ROLES = MONOLITHIC, PREFILL, DECODE = "monolithic", "prefill", "decode"


@dataclass(frozen=True, slots=True)
class Activity:
    """Shares of peak arithmetic and of peak memory bandwidth in use, over all time."""

    compute_util_frac: float
    memory_util_frac: float

    def times(self, factor: float) -> "Activity":
        """The same machines doing `factor` times the work, at most all they can."""
        return Activity(
            min(self.compute_util_frac * factor, 1.0), min(self.memory_util_frac * factor, 1.0)
        )


@dataclass(frozen=True, slots=True)
class Units:
    """What replicas come in: chips per server by accelerator, and the spare of each pool (N+1)."""

    server_chips: Mapping[str, int]
    spare_replicas: int


@dataclass(frozen=True, slots=True)
class TimeShares:
    """Where the accelerator-seconds of a pool go; the eight sum to 1."""

    prefill_compute: float
    prefill_memory: float
    prefill_link: float
    prefill_overhead: float
    decode_compute: float
    decode_memory: float
    decode_link: float
    decode_overhead: float

    @property
    def prefill_frac(self) -> float:
        """Share of accelerator-seconds spent in prefill."""
        roof = self.prefill_compute + self.prefill_memory
        return roof + self.prefill_link + self.prefill_overhead

    def bound_by(self, resource: str) -> float:
        """Share of accelerator-seconds of both phases that a resource takes. [frac]"""
        return float(getattr(self, f"prefill_{resource}") + getattr(self, f"decode_{resource}"))


@dataclass(frozen=True, slots=True)
class Pool:
    """Replicas of one model on one kind of chip that serve one workload class in one role.

    n_needed: replicas that carry the peak at full use, without queueing reserve and N+1.
    tp, attention_dp, ep, pp: how a replica's chips share a model (`Layout`). weight_precision,
    drafts: what runs. chunk_tokens: of prompts in a step, 0 where they have a pool of their own.
    batch: requests in decode on a replica at peak. demand_frac: share of the class served here.
    peak, mean: over all time at the peak and the mean rate, peak_to_mean apart. in_prefill,
    in_decode: while a step of that phase runs. p99_ttft_s: the whole time to first token where
    prefill happens; p99_tpot_s where decode does.
    """

    role: str
    model: str
    class_name: str
    accelerator: str
    n_accelerators: int
    n_replicas: int
    n_needed: float
    tp: int
    attention_dp: int
    ep: int
    pp: int
    weight_precision: str
    drafts: int
    chunk_tokens: float
    batch: float
    utilization: float
    demand_frac: float
    p99_ttft_s: float | None
    p99_tpot_s: float | None
    peak_to_mean: float
    peak: Activity
    mean: Activity
    in_prefill: Activity | None
    in_decode: Activity | None
    shares: TimeShares
    kv_bytes_per_s: float = 0.0
    kv_transfer_s: float = 0.0
    kv_stored_frac: float = 0.0
    power_cap_frac: float = 1.0

    @property
    def replica_chips(self) -> int:
        """Chips that hold one copy of the model."""
        return self.tp * self.attention_dp * self.pp

    def scaled(self, factor: float, units: "Units") -> "Pool":
        """The same plan for `factor` times the demand, in whole servers and with its spare."""
        if factor <= 0:
            return self._emptied()
        running = (self.n_replicas - units.spare_replicas) * factor
        least = ceil(running - ROUNDING) + units.spare_replicas
        server = units.server_chips[self.accelerator]
        n_accelerators = ceil(least * self.replica_chips / server) * server
        n = n_accelerators // self.replica_chips
        busier = self.n_replicas * factor / n
        return replace(
            self,
            n_replicas=n,
            n_accelerators=n_accelerators,
            n_needed=self.n_needed * factor,
            utilization=self.utilization * busier,
            peak=self.peak.times(busier),
            mean=self.mean.times(busier),
            demand_frac=self.demand_frac * factor,
            kv_bytes_per_s=self.kv_bytes_per_s * factor,
        )

    def _emptied(self) -> "Pool":
        idle = Activity(0.0, 0.0)
        return replace(
            self,
            n_replicas=0,
            n_accelerators=0,
            n_needed=0.0,
            utilization=0.0,
            peak=idle,
            mean=idle,
            demand_frac=0.0,
            kv_bytes_per_s=0.0,
        )


@dataclass(frozen=True, slots=True)
class Fleet:
    """One option: its pools, or the reason why there are none that serve."""

    id: str
    label: str
    pools: tuple[Pool, ...]
    feasible: bool
    reason: str = ""
    caveats: tuple[str, ...] = ()

    def serves(self, class_names: Iterable[str]) -> bool:
        """Whether every class has a pool."""
        return set(class_names) <= {pool.class_name for pool in self.pools}

    @property
    def split(self) -> bool:
        """Whether prefill and decode run in pools of their own."""
        return any(pool.role != MONOLITHIC for pool in self.pools)

    def scaled(self, factor: float, units: Units) -> "Fleet":
        """The same plan for `factor` times the demand."""
        return replace(self, pools=tuple(pool.scaled(factor, units) for pool in self.pools))


def counts(pools: Sequence[Pool]) -> dict[str, int]:
    """Chips by accelerator."""
    total: dict[str, int] = {}
    for pool in pools:
        total[pool.accelerator] = total.get(pool.accelerator, 0) + pool.n_accelerators
    return total
