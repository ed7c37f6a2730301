"""The language models of the catalog: their dimensions, as the published configurations give them.

A `Model` holds only facts; the arithmetic on them (parameters, cache, work) lives in
`planner.physics`.
"""

from collections.abc import Container, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from planner.facts.attention import KINDS, Attention, Indexer
from planner.facts.entry import Entry
from planner.facts.quantities import Quantity

FILE = "models.toml"
PRECISIONS = ("bf16", "fp8", "int8", "fp4", "mxfp4", "int4")

_UNKNOWN = "unknown"
_PARTS = ("attention", "attention_output", "dense", "experts")
_NEEDED = ("n_layers", "hidden", "vocab", "max_context")
_OPTIONAL = (
    "n_dense_layers", "dense_ffn", "n_experts", "n_experts_active", "n_shared_experts",
    "expert_ffn", "expert_hidden", "shared_ffn", "n_positions",
)  # fmt: skip
_NO_DIMENSIONS: Mapping[str, Any] = {
    **dict.fromkeys(_NEEDED + _OPTIONAL, 0),
    "tied_embeddings": False,
    "gated_mlp": False,
    "attention": (),
    "source": "",
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The precision of each part of a published checkpoint that is called `precision`.

    attention: all projections of attention but the output's. dense: dense and shared MLP.
    Embeddings, output head and router stay at 16 bits in every checkpoint.
    """

    precision: str
    attention: str
    attention_output: str
    dense: str
    experts: str
    source: str


@dataclass(frozen=True, slots=True)
class Model:
    """One language model. A count that does not apply is 0; a fact not published is None or "".

    n_dense_layers, dense_ffn: layers with an ordinary MLP (all, unless there are experts).
    expert_ffn, shared_ffn: width of one routed or shared expert. expert_hidden: width of the
    vectors that routed experts see, where that is not `hidden`.
    n_positions: learned position vectors; rotary and linear-bias positions have none.
    gated_mlp: three MLP matrices (up, gate, down), not two.
    published_kv_bytes_per_token: at 16 bits, all layers that keep the whole context.
    vision_params: image towers inside the published total; they do no work on text.
    checkpoints: published checkpoints that mix precisions; others use one throughout.
    source: the document all dimensions are read from. missing: why no work can be computed.
    """

    id: str
    name: str
    vendor: str
    released: str
    native_precision: str
    notes: str
    source: str
    missing: str
    n_layers: int
    hidden: int
    vocab: int
    max_context: int
    n_positions: int
    tied_embeddings: bool
    gated_mlp: bool
    n_dense_layers: int
    dense_ffn: int
    n_experts: int
    n_experts_active: int
    n_shared_experts: int
    expert_ffn: int
    expert_hidden: int
    shared_ffn: int
    attention: tuple[Attention, ...]
    checkpoints: tuple[Checkpoint, ...]
    published_total_params: Quantity | None
    published_active_params: Quantity | None
    published_kv_bytes_per_token: Quantity | None
    vision_params: Quantity | None

    @property
    def n_moe_layers(self) -> int:
        """Layers whose MLP is routed to experts."""
        return self.n_layers - self.n_dense_layers

    @property
    def n_heads(self) -> int:
        """Query heads of a layer: the most chips that may share attention without copies of it."""
        return max((kind.n_heads for kind in self.attention), default=0)

    @property
    def n_kv_heads(self) -> int:
        """Key-value heads of a layer: the most chips that may share a cache without copies of it.

        One for latent and compressed attention, whose cache all heads read.
        """
        return min((kind.n_kv_heads for kind in self.attention), default=0)

    def why_not(self) -> str:
        """One sentence on why no work can be computed for this model, or "" when it can."""
        return f"{self.name} cannot be timed: {self.missing}" if self.missing else ""

    def checkpoint(self, precision: str) -> Checkpoint:
        """The parts of the checkpoint called `precision`; one precision throughout by default.

        Raises:
            ValueError: the precision is unknown.
        """
        if precision not in PRECISIONS:
            known = ", ".join(PRECISIONS)
            raise ValueError(f"weight precision {precision!r} is unknown; choose one of {known}.")
        for checkpoint in self.checkpoints:
            if checkpoint.precision == precision:
                return checkpoint
        return Checkpoint(precision, precision, precision, precision, precision, self.source)


def models_from(
    tables: Mapping[str, object], sources: Container[str], file: str = FILE
) -> dict[str, Model]:
    """Read every table of the models file.

    Raises:
        CatalogError: naming file, entry and field, and what is allowed.
    """
    return {name: _model(_Table(file, name, table, sources)) for name, table in tables.items()}


class _Table(Entry):
    """An entry that also holds whole numbers and tables of them."""

    def __init__(self, file: str, name: str, table: object, sources: Container[str]) -> None:
        super().__init__(file, name, table, sources)
        self._file, self._cited = file, sources

    def count(self, field: str, default: int | None = None) -> int:
        """A whole number, not negative; needed, and above zero, unless `default` is given."""
        if default is not None and field not in self:
            return default
        raw = self._raw(field)
        least = 1 if default is None else 0
        if isinstance(raw, bool) or not isinstance(raw, int) or raw < least:
            raise self.refusal(field, f"{raw!r} is not a whole number of at least {least}.")
        return raw

    def table(self, field: str) -> "_Table":
        """The one table called `field`; needed."""
        return self._below(field, self._raw(field))

    def tables(self, field: str) -> "list[_Table]":
        """The tables listed under `field`, counted from 0; none where absent."""
        raw = self._raw(field) if field in self else []
        if not isinstance(raw, list):
            raise self.refusal(field, f"{raw!r} is not a list of tables.")
        return [self._below(f"{field}.{n}", table) for n, table in enumerate(raw)]

    def source(self) -> str:
        """The id of the document that this table is read from; needed."""
        source = self.text("source")
        if source not in self._cited:
            raise self.refusal("source", f"{source!r} is not in sources.toml; add it there.")
        return source

    def _below(self, field: str, table: object) -> "_Table":
        return _Table(self._file, f"{self.name}.{field}", table, self._cited)


def _model(entry: _Table) -> Model:
    missing = entry.text("missing", "")
    read = Model(
        id=entry.name,
        name=entry.text("name"),
        vendor=entry.text("vendor"),
        released=entry.text("released"),
        native_precision=entry.text("native_precision", allowed=(*PRECISIONS, _UNKNOWN)),
        notes=entry.text("notes", ""),
        missing=missing,
        checkpoints=tuple(_checkpoint(table) for table in entry.tables("checkpoints")),
        published_total_params=entry.positive("published_total_params", "1"),
        published_active_params=entry.positive("published_active_params", "1"),
        published_kv_bytes_per_token=entry.positive("published_kv_bytes_per_token", "bytes/token"),
        vision_params=entry.positive("vision_params", "1"),
        **(_NO_DIMENSIONS if missing else _dimensions(entry.table("dims"))),
    )
    entry.finish()
    return read


def _checkpoint(entry: _Table) -> Checkpoint:
    called = entry.text("precision", allowed=PRECISIONS)
    parts = {part: entry.text(part, called, PRECISIONS) for part in _PARTS}
    read = Checkpoint(precision=called, source=entry.source(), **parts)
    entry.finish()
    return read


def _dimensions(entry: _Table) -> dict[str, Any]:
    read: dict[str, Any] = {
        **{field: entry.count(field) for field in _NEEDED},
        **{field: entry.count(field, 0) for field in _OPTIONAL},
        "tied_embeddings": entry.flag("tied_embeddings"),
        "gated_mlp": entry.flag("gated_mlp"),
        "attention": tuple(_attention(table) for table in entry.tables("attention")),
        "source": entry.source(),
    }
    entry.finish()
    _check_layers(entry, read)
    return read


def _attention(entry: _Table) -> Attention:
    filled: Attention = _filled(KINDS[entry.text("kind", allowed=tuple(KINDS))], entry)
    return filled


def _filled(kind: type[Attention] | type[Indexer], entry: _Table) -> Any:
    """An instance of a dataclass of dimensions, each field read under its own name."""
    read = kind(**{field.name: _dimension(entry, field) for field in fields(kind)})
    entry.finish()
    return read


def _dimension(entry: _Table, field: Field[Any]) -> Any:
    default = None if field.default is MISSING else field.default
    if field.name not in entry and field.default is not MISSING:
        return default
    if field.name == "indexer":
        return _filled(Indexer, entry.table("indexer"))
    return entry.flag(field.name) if isinstance(default, bool) else entry.count(field.name, default)


def _check_layers(entry: _Table, read: Mapping[str, Any]) -> None:
    n_layers, n_dense = read["n_layers"], read["n_dense_layers"]
    n_attention = sum(kind.n_layers for kind in read["attention"])
    if n_attention != n_layers:
        raise entry.refusal("attention", f"covers {n_attention} of {n_layers} layers; name all.")
    if n_dense > n_layers:
        raise entry.refusal("n_dense_layers", f"{n_dense} is above n_layers = {n_layers}.")
    if not read["n_experts_active"] <= read["n_experts"]:
        problem = f"{read['n_experts_active']} is above n_experts = {read['n_experts']}."
        raise entry.refusal("n_experts_active", problem)
    for field, needed in (
        ("dense_ffn", n_dense),
        ("n_experts_active", n_layers - n_dense),
        ("expert_ffn", n_layers - n_dense),
        ("shared_ffn", read["n_shared_experts"]),
    ):
        if bool(read[field]) != bool(needed):
            state = "is needed: some layers use it" if needed else "is given, but no layer uses it"
            raise entry.refusal(field, f"{state}.")
