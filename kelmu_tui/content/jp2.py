"""JPEG 2000 by its boxes (ISO 15444-1, annex I): the coded picture is never touched, what is said beside it goes."""

from __future__ import annotations

import struct
from typing import Final

from kelmu_tui.content.found import Examined, Refused, Trace
from kelmu_tui.domain.documents import Fault

_SIGNATURE: Final = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_BARE: Final = b"\xff\x4f\xff\x51"
"""Beginning of a coded picture without boxes."""
_BESIDE: Final = frozenset({b"xml ", b"uuid", b"uinf", b"jp2i"})
_XMP: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def examine(data: bytes) -> Examined:
    """Return a picture without what is said beside it; its size is not looked for.

    Raises:
        Refused: it is broken.
    """
    if data.startswith(_BARE):
        return Examined(data, frozenset())
    if not data.startswith(_SIGNATURE):
        raise Refused(Fault.BROKEN)
    at, kept, traces = 0, list[bytes](), set[Trace]()
    while at < len(data):
        kind, start, end = _box(data, at)
        if kind in _BESIDE:
            traces.add(Trace.XMP if data[start : start + 16] == _XMP or kind == b"xml " else Trace.OTHER)
        else:
            kept.append(data[at:end])
        at = end
    return Examined(b"".join(kept), frozenset(traces))


def _box(data: bytes, at: int) -> tuple[bytes, int, int]:
    """Return kind, beginning and end of a box; the last one may leave its length out."""
    if at + 8 > len(data):
        raise Refused(Fault.BROKEN)
    length, kind = struct.unpack_from(">I4s", data, at)
    start = at + 8
    if length == 1:
        if at + 16 > len(data):
            raise Refused(Fault.BROKEN)
        (length,) = struct.unpack_from(">Q", data, start)
        start += 8
    end = len(data) if length == 0 else at + length
    if not start <= end <= len(data):
        raise Refused(Fault.BROKEN)
    return kind, start, end
