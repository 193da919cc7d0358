"""What a document says beside what it shows is gone afterwards, what it shows is the same to the last bit."""

from __future__ import annotations

import base64
import io
import re
import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo
from pypdf import PdfReader, PdfWriter

from kelmu_tui.content import jpeg, png
from kelmu_tui.content.checking import clean, inspect
from kelmu_tui.content.exif import read_exif, upright
from kelmu_tui.content.found import Cleaned, Trace
from kelmu_tui.domain.documents import Fault
from tests.content.files import (
    GPS_TEXT,
    SMALL,
    chunk,
    exif_of,
    jpeg_of,
    packed_pdf,
    pdf_of,
    photo,
    pixels,
    png_of,
    segment,
    simple_pdf,
    stream,
    told_pdf,
    with_chunks,
    with_segments,
    written_pdf,
)

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def cleaned(data: bytes) -> Cleaned:
    """Return a document that was cleaned; what holds of every one is held here."""
    found = inspect(data)
    result = clean(data)
    assert found.fault is None
    assert result.removed == found.metadata
    assert result.inspection == inspect(result.data)
    assert result.inspection.metadata == ()
    assert clean(result.data) == Cleaned(result.inspection, result.data, ())
    return result


# --- photos ---------------------------------------------------------------------------------------------------------


def test_a_photo_loses_its_place_and_keeps_its_points() -> None:
    data = jpeg_of(exif=exif_of(), icc_profile=PROFILE, comment=b"SECRET-COMMENT", quality=90)
    assert GPS_TEXT in data
    result = cleaned(data)
    assert set(result.removed) == {Trace.GPS, Trace.CAMERA, Trace.TIME, Trace.COMMENT}
    assert b"SECRET" not in result.data
    assert b"Exif" not in result.data
    assert pixels(result.data) == pixels(data)
    with Image.open(io.BytesIO(result.data)) as image:
        assert image.info["icc_profile"] == PROFILE


@pytest.mark.parametrize(
    "data",
    [
        with_segments(jpeg_of(), segment(0xE2, b"ICC_PROFILE\x00\x01\x01<html>SECRET%PDF-1.7")),
        with_segments(jpeg_of(), segment(0xE2, b"ICC_PROFILE\x00\x02\x02" + PROFILE)),
        with_segments(jpeg_of(), segment(0xE2, b"ICC_PROFILE\x00\x01\x01" + PROFILE + b"SECRET")),
        with_chunks(png_of(), chunk(b"iCCP", b"x\x00\x00" + zlib.compress(b"SECRET" * 90))),
        with_chunks(png_of(), chunk(b"iCCP", b"x\x00\x00" + zlib.compress(PROFILE) + b"SECRET")),
        with_chunks(png_of(), chunk(b"iCCP", b"x\x00\x00SECRET")),
    ],
)
def test_what_is_called_a_colour_profile_and_is_none_goes(data: bytes) -> None:
    result = cleaned(data)
    assert set(result.removed) == {Trace.OTHER}
    assert b"ICC_PROFILE" not in result.data
    assert b"iCCP" not in result.data
    assert pixels(result.data)[0] == (64, 48)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("make", [jpeg_of, png_of])
def test_a_photo_stands_as_it_stood(make: Callable[..., bytes], orientation: int) -> None:
    data = make(exif=exif_of(orientation))
    result = cleaned(data)
    assert Trace.GPS in result.removed
    assert GPS_TEXT not in result.data
    assert pixels(result.data) == pixels(data)
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(result.data)) as after:
        assert dict(after.getexif()) == ({} if orientation == 1 else {0x0112: orientation})
        assert ImageOps.exif_transpose(after).tobytes() == ImageOps.exif_transpose(before).tobytes()


