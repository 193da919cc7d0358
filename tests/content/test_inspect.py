"""Every kind of file is told for what it is: good ones pass, hostile and broken ones are refused with their reason."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from kelmu_tui.content.checking import NoFile, clean, inspect
from kelmu_tui.content.found import Active, Trace, What
from kelmu_tui.domain.documents import Fault, Limits, MediaType
from tests.content.files import (
    SMALL,
    bomb_pdf,
    chunk,
    cuts,
    encrypted_pdf,
    exif_of,
    huge_png,
    jpeg_of,
    packed_pdf,
    pdf_of,
    photo,
    plain_pdf,
    png_of,
    segment,
    simple_pdf,
    stream,
    told_pdf,
    with_chunks,
    with_segments,
    written_pdf,
)


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


def ole(name: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + name.encode("utf-16-le")


def saved(kind: str) -> bytes:
    out = io.BytesIO()
    photo().save(out, kind)
    return out.getvalue()


OTHERS: dict[str, tuple[bytes, What]] = {
    "windows program": (b"MZ\x90\x00" + bytes(100), What.PROGRAM),
    "linux program": (b"\x7fELF\x02\x01\x01" + bytes(100), What.PROGRAM),
    "mac program": (b"\xcf\xfa\xed\xfe" + bytes(100), What.PROGRAM),
    "script": (b"#!/bin/sh\nrm -rf ~\n", What.SCRIPT),
    "docx": (zipped("[Content_Types].xml", "word/document.xml"), What.WORD),
    "odt": (b"PK\x03\x04" + b"mimetypeapplication/vnd.oasis.opendocument.text", What.WORD),
    "xlsx": (zipped("xl/workbook.xml"), What.SPREADSHEET),
    "pptx": (zipped("ppt/presentation.xml"), What.PRESENTATION),
    "doc": (ole("WordDocument"), What.WORD),
    "xls": (ole("Workbook"), What.SPREADSHEET),
    "msg": (ole("__substg1.0_0037001F"), What.MAIL),
    "encrypted office": (ole("EncryptedPackage"), What.OFFICE),
    "zip": (zipped("a.pdf"), What.ARCHIVE),
    "gzip": (b"\x1f\x8b\x08" + bytes(20), What.ARCHIVE),
    "tar": (b"a.pdf" + bytes(252) + b"ustar\x0000" + bytes(300), What.ARCHIVE),
    "heic": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", What.HEIC),
    "film": (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00", What.FILM),
    "gif": (saved("GIF"), What.PICTURE),
    "tiff": (saved("TIFF"), What.PICTURE),
    "bmp": (saved("BMP"), What.PICTURE),
    "webp": (b"RIFF\x00\x00\x00\x00WEBPVP8 ", What.PICTURE),
    "wave": (b"RIFF\x00\x00\x00\x00WAVEfmt ", What.SOUND),
    "mp3": (b"\xff\xfb\x90\x64" + bytes(20), What.SOUND),
    "svg": (b'<?xml version="1.0"?><svg onload="alert(1)"/>', What.SVG),
    "html": (b"\xef\xbb\xbf\n<!DOCTYPE html><script>alert(1)</script>", What.HTML),
    "xml": (b'<?xml version="1.0"?><Finvoice/>', What.XML),
    "mail": (b"From: a@example.invalid\r\nSubject: rent\r\n\r\n", What.MAIL),
    "rtf": (b"{\\rtf1\\ansi rent}", What.RICH_TEXT),
    "postscript": (b"%!PS-Adobe-3.0\n", What.POSTSCRIPT),
    "text": ("Vuokra päivältä".encode() * 300, What.TEXT),
    "latin text": ("Vuokra pÃ¤ivältä ja muuta".encode("latin-1"), What.UNKNOWN),
    "zeros": (bytes(1000), What.UNKNOWN),
    "a PDF behind something": (b"GIF8" + plain_pdf(), What.PICTURE),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_document_is_told_for_what_it_is_whatever_its_name(tmp_path: Path, name: str) -> None:
    data, what = OTHERS[name]
    path = tmp_path / "rent.pdf"
    path.write_bytes(data)
    found = inspect(path)
    assert (found.fault, found.detail, found.media_type) == (Fault.TYPE, what.value, None)
    assert (found.size, found.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_good_documents_pass() -> None:
    for data, expected in (
        (plain_pdf(3), (MediaType.PDF, 3, None, None)),
        (simple_pdf(), (MediaType.PDF, 1, None, None)),
        (jpeg_of(), (MediaType.JPEG, None, 64, 48)),
        (jpeg_of(progressive=True), (MediaType.JPEG, None, 64, 48)),
        (jpeg_of(photo().convert("CMYK")), (MediaType.JPEG, None, 64, 48)),
        (png_of(), (MediaType.PNG, None, 64, 48)),
        (png_of(photo().convert("P")), (MediaType.PNG, None, 64, 48)),
        (png_of(Image.new("I;16", (5, 7))), (MediaType.PNG, None, 5, 7)),
    ):
        found = inspect(data)
        assert (found.fault, found.detail, found.metadata) == (None, "", ())
        assert (found.media_type, found.pages, found.width, found.height) == expected
        assert (found.size, found.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_blanks_before_a_pdf_are_forgiven_and_taken_out() -> None:
    data = b"\r\n" + written_pdf()
    assert inspect(data).media_type is MediaType.PDF
    cleaned = clean(data)
    assert cleaned.inspection.fault is None
    assert Trace.TRAILING in cleaned.removed
    assert cleaned.data.startswith(b"%PDF-")


# --- size -----------------------------------------------------------------------------------------------------------


def test_nothing_is_no_document(tmp_path: Path) -> None:
    (tmp_path / "empty.pdf").touch()
    found = inspect(tmp_path / "empty.pdf")
    assert (found.fault, found.size) == (Fault.EMPTY, 0)


@pytest.mark.parametrize(("more", "fault"), [(0, None), (1, Fault.TOO_LARGE), (1 << 20, Fault.TOO_LARGE)])
def test_a_document_may_be_ten_mebibytes_and_no_byte_more(tmp_path: Path, more: int, fault: Fault | None) -> None:
    path, size = tmp_path / "large.pdf", SMALL.file_bytes + more
    rest = size - len(simple_pdf(content=stream(bytes(10_000_000)))) + 10_000_000
    path.write_bytes(simple_pdf(content=stream(bytes(rest))))
    assert path.stat().st_size == size
    found = inspect(path, SMALL)
    assert (found.fault, found.size) == (fault, size)


def test_only_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(NoFile):
            inspect(path)
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "none.pdf")


# --- PDF ------------------------------------------------------------------------------------------------------------


def acting(action: bytes, *more: bytes) -> bytes:
    """Return a PDF with a link that acts."""
    return simple_pdf(page=b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A %s >>]" % action, more=more)


SCRIPT = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"
ACTIVE: dict[str, tuple[bytes, Active]] = {
    "script": (acting(SCRIPT), Active.JAVASCRIPT),
    "script under another spelling": (acting(b"<< /S /J#61vaScript /J#53 (x) >>"), Active.JAVASCRIPT),
    "script of the document": (
        simple_pdf(catalog=b"/Names << /JavaScript << /Names [(a) %s] >> >>" % SCRIPT),
        Active.JAVASCRIPT,
    ),
    "script on opening": (simple_pdf(catalog=b"/OpenAction " + SCRIPT), Active.JAVASCRIPT),
    "script when a page is shown": (simple_pdf(page=b"/AA << /O %s >>" % SCRIPT), Active.JAVASCRIPT),
    "script behind another action": (acting(b"<< /S /GoTo /D [3 0 R /Fit] /Next [%s] >>" % SCRIPT), Active.JAVASCRIPT),
    "script behind references": (
        acting(b"6 0 R", b"<< /S /GoTo /D [3 0 R /Fit] /Next 7 0 R >>", SCRIPT),
        Active.JAVASCRIPT,
    ),
    "script that is not reached": (simple_pdf(more=[SCRIPT]), Active.JAVASCRIPT),
    "launch": (acting(b"<< /S /Launch /F (cmd.exe) >>"), Active.LAUNCH),
    "address behind a quiet action": (
        simple_pdf(catalog=b"/OpenAction << /S /GoTo /D [3 0 R /Fit] /Next << /S /URI /URI (http://x.invalid) >> >>"),
        Active.OPENING,
    ),
    "script behind several quiet actions": (
        simple_pdf(catalog=b"/OpenAction << /S /Named /N /Print /Next [<< /S /Hide >> " + SCRIPT + b"] >>"),
        Active.JAVASCRIPT,
    ),
    "thread of another file": (
        simple_pdf(catalog=b"/OpenAction << /S /Thread /F (//x.invalid/share/x.pdf) >>"),
        Active.REMOTE,
    ),
    "base of all addresses": (simple_pdf(catalog=b"/URI << /Base (javascript:) >>"), Active.JAVASCRIPT),
    "hidden script address": (
        simple_pdf(page=b"/Annots [<< /Subtype /Link /A << /S /URI /URI (\\001java\\nscript:x) >> >>]"),
        Active.JAVASCRIPT,
    ),
    "address of a share": (
        simple_pdf(page=b"/Annots [<< /Subtype /Link /A << /S /URI /URI (smb://x.invalid/y) >> >>]"),
        Active.REMOTE,
    ),
    "launch on opening": (simple_pdf(catalog=b"/OpenAction << /S /Launch /F (cmd.exe) >>"), Active.LAUNCH),
    "address on opening": (simple_pdf(catalog=b"/OpenAction << /S /URI /URI (http://x.invalid) >>"), Active.OPENING),
    "address when a page is left": (simple_pdf(page=b"/AA << /C << /S /URI /URI (x:) >> >>"), Active.OPENING),
    "another file": (acting(b"<< /S /GoToR /F (\\\\\\\\host\\\\share) /D [0 /Fit] >>"), Active.REMOTE),
    "content of another file": (
        simple_pdf(content=stream(b"", b"/F (other.bin)")),
        Active.REMOTE,
    ),
    "script for an address": (acting(b"<< /S /URI /URI ( JavaScript:alert\\(1\\)) >>"), Active.JAVASCRIPT),
    "file for an address": (acting(b"<< /S /URI /URI (file://host/share) >>"), Active.REMOTE),
    "attached file": (
        written_pdf(1, lambda writer: writer.add_attachment("a.exe", b"MZ")),
        Active.EMBEDDED,
    ),
    "file on a page": (
        simple_pdf(page=b"/Annots [<< /Subtype /FileAttachment /FS << /EF << /F 4 0 R >> >> >>]"),
        Active.EMBEDDED,
    ),
    "portfolio": (simple_pdf(catalog=b"/Collection << /View /T >>"), Active.EMBEDDED),
    "film": (simple_pdf(page=b"/Annots [<< /Subtype /RichMedia >>]"), Active.MEDIA),
    "sound": (acting(b"<< /S /Sound /Sound 4 0 R >>"), Active.MEDIA),
    "xfa": (simple_pdf(catalog=b"/AcroForm << /Fields [] /XFA 4 0 R >>"), Active.XFA),
    "form that is sent": (acting(b"<< /S /SubmitForm /F (http://x.invalid) >>"), Active.SUBMIT),
    "form that is filled": (acting(b"<< /S /ImportData /F (x.fdf) >>"), Active.IMPORT),
}


@pytest.mark.parametrize("name", ACTIVE)
def test_a_pdf_that_does_something_is_refused(name: str) -> None:
    data, active = ACTIVE[name]
    found = inspect(data)
    assert (found.fault, found.detail) == (Fault.ACTIVE, active.value)
    assert clean(data).data == b""


@pytest.mark.parametrize(
    "data",
    [
        simple_pdf(catalog=b"/OpenAction [3 0 R /Fit]"),
        simple_pdf(catalog=b"/OpenAction << /S /GoTo /D [3 0 R /Fit] >>"),
        simple_pdf(catalog=b"/OpenAction << /S /Named /N /Print >>"),
        simple_pdf(catalog=b"/Names << /EmbeddedFiles << /Names [] >> >>"),
        simple_pdf(catalog=b"/AcroForm << /Fields [6 0 R] >>", more=[b"<< /FT /Tx /T (name) /V (x) >>"]),
        acting(b"<< /S /URI /URI (https://example.invalid) >>"),
    ],
    ids=["place", "page", "print", "no attached file", "form", "link"],
)
def test_a_pdf_may_lead_somewhere(data: bytes) -> None:
    assert inspect(data).fault is None


def packed(action: bytes) -> bytes:
    """Return a PDF that keeps all but the page's content in packed streams."""
    return packed_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R /OpenAction %s >>" % action,
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R >>",
            stream(b""),
        ],
        loose=[4],
    )


