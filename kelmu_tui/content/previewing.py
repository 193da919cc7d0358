"""A document shown small in letters; only in the process of `child`."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from PIL import Image, ImageOps

from kelmu_tui.domain.documents import MediaType

if TYPE_CHECKING:
    from pypdf import PageObject

_MOST_ROWS: Final = 24
_MOST_WORDS: Final = 400
"""Letters of the first words."""
_SHADES: Final = "@%#*+=-:. "
"""From black to white, each one letter for a point twice as high as wide."""
_BRAILLE: Final = 0x2800
_DOTS: Final = ((0, 0, 1), (0, 1, 2), (0, 2, 4), (1, 0, 8), (1, 1, 16), (1, 2, 32), (0, 3, 64), (1, 3, 128))
"""Column, row and value of the eight dots of a letter of Braille."""
_MOST_POINTS: Final = 12_000_000
"""Of a picture that Python itself unpacks; a page of A4 in 300 dots an inch has nine million."""
_READ: Final = 1 << 20
"""Bytes of a page's content beyond which no words are looked for."""


def preview(data: bytes, kind: MediaType, columns: int, *, ascii_only: bool) -> list[str]:
    """Return the lines of a small picture and the first words of a document; none where nothing can be shown."""
    if kind is not MediaType.PDF:
        from kelmu_tui.content.decoding import opened

        return picture(opened(data, kind), columns, ascii_only=ascii_only)
    from kelmu_tui.content import pdf

    page = pdf.opened(data).pages[0]
    return [*_scan(page, columns, ascii_only=ascii_only), *words(page, columns)]


def picture(image: Image.Image, columns: int, *, ascii_only: bool) -> list[str]:
    """Return a picture as lines of Braille, whose dots are its dark points, or of letters that are as dark as it."""
    across, down = (1, 1) if ascii_only else (2, 4)
    image.draft("L", (columns * across, _MOST_ROWS * down * 2))
    grey = _on_white(ImageOps.exif_transpose(image))
    # A letter is about twice as high as wide, and so is a point of it in letters; a dot of Braille is square.
    high = grey.height / grey.width * (0.5 if ascii_only else 1)
    width, height = columns * across, round(columns * across * high)
    if height > _MOST_ROWS * down:
        width, height = round(_MOST_ROWS * down / high), _MOST_ROWS * down
    small = ImageOps.autocontrast(grey.resize((max(width, 1), max(height, 1)), Image.Resampling.BOX))
    if ascii_only:
        return _shaded(small)
    return _dotted(small.convert("1").convert("L"))


def _on_white(image: Image.Image) -> Image.Image:
    """Return a picture in greys; what is transparent is white, as paper is."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        # Made small first: the picture may be large, and two more of it would be held.
        image.thumbnail((800, 800))
        with_alpha = image.convert("LA")
        paper = Image.new("LA", with_alpha.size, (255, 255))
        return Image.alpha_composite(paper.convert("RGBA"), with_alpha.convert("RGBA")).convert("L")
    return image.convert("L")


def _rows(image: Image.Image) -> list[bytes]:
    points, width = image.tobytes(), image.width
    return [points[start : start + width] for start in range(0, len(points), width)]


def _shaded(image: Image.Image) -> list[str]:
    return ["".join(_SHADES[point * len(_SHADES) // 256] for point in row).rstrip() for row in _rows(image)]


def _dotted(image: Image.Image) -> list[str]:
    rows, lines = _rows(image), list[str]()
    for top in range(0, len(rows), 4):
        letters = [0] * ((image.width + 1) // 2)
        for column, row, value in _DOTS:
            for number, point in enumerate(rows[top + row][column::2] if top + row < len(rows) else b""):
                letters[number] |= 0 if point else value
        lines.append("".join(chr(_BRAILLE + letter) for letter in letters).rstrip(chr(_BRAILLE)))
    return lines


# --- pages of a PDF -------------------------------------------------------------------------------------------------


def _scan(page: PageObject, columns: int, *, ascii_only: bool) -> list[str]:
    """Return the largest picture on a page as lines, where it is kept in a simple form: a scanned page is one."""
    from kelmu_tui.content.pdf import resolved

    found = max(_pictures(resolved(page.get("/Resources"))), key=lambda one: one[0], default=None)
    try:
        image = _image(found[1]) if found is not None else None
        return picture(image, columns, ascii_only=ascii_only) if image is not None else []
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a reader of foreign bytes may fail in any way; the words are still there
        return []


def _pictures(resources: Any) -> Iterator[tuple[int, Any]]:
    from kelmu_tui.content.pdf import resolved

    objects = resolved(resources.get("/XObject")) if isinstance(resources, dict) else None
    for value in dict.values(objects) if isinstance(objects, dict) else ():
        stream = resolved(value)
        if isinstance(stream, dict) and stream.get("/Subtype") == "/Image":
            width, height = resolved(stream.get("/Width")), resolved(stream.get("/Height"))
            if isinstance(width, int) and isinstance(height, int):
                yield width * height, stream


def _image(stream: Any) -> Image.Image | None:
    from kelmu_tui.content.pdf import resolved
    from kelmu_tui.content.streams import names_of_filters

    filters = names_of_filters(stream)
    if filters in (["/DCTDecode"], ["/DCT"]):
        return Image.open(io.BytesIO(stream._data), formats=["JPEG"])  # noqa: SLF001 - the coded bytes have no other name
    size = (int(resolved(stream["/Width"])), int(resolved(stream["/Height"])))
    bits, colours = resolved(stream.get("/BitsPerComponent")), resolved(stream.get("/ColorSpace"))
    mode = {("/DeviceGray", 8): "L", ("/DeviceRGB", 8): "RGB", ("/DeviceGray", 1): "1"}.get((str(colours), bits))
    if mode is None or filters not in (["/FlateDecode"], ["/Fl"], []) or size[0] * size[1] > _MOST_POINTS:
        return None
    return Image.frombytes(mode, size, stream.get_data())


def words(page: PageObject, columns: int) -> list[str]:
    """Return the first words of a page as lines."""
    content = page.get_contents()
    if content is None or len(content.get_data()) > _READ:
        return []
    text = " ".join(page.extract_text()[: _MOST_WORDS * 4].split())
    return textwrap.wrap(textwrap.shorten(text, _MOST_WORDS, placeholder=" …"), columns) if text else []
