"""Good and hostile documents, made here: nothing of them comes from elsewhere."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from PIL import Image
from pypdf import PdfWriter

from kelmu_tui.domain.documents import Limits

SMALL = Limits(file_bytes=10 << 20, files=10, pixels=40_000_000, pages=200)
GPS_TEXT = b"SECRET-PLACE-60.1699N"


# --- PDF ------------------------------------------------------------------------------------------------------------


def pdf_of(
    objects: Sequence[bytes], *, root: int = 1, trailer: bytes = b"", head: bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
) -> bytes:
    """Return a PDF of numbered objects with its table."""
    out, places = bytearray(head), list[int]()
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root %d 0 R %s >>\n" % (len(objects) + 1, root, trailer)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def stream(data: bytes, words: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), words, data)


def packed_pdf(objects: Sequence[bytes], *, loose: Sequence[int] = ()) -> bytes:
    """Return a PDF whose objects are in a packed stream, and whose table is one (ISO 32000-2, 7.5.7 and 7.5.8).

    Args:
        loose: numbers of the objects that stand outside, as streams have to.
    """
    inside = [number for number in range(1, len(objects) + 1) if number not in loose]
    bodies = [objects[number - 1] for number in inside]
    starts = [sum(len(body) + 1 for body in bodies[:place]) for place in range(len(bodies))]
    index = b" ".join(b"%d %d" % pair for pair in zip(inside, starts, strict=True)) + b" "
    holder, table = len(objects) + 1, len(objects) + 2
    packed = zlib.compress(index + b" ".join(bodies))
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), dict[int, int]()
    words = b"/Type /ObjStm /N %d /First %d /Filter /FlateDecode" % (len(inside), len(index))
    for number in (*loose, holder):
        places[number] = len(out)
        out += b"%d 0 obj\n" % number
        out += (stream(packed, words) if number == holder else objects[number - 1]) + b"\nendobj\n"
    places[table] = len(out)
    rows = [struct.pack(">BIB", 0, 0, 255)]
    for number in range(1, table + 1):
        if number in places:
            rows.append(struct.pack(">BIB", 1, places[number], 0))
        else:
            rows.append(struct.pack(">BIB", 2, holder, inside.index(number)))
    words = b"/Type /XRef /Size %d /W [1 4 1] /Root 1 0 R /Filter /FlateDecode" % (table + 1)
    out += b"%d 0 obj\n" % table + stream(zlib.compress(b"".join(rows)), words) + b"\nendobj\n"
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % places[table])


TEXT = b"BT /F1 24 Tf 40 100 Td (Rent for November) Tj ET"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def simple_pdf(
    *, catalog: bytes = b"", page: bytes = b"", more: Sequence[bytes] = (), trailer: bytes = b"", content: bytes = b""
) -> bytes:
    """Return a PDF of one page, whose objects from the sixth on are `more`."""
    return pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> %s >>" % page,
            content or stream(TEXT),
            FONT,
            *more,
        ],
        trailer=trailer,
    )


def written_pdf(pages: int = 1, change: Callable[[PdfWriter], object] | None = None) -> bytes:
    """Return what a library writes."""
    writer, out = PdfWriter(), io.BytesIO()
    for _ in range(pages):
        writer.add_blank_page(300, 200)
    if change is not None:
        change(writer)
    writer.write(out)
    return out.getvalue()


def plain_pdf(pages: int = 1) -> bytes:
    """Return a PDF that says nothing beside its pages."""

    def quiet(writer: PdfWriter) -> None:
        writer.metadata = None

    return written_pdf(pages, quiet)


def told_pdf() -> bytes:
    """Return a PDF that tells a lot, also in what is not reached any more."""
    first = simple_pdf(
        catalog=b"/Metadata 6 0 R",
        page=b"/PieceInfo << /App << /Private (SECRET-APP) >> >> /LastModified (D:20261101)",
        more=[
            stream(b"<x:xmpmeta>SECRET-XMP</x:xmpmeta>", b"/Type /Metadata /Subtype /XML"),
            b"<< /Author (SECRET-AUTHOR) /Producer (SECRET-PRODUCER) /CreationDate (D:20261101) >>",
        ],
        trailer=b"/Info 7 0 R",
    )
    before = int(first.rsplit(b"startxref\n", 1)[1].split()[0])
    place = len(first)
    changed = b"4 0 obj\n" + stream(TEXT.replace(b"November", b"December")) + b"\nendobj\n"
    table = place + len(changed)
    return (
        first
        + changed
        + b"xref\n4 1\n%010d 00000 n \ntrailer\n<< /Size 8 /Root 1 0 R /Info 7 0 R /Prev %d >>\n" % (place, before)
        + b"startxref\n%d\n%%%%EOF\n" % table
    )


def encrypted_pdf(password: str) -> bytes:
    """Return an encrypted PDF; with an empty password everybody can open it."""
    return written_pdf(1, lambda writer: writer.encrypt(password, "owner", algorithm="AES-256"))


@cache
def bomb_pdf(size: int, filters: int = 1) -> bytes:
    """Return a small PDF whose page unpacks to `size` bytes."""
    packer = zlib.compressobj(9, wbits=-15)
    part = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    # Parts that know nothing of each other can be repeated; the sum at the end is never reached.
    data = b"\x78\xda" + part * (size >> 20) + packer.flush() + bytes(4)
    for _ in range(filters - 1):
        data = zlib.compress(data, 9)
    return simple_pdf(content=stream(data, b"/Filter [%s]" % (b"/FlateDecode " * filters)))


def crowded_pdf(count: int) -> bytes:
    """Return a PDF of that many objects, all of which have to be looked at."""
    names = [
        b" ".join(b"%d 0 R" % number for number in range(at, min(at + 5000, count))) for at in range(6, count, 5000)
    ]
    things = b"/Things [%s]" % b" ".join(b"[%s]" % part for part in names)
    return simple_pdf(page=things, more=[b"<< /A (b) /C [1 2 3] >>"] * (count - 6))


# --- pictures -------------------------------------------------------------------------------------------------------


def photo(width: int = 64, height: int = 48) -> Image.Image:
    """Return a picture in which every corner differs."""
    across = Image.linear_gradient("L").resize((width, height))
    down = Image.linear_gradient("L").rotate(90).resize((width, height))
    return Image.merge("RGB", (across, down, Image.radial_gradient("L").resize((width, height))))


def exif_of(orientation: int | None = None, *, gps: bool = True) -> Image.Exif:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    exif[0x010F], exif[0x0110], exif[0x0132] = "SECRET-MAKE", "SECRET-MODEL", "2026:11:01 12:00:00"
    if gps:
        place = exif.get_ifd(0x8825)
        place[1], place[2], place[0x1D] = "N", (60.0, 10.0, 11.64), GPS_TEXT.decode()
    return exif


def jpeg_of(image: Image.Image | None = None, **options: object) -> bytes:
    out = io.BytesIO()
    (image or photo()).save(out, "JPEG", **options)
    return out.getvalue()


def photo_at(folder: Path) -> Path:
    """Write a photo that says where it was taken; return its path."""
    path = folder / "kuva.jpg"
    path.write_bytes(jpeg_of(exif=exif_of()))
    return path


def png_of(image: Image.Image | None = None, **options: object) -> bytes:
    out = io.BytesIO()
    (image or photo()).save(out, "PNG", **options)
    return out.getvalue()


def segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload


def with_segments(data: bytes, *segments: bytes) -> bytes:
    """Return a JPEG with more segments at its beginning."""
    return data[:2] + b"".join(segments) + data[2:]


def chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def with_chunks(data: bytes, *chunks: bytes) -> bytes:
    """Return a PNG with more chunks before its end."""
    return data[:-12] + b"".join(chunks) + data[-12:]


def huge_png(width: int, height: int) -> bytes:
    """Return a small PNG of a large picture, of which there are only a few rows."""
    rows = zlib.compress(bytes((min(width, 10_000) // 8 + 1) * 10))
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def pixels(data: bytes) -> tuple[tuple[int, int], str, bytes]:
    """Return what a picture shows, as it is stored."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.size, image.mode, image.tobytes()


def cuts(data: bytes, parts: int = 10) -> Iterable[bytes]:
    """Yield a file cut at every tenth of its length."""
    return (data[: len(data) * part // parts] for part in range(1, parts))
