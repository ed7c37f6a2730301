"""How numbers read: the only formatting of the product.

A figure shows two significant digits and never rounds away a digit before its decimal point
("$1.2M", "123%", "53 ms"). Beside a range it shows the digits that the range justifies: pass
`place`, the power of ten of the last digit worth showing, from `justified_place(low, high)`.
A value that is not known reads "n/a"; negative numbers carry a true minus sign.
"""

import math
from collections.abc import Callable, Sequence

MISSING = "n/a"
MINUS = "−"
UNBOUNDED = "∞"

_COUNT = {0: "", 3: "k", 6: "M", 9: "B", 12: "T"}
_SI = {-12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P"}
_SECONDS = {-6: "µ", -3: "m", 0: ""}
_PLAIN = {0: ""}

PERCENT_PLACES = 2
DIGITS = 2
MOST_DIGITS = 4
TWO_DIGITS_BELOW = 3.55


def justified_place(low: float, high: float) -> int | None:
    """Power of ten of the last digit that a range justifies; None when low = high.

    The rule of the Particle Data Group (Review of Particle Physics, Introduction, 5.3), with the
    width of the range as the error: two digits of the width where it begins below 355, else one.
    Nobody reads more than four digits, so a very narrow range justifies no more than those.
    """
    width = abs(high - low)
    if not 0 < width < math.inf:
        return None
    of_width = math.floor(math.log10(width) - math.log10(TWO_DIGITS_BELOW))
    return max(of_width, _exponent(max(abs(low), abs(high))) - MOST_DIGITS + 1)


def number(value: float | None, *, place: int | None = None, signed: bool = False) -> str:
    """A plain number with thousands separators: "1,234", "0.42", "−0.5"."""
    return _text(value, _PLAIN, place, signed)


def given(value: float) -> str:
    """A number as somebody typed it, to six digits: "0.25", "1024", "1e-09"."""
    return f"{value:g}"


def count(n: int, one: str, many: str = "") -> str:
    """A whole number of things: "1 chip", "1,234 chips"; `many` where it is not one + "s"."""
    return f"{number(n, place=0)} {one if n == 1 else many or one + 's'}"


def usd(value: float | None, *, place: int | None = None, signed: bool = False) -> str:
    """US dollars: "$1.2M", "$0.42", "−$340k"."""
    return _text(value, _COUNT, place, signed, before="$")


def mw(value_mw: float | None, *, place: int | None = None, signed: bool = False) -> str:
    """Megawatts, always as such: "12 MW", "0.35 MW"."""
    return _text(value_mw, _PLAIN, place, signed, after=" MW")


def percent(frac: float | None, *, place: int | None = None, signed: bool = False) -> str:
    """A fraction of one as a percentage: 0.31 is "31%". `place` counts in the fraction."""
    shown_place = None if place is None else place + PERCENT_PLACES
    hundredths = None if frac is None else frac * 10**PERCENT_PLACES
    return _text(hundredths, _PLAIN, shown_place, signed, after="%")


def seconds(value_s: float | None, *, place: int | None = None, signed: bool = False) -> str:
    """A duration: "1.2 s", "53 ms", "18 µs"."""
    return _text(value_s, _SECONDS, place, signed, after=" {}s")


def tokens(n: float | None, *, place: int | None = None, signed: bool = False) -> str:
    """A number of tokens: "40k tokens", "1.2M tokens"."""
    return _text(n, _COUNT, place, signed, after="{} tokens")


def quantity(
    value: float | None, unit: str, *, place: int | None = None, signed: bool = False
) -> str:
    """A value in an SI unit with its prefix: (3.35e12, "byte/s") is "3.4 Tbyte/s"."""
    return _text(value, _SI, place, signed, after=" {}" + unit)


def ratio(decode_to_prefill: float | None) -> str:
    """Output tokens to input tokens, the smaller side 1: 0.18 is "1 : 5.6", 2 is "2.0 : 1"."""
    if decode_to_prefill is None or not 0 < decode_to_prefill < math.inf:
        return MISSING
    if decode_to_prefill < 1:
        return f"1 : {number(1 / decode_to_prefill)}"
    return f"{number(decode_to_prefill)} : 1"


def interval(
    show: Callable[..., str], low: float | None, middle: float | None, high: float | None
) -> str:
    """A value and its range, all to the digit that the range justifies.

    show: one of the functions above, so that interval(usd, 1.21e6, 1.4e6, 1.63e6) is
    "$1.4M ($1.2M to $1.6M)".
    """
    if low is None or high is None:
        return show(middle)
    last = justified_place(low, high)
    return f"{show(middle, place=last)} ({show(low, place=last)} to {show(high, place=last)})"


def span(show: Callable[..., str], first: float, second: float) -> str:
    """Two ends to the digit that their distance justifies: "$30M to $100M"."""
    last = justified_place(first, second)
    return f"{show(first, place=last)} to {show(second, place=last)}"


def around(
    show: Callable[..., str], low: float | None, middle: float | None, high: float | None
) -> str:
    """A headline as it stands alone, and its range: "$43M ($20M to $100M)".

    For a middle that stands elsewhere without its range, so that it reads the same in both places.
    """
    if low is None or high is None:
        return show(middle)
    last = justified_place(low, high)
    return f"{show(middle)} ({show(low, place=last)} to {show(high, place=last)})"


def adding_up(parts: Sequence[float], last_place: int) -> list[float]:
    """The parts rounded to `last_place` so that they still add up to their rounded total.

    Largest remainders (Hamilton's method): no part moves by a whole unit of the last digit.
    """
    unit = 10.0**last_place
    floors = [math.floor(part / unit) for part in parts]
    missing = round(math.fsum(parts) / unit) - sum(floors)
    order = sorted(range(len(parts)), key=lambda i: floors[i] - parts[i] / unit)
    raised = set(order[:missing])
    return [round((n + (i in raised)) * unit, -last_place) for i, n in enumerate(floors)]


def _text(
    value: float | None,
    prefixes: dict[int, str],
    place: int | None,
    signed: bool,
    before: str = "",
    after: str = "{}",
) -> str:
    """Sign, rounding and prefix of every figure; `{}` in `after` is where the prefix goes."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return f"{MINUS if value < 0 else ''}{UNBOUNDED}"
    rounded, last = _rounded(value, prefixes, place)
    scale = _scale(rounded, prefixes)
    digits = f"{abs(rounded) / 10.0**scale:,.{max(0, scale - last)}f}"
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return sign + before + digits + after.format(prefixes[scale])


def _rounded(value: float, prefixes: dict[int, str], place: int | None) -> tuple[float, int]:
    """The value as shown and the power of ten of its last digit."""
    if place is not None:
        return round(value, -place), place
    first = round(value, -_last_place(value, prefixes))
    last = _last_place(first, prefixes)
    return round(first, -last), last


def _last_place(value: float, prefixes: dict[int, str]) -> int:
    """Two significant digits, but never a digit before the decimal point rounded away."""
    return min(_exponent(value) - DIGITS + 1, _scale(value, prefixes)) if value else 0


def _scale(value: float, prefixes: dict[int, str]) -> int:
    """Power of ten of the largest prefix that the value reaches, else of the smallest one."""
    smallest = min(prefixes) if value else 0
    return max((s for s in prefixes if value and s <= _exponent(value)), default=smallest)


def _exponent(value: float) -> int:
    """Decimal exponent as written: 999 has 2, 1000 has 3, free of the errors of log10."""
    return int(f"{value:e}".partition("e")[2])
