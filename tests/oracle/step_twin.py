"""Time of a step counted the slow way: layer by layer, matrix by matrix, message by message.

Written from the description of the model (parts follow each other, each under a roof of its own;
collectives, gaps, launches and the host add up) with plain numbers, on the same facts as
`planner.physics`, of which it imports nothing. It follows one chip of one stage; a stage of a
pipeline does an even share of every layer.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from tests.oracle import transformer_twin as twin

NEXT = {
    "bf16": ("bf16", "fp8", "int8"),
    "fp8": ("fp8", "int8", "bf16"),
    "int8": ("int8", "fp8", "bf16"),
    "int4": ("bf16", "fp8", "int8"),
    "fp4": ("fp4", "bf16", "fp8", "int8"),
    "mxfp4": ("fp4", "bf16", "fp8", "int8"),
}
"""What weights of a format are multiplied in: the first that the chip has."""


@dataclass
class Chip:
    """A data sheet. flop_per_s: only what is published. domain: chips that fast links join."""

    flop_per_s: dict
    memory_bytes_per_s: float
    domain: int
    inside_bytes_per_s: float
    outside_bytes_per_s: float

    def rate(self, stored):
        return next(self.flop_per_s[name] for name in NEXT[stored] if name in self.flop_per_s)


@dataclass
class Part:
    """Seconds of arithmetic and bytes of traffic, both at peak and on one chip."""

    compute_s: float = 0.0
    moved_bytes: float = 0.0


@dataclass
class Count:
    """What a walk over the layers of one stage adds up."""

    products: Part = field(default_factory=Part)
    experts: Part = field(default_factory=Part)
    head: Part = field(default_factory=Part)
    answers: Part = field(default_factory=Part)
    prompts: Part = field(default_factory=Part)
    gaps_s: float = 0.0
    launch_s: float = 0.0
    link_s: float = 0.0


def time_s(model, sequences, weights, kv, chip, reached, layout):
    """Seconds of a step. reached: shares and overheads, layout: tp and so on, each by name."""
    found = Count()
    for kind, routed in twin.layer_list(model):
        _multiply(found, model, kind, routed, sequences, weights, chip, layout)
        _route(found, model, routed, sequences, weights, chip, reached, layout)
        _attend(found, kind, sequences, kv, chip, layout)
        _talk(found, model, routed, sequences, chip, reached, layout)
        stage = 1 / layout["pp"]
        found.gaps_s += reached["layer_overhead_s"] * stage
        found.launch_s += reached["launch_layer_s"] * stage
        if routed:
            found.gaps_s += reached["expert_layer_overhead_s"] * stage
            found.launch_s += reached["launch_expert_layer_s"] * stage
    _sample(found, model, sequences, chip, layout)
    _hand_on(found, model, sequences, chip, reached, layout)
    return _added_up(found, sequences, chip, reached, layout)


def _added_up(found, sequences, chip, reached, layout):
    order, per_s = reached["roof_order"], chip.memory_bytes_per_s
    fullest = reached["expert_imbalance"] if layout["ep"] > 1 else 1

    def roof_s(part, compute_share, memory_share):
        compute_s = part.compute_s / reached[compute_share]
        return norm(compute_s, part.moved_bytes / per_s / reached[memory_share], order)

    device_s = roof_s(found.products, "compute_frac", "memory_frac")
    device_s += roof_s(found.experts, "expert_compute_frac", "expert_memory_frac") * fullest
    device_s += roof_s(found.head, "compute_frac", "memory_frac")
    device_s += roof_s(found.answers, "attention_compute_frac", "cache_memory_frac")
    device_s += roof_s(found.prompts, "attention_compute_frac", "cache_memory_frac")
    device_s += found.gaps_s + found.link_s
    if any(s.new and not s.decoding for s in sequences):
        device_s = norm(device_s, found.launch_s, reached["launch_order"])
    running = sum(1 for s in sequences if s.new)
    own_host_s = running / layout["attention_dp"] * reached["sequence_overhead_s"]
    host_s = reached["iteration_overhead_s"] + own_host_s
    return device_s * reached["slowdown"] + host_s


def norm(one, other, order):
    """The p-norm; the larger of both where p is infinite."""
    if order == float("inf") or not min(one, other):
        return max(one, other)
    return (one**order + other**order) ** (1 / order)


def _multiply(found, model, kind, routed, sequences, weights, chip, layout):
    """Products of a layer with its weights, and hidden vectors around both of its halves."""
    held, stage = twin.precisions(model, weights), 1 / layout["pp"]
    tokens = sum(s.new for s in sequences)
    own_tokens = tokens / layout["attention_dp"]
    always, _ = twin.mlp_matrices(model, routed)
    for matrix in twin.attention_matrices(kind, model.hidden) + always:
        cut = twin.size(matrix) / layout["tp"] * stage
        stored = held[matrix[0]]
        found.products.compute_s += 2 * cut * own_tokens / chip.rate(stored)
        found.products.moved_bytes += cut * twin.bytes_of(stored) * (tokens > 0)
    for _half in ("attention", "mlp"):
        for _way in ("read", "written"):
            found.products.moved_bytes += 2 * model.hidden * own_tokens * stage


def _route(found, model, routed, sequences, weights, chip, reached, layout):
    """Products of a layer with the experts that some token goes to, their last tiles filled up."""
    stored, stage = twin.precisions(model, weights)["experts"], 1 / layout["pp"]
    tokens = sum(s.new for s in sequences)
    for matrix in twin.mlp_matrices(model, routed)[1]:
        cut = twin.size(matrix) / layout["tp"] / layout["attention_dp"] * stage
        touched = 0.0
        for _expert in range(model.n_experts):
            touched += 1 - (1 - model.n_experts_active / model.n_experts) ** tokens
        rows = tokens * model.n_experts_active + touched * reached["expert_padding_rows"]
        found.experts.compute_s += 2 * cut * rows / chip.rate(stored)
        found.experts.moved_bytes += cut * touched * twin.bytes_of(stored)


def _attend(found, kind, sequences, kv, chip, layout):
    """Cached entries and states of a layer, each group of chips having sequences of its own."""
    share = 1 / layout["pp"] / layout["attention_dp"]
    for s in sequences:
        part = found.answers if s.decoding else found.prompts
        if not s.new:
            continue
        numbers, state_flop = twin.state(kind)
        part.compute_s += state_flop * s.new / layout["tp"] * share / chip.rate("bf16")
        part.moved_bytes += 2 * (2 * numbers) / layout["tp"] * share  # read and written, 16 bits
        for flop, moved, holders in _streams(kind, s.new, s.context, s.decoding, kv):
            part.compute_s += flop / layout["tp"] * share / chip.rate("bf16")
            part.moved_bytes += moved / min(layout["tp"], holders) * share


@lru_cache(maxsize=100_000)
def _streams(kind, new, context, decoding, kv):
    """FLOP, bytes read and written, and chips that may each hold a part, of each stream."""
    found = []
    for stream in twin.streams(kind):
        elements, fixed, stride, _, reach, picked, prefill, decode = stream
        entry = (fixed or elements * twin.bytes_of(kv)) / stride
        flop = 0.0
        for seen in range(context + 1, context + new + 1):
            flop += 2 * (decode if decoding else prefill) * min(seen, reach) / stride
        anew = reach if picked else 1
        read = entry * min(context + new, reach + (new - 1) * anew)
        # Only the keys and values of grouped heads come apart; everything else all heads read.
        grouped = type(kind).__name__ == "GroupedQuery" and not found
        found.append((flop, read + entry * new, kind.n_kv_heads if grouped else 1))
    return tuple(found)


def _sample(found, model, sequences, chip, layout):
    """The output head, on the last stage alone, and the logits that it writes."""
    heads, groups = sum(s.heads for s in sequences), layout["attention_dp"]
    cut = model.vocab * model.hidden / layout["tp"]
    found.head.compute_s += 2 * cut * heads / groups / chip.rate("bf16")
    found.head.moved_bytes += 2 * cut * (heads > 0)
    logits = 2 * model.vocab * heads / groups / layout["pp"]
    found.products.moved_bytes += 2 * logits  # written and read


def _talk(found, model, routed, sequences, chip, reached, layout):
    """Two all-reduces of a layer, or tokens out to their experts at 8 bits and back at 16."""
    chips, stage = layout["tp"] * layout["attention_dp"], 1 / layout["pp"]
    vectors = sum(s.new for s in sequences) / layout["attention_dp"] * model.hidden
    reduced_s = all_reduce_s(chip, reached, layout["tp"], 2 * vectors)
    found.link_s += (reduced_s + reduced_s) * stage
    if routed and layout["attention_dp"] > 1:
        for width in (1, 2):
            own = vectors / layout["tp"] * width  # a group's chips share out its tokens
            sent_s = all_to_all_s(chip, reached, chips, own, model.n_experts_active)
            found.link_s += sent_s * stage


def _hand_on(found, model, sequences, chip, reached, layout):
    """Hidden vectors to the next stage at 16 bits."""
    if layout["pp"] > 1:
        own = sum(s.new for s in sequences) / layout["attention_dp"]
        chips = layout["tp"] * layout["attention_dp"] * layout["pp"]
        fast, slow = chip.inside_bytes_per_s, chip.outside_bytes_per_s
        rate = (fast if chips <= chip.domain else slow) * reached["link_frac"]
        found.link_s += reached["link_latency_s"] + 2 * own * model.hidden / rate


def all_reduce_s(chip, reached, n, message):
    """Walk the ring inside each domain, then the ring between domains, piece by piece."""
    inside = min(n, chip.domain)
    domains = n // inside
    seconds = 0.0
    for chips, part, rate in (
        (inside, message, chip.inside_bytes_per_s),
        (domains, message / inside, chip.outside_bytes_per_s),
    ):
        for _turn in range(2 * (chips - 1)):  # to add up all pieces, then to share them out
            seconds += part / chips / (rate * reached["link_frac"])
        seconds += reached["link_latency_s"] if chips > 1 else 0.0
    return seconds


def all_to_all_s(chip, reached, n, own, chosen):
    """A copy of a chip's tokens to each other place where some of their experts are.

    Every chip of the group gets its copies inside its domain; every other domain gets one over the
    slower links, which it hands on. Both kinds of links work at once.
    """
    if n == 1:
        return 0.0
    seconds = []
    for places, rate in (
        (n, chip.inside_bytes_per_s),
        (n // min(n, chip.domain), chip.outside_bytes_per_s),
    ):
        copies = 0.0
        for _other in range(places - 1):
            missed = 1.0
            for _choice in range(chosen):
                missed *= 1 - 1 / places
            copies += 1 - missed
        seconds.append(copies * own / (rate * reached["link_frac"]))
    return max(seconds) + reached["link_latency_s"]
