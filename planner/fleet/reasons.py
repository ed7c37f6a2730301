"""Why a class cannot be served, and the nearest change that would serve it, in a sentence."""

import math

from planner.demand.workload import Demand
from planner.facts.units import BYTES_PER_GBIT
from planner.fleet.candidates import Candidates
from planner.fleet.offers import Sizing
from planner.fleet.pools import DECODE, Pool
from planner.fleet.sizing import Question, choose
from planner.text import number, seconds


def does_not_fit(sizing: Sizing, demand: Demand) -> str:
    """No allowed chip holds the model, or the model does not hold the tokens."""
    asked = demand.source
    most = sizing.catalog.models[asked.model].max_context
    if demand.input_tokens + demand.output_tokens > most:
        held = number(most, place=0)
        return f"{asked.name} asks for more than the {held} tokens that {asked.model} can hold."
    return (
        f"No allowed chip holds {asked.model} for {asked.name}: "
        "allow a chip with more memory, or lower precision."
    )


def misses(demand: Demand, built: Pool, ttft_s: float) -> str:
    """The service level_frac that no size reaches, and the nearest one that would be met.

    ttft_s: what of the time to first token the pool may take.
    """
    reached, wanted_s = [], demand.source.p99_tpot_s
    if built.p99_ttft_s is not None and built.p99_ttft_s > ttft_s:
        kind = "wait for decode" if built.role == DECODE else "first token"
        reached.append(f"{kind} {seconds(built.p99_ttft_s)}, {seconds(ttft_s)} asked")
    if built.p99_tpot_s is not None and built.p99_tpot_s > wanted_s:
        reached.append(f"per token {seconds(built.p99_tpot_s)}, {seconds(wanted_s)} asked")
    return (
        f"No number of {built.accelerator} {built.role} replicas meets the p99 of {demand.name}: "
        f"best {' and '.join(reached)}."
    )


def late_prefill(
    sizing: Sizing, held: Candidates, demand: Demand, built: Pool, question: Question
) -> str:
    """Whether the fabric alone makes prompts late, and which would do; else what is reached."""
    (instant,) = choose([question], held.instant(), held.unit)
    if instant is None or instant.slack > 1:
        return misses(demand, built, question.ttft_s)
    needed = held.needed_bytes_per_s(instant, question.ttft_s - instant.ttft_s)
    fabric = sizing.scenario.fabric
    if math.isinf(needed):
        return (
            f"No fabric hands over the caches of {demand.name} in time with {fabric.transfer} "
            f"transfer and {fabric.overlap} overlap: allow a contiguous transfer, layer by layer."
        )
    enough = math.ceil(needed / BYTES_PER_GBIT)
    return (
        f"The fabric is too slow for {demand.name}: {number(fabric.gbit_per_s_per_node, place=0)} "
        f"Gbit/s per server, and {number(enough, place=0)} Gbit/s would do."
    )
