"""How large the streams of a PDF become (ISO 32000-2, 7.4), found out without ever holding one whole."""

from __future__ import annotations

import zlib
from typing import Any, Final

from pypdf import apply_configuration, filters
from pypdf.generic import ArrayObject, IndirectObject, NameObject, StreamObject

from kelmu_tui.content.found import Bounds, Refused
from kelmu_tui.domain.documents import Fault

_FLATE: Final = frozenset({"/FlateDecode", "/Fl"})
_DECODERS: Final[dict[str, Any]] = {
    **dict.fromkeys(("/LZWDecode", "/LZW"), filters.LZWDecode),
    **dict.fromkeys(("/RunLengthDecode", "/RL"), filters.RunLengthDecode),
    **dict.fromkeys(("/ASCII85Decode", "/A85"), filters.ASCII85Decode),
    **dict.fromkeys(("/ASCIIHexDecode", "/AHx"), filters.ASCIIHexDecode),
}
_PICTURES: Final = frozenset({*("/DCTDecode", "/DCT", "/CCITTFaxDecode", "/CCF", "/JBIG2Decode", "/JPXDecode")})
"""Their size is the picture's, which is judged by its own words."""
_MOST_FILTERS: Final = 4
_AT_ONCE: Final = 1 << 20
_BETWEEN: Final = 32 << 20
"""The most that one decoder may hand to the next."""


class Unpacking:
    """Counts what the streams of one file expand into."""

    def __init__(self, bounds: Bounds) -> None:
        self.most = bounds.unpacked
        self.left = bounds.unpacked * 4

    def measure(self, stream: StreamObject) -> tuple[list[str], bytes]:
        """Unpack a stream and forget it; return the names of its filters, and of a picture its coded bytes.

        Raises:
            Refused: it becomes too large, or ends too early.
        """
        names = names_of_filters(stream)
        if len(names) > _MOST_FILTERS:
            raise Refused(Fault.BOMB)
        if "/Crypt" in names:
            raise Refused(Fault.ENCRYPTED)
        data = stream._data  # noqa: SLF001 - the coded bytes have no other name
        coded = [name for name in names if name not in _PICTURES]
        if any(name not in _FLATE and name not in _DECODERS for name in coded):
            raise Refused(Fault.BROKEN)
        picture = bool(names) and names[-1] in _PICTURES
        for number, name in enumerate(coded, 1):
            if not data:
                break
            last = number == len(coded)
            if name in _FLATE:
                data = self._inflate(data, keep=picture or not last)
            else:
                data = self._decode(name, data, _parameters(stream, number - 1))
        return names, data if picture else b""

    def _inflate(self, data: bytes, *, keep: bool) -> bytes:
        unpacker, kept, size = zlib.decompressobj(), list[bytes](), 0
        most = min(self.most, _BETWEEN) if keep else self.most
        while not unpacker.eof:
            try:
                part = unpacker.decompress(data, _AT_ONCE)
            except zlib.error as error:
                if size and "incorrect data check" in str(error):
                    break  # all of it is there, and every reader draws it
                raise Refused(Fault.BROKEN) from None
            data = unpacker.unconsumed_tail
            if not (part or data or unpacker.eof):
                raise Refused(Fault.BROKEN)  # cut off
            size += len(part)
            self._count(size, most, len(part))
            if keep:
                kept.append(part)
        return b"".join(kept)

    def _decode(self, name: str, data: bytes, parameters: Any) -> bytes:
        with apply_configuration(
            lzw_maximum_output_length=_BETWEEN,
            run_length_maximum_output_length=_BETWEEN,
        ):
            decoded: bytes = _DECODERS[name].decode(data, parameters)
        self._count(len(decoded), _BETWEEN, len(decoded))
        return decoded

    def _count(self, size: int, most: int, more: int) -> None:
        self.left -= more
        if size > most or self.left < 0:
            raise Refused(Fault.BOMB)


def names_of_filters(stream: Any) -> list[str]:
    """Return the names of a stream's filters, in the order in which they are undone."""
    found = _resolved(stream.get("/Filter"))
    if found is None or type(found).__name__ == "NullObject":
        return []
    if isinstance(found, ArrayObject):
        return [str(_resolved(name)) for name in list.__iter__(found)]
    return [str(found)]


def leave_one_filter(stream: StreamObject, data: bytes) -> None:
    """Give a stream its bytes as they are before the last of its filters alone."""
    names = names_of_filters(stream)
    parameters = _parameters(stream, len(names) - 1)
    stream._data = data  # noqa: SLF001 - the coded bytes have no other name
    stream[NameObject("/Filter")] = NameObject(names[-1])
    stream.pop("/DecodeParms", None)
    if isinstance(parameters, dict):
        stream[NameObject("/DecodeParms")] = parameters


def _parameters(stream: StreamObject, number: int) -> Any:
    found = _resolved(stream.get("/DecodeParms"))
    if isinstance(found, ArrayObject):
        found = _resolved(list.__getitem__(found, number)) if number < len(found) else None
    return found if isinstance(found, dict) else None


def _resolved(value: Any) -> Any:
    return value.get_object() if isinstance(value, IndirectObject) else value
