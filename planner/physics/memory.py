"""What fits: copies of weights, and the requests whose caches find room beside them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.physics.layout import Layout
from planner.physics.profile import Profile, bytes_per_token

Floats = NDArray[np.float64]


def chip_weight_bytes(held: Profile, layout: Layout) -> Floats:
    """Weights on one chip: attention's copies in each group, experts once. Returns: [bytes]"""
    everywhere = held.fixed_bytes + held.head_bytes + held.table_bytes
    return np.asarray(everywhere / (layout.tp * layout.pp) + held.expert_bytes / layout.n_chips)


def chip_cache_bytes(held: Profile, layout: Layout, context_tokens: Any) -> Floats:
    """Cache of one sequence on each chip of its group: copies where heads cannot be cut. [bytes]"""
    streams = (
        bytes_per_token(each)
        * np.minimum(context_tokens, each.kept)
        / np.minimum(layout.tp, each.n_holders)
        for each in held.streams
    )
    return np.asarray(sum(streams, start=held.state_bytes / layout.tp) / layout.pp)


def places(
    held: Profile,
    layout: Layout,
    memory_bytes: Any,
    context_tokens: Any,
    *,
    memory_frac: Any,
    free_frac: Any,
    reserve_bytes: Any,
) -> Floats:
    """Requests [1] whose caches fit on a replica beside the weights; below 0 where those do not.

    memory_frac: of all memory that the engine takes; free_frac: of what weights and reserve leave
    of it, given to the cache; context_tokens: mean length that a request keeps.
    """
    own = chip_weight_bytes(held, layout)
    free = free_frac * (memory_bytes * memory_frac - own - reserve_bytes)
    return np.asarray(free * layout.attention_dp / chip_cache_bytes(held, layout, context_tokens))
