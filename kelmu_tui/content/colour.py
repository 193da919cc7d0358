"""Colour profiles (ICC.1) in pictures: how the colours are meant. What is called one and is none could be anything."""

from __future__ import annotations

import struct
import zlib
from typing import Final

_HEAD: Final = 128
_SIGNATURE: Final = b"acsp"
_LARGEST: Final = 4 << 20


def is_profile(data: bytes) -> bool:
    """Tell whether bytes are a profile: of the length that it says, with the signature in its head."""
    if len(data) < _HEAD:
        return False
    length: int = struct.unpack_from(">I", data)[0]
    return length == len(data) and data[36:40] == _SIGNATURE


def is_packed_profile(data: bytes) -> bool:
    """Tell whether bytes are a packed profile and nothing besides."""
    packed = zlib.decompressobj()
    try:
        found = packed.decompress(data, _LARGEST)
    except zlib.error:
        return False
    return packed.eof and not packed.unused_data and is_profile(found)
