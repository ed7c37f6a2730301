"""The seal of a PDF: hashes in its metadata, by which a file that was altered is known later.

The content hash is of everything that the pages say. The seal is of the file's own bytes, taken
while the seal's place holds zeros; it tells whether anything in the file has changed since.
"""

import hashlib
import re
from dataclasses import dataclass

HASH = hashlib.sha256
NOT_YET = "0" * (2 * HASH().digest_size)
PLACES = re.compile(rb"((?:/Keywords\(|<pdf:Keywords>)[^)<]*seal )([0-9a-f]{%d})" % len(NOT_YET))
SAID = re.compile(rb"<pdf:Keywords>([^<]*)</pdf:Keywords>")
WORDS = re.compile(r"(status|content) (\w+)")


@dataclass(frozen=True, slots=True)
class Seal:
    """What a file says of itself. intact: whether its bytes are those that were sealed."""

    status: str
    content: str
    seal: str
    intact: bool


def keywords(status: str, content: str) -> list[str]:
    """The words of the metadata, with room for the seal."""
    return ["Switchyard", f"status {status}", f"content {content}", f"seal {NOT_YET}"]


def content_hash(said: str) -> str:
    """Hash of everything that the pages say."""
    return HASH(said.encode()).hexdigest()


def sealed(pdf: bytes) -> bytes:
    """The file with its seal in place; not a byte longer."""
    return PLACES.sub(rb"\g<1>" + _own(pdf).encode(), pdf)


def seal_of(pdf: bytes) -> Seal | None:
    """The seal that a file carries; None where it carries none."""
    found, said = {match[1].decode() for match in PLACES.findall(pdf)}, SAID.search(pdf)
    if not found or said is None:
        return None
    words = dict(WORDS.findall(said[1].decode(errors="replace")))
    (first, *others) = sorted(found)
    intact = not others and _own(pdf) == first
    return Seal(words.get("status", ""), words.get("content", ""), first, intact)


def _own(pdf: bytes) -> str:
    """Hash of the file with zeros where its seal stands."""
    return HASH(PLACES.sub(rb"\g<1>" + NOT_YET.encode(), pdf)).hexdigest()
