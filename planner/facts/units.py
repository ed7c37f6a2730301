"""Units a catalog file may use, and the base unit each converts to.

Physical quantities become SI (bytes, FLOP, W, J, s); rates of money and long spans of
time keep the unit they are named in, because their names carry it (``usd_per_kwh``,
``lead_years``). Decimal prefixes are powers of 1000, ``GiB`` alone is 2**30 bytes, and
one bit is an eighth of a byte.
"""

from collections.abc import Mapping

_SAME = (
    "1", "1/s", "frac", "frac/quarter", "frac/year", "tokens", "tokens/s", "tokens/step",
    "requests/s",
    "s", "hours", "days", "weeks", "months", "quarters", "years",
    "mm", "mm2", "FTE", "FTE/MW",
    "USD", "USD/h", "USD/year", "USD/kWh", "USD/kW-month", "USD/MW", "USD/MW-year", "USD/GB",
    "USD/Mtok",
)  # fmt: skip

UNITS: Mapping[str, tuple[str, float]] = {
    **{unit: (unit, 1.0) for unit in _SAME},
    "%": ("frac", 1e-2),
    "FLOP": ("FLOP", 1.0),
    "FLOP/s": ("FLOP/s", 1.0),
    "TFLOP/s": ("FLOP/s", 1e12),
    "PFLOP/s": ("FLOP/s", 1e15),
    "bytes": ("bytes", 1.0),
    "kB": ("bytes", 1e3),
    "MB": ("bytes", 1e6),
    "GB": ("bytes", 1e9),
    "TB": ("bytes", 1e12),
    "GiB": ("bytes", 2.0**30),
    "bytes/token": ("bytes/token", 1.0),
    "bytes/s": ("bytes/s", 1.0),
    "GB/s": ("bytes/s", 1e9),
    "TB/s": ("bytes/s", 1e12),
    "Gbit/s": ("bytes/s", 1e9 / 8),
    "ms": ("s", 1e-3),
    "us": ("s", 1e-6),
    "W": ("W", 1.0),
    "kW": ("W", 1e3),
    "MW": ("W", 1e6),
    "GW": ("W", 1e9),
    "J": ("J", 1.0),
    "J/bit": ("J/bit", 1.0),
    "pJ/bit": ("J/bit", 1e-12),
    "J/FLOP": ("J/FLOP", 1.0),
    "pJ/FLOP": ("J/FLOP", 1e-12),
}
"""Unit name to (base unit, number of base units in one)."""

# Parts and multiples that formulas need by name.
W_PER_KW = 1e3
W_PER_MW = 1e6
TOKENS_PER_MTOK = 1e6
BYTES_PER_GB = 1e9
BYTES_PER_GIB = 2.0**30
HOURS_PER_DAY = 24
BITS_PER_BYTE = 8
BITS_PER_GBIT = 1e9
BYTES_PER_GBIT = BITS_PER_GBIT / BITS_PER_BYTE
MONTHS_PER_YEAR = 12
QUARTERS_PER_YEAR = 4
HOURS_PER_YEAR = 8760
SECONDS_PER_YEAR = 3600 * HOURS_PER_YEAR

MINUTE_S = 60
HOUR_S = 3600
SECOND_PER = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