def test_a_packed_pdf_is_looked_into() -> None:
    good = packed(b"[3 0 R /Fit]")
    assert (inspect(good).fault, inspect(good).pages) == (None, 1)
    assert inspect(clean(good).data).fault is None
    bad = packed(SCRIPT)
    assert b"JavaScript" not in bad
    assert (inspect(bad).fault, inspect(bad).detail) == (Fault.ACTIVE, "javascript")
    for part in cuts(good):
        assert inspect(part).fault is Fault.BROKEN


@pytest.mark.parametrize("password", ["", "secret"])
@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256"])
def test_an_encrypted_pdf_is_refused_also_when_everybody_can_open_it(password: str, algorithm: str) -> None:
    data = written_pdf(1, lambda writer: writer.encrypt(password, "owner", algorithm=algorithm))
    assert inspect(data).fault is Fault.ENCRYPTED


def test_a_pdf_of_too_many_pages() -> None:
    most = Limits(SMALL.file_bytes, 10, SMALL.pixels, 3)
    assert inspect(plain_pdf(3), most).fault is None
    assert inspect(plain_pdf(4), most).fault is Fault.PAGES


def test_a_pdf_whose_pages_are_not_whole() -> None:
    catalog = b"<< /Type /Catalog /Pages 2 0 R >>"
    for pages in (
        b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>",
        b"<< /Type /Pages /Kids [9 0 R] /Count 1 >>",
        b"<< /Type /Pages /Kids [] /Count 0 >>",
        b"<< /Type /Pages /Count 1 >>",
        b"null",
    ):
        assert inspect(pdf_of([catalog, pages])).fault is Fault.BROKEN


