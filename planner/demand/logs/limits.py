"""How much of a log is read, and when it is refused: every bound of the audit in one place."""

from dataclasses import dataclass

KIB = 2**10
MIB = 2**20
GIB = 2**30
LAST_DAYS = 7.0
"""How far back a Prometheus server is asked; it keeps 15 days unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one audit; a log beyond one is refused in a sentence that tells the bound.

    The defaults are choices, not measurements: each is far above what an honest log shows
    (a compressed CSV log expands 3 to 20 times, a Parquet log holds under 4 values a byte) and
    far below what a crafted file reaches (400 times and 200 values a byte).
    """

    max_files: int = 10_000
    max_layouts: int = 50
    """Different headers or formats among the files of one log."""
    max_bytes: int = 64 * GIB
    """All files together, as they lie on disk."""
    max_columns: int = 2_000
    max_cells: int = 4_000_000_000
    """Rows times columns of a Parquet file, by its footer."""
    max_cells_per_byte: int = 32
    checked_cells: int = 10_000_000
    """Below this many values a dense Parquet file is harmless whatever its density."""
    max_expansion: int = 100
    """Unpacked bytes per byte of a gzip file."""
    checked_expansion_bytes: int = 64 * MIB
    """Below this unpacked size a dense gzip file is harmless whatever its density."""
    magic_bytes: int = 4 * KIB
    """Read at the start of every file to recognise its format."""
    head_bytes: int = MIB
    """Read at the start of a text file to learn its columns."""
    head_lines: int = 200
    max_json_depth: int = 6
    max_document_bytes: int = 64 * MIB
    """The longest line, or document over several lines, that is taken apart in memory."""
    memory_bytes: int = 168 * MIB
    """Working memory of the database; beyond it, it spills to a private temporary folder."""
    max_tokens: int = 100_000_000
    """A request with more is a fault of the log: ten times the longest context on offer."""
    max_count: float = 1e15
    """What an engine's counter may rise by: tokens of the largest fleet over a year."""
    max_label_chars: int = 80
    """A model or class name beyond this is taken for text content and withheld."""
    max_parts: int = 12
    """Workload classes measured one by one; the smaller ones are put together."""
    max_labels: int = 50
    """Models or classes listed; the smaller ones are put together."""
    max_series_bins: int = 20_000
    """Points of the time series; a longer log is shown in wider bins."""
    exact_rows: int = 10_000_000
    """Above this many requests neighbouring lengths are counted together (see lengths.py)."""
    gap_rows: int = 5_000_000
    """Of a log beyond `exact_rows`, about so many arrivals are put in order to see their gaps."""
    earliest_epoch_s: float = 5e8
    latest_epoch_s: float = 5e9
    """A number between the two is a date (1985 to 2128), below it a time since the start."""
    max_mean_latency_s: float = 600.0
    """A mean latency above this, of a column that names no unit, was logged in milliseconds."""

    trend_days: int = 56
    """Whole days that a log must span before its drift is read: eight of each day of the week."""
    http_patience_s: float = 30.0
    """Longest wait for an answer of a Prometheus server."""
    max_answer_bytes: int = 64 * MIB
    max_exposition_bytes: int = 16 * MIB
    day_s: int = 86_400
    min_watched_s: int = 120
    points_per_query: int = 10_000
    """Prometheus answers with at most 11,000 points a series."""
    bucket_edges: int = 60
    """Points at which the buckets of a histogram are read, to see restarts between them."""


DEFAULT_LIMITS = Limits()
