"""EXIF as far as it matters: which way up a picture stands, and what else it says (CIPA DC-008, TIFF 6.0)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from kelmu_tui.content.found import Trace

HEAD: Final = b"Exif\x00\x00"
"""Stands before it in a JPEG."""
_ORIENTATION: Final = 0x0112
_TRACES: Final = {
    0x8825: Trace.GPS,
    **dict.fromkeys((0x010F, 0x0110, 0x8769, 0x927C, 0xA430, 0xA431, 0xA434, 0xA435), Trace.CAMERA),
    **dict.fromkeys((0x0132, 0x9003, 0x9004), Trace.TIME),
    **dict.fromkeys((0x013B, 0x8298, 0x9C9D), Trace.AUTHOR),
    **dict.fromkeys((0x9C9B, 0x9C9F), Trace.TITLE),
    **dict.fromkeys((0x010E, 0x9286, 0x9C9C, 0x9C9E), Trace.COMMENT),
    **dict.fromkeys((0x0131, 0x000B), Trace.SOFTWARE),
    **dict.fromkeys((0x83BB, 0x8649), Trace.IPTC),
    0x02BC: Trace.XMP,
}
_PLAIN: Final = frozenset({_ORIENTATION, 0x011A, 0x011B, 0x0128, 0x0213, 0x0100, 0x0101, 0x8769})
"""Say nothing by themselves: how it stands, its resolution and size, and where the rest is."""
_MOST_ENTRIES: Final = 1000


class Exif(NamedTuple):
    """What stands in it.

    Attributes:
        orientation: from 1 (upright) to 8.
    """

    orientation: int
    traces: frozenset[Trace]


def read_exif(tiff: bytes) -> Exif:
    """Return what an EXIF block says; a broken one stands upright and says something."""
    if tiff in _OURS:
        return Exif(_OURS[tiff], frozenset())
    orientation, traces = 1, {Trace.OTHER}
    try:
        order = {b"II": "<", b"MM": ">"}[tiff[:2]]
        first = struct.unpack_from(f"{order}I", tiff, 4)[0]
        directory = list(_directory(tiff, order, first))
        for tag, kind, value in directory:
            if tag == _ORIENTATION and kind == 3:
                orientation = struct.unpack(f"{order}H", value[:2])[0]
            elif tag == 0x8769:
                pointed = struct.unpack(f"{order}I", value)[0]
                traces.update(_TRACES.get(inner, Trace.OTHER) for inner, _, _ in _directory(tiff, order, pointed))
        traces.update(_TRACES.get(tag, Trace.OTHER) for tag, _, _ in directory if tag not in _PLAIN)
        if struct.unpack_from(f"{order}I", tiff, first + 2 + 12 * len(directory))[0]:
            traces.add(Trace.THUMBNAIL)
    except (KeyError, struct.error):
        pass
    if len(traces) > 1:
        traces.discard(Trace.OTHER)
    return Exif(orientation if 1 <= orientation <= 8 else 1, frozenset(traces))


def _directory(tiff: bytes, order: str, at: int) -> Iterator[tuple[int, int, bytes]]:
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    for number in range(min(count, _MOST_ENTRIES)):
        tag, kind, _, value = struct.unpack_from(f"{order}HHI4s", tiff, at + 2 + 12 * number)
        yield tag, kind, value


def upright(orientation: int) -> bytes:
    """Return an EXIF block that says nothing but how the picture stands; empty when it stands upright."""
    if orientation == 1:
        return b""
    return b"MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)


_OURS: Final = {upright(number): number for number in range(2, 9)}
