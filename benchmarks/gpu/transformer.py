"""A Llama-shaped transformer with random weights, or the shard of one on one chip, step by step.

A step carries one token of each of some answers, whose cache holds a context, and all tokens of a
prompt that nothing of is cached; either may be absent. Collectives between shards are left out.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import embedding, scaled_dot_product_attention

from benchmarks.gpu import kernels

WIDTH_BYTES = 2
SPREAD = 0.02
FAST = [SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION]


@dataclass(frozen=True)
class Shape:
    """Dimensions on one chip. model: of the catalog. tp: chips it is cut over."""

    model: str
    tp: int
    n_layers: int
    hidden: int
    n_heads: int
    n_kv_heads: int
    head_width: int
    inner: int
    vocab: int

    @property
    def layer_params(self) -> int:
        """Weights of a layer that tokens are multiplied with."""
        heads = 2 * self.n_heads + 2 * self.n_kv_heads
        return self.hidden * (heads * self.head_width + 3 * self.inner)

    @property
    def token_bytes(self) -> int:
        """Cache of one token."""
        return 2 * self.n_layers * self.n_kv_heads * self.head_width * WIDTH_BYTES

    def flop(self, batch: int, context: int, prompt: int) -> float:
        """Products with weights and with the cache; a multiply-add is 2."""
        tokens, heads = batch + prompt, batch + (prompt > 0)
        pairs = batch * context + prompt * (prompt + 1) / 2
        attended = 4 * self.n_heads * self.head_width * pairs * self.n_layers
        linear = 2 * self.layer_params * self.n_layers * tokens
        return linear + 2 * self.hidden * self.vocab * heads + attended

    def moved_bytes(self, batch: int, context: int, prompt: int) -> float:
        """Weights once, cache once, hidden vectors around both halves of each layer, logits."""
        tokens, heads = batch + prompt, batch + (prompt > 0)
        weights = self.layer_params * self.n_layers + self.hidden * self.vocab
        cache = self.token_bytes * (batch * context + prompt + tokens)
        vectors = 2 * (2 * self.n_layers * self.hidden * tokens + self.vocab * heads)
        return WIDTH_BYTES * (weights + vectors) + cache


LLAMA_8B = Shape("llama-3.1-8b", 1, 32, 4096, 32, 8, 128, 14336, 128256)
LLAMA_70B_SHARD = Shape("llama-3.1-70b", 8, 80, 8192, 8, 1, 128, 3584, 16032)
TINY = Shape("tiny", 1, 2, 64, 4, 2, 16, 96, 128)


class Transformer:
    """Weights, and room for a cache of some tokens, both random."""

    def __init__(self, shape: Shape, cache_tokens: int, device: str) -> None:
        self.shape, self.device = shape, device
        make = {"device": device, "dtype": torch.bfloat16}
        s, width = shape, shape.head_width

        def weight(out: int, into: int) -> Tensor:
            return torch.empty(out, into, **make).normal_(0, SPREAD)

        self.table = kernels.rotary_table(65_536, width, device)
        self.embedding, self.head = weight(s.vocab, s.hidden), weight(s.vocab, s.hidden)
        self.norm = torch.ones(s.hidden, **make)
        self.layers = [
            {
                "qkv": weight((s.n_heads + 2 * s.n_kv_heads) * width, s.hidden),
                "out": weight(s.hidden, s.n_heads * width),
                "up": weight(2 * s.inner, s.hidden),
                "down": weight(s.hidden, s.inner),
                "k": torch.empty(cache_tokens * s.n_kv_heads * width, **make).normal_(),
                "v": torch.empty(cache_tokens * s.n_kv_heads * width, **make).normal_(),
            }
            for _ in range(s.n_layers)
        ]

    def step(self, ids: Tensor, batch: int, context: int) -> Tensor:
        """Next tokens of the answers, then of the prompt. ids: answers first, then the prompt."""
        x = embedding(ids, self.embedding)
        for layer in self.layers:
            x = self._attended(x, layer, batch, context)
            both = kernels.rms_norm(x, self.norm) @ layer["up"].t()
            x = torch.addmm(x, kernels.gated(both), layer["down"].t())
        last = x if len(ids) == batch else torch.cat([x[:batch], x[-1:]])
        return (kernels.rms_norm(last, self.norm) @ self.head.t()).argmax(-1)

    def attend(self, qkv: Tensor, context: int) -> Tensor:
        """Attention of a decode step alone, over all layers. qkv: (batch, heads, width)."""
        for layer in self.layers:
            read = self._answers(qkv, layer, context)
        return read

    def _attended(self, x: Tensor, layer: dict, batch: int, context: int) -> Tensor:
        s = self.shape
        qkv = kernels.rms_norm(x, self.norm) @ layer["qkv"].t()
        qkv = qkv.view(len(x), -1, s.head_width)
        parts = []
        if batch:
            parts.append(self._answers(qkv[:batch], layer, context))
        if len(x) > batch:
            parts.append(self._prompt(qkv[batch:]))
        read = parts[0] if len(parts) == 1 else torch.cat(parts)
        return torch.addmm(x, read, layer["out"].t())

    def _answers(self, qkv: Tensor, layer: dict, context: int) -> Tensor:
        """Queries that share cached heads are rows of one query, so that the cache is read once."""
        s, batch = self.shape, len(qkv)
        shape = (batch, s.n_kv_heads, context, s.head_width)
        n = batch * s.n_kv_heads * context * s.head_width
        k, v = layer["k"][:n].view(shape), layer["v"][:n].view(shape)
        q = kernels.rotated(qkv, k, v, self.table, context - 1, place=context - 1)
        q = q.view(batch, s.n_kv_heads, -1, s.head_width)
        return self._attention(q, k, v, [SDPBackend.FLASH_ATTENTION]).reshape(batch, -1)

    def _prompt(self, qkv: Tensor) -> Tensor:
        s, tokens = self.shape, len(qkv)
        k, v = (qkv.new_empty(1, s.n_kv_heads, tokens, s.head_width) for _ in range(2))
        q = kernels.rotated(qkv, k, v, self.table, 0, place=None).transpose(0, 1)[None]
        read = self._attention(q, k, v, FAST, is_causal=True, enable_gqa=True)
        return read[0].transpose(0, 1).reshape(tokens, -1)

    def _attention(self, q: Tensor, k: Tensor, v: Tensor, backends: list, **how: bool) -> Tensor:
        if self.device == "cpu":
            return scaled_dot_product_attention(q, k, v, **how)
        with sdpa_kernel(backends, set_priority=True):
            return scaled_dot_product_attention(q, k, v, **how)
