"""Work of a step counted the slow way: layer by layer, matrix by matrix, query by query.

Reads the same facts as `planner.physics` and shares nothing else with it. Each layer lists its
weight matrices as (part, inputs, outputs), as the published modelling code builds them; each
query walks over the entries that it may see.
"""

from dataclasses import dataclass

BITS = {"bf16": 16, "fp8": 8, "int8": 8, "fp4": 4, "int4": 4, "mxfp4": 4}
SCALE_BITS = {"bf16": 0, "fp8": 0, "int8": 0, "fp4": 8 / 16, "int4": 16 / 32, "mxfp4": 8 / 32}


def bytes_of(precision):
    return (BITS[precision] + SCALE_BITS[precision]) / 8


@dataclass
class Sequence:
    """One sequence of a step: `new` whole tokens after `context` cached ones."""

    new: int
    context: int
    decoding: bool
    heads: float


def layer_list(model):
    """(attention kind, has experts) of each layer."""
    kinds = [kind for kind in model.attention for _ in range(kind.n_layers)]
    return [(kind, number >= model.n_dense_layers) for number, kind in enumerate(kinds)]


def attention_matrices(kind, hidden):
    name = type(kind).__name__
    if name == "GroupedQuery":
        wide = kind.n_heads * kind.head_dim
        narrow = kind.n_kv_heads * kind.head_dim
        found = [("in", hidden, wide), ("in", hidden, narrow), ("in", hidden, narrow)]
        found += [("in", hidden, wide)] if kind.output_gate else []
        found += [("out", wide, hidden)]
        if kind.indexer:
            found += [("in", hidden, kind.indexer.n_heads * kind.indexer.dim)]
            found += [("in", hidden, kind.indexer.dim)]
        return found
    if name == "Latent":
        heads = kind.n_heads
        found = [
            ("in", hidden, kind.q_rank),
            ("in", kind.q_rank, heads * (kind.nope_dim + kind.rope_dim)),
            ("in", hidden, kind.kv_rank + kind.rope_dim),
            ("in", kind.kv_rank, heads * kind.nope_dim),
            ("in", kind.kv_rank, heads * kind.value_dim),
            ("out", heads * kind.value_dim, hidden),
        ]
        found += [("in", hidden, heads * kind.value_dim)] if kind.output_gate else []
        return found + indexer_matrices(
            kind, hidden, [("in", hidden, kind.indexer and kind.indexer.dim)]
        )
    if name == "Delta":
        keys, values = kind.key_heads * kind.key_dim, kind.value_heads * kind.value_dim
        found = [("in", hidden, n) for n in (keys, keys, values, values, kind.value_heads)]
        found += [("in", kind.conv, keys), ("in", kind.conv, keys), ("in", kind.conv, values)]
        if kind.decay_rank:
            found += [("in", hidden, kind.decay_rank), ("in", kind.decay_rank, keys)]
        else:
            found += [("in", hidden, kind.value_heads)]
        return [*found, ("out", values, hidden)]
    width = kind.n_heads * kind.head_dim
    found = [("in", hidden, kind.q_rank), ("in", kind.q_rank, width), ("in", hidden, kind.head_dim)]
    found += [("out", width // kind.out_groups, kind.out_rank) for _ in range(kind.out_groups)]
    found += [("out", kind.out_groups * kind.out_rank, hidden)]
    if kind.stride:
        pooled = ("in", hidden, kind.overlap * kind.head_dim)
        found += [pooled, pooled]
    if kind.indexer:
        pooled = ("in", hidden, kind.overlap * kind.indexer.dim)
        found += indexer_matrices(kind, hidden, [pooled, pooled])
    return found


def indexer_matrices(kind, hidden, key_projections):
    if not kind.indexer:
        return []
    queries = ("in", kind.q_rank, kind.indexer.n_heads * kind.indexer.dim)
    return [queries, ("in", hidden, kind.indexer.n_heads), *key_projections]


def mlp_matrices(model, routed):
    """The matrices every token meets; those of one routed expert."""
    hidden = model.hidden

    def mlp(width_in, width):
        up = [("x", width_in, width)] * (2 if model.gated_mlp else 1)
        return [*up, ("x", width, width_in)]

    if not routed:
        return [("dense", i, o) for _, i, o in mlp(hidden, model.dense_ffn)], []
    always = [("router", hidden, model.n_experts)]
    for _ in range(model.n_shared_experts):
        always += [("dense", i, o) for _, i, o in mlp(hidden, model.shared_ffn)]
    if model.expert_hidden:
        always += [("dense", hidden, model.expert_hidden), ("dense", model.expert_hidden, hidden)]
    expert = mlp(model.expert_hidden or hidden, model.expert_ffn)
    return always, [("experts", i, o) for _, i, o in expert]


def precisions(model, precision):
    named = [c for c in model.checkpoints if c.precision == precision]
    if not named:
        held = dict.fromkeys(("in", "out", "dense", "experts"), precision)
    else:
        c = named[0]
        held = {
            "in": c.attention,
            "out": c.attention_output,
            "dense": c.dense,
            "experts": c.experts,
        }
    return held | {"router": "bf16", "head": "bf16"}


def size(matrix):
    return matrix[1] * matrix[2]


def parameters(model):
    table = model.vocab * model.hidden
    total = table if model.tied_embeddings else 2 * table
    total += model.n_positions * model.hidden
    for kind, routed in layer_list(model):
        always, expert = mlp_matrices(model, routed)
        total += sum(map(size, attention_matrices(kind, model.hidden) + always))
        total += model.n_experts * sum(map(size, expert))
    return total + (model.vision_params.value if model.vision_params else 0)


def streams(kind):
    """Cached streams of a layer: numbers per entry, bytes if fixed, stride, kept, read, picked,
    and multiply-adds per query and entry in prefill and in decode."""
    name = type(kind).__name__
    index = kind.indexer if name != "Delta" else None
    found = []
    if name == "GroupedQuery":
        macs = 2 * kind.n_heads * kind.head_dim
        kept = kind.window or float("inf")
        read = index.top_entries if index else kept
        elements = 2 * kind.n_kv_heads * kind.head_dim
        found.append((elements, 0, 1, kept, read, bool(index), macs, macs))
    if name == "Latent":
        absorbed = kind.n_heads * (kind.kv_rank + kind.rope_dim + kind.kv_rank)
        expanded = kind.n_heads * (kind.nope_dim + kind.rope_dim + kind.value_dim)
        read = index.top_entries if index else float("inf")
        found.append(
            (kind.kv_rank + kind.rope_dim, 0, 1, float("inf"), read, bool(index),
             absorbed if index else expanded, absorbed)
        )  # fmt: skip
    if name == "Compressed":
        macs = 2 * kind.n_heads * kind.head_dim
        found.append((kind.head_dim, 0, 1, kind.window, kind.window, False, macs, macs))
        if kind.stride:
            read = index.top_entries * kind.stride if index else float("inf")
            found.append(
                (kind.head_dim, 0, kind.stride, float("inf"), read, bool(index), macs, macs)
            )
    if index:
        macs = index.n_heads * index.dim
        stride = kind.stride if name == "Compressed" else 1
        found.append(
            (index.dim, index.entry_bytes, stride, float("inf"), float("inf"), False, macs, macs)
        )
    return found


def state(kind):
    """Numbers kept per sequence, and FLOP per token on them, of a delta-rule layer."""
    if type(kind).__name__ != "Delta":
        return 0, 0
    memory = kind.value_heads * kind.key_dim * kind.value_dim
    convolved = 2 * kind.key_heads * kind.key_dim + kind.value_heads * kind.value_dim
    return memory + (kind.conv - 1) * convolved, 3 * 2 * memory


def work(model, sequences, weight_precision, kv_precision):
    """Totals of one step over all its sequences, by the names of `Work`."""
    held = precisions(model, weight_precision)
    tokens = sum(s.new for s in sequences)
    heads = sum(s.heads for s in sequences)
    head = model.vocab * model.hidden
    linear = 2 * head * heads
    weights = head * 2 if heads else 0
    attention = read = written = 0.0
    for kind, routed in layer_list(model):
        always, expert = mlp_matrices(model, routed)
        for matrix in attention_matrices(kind, model.hidden) + always:
            linear += 2 * size(matrix) * tokens
            weights += size(matrix) * bytes_of(held[matrix[0]])
        for matrix in expert:
            linear += 2 * size(matrix) * tokens * model.n_experts_active
            missed = (1 - model.n_experts_active / model.n_experts) ** tokens
            touched = model.n_experts * (1 - missed)
            weights += size(matrix) * bytes_of(held["experts"]) * touched
        numbers, state_flop = state(kind)
        for s in sequences:
            attention += state_flop * s.new
            read += numbers * 2
            written += numbers * 2
            for elements, fixed, stride, _, reach, picked, prefill, decode in streams(kind):
                entry = (fixed or elements * bytes_of(kv_precision)) / stride
                for seen in range(s.context + 1, s.context + s.new + 1):
                    macs = decode if s.decoding else prefill
                    attention += 2 * macs * min(seen, reach) / stride
                step = reach if picked else 1
                read += entry * min(s.context + s.new, reach + (s.new - 1) * step)
                written += entry * s.new
    vectors = 4 * model.hidden * tokens * len(layer_list(model)) + 2 * model.vocab * heads
    return {
        "linear_flop": linear,
        "attention_flop": attention,
        "weight_bytes": weights,
        "kv_read_bytes": read,
        "kv_write_bytes": written,
        "activation_bytes": 2 * vectors,
    }


def cache_bytes(model, context, kv_precision):
    total = 0.0
    for kind, _ in layer_list(model):
        total += state(kind)[0] * 2
        for elements, fixed, stride, kept, *_ in streams(kind):
            total += (fixed or elements * bytes_of(kv_precision)) * min(context, kept) / stride
    return total
