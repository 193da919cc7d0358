"""JPEG by its segments (ITU-T T.81): the coded picture is never touched, what is said beside it is left out."""

from __future__ import annotations

import re
import struct
from typing import Final

from kelmu_tui.content.colour import is_profile
from kelmu_tui.content.exif import HEAD, read_exif, upright
from kelmu_tui.content.found import Examined, Refused, Trace
from kelmu_tui.domain.documents import Fault

_SOI: Final = 0xD8
_EOI: Final = 0xD9
_SOS: Final = 0xDA
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_CODED: Final = _FRAMES | {0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF}
"""Markers of segments without which there is no picture."""
_NEXT: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_PROFILE: Final = b"ICC_PROFILE\x00"
_MOST_SCANS: Final = 200
_NAMED: Final = (
    (b"http://ns.adobe.com/xap/1.0/", Trace.XMP),
    (b"http://ns.adobe.com/xmp/extension/", Trace.XMP),
    (b"Photoshop 3.0\x00", Trace.IPTC),
    (b"JFXX\x00", Trace.THUMBNAIL),
    (b"MPF\x00", Trace.OTHER),
)


def examine(data: bytes, pixels: int, *, lenient: bool = False) -> Examined:
    """Return a JPEG without its traces.

    Args:
        pixels: the most of it.
        lenient: take one that is cut off within the coded picture, as readers of PDF do.

    Raises:
        Refused: it is broken, or too large.
    """
    return _Walk(data, pixels, lenient=lenient).walk()


class _Walk:
    def __init__(self, data: bytes, pixels: int, *, lenient: bool) -> None:
        self.lenient = lenient
        self.data = data
        self.pixels = pixels
        self.kept = [b"\xff\xd8"]
        self.traces = set[Trace]()
        self.size: tuple[int, int] | None = None
        self.scans = 0
        self.exif_seen = False
        self.profile: list[tuple[int, bytes]] = []

    def walk(self) -> Examined:
        at = 2
        while not (self.lenient and self.scans and at >= len(self.data)):
            marker, at = self._marker(at)
            if marker == _EOI:
                break
            end = at + self._length(at)
            payload = self.data[at + 2 : end]
            self._segment(marker, payload)
            at = end
            if marker == _SOS:
                at = self._coded(end)
        if self.size is None or not self.scans:
            raise Refused(Fault.BROKEN)
        self._check_profile()
        self.kept.append(b"\xff\xd9")
        if at < len(self.data):
            self.traces.add(Trace.TRAILING)
        return Examined(b"".join(self.kept), frozenset(self.traces), None, *self.size)

    def _marker(self, at: int) -> tuple[int, int]:
        """Return the next marker and what is behind it; any number of fill bytes may stand before."""
        start = at
        while self.data[at : at + 1] == b"\xff":
            at += 1
        if at == start or at >= len(self.data) or self.data[at] in (0, _SOI):
            raise Refused(Fault.BROKEN)
        return self.data[at], at + 1

    def _length(self, at: int) -> int:
        if at + 2 > len(self.data):
            raise Refused(Fault.BROKEN)
        length: int = struct.unpack_from(">H", self.data, at)[0]
        if length < 2 or at + length > len(self.data):
            raise Refused(Fault.BROKEN)
        return length

    def _coded(self, at: int) -> int:
        """Keep the coded data of a scan; return where the next marker is."""
        found = _NEXT.search(self.data, at)
        if found is None and not self.lenient:
            raise Refused(Fault.BROKEN)
        end = len(self.data) if found is None else found.start()
        self.kept.append(self.data[at:end])
        return end

    def _segment(self, marker: int, payload: bytes) -> None:
        if marker in _CODED:
            if marker in _FRAMES:
                self._frame(payload)
            elif marker == _SOS:
                self.scans += 1
                if self.scans > _MOST_SCANS:
                    raise Refused(Fault.BOMB)
            self._keep(marker, payload)
        elif marker == 0xE0 and payload.startswith(b"JFIF\x00") and len(payload) >= 14:
            if payload[12:14] != b"\x00\x00" or len(payload) > 14:
                self.traces.add(Trace.THUMBNAIL)
            self._keep(marker, payload[:12] + b"\x00\x00")
        elif marker == 0xE1 and payload.startswith(HEAD):
            self._exif(payload.removeprefix(HEAD))
        elif marker == 0xE2 and payload.startswith(_PROFILE):
            self.profile.append((len(self.kept), payload[len(_PROFILE) :]))
            self._keep(marker, payload)
        elif marker == 0xEE and payload.startswith(b"Adobe") and len(payload) >= 12:
            # It says how the colours are coded: without it they would be others.
            if len(payload) > 12:
                self.traces.add(Trace.OTHER)
            self._keep(marker, payload[:12])
        elif marker == 0xFE:
            self.traces.add(Trace.COMMENT)
        else:
            self.traces.add(next((trace for start, trace in _NAMED if payload.startswith(start)), Trace.OTHER))

    def _check_profile(self) -> None:
        """Leave out what is called a colour profile and is none: anything could stand there."""
        parts = [part for _, part in self.profile]
        numbers = [(part[0], part[1]) if len(part) >= 2 else (0, 0) for part in parts]
        if numbers != [(number, len(parts)) for number in range(1, len(parts) + 1)] or not is_profile(
            b"".join(part[2:] for part in parts)
        ):
            if parts:
                self.traces.add(Trace.OTHER)
            for at, _ in self.profile:
                self.kept[at] = b""

    def _keep(self, marker: int, payload: bytes) -> None:
        self.kept.append(bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload)

    def _exif(self, tiff: bytes) -> None:
        if self.exif_seen:
            self.traces.add(Trace.OTHER)
            return
        self.exif_seen = True
        found = read_exif(tiff)
        self.traces |= found.traces
        how = upright(found.orientation)
        if how:
            self._keep(0xE1, HEAD + how)

    def _frame(self, payload: bytes) -> None:
        if self.size is not None or len(payload) < 6:
            raise Refused(Fault.BROKEN)
        height, width = struct.unpack_from(">HH", payload, 1)
        if not height or not width:
            raise Refused(Fault.BROKEN)
        if width * height > self.pixels:
            raise Refused(Fault.PIXELS)
        self.size = width, height