@pytest.mark.parametrize(
    "data",
    [
        bomb_pdf(1 << 30),
        bomb_pdf(1 << 30, filters=2),
        bomb_pdf(1 << 30, filters=3),
        simple_pdf(content=stream(b"x", b"/Filter [%s]" % (b"/FlateDecode " * 9))),
        simple_pdf(content=stream(b"\x81x" * 400_000, b"/Filter /RunLengthDecode")),
    ],
    ids=["one", "two layers", "three layers", "nine filters", "run lengths"],
)
def test_a_pdf_that_expands_beyond_measure(data: bytes) -> None:
    assert len(data) < 2 << 20
    assert inspect(data).fault is Fault.BOMB


def test_a_pdf_with_a_picture_of_too_many_pixels() -> None:
    words = b"/Type /XObject /Subtype /Image /Width 10000 /Height 5000 /BitsPerComponent 1 /ColorSpace /DeviceGray"
    data = simple_pdf(page=b"/Thing 6 0 R", more=[stream(b"", words)])
    assert inspect(data).fault is Fault.PIXELS
    inner = jpeg_of(photo(100, 100))
    dct = stream(inner, b"/Subtype /Image /Width 1 /Height 1 /Filter /DCTDecode")
    data = simple_pdf(page=b"/Thing 6 0 R", more=[dct])
    assert inspect(data, Limits(SMALL.file_bytes, 10, 9_999, 200)).fault is Fault.PIXELS


