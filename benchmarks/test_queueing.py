"""Speed of the percentiles under load: 1,000 configurations at 64 loads each, batches up to 256."""

import numpy as np
import pytest

from planner.load import queueing

LOADS = np.linspace(0.02, 0.98, 64)
DECODE_S = np.linspace(0.005, 0.02, 1000)[:, None, None] + 1e-4 * np.arange(257)
MIXED_S = DECODE_S + 0.03
SERVERS = np.arange(1, 1001)[:, None]
LENGTHS = (1000, 1.0, 200)
CALLS = {
    "decode": (
        queueing.decode_pool,
        LOADS * queueing.decode_pool_saturation_per_s(200, DECODE_S[..., 1:]),
        (200, DECODE_S[..., 1:]),
    ),
    "prefill": (queueing.prefill_pool, LOADS * SERVERS, (1.0, 1.0, SERVERS)),
    "chunked": (
        queueing.chunked_replica,
        LOADS * queueing.chunked_saturation_per_s(1000, 200, DECODE_S, MIXED_S, 512),
        (*LENGTHS, DECODE_S, MIXED_S, 512),
    ),
    "priority": (
        queueing.prefill_priority_replica,
        LOADS * queueing.prefill_priority_saturation_per_s(1000, 200, DECODE_S, 6e-5),
        (*LENGTHS, DECODE_S, 6e-5),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_thousand_configurations_at_64_loads(benchmark, name):
    """Target 0.5 s."""
    function, rates, given = CALLS[name]
    result = benchmark(function, rates, *given)
    assert result.stable.shape == (1000, 64)
    assert result.stable.all()
