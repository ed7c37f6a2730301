"""The fleet mix: which pools serve which classes under limits of power, capital and space.

A mixed-integer linear programme. Every entry of the menu is a pool that could serve a whole class
in a role; the programme picks shares of them, in whole servers and each with its spare.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.fleet.forced import SMALLEST, forced_rows
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL, Fleet, Pool, Units
from planner.fleet.programme import Programme

PROPOSED = "proposed"
LABEL = "Proposed plan"
COST, MARGIN, THROUGHPUT = OBJECTIVES = ("cost", "margin", "throughput")
LIMITS = ("power", "capital", "space")
FEW = 32
"""Servers of a pool up to which a free mix counts them whole; beyond, the pools round them up."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A pool for all of a class's demand in a role, and what each of its chips takes in a year.

    new_usd, kept_usd: capital of a chip that is bought, and of one that is owned (what its resale
    would bring). running_usd: power, space, support. capex_usd: of a bought one. power_w: facility
    power that is provisioned; rack_w: IT nameplate, which racks must carry.
    """

    pool: Pool
    server_chips: int
    new_usd: float
    kept_usd: float
    running_usd: float
    capex_usd: float
    power_w: float
    rack_w: float

    @property
    def split(self) -> bool:
        """Whether it serves one phase only."""
        return self.pool.role != MONOLITHIC

    def needed_chips(self, spare_replicas: int) -> tuple[float, float]:
        """Chips that run all of the class, and those of the spare."""
        spare = spare_replicas * self.pool.replica_chips
        return float(self.pool.n_replicas * self.pool.replica_chips - spare), float(spare)


@dataclass(frozen=True, slots=True)
class Demanded:
    """What a class brings when all of it is served: a year's margin before chips, and tokens."""

    name: str
    margin_usd_per_year: float
    output_tokens_per_s: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What the mix must keep; None: no limit. split_power_frac: share of power in split pools.

    split_usd_per_year: paid once there is any split (the team). over_usd_per_w_year: what a watt
    beyond the ceiling costs where no plan stays below it.
    """

    power_w: float
    capital_usd: float | None
    rack_w: float | None
    split_power_frac: float | None
    split_usd_per_year: float
    over_usd_per_w_year: float


@dataclass(frozen=True, slots=True)
class Mix:
    """A mix found. demand_frac: by entry. gap_frac: how far it may lie from the best.

    binding: limits that are used up. worth_usd_per_year: of one more unit of each limit (a watt, a
    dollar, a watt of racks), of the problem with fractions of servers allowed. over_w: power
    beyond the ceiling.
    """

    demand_frac: tuple[float, ...]
    served_frac: Mapping[str, float]
    usd_per_year: float
    gap_frac: float
    binding: tuple[str, ...]
    worth_usd_per_year: Mapping[str, float]
    over_w: float


def best_mix(
    menu: Sequence[Entry],
    demands: Sequence[Demanded],
    owned: Mapping[str, float],
    limits: Limits,
    *,
    spare_replicas: int,
    objective: str = COST,
) -> Mix | None:
    """The best shares of the menu; None where the menu cannot serve.

    objective: cost serves everything; margin serves what pays; throughput serves the most output
    tokens and pays as little for it as possible. ValueError on another objective.
    """
    if objective not in OBJECTIVES:
        raise ValueError(f"objective must be one of {', '.join(OBJECTIVES)}; got {objective!r}.")
    if not menu:
        return None
    programme = _programme(menu, demands, owned, limits, spare_replicas, objective)
    found = programme.solved()
    if found is None:
        return None
    value = found.value
    near = _near(menu, found.left)
    worth = dict.fromkeys(LIMITS, 0.0) | (programme.worth(near) if near else {})
    return Mix(
        demand_frac=tuple(value["share", k] for k in range(len(menu))),
        served_frac={each.name: value["served", each.name] for each in demands},
        usd_per_year=found.cost,
        gap_frac=found.gap_frac,
        binding=tuple(name for name in LIMITS if worth[name] > 0),
        worth_usd_per_year=worth,
        over_w=value["over"],
    )


def _programme(
    menu: Sequence[Entry],
    demands: Sequence[Demanded],
    owned: Mapping[str, float],
    limits: Limits,
    spare_replicas: int,
    objective: str,
) -> Programme:
    """Shares, servers and switches of entries; chips kept and bought; what limits them."""
    build, chips = Programme(), dict.fromkeys(entry.pool.accelerator for entry in menu)
    forced = limits.split_power_frac is not None
    tokens = sum(each.output_tokens_per_s for each in demands)
    dearest = sum(_full_usd(entry) for entry in menu) + limits.split_usd_per_year
    for k, entry in enumerate(menu):
        build.column(("share", k), 0.0, 1.0)
        each_usd = entry.running_usd * entry.server_chips
        few = entry.pool.n_accelerators <= FEW * entry.server_chips
        build.column(("servers", k), each_usd, whole=few or forced)
        build.column(("on", k), 0.0, 1.0, whole=True)
    for chip in chips:
        first = next(entry for entry in menu if entry.pool.accelerator == chip)
        build.column(("kept", chip), first.kept_usd, owned.get(chip, 0.0))
        build.column(("bought", chip), first.new_usd)
    for each in demands:
        worth = {
            COST: 0.0,
            MARGIN: each.margin_usd_per_year,
            THROUGHPUT: dearest * len(demands) * each.output_tokens_per_s / max(tokens, 1.0),
        }[objective]
        build.column(("served", each.name), -worth, 1.0)
    build.column("split", limits.split_usd_per_year, 1.0, whole=True)
    build.column("over", limits.over_usd_per_w_year)
    least_w = min(entry.power_w * entry.server_chips for entry in menu)
    build.column("off_w", dearest / max(least_w, 1.0))
    _pool_rows(build, menu, spare_replicas)
    _class_rows(build, menu, demands, objective)
    _limit_rows(build, menu, chips, limits)
    if limits.split_power_frac is not None:
        forced_rows(build, menu, limits.split_power_frac, spare_replicas)
    return build


def _full_usd(entry: Entry) -> float:
    return entry.pool.n_accelerators * (entry.new_usd + entry.running_usd)


def _pool_rows(build: Programme, menu: Sequence[Entry], spare_replicas: int) -> None:
    """Servers hold the share and the spare; a share, or a split, needs its switch."""
    for k, entry in enumerate(menu):
        running, spare = entry.needed_chips(spare_replicas)
        held = {
            ("servers", k): float(entry.server_chips),
            ("share", k): -running,
            ("on", k): -spare,
        }
        build.row("pool", held, least=0.0)
        build.row("switch", {("on", k): 1.0, ("share", k): -1.0}, least=0.0)
        if entry.split:
            build.row("split", {"split": 1.0, ("on", k): -1.0}, least=0.0)


def _class_rows(
    build: Programme, menu: Sequence[Entry], demands: Sequence[Demanded], objective: str
) -> None:
    """Each class is served once; what is prefilled apart is decoded apart."""
    for each in demands:
        mine = [(k, e.pool.role) for k, e in enumerate(menu) if e.pool.class_name == each.name]
        prompts = {("share", k): 1.0 for k, role in mine if role in (MONOLITHIC, PREFILL)}
        build.row("class", prompts | {("served", each.name): -1.0}, least=0.0, most=0.0)
        sign = {PREFILL: 1.0, DECODE: -1.0}
        pairs = {("share", k): sign[role] for k, role in mine if role in sign}
        if pairs:
            build.row("pair", pairs, least=0.0, most=0.0)
        if objective == COST:
            build.row("all", {("served", each.name): 1.0}, least=1.0, most=1.0)


def _limit_rows(
    build: Programme, menu: Sequence[Entry], chips: Mapping[str, None], limits: Limits
) -> None:
    """Chips are owned or bought; power, capital and racks; the forced mix."""
    for chip in chips:
        used = {
            ("servers", k): -float(entry.server_chips)
            for k, entry in enumerate(menu)
            if entry.pool.accelerator == chip
        }
        build.row("chips", used | {("kept", chip): 1.0, ("bought", chip): 1.0}, least=0.0, most=0.0)
    power = {("servers", k): entry.power_w * entry.server_chips for k, entry in enumerate(menu)}
    build.row("power", power | {"over": -1.0}, most=limits.power_w)
    capex = {
        ("bought", chip): next(e.capex_usd for e in menu if e.pool.accelerator == chip)
        for chip in chips
    }
    build.row("capital", capex, most=_or_none(limits.capital_usd))
    racks = {("servers", k): entry.rack_w * entry.server_chips for k, entry in enumerate(menu)}
    build.row("space", racks, most=_or_none(limits.rack_w))


def _near(menu: Sequence[Entry], left: Mapping[str, float]) -> list[str]:
    """Limits that leave no room for the largest server."""
    largest = {
        "power": max(entry.power_w * entry.server_chips for entry in menu),
        "capital": max(entry.capex_usd * entry.server_chips for entry in menu),
        "space": max(entry.rack_w * entry.server_chips for entry in menu),
    }
    return [name for name in LIMITS if left[name] < largest[name]]


def _or_none(limit: float | None) -> float:
    return np.inf if limit is None else limit


def fleet_of(menu: Sequence[Entry], mix: Mix, units: Units) -> Fleet:
    """The pools of a mix, in whole servers and each with its spare."""
    chosen = [
        entry.pool.scaled(share, units)
        for entry, share in zip(menu, mix.demand_frac, strict=True)
        if share > SMALLEST
    ]
    return Fleet(id=PROPOSED, label=LABEL, pools=tuple(chosen), feasible=True)


def standing_in(fleet: Fleet, *caveats: str) -> Fleet:
    """An option as the proposed plan, where no mix can be formed."""
    return replace(fleet, id=PROPOSED, label=LABEL, caveats=caveats)
