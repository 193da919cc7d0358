"""What a file is by its first bytes: comparisons only, nothing is parsed, so that any process may do it."""

from __future__ import annotations

import re
from typing import Final

from kelmu_tui.content.found import What
from kelmu_tui.domain.documents import MediaType

_DOCUMENTS: Final = (
    (b"%PDF-", MediaType.PDF),
    (b"\xff\xd8\xff", MediaType.JPEG),
    (b"\x89PNG\r\n\x1a\n", MediaType.PNG),
)
_STARTS: Final = (
    (b"MZ", What.PROGRAM),
    (b"\x7fELF", What.PROGRAM),
    (b"\xca\xfe\xba\xbe", What.PROGRAM),
    (b"\xfe\xed\xfa", What.PROGRAM),
    (b"\xcf\xfa\xed\xfe", What.PROGRAM),
    (b"\xce\xfa\xed\xfe", What.PROGRAM),
    (b"\x00asm", What.PROGRAM),
    (b"dex\n", What.PROGRAM),
    (b"#!", What.SCRIPT),
    (b"Rar!\x1a\x07", What.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", What.ARCHIVE),
    (b"\x1f\x8b", What.ARCHIVE),
    (b"BZh", What.ARCHIVE),
    (b"\xfd7zXZ\x00", What.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", What.ARCHIVE),
    (b"MSCF", What.ARCHIVE),
    (b"GIF8", What.PICTURE),
    (b"BM", What.PICTURE),
    (b"II*\x00", What.PICTURE),
    (b"MM\x00*", What.PICTURE),
    (b"II+\x00", What.PICTURE),
    (b"\x00\x00\x01\x00", What.PICTURE),
    (b"8BPS", What.PICTURE),
    (b"\xff\x0a", What.PICTURE),
    (b"\x00\x00\x00\x0cJXL ", What.PICTURE),
    (b"\x00\x00\x00\x0cjP  ", What.PICTURE),
    (b"\xff\x4f\xff\x51", What.PICTURE),
    (b"{\\rtf", What.RICH_TEXT),
    (b"%!PS", What.POSTSCRIPT),
    (b"ID3", What.SOUND),
    (b"OggS", What.SOUND),
    (b"fLaC", What.SOUND),
    (b"#!AMR", What.SOUND),
    (b"\x1aE\xdf\xa3", What.FILM),
)
_ZIPPED: Final = (
    (b"word/", What.WORD),
    (b"xl/", What.SPREADSHEET),
    (b"ppt/", What.PRESENTATION),
    (b"opendocument.text", What.WORD),
    (b"opendocument.spreadsheet", What.SPREADSHEET),
    (b"opendocument.presentation", What.PRESENTATION),
)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_IN_OLE: Final = (
    ("WordDocument", What.WORD),
    ("Workbook", What.SPREADSHEET),
    ("PowerPoint Document", What.PRESENTATION),
    ("__substg1.0_", What.MAIL),
)
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif"})
_MAIL: Final = re.compile(rb"(?:Return-Path|Received|From|To|Subject|Date|Message-ID|MIME-Version):", re.IGNORECASE)
_HTML: Final = re.compile(rb"<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE)
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
_LOOKED_AT: Final = 4096


def media_type(data: bytes) -> MediaType | None:
    """Return what kind of document the bytes are; blanks before a PDF's beginning are forgiven, as all readers do."""
    for start, kind in _DOCUMENTS:
        if data.startswith(start):
            return kind
    return MediaType.PDF if data[:16].lstrip(_BLANK).startswith(b"%PDF-") else None


def what(data: bytes) -> What:
    """Return what the bytes are that are no document to send."""
    for start, kind in _STARTS:
        if data.startswith(start):
            return kind
    if data.startswith(b"PK\x03\x04"):
        return next((kind for inside, kind in _ZIPPED if inside in data), What.ARCHIVE)
    if data.startswith(_OLE):
        return next((kind for name, kind in _IN_OLE if name.encode("utf-16-le") in data), What.OFFICE)
    return _by_container(data) or _by_text(data[:_LOOKED_AT])


def _by_container(data: bytes) -> What | None:
    if data[4:8] == b"ftyp":
        return What.HEIC if data[8:12] in _HEIC_BRANDS else What.FILM
    if data.startswith(b"RIFF"):
        return {b"WEBP": What.PICTURE, b"WAVE": What.SOUND}.get(data[8:12], What.FILM)
    if data[257:262] == b"ustar":
        return What.ARCHIVE
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0 and data[1] & 0x06:
        return What.SOUND
    return None


def _by_text(start: bytes) -> What:
    if b"\x00" in start:
        return What.UNKNOWN
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # not only a letter that was cut in two
            return What.UNKNOWN
    text = start.lstrip(_BLANK)
    if b"<svg" in text:
        return What.SVG
    if _HTML.search(text):
        return What.HTML
    if text.startswith(b"<?xml"):
        return What.XML
    if _MAIL.match(text):
        return What.MAIL
    return What.TEXT
