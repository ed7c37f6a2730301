"""How one copy of a model lies over chips: tensor, expert, data and pipeline parallel."""

from dataclasses import dataclass
from typing import Any

import numpy as np

Number = Any


@dataclass(frozen=True, slots=True)
class Layout:
    """Chips of one replica; numbers, or arrays that broadcast.

    tp: chips that share the attention of a sequence (tensor parallel). attention_dp: groups of
    them, each with copies of the attention weights and sequences of its own. ep: chips that the
    experts are spread over whole, 1 where each expert is cut over all. pp: stages in a row.
    """

    tp: Number = 1.0
    attention_dp: Number = 1.0
    ep: Number = 1.0
    pp: Number = 1.0

    @property
    def stage_chips(self) -> Number:
        """Chips that work on a layer together."""
        return self.tp * self.attention_dp

    @property
    def n_chips(self) -> Number:
        """Chips of a replica."""
        return self.stage_chips * self.pp

    def column(self) -> "Layout":
        """The same layouts as a column, to broadcast against a row of batches."""
        return Layout(*(np.asarray(getattr(self, name), float)[..., None] for name in FIELDS))


FIELDS = ("tp", "attention_dp", "ep", "pp")