SEGMENTS: dict[str, tuple[bytes, Trace]] = {
    "xmp": (segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x>SECRET</x>"), Trace.XMP),
    "iptc": (segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04SECRET"), Trace.IPTC),
    "comment": (segment(0xFE, b"SECRET"), Trace.COMMENT),
    "small picture": (segment(0xE0, b"JFXX\x00\x10SECRET"), Trace.THUMBNAIL),
    "more pictures": (segment(0xE2, b"MPF\x00SECRET"), Trace.OTHER),
    "camera's own": (segment(0xEB, b"SECRET"), Trace.OTHER),
    "broken exif": (segment(0xE1, b"Exif\x00\x00SECRET"), Trace.OTHER),
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_segments_that_are_not_the_picture_are_left_out(name: str) -> None:
    more, trace = SEGMENTS[name]
    result = cleaned(with_segments(jpeg_of(), more))
    assert result.removed == (trace,)
    assert result.data == jpeg_of()


@pytest.mark.parametrize("options", [{"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0}, {}])
def test_every_way_of_coding_stays(options: dict[str, object]) -> None:
    for mode in ("RGB", "L", "CMYK"):
        data = jpeg_of(photo().convert(mode), comment=b"x", **options)
        assert pixels(cleaned(data).data) == pixels(data)


@pytest.mark.parametrize("make", [jpeg_of, png_of, lambda: simple_pdf()])
def test_what_is_behind_the_end_is_cut_and_said(make: Callable[[], bytes]) -> None:
    data = make() + b"PK\x03\x04 MZ SECRET film of a phone"
    result = cleaned(data)
    assert Trace.TRAILING in result.removed
    assert b"SECRET" not in result.data
    if not data.startswith(b"%PDF"):
        assert result.data == make()


def texts() -> PngInfo:
    info = PngInfo()
    for key in ("Author", "Title", "Software", "Creation Time", "Comment", "Anything"):
        info.add_text(key, "SECRET", zip=key == "Title")
    info.add_itxt("XML:com.adobe.xmp", "<x>SECRET</x>")
    return info


def test_a_png_loses_its_texts_and_keeps_its_points() -> None:
    data = png_of(pnginfo=texts(), icc_profile=PROFILE, dpi=(300, 300), exif=exif_of(3))
    assert b"SECRET" in data
    result = cleaned(with_chunks(data, chunk(b"tIME", bytes(7)), chunk(b"prVt", b"SECRET")))
    assert set(result.removed) == {
        *(Trace.AUTHOR, Trace.TITLE, Trace.SOFTWARE, Trace.TIME, Trace.COMMENT, Trace.XMP, Trace.OTHER),
        *(Trace.GPS, Trace.CAMERA),
    }
    assert b"SECRET" not in result.data
    assert zlib.compress(b"SECRET") not in result.data
    assert pixels(result.data) == pixels(data)
    with Image.open(io.BytesIO(result.data)) as image:
        assert image.info["icc_profile"] == PROFILE
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert not {key for key in image.info if key not in ("icc_profile", "dpi", "exif")}


def test_only_the_first_picture_of_an_animation_stays() -> None:
    data = png_of(photo(), save_all=True, append_images=[photo().rotate(90)], duration=100)
    assert data.count(b"fcTL") == 2
    result = cleaned(data)
    assert result.removed == (Trace.FRAMES,)
    assert pixels(result.data) == pixels(png_of())


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_stays(mode: str) -> None:
    image = Image.new(mode, (9, 7)) if mode == "I;16" else photo(9, 7).convert(mode)
    data = png_of(image, pnginfo=texts())
    assert pixels(cleaned(data).data) == pixels(data)


def interlaced(width: int, height: int) -> bytes:
    """Return a grey picture in seven passes, all of whose points are black."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b""
    for left, top, across, down in passes:
        columns = len(range(left, width, across))
        rows += bytes(columns + 1) * len(range(top, height, down)) if columns else b""
    head = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x00\x00\x00\x01"
    return png.SIGNATURE + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20))
def test_an_interlaced_png_is_whole_when_all_passes_are(width: int, height: int) -> None:
    found = png.examine(interlaced(width, height), 1000)
    assert (found.width, found.height, found.traces) == (width, height, frozenset())
    assert pixels(found.data)[0] == (width, height)


@given(st.integers(2, 8))
def test_the_block_that_is_kept_says_nothing_else(orientation: int) -> None:
    assert read_exif(upright(orientation)) == (orientation, frozenset())


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda data: b"II*\x00\x08\x00\x00\x00" + data))
def test_any_exif_is_read_or_left(data: bytes) -> None:
    found = read_exif(data)
    assert 1 <= found.orientation <= 8
    assert found.traces


# --- PDF ------------------------------------------------------------------------------------------------------------


def everything(data: bytes) -> bytes:
    """Return a PDF with all its streams unpacked behind it."""
    found = [data]
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        try:
            found.append(zlib.decompress(match[1]))
        except zlib.error:
            continue
    return b"".join(found)


def test_a_pdf_loses_what_it_says_and_its_earlier_states() -> None:
    data = told_pdf()
    assert b"November" in data
    result = cleaned(data)
    assert set(result.removed) == {
        *(Trace.TIME, Trace.AUTHOR, Trace.SOFTWARE, Trace.XMP, Trace.HISTORY, Trace.OTHER),
    }
    left = everything(result.data)
    for gone in (b"SECRET", b"November", b"pypdf", b"Producer", b"/Info", b"/Metadata", b"PieceInfo", b"20261101"):
        assert gone not in left
    assert PdfReader(io.BytesIO(result.data)).pages[0].extract_text() == "Rent for December"


def test_what_cannot_be_reached_in_a_pdf_does_not_leave() -> None:
    data = simple_pdf(more=[b"(SECRET-ORPHAN)"])
    result = cleaned(data)
    assert (result.removed, result.inspection.pages) == ((), 1)
    assert b"SECRET" not in result.data


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=40), st.decimals("-1e6", "1e6", places=6, allow_nan=False))
@example(bytes(range(256)), Decimal("0.000001"))
@example(b"\xfe\xff\x00", Decimal("-999999.999999"))
def test_the_values_of_a_pdf_stay(text: bytes, number: Decimal) -> None:
    data = simple_pdf(page=b"/Thing [<%s> %s /Na#20me true null]" % (text.hex().encode(), format(number, "f").encode()))
    found = cast("Any", PdfReader(io.BytesIO(clean(data).data)).pages[0]["/Thing"])
    assert found[0].original_bytes == text
    # Readers of PDF count in single precision.
    assert float(found[1]) == pytest.approx(float(number), rel=1e-6, abs=1e-6)
    assert [str(value) for value in found[2:4]] == ["/Na me", "True"]


def test_a_tree_of_pages_is_written_as_one() -> None:
    pages = [
        b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %d 9] >>" % (3 + number % 2, number) for number in (4, 5, 6)
    ]
    data = pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 3 >>",
            b"<< /Type /Pages /Parent 2 0 R /Kids [5 0 R 6 0 R] /Count 2 /Rotate 90 >>",
            b"<< /Type /Pages /Parent 2 0 R /Kids [7 0 R] /Count 1 >>",
            *pages,
        ]
    )
    found = PdfReader(io.BytesIO(cleaned(data).data)).pages
    assert [(page.mediabox.width, page.rotation) for page in found] == [(4, 90), (5, 90), (6, 0)]


def test_the_pages_of_a_pdf_stay() -> None:
    def fill(writer: PdfWriter) -> None:
        writer.add_metadata({"/Author": "SECRET", "/Keywords": "SECRET"})
        for number, page in enumerate(writer.pages):
            page.rotate(90 * number)

    result = cleaned(written_pdf(4, fill))
    assert result.inspection.pages == 4
    assert [page.rotation for page in PdfReader(io.BytesIO(result.data)).pages] == [0, 90, 180, 270]
    assert b"SECRET" not in everything(result.data)


def test_photos_in_a_pdf_lose_their_places() -> None:
    inner = jpeg_of(exif=exif_of(6))
    words = b"/Type /XObject /Subtype /Image /Width 64 /Height 48 /BitsPerComponent 8 /ColorSpace /DeviceRGB"
    data = simple_pdf(page=b"/Thing 6 0 R", more=[stream(inner, words + b" /Filter /DCTDecode")])
    result = cleaned(data)
    assert Trace.GPS in result.removed
    assert GPS_TEXT not in result.data
    assert jpeg.examine(inner, SMALL.pixels).data in result.data


INNER = jpeg_of(exif=exif_of(6))
IMAGE = b"/Type /XObject /Subtype /Image /Width 64 /Height 48 /BitsPerComponent 8 /ColorSpace /DeviceRGB"


@pytest.mark.parametrize(
    ("coded", "filters"),
    [
        (zlib.compress(INNER), b"[/FlateDecode /DCTDecode]"),
        (base64.a85encode(INNER) + b"~>", b"[/ASCII85Decode /DCTDecode]"),
        (INNER.hex().encode() + b">", b"[/AHx /DCT]"),
        (zlib.compress(base64.a85encode(INNER) + b"~>"), b"[/Fl /A85 /DCT]"),
        (INNER[:-2], b"/DCTDecode"),  # without its end
        (INNER[:-40], b"/DCTDecode"),
    ],
)
def test_photos_lose_their_places_however_they_are_packed(coded: bytes, filters: bytes) -> None:
    result = cleaned(simple_pdf(page=b"/Thing 6 0 R", more=[stream(coded, IMAGE + b" /Filter " + filters)]))
    assert Trace.GPS in result.removed
    image: Any = PdfReader(io.BytesIO(result.data)).pages[0]["/Thing"]
    assert image.get_object()["/Filter"] in ("/DCTDecode", "/DCT")
    coded = image.get_object()._data
    assert GPS_TEXT not in coded
    assert coded.startswith(b"\xff\xd8")


def test_a_picture_that_cannot_be_read_and_tells_something_is_refused() -> None:
    broken = INNER[:-2].replace(b"\xff\xdb", b"\xff\xdb\xff\xff", 1)
    data = simple_pdf(page=b"/Thing 6 0 R", more=[stream(broken, IMAGE + b" /Filter /DCTDecode")])
    assert clean(data).inspection.fault is Fault.BROKEN


def box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4) + kind + content


def test_what_is_said_beside_a_picture_of_jpeg_2000_goes() -> None:
    head = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + box(b"ftyp", b"jp2 ")
    code = (0).to_bytes(4) + b"jp2c" + b"\xff\x4f\xff\x51code"
    told = box(b"xml ", b"<x>SECRET</x>") + box(b"uuid", bytes(16) + b"SECRET")
    data = simple_pdf(page=b"/Thing 6 0 R", more=[stream(head + told + code, IMAGE + b" /Filter /JPXDecode")])
    result = cleaned(data)
    assert set(result.removed) == {Trace.XMP, Trace.OTHER}
    assert b"SECRET" not in result.data
    assert head + code in result.data


def test_a_signature_does_not_survive_and_this_is_said() -> None:
    field = b"<< /FT /Sig /T (seal) /V << /Type /Sig /Contents <00> /Name (SECRET) >> >>"
    form = b"/AcroForm << /Fields [6 0 R] /SigFlags 3 >>"
    assert clean(simple_pdf(catalog=form, more=[field])).removed == (Trace.SIGNATURE,)
    result = cleaned(simple_pdf(catalog=form, more=[field, b"<< /Author (x) >>"], trailer=b"/Info 7 0 R"))
    assert result.removed == (Trace.AUTHOR, Trace.SIGNATURE)
    assert b"SECRET" not in result.data
    assert b"SigFlags" not in result.data


def test_a_refused_document_leaves_nothing() -> None:
    result = clean(b"MZ" + bytes(100))
    assert (result.data, result.removed, result.inspection.detail) == (b"", (), "program")


def test_a_document_that_grows_beyond_the_limit_is_refused() -> None:
    # Packed objects are written one by one.
    data = packed_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Thing (%s) >>" % (b"x" * 5000),
        ]
    )
    limits = SMALL._replace(file_bytes=2000)
    assert inspect(data, limits).fault is None
    result = clean(data, limits)
    assert (result.inspection.fault, result.data) == (Fault.TOO_LARGE, b"")
