"""Questions in blocks are answered as one by one, whatever is broadcast against what."""

import numpy as np
import pytest

from planner.load import blocks
from planner.load.queueing import (
    chunked_replica,
    decode_pool,
    prefill_pool,
    prefill_priority_replica,
)

RATES = np.linspace(0.1, 4, 6)
DECODE_S = np.linspace(0.005, 0.02, 7)[:, None, None] + 1e-4 * np.arange(33)
CALLS = {
    "decode": (decode_pool, (RATES, 200, DECODE_S[..., 1:])),
    "prefill": (prefill_pool, (RATES, 0.2, np.full((7, 1), 1.0), 2)),
    "chunked": (chunked_replica, (RATES, 900, 1.0, 200, DECODE_S, DECODE_S + 0.03, 512)),
    "priority": (prefill_priority_replica, (RATES, 900, 1.0, 200, DECODE_S, 6e-5)),
}


@pytest.mark.parametrize("name", CALLS)
def test_blocks_answer_as_a_whole(name, monkeypatch):
    function, given = CALLS[name]
    whole = function(*given)
    monkeypatch.setattr(blocks, "N_BLOCK_VALUES", 40)
    parts = function(*given)
    for field in whole.__dataclass_fields__:
        assert getattr(parts, field).shape == (7, 6)
        np.testing.assert_allclose(getattr(parts, field), getattr(whole, field), rtol=1e-12)


def test_what_is_refused_in_one_piece_is_refused_in_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "N_BLOCK_VALUES", 40)
    with pytest.raises(ValueError, match="requests_per_s must be finite and at least 0"):
        decode_pool(-RATES, 200, DECODE_S[..., 1:])
    with pytest.raises(ValueError, match="broadcast"):
        decode_pool(RATES, np.full(5, 200.0), DECODE_S[..., 1:])
    with pytest.raises(ValueError, match="step_s must hold at least one step time"):
        decode_pool(np.ones((7, 9)), 200, 0.01)