# --- pictures -------------------------------------------------------------------------------------------------------


def test_a_picture_of_fifty_megapixels_is_refused_before_it_is_decoded() -> None:
    assert inspect(huge_png(10_000, 5_000)).fault is Fault.PIXELS
    # Of what is within the limit all is decoded, and found to end too early.
    assert inspect(huge_png(8_000, 5_000)).fault is Fault.BROKEN
    assert inspect(huge_png(2**31 - 1, 2**31 - 1)).fault is Fault.PIXELS
    frame = jpeg_of()
    at = frame.index(b"\xff\xc0") + 5
    assert inspect(frame[:at] + b"\xff\xff\xff\xff" + frame[at + 4 :]).fault is Fault.PIXELS


@pytest.mark.parametrize(
    "data",
    [
        with_segments(jpeg_of(), segment(0xC0, b"\x08\x00\x10\x00\x10\x01\x01\x11\x00")),
        jpeg_of()[:-2],
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x01",
        b"\xff\xd8\xff",
        png_of()[:20] + b"\x00\x00\x00\x00" + png_of()[24:],
        png_of()[:-12],
        with_chunks(png_of(), chunk(b"EVIL", b"")),
        with_chunks(png_of(), chunk(b"IHDR", bytes(13))),
        png_of()[:50] + b"\xff" + png_of()[51:],
        b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""),
    ],
    ids=[
        "two frames",
        "no end",
        "no picture",
        "length",
        "start",
        "size",
        "no iend",
        "critical",
        "ihdr",
        "crc",
        "empty",
    ],
)
def test_a_broken_picture_is_refused(data: bytes) -> None:
    assert inspect(data).fault is Fault.BROKEN


@pytest.mark.parametrize(
    "make",
    [
        lambda: simple_pdf(),
        lambda: told_pdf(),
        lambda: written_pdf(10),
        lambda: jpeg_of(exif=exif_of(6)),
        lambda: jpeg_of(progressive=True),
        lambda: png_of(),
        lambda: encrypted_pdf(""),
    ],
    ids=["pdf", "pdf of two states", "written pdf", "jpeg", "progressive", "png", "encrypted"],
)
def test_a_document_that_was_cut_at_any_tenth_is_refused(make: Callable[[], bytes]) -> None:
    for part in cuts(make()):
        assert inspect(part).fault in (Fault.BROKEN, Fault.ENCRYPTED)
