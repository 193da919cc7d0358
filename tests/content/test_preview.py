"""A document shown small: recognisable, within its width, and never anything but harmless text."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from kelmu_tui.content.checking import preview
from kelmu_tui.domain.text import is_safe
from tests.content.files import (
    FONT,
    TEXT,
    encrypted_pdf,
    exif_of,
    jpeg_of,
    pdf_of,
    png_of,
    simple_pdf,
    stream,
    written_pdf,
)


def page() -> Image.Image:
    """Return a white page whose upper left quarter is black."""
    image = Image.new("L", (400, 400), 255)
    ImageDraw.Draw(image).rectangle((0, 0, 199, 199), fill=0)
    return image


def test_a_picture_is_shown_in_dots() -> None:
    lines = preview(png_of(page()), 8)
    assert lines == ("⣿⣿⣿⣿",) * 2 + ("",) * 2
    assert preview(png_of(page()), 8, ascii_only=True) == ("@@@@",) * 2 + ("",) * 2


def test_a_picture_is_shown_as_it_stands() -> None:
    # Turned by a quarter to the right, the upper left corner is the upper right one.
    assert preview(jpeg_of(page(), exif=exif_of(6)), 8)[0] == "⠀⠀⠀⠀⣿⣿⣿⣿"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_picture_is_shown(mode: str) -> None:
    image = page().convert("I").point(lambda value: value * 257).convert("I;16") if mode == "I;16" else page()
    assert preview(png_of(image.convert(mode)), 8, ascii_only=True)[0] == "@@@@"


def test_what_is_transparent_is_paper() -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((0, 0, 19, 19), fill=(0, 0, 0, 255))
    assert preview(png_of(image), 8, ascii_only=True) == ("@@@@",) * 2 + ("",) * 2


def test_of_a_pdf_the_first_words_are_shown() -> None:
    assert preview(simple_pdf(), 40) == ("Rent for November",)
    assert preview(simple_pdf(), 8) == ("Rent for", "November")
    assert preview(written_pdf(), 40) == ()


def test_of_a_scanned_pdf_the_picture_is_shown() -> None:
    for options in ({}, {"quality": 95}):
        out = io.BytesIO()
        page().save(out, "PDF", **options)
        assert preview(out.getvalue(), 8, ascii_only=True)[0] == "@@@@"


def test_a_pdf_of_plain_points_is_shown() -> None:
    words = b"/Subtype /Image /Width 2 /Height 2 /BitsPerComponent 8 /ColorSpace /DeviceGray"
    scan = stream(b"\x00\xff\xff\xff", words)
    data = pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << /XObject << /I 4 0 R >> >> >>",
            scan,
        ]
    )
    assert preview(data, 4, ascii_only=True)[0] == "@@"


def test_a_broken_picture_costs_a_pdf_no_words() -> None:
    words = b"/Subtype /Image /Width 9 /Height 9 /BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /DCTDecode"
    data = pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            (
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R"
                b" /Resources << /Font << /F1 5 0 R >> /XObject << /I 6 0 R >> >> >>"
            ),
            stream(TEXT),
            FONT,
            stream(jpeg_of()[:300], words),
        ]
    )
    assert preview(data, 40) == ("Rent for November",)


def test_the_words_of_a_pdf_are_foreign() -> None:
    written = b"BT /F1 24 Tf 40 100 Td (a\\033]52;c;eA==\\007 [red]b[/red] \\202c) Tj ET"
    lines = preview(simple_pdf(content=stream(written)), 80)
    assert "[red]b[/red]" in "".join(lines)
    assert all(is_safe(line) for line in lines)


def test_nothing_is_shown_of_what_is_refused() -> None:
    for data in (b"", b"MZ", encrypted_pdf(""), jpeg_of()[:-9], simple_pdf(catalog=b"/OpenAction << /S /Launch >>")):
        assert preview(data, 40) == ()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(-5, 300), st.booleans())
def test_no_line_is_wider_than_asked(width: int, height: int, columns: int, ascii_only: bool) -> None:
    lines = preview(png_of(Image.new("L", (width, height))), columns, ascii_only=ascii_only)
    assert 1 <= len(lines) <= 24
    assert all(len(line) <= max(columns, 1) for line in lines)
    if ascii_only:
        assert all(line.isascii() for line in lines)
