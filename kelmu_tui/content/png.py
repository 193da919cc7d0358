"""PNG by its chunks (W3C PNG, third edition): the coded picture is never touched, what is said beside is left out."""

from __future__ import annotations

import struct
import zlib
from typing import Final

from kelmu_tui.content.colour import is_packed_profile
from kelmu_tui.content.exif import read_exif, upright
from kelmu_tui.content.found import Examined, Refused, Trace
from kelmu_tui.domain.documents import Fault

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CRITICAL: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_SHOWN: Final = _CRITICAL | {
    *(b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"pHYs", b"cICP", b"mDCV", b"cLLI")
}
"""Chunks that say how the picture looks."""
_TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_KEYWORDS: Final = {
    b"Author": Trace.AUTHOR,
    b"Copyright": Trace.AUTHOR,
    b"Title": Trace.TITLE,
    b"Software": Trace.SOFTWARE,
    b"Source": Trace.CAMERA,
    b"Creation Time": Trace.TIME,
    b"XML:com.adobe.xmp": Trace.XMP,
    b"Raw profile type iptc": Trace.IPTC,
    b"Raw profile type exif": Trace.OTHER,
    b"Raw profile type APP1": Trace.OTHER,
}
_ADAM7: Final = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
"""First column and row, and their steps, of the seven passes of an interlaced picture."""
_AT_ONCE: Final = 1 << 20
_FRAMES: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})


def examine(data: bytes, pixels: int) -> Examined:
    """Return a PNG without its traces.

    Args:
        pixels: the most of it.

    Raises:
        Refused: it is broken, or too large.
    """
    kept, traces, head, at, exif_seen = [SIGNATURE], set[Trace](), b"", len(SIGNATURE), False
    coded = list[bytes]()
    while True:
        kind, payload, end = _chunk(data, at)
        if (kind == b"IHDR") != (at == len(SIGNATURE)):
            raise Refused(Fault.BROKEN)
        if kind == b"IHDR":
            head = payload
            size = _size(head, pixels)
        elif kind == b"IDAT":
            coded.append(payload)
        if kind in _SHOWN and (kind != b"iCCP" or _is_profile(payload)):
            kept.append(data[at:end])
        elif kind == b"eXIf" and not exif_seen:
            exif_seen = True
            found = read_exif(payload)
            traces |= found.traces
            if how := upright(found.orientation):
                kept.append(_packed(kind, how))
        else:
            traces.add(_trace(kind, payload))
        at = end
        if kind == b"IEND":
            break
    _need_all(coded, _unpacked(head))
    if at < len(data):
        traces.add(Trace.TRAILING)
    return Examined(b"".join(kept), frozenset(traces), None, *size)


def _is_profile(payload: bytes) -> bool:
    """Tell whether a chunk holds a name, and a colour profile packed in the one way that there is."""
    name, _, packed = payload.partition(b"\x00")
    return 0 < len(name) < 80 and packed[:1] == b"\x00" and is_packed_profile(packed[1:])


def _chunk(data: bytes, at: int) -> tuple[bytes, bytes, int]:
    """Return kind and content of a chunk, and where it ends."""
    if at + 12 > len(data):
        raise Refused(Fault.BROKEN)
    length, kind = struct.unpack_from(">I4s", data, at)
    end = at + 12 + length
    if end > len(data) or not kind.isalpha():
        raise Refused(Fault.BROKEN)
    payload = data[at + 8 : end - 4]
    if zlib.crc32(payload, zlib.crc32(kind)) != struct.unpack_from(">I", data, end - 4)[0]:
        raise Refused(Fault.BROKEN)
    if kind[:1].isupper() and kind not in _CRITICAL:
        raise Refused(Fault.BROKEN)  # nobody could draw it
    return kind, payload, end


def _packed(kind: bytes, payload: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(payload, zlib.crc32(kind)))
    return struct.pack(">I", len(payload)) + kind + payload + check


def _size(payload: bytes, pixels: int) -> tuple[int, int]:
    if len(payload) != 13:
        raise Refused(Fault.BROKEN)
    width, height = struct.unpack_from(">II", payload)
    if not width or not height:
        raise Refused(Fault.BROKEN)
    if width * height > pixels:
        raise Refused(Fault.PIXELS)
    return width, height


def _unpacked(head: bytes) -> int:
    """Return how many bytes the rows of a picture are, each with its filter before it."""
    width, height, depth, colours = struct.unpack_from(">IIBB", head)
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colours, 0)
    if not bits:
        raise Refused(Fault.BROKEN)
    passes = _ADAM7 if head[12] else ((0, 0, 1, 1),)
    size = 0
    for left, top, across, down in passes:
        columns, rows = -(-max(width - left, 0) // across), -(-max(height - top, 0) // down)
        size += rows * (1 + (columns * bits + 7) // 8) if columns else 0
    return size


def _need_all(coded: list[bytes], size: int) -> None:
    """Refuse a picture of which there are not all rows: Pillow would take the others for black."""
    unpacker = zlib.decompressobj()
    for part in coded:
        while part and size > 0 and not unpacker.eof:
            try:
                size -= len(unpacker.decompress(part, _AT_ONCE))
            except zlib.error:
                raise Refused(Fault.BROKEN) from None
            part = unpacker.unconsumed_tail
    if size > 0:
        raise Refused(Fault.BROKEN)


def _trace(kind: bytes, payload: bytes) -> Trace:
    if kind in _TEXTS:
        return _KEYWORDS.get(payload.partition(b"\x00")[0], Trace.COMMENT)
    if kind in _FRAMES:
        return Trace.FRAMES
    return Trace.TIME if kind == b"tIME" else Trace.OTHER
