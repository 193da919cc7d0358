"""PDF by its objects (ISO 32000-2), read by pypdf; only in the process of `child`.

All that can be reached from the trailer is walked once: actions and what is carried along are refused, what is said
beside the pages is taken out, and every stream is unpacked far enough to know how large it becomes. The result is
written anew from what was walked: its earlier states end as well, and no other reader finds more in it than this one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from pypdf import PdfReader, PdfWriter
from pypdf.errors import LimitReachedError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject, StreamObject

from kelmu_tui.content import jp2, jpeg
from kelmu_tui.content.found import Active, Bounds, Examined, Refused, Trace
from kelmu_tui.content.streams import Unpacking, leave_one_filter
from kelmu_tui.domain.documents import Fault

_END: Final = b"%%EOF"
_BEGUN: Final = re.compile(rb"\d\s+\d+\s+obj\b|\bxref\b")
"""Behind the last end it is the beginning of a state whose own end was cut off."""
_AFTER_END: Final = b"\x00\t\n\x0c\r "
_HIDDEN: Final = re.compile(rb"/(JavaScript|Launch|RichMedia|SubmitForm|ImportData)(?=[\s/<>\[\]()])")
"""Names that no reader may find, wherever it looks: another may believe another of two cross-reference tables."""
_NAMES: Final = {
    "JavaScript": Active.JAVASCRIPT,
    "Launch": Active.LAUNCH,
    "RichMedia": Active.MEDIA,
    "SubmitForm": Active.SUBMIT,
    "ImportData": Active.IMPORT,
}
_ACTIONS: Final = {
    **{f"/{name}": active for name, active in _NAMES.items()},
    **dict.fromkeys(("/GoToR", "/GoToE", "/Thread"), Active.REMOTE),
    **dict.fromkeys(("/Rendition", "/RichMediaExecute", "/Movie", "/Sound", "/GoTo3DView", "/GoToDp"), Active.MEDIA),
}
_QUIET: Final = frozenset({"/GoTo", "/Named", "/SetOCGState", "/Trans", "/Hide", "/ResetForm"})
"""Actions that may happen by themselves: nothing runs and nothing is fetched."""
_BESIDE: Final = (b"Exif\x00", b"http://ns.adobe.com/", b"Photoshop 3.0")
"""Beginnings of what is said beside a picture."""
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+-]*):", re.ASCII)
_LINKS: Final = frozenset({"http", "https", "mailto", "tel", "sms", "ftp"})
"""Schemes of addresses that are links; what is behind all others runs, or is a file."""
_ELSEWHERE: Final = ("\\\\", "//")
"""How names of files on other machines begin."""
_SUBTYPES: Final = {
    **dict.fromkeys(("/RichMedia", "/Screen", "/Movie", "/Sound", "/3D"), Active.MEDIA),
    "/FileAttachment": Active.EMBEDDED,
}
_KEYS: Final = {
    "/JS": Active.JAVASCRIPT,
    "/EF": Active.EMBEDDED,
    "/Collection": Active.EMBEDDED,
    "/XFA": Active.XFA,
}
_INFO: Final = {
    "/Author": Trace.AUTHOR,
    "/Title": Trace.TITLE,
    "/Subject": Trace.TITLE,
    "/Keywords": Trace.TITLE,
    "/Creator": Trace.SOFTWARE,
    "/Producer": Trace.SOFTWARE,
    "/CreationDate": Trace.TIME,
    "/ModDate": Trace.TIME,
}
_TAKEN_OUT: Final = {
    "/Metadata": Trace.XMP,
    "/PieceInfo": Trace.OTHER,
    "/LastModified": Trace.TIME,
    "/Thumb": Trace.THUMBNAIL,
}
_MOST_OBJECTS: Final = 500_000
_MOST_WRITINGS: Final = 5
_JPEG: Final = ("/DCTDecode", "/DCT")


def examine(data: bytes, bounds: Bounds, *, write: bool = True) -> Examined:
    """Return a PDF without its traces.

    Args:
        write: whether it is wanted; without, the file comes back as it was.

    Raises:
        Refused: it is broken, encrypted, does something, or is too much.
    """
    ended = data.rfind(_END)
    if ended < 0 or _BEGUN.search(data, ended):
        raise Refused(Fault.BROKEN)
    try:
        reader = opened(data)
        if "/Encrypt" in reader.trailer:
            raise Refused(Fault.ENCRYPTED)
        walk = _Walk(reader, bounds)
        walk.walk()
        hidden = _HIDDEN.search(data)
        if hidden is not None:
            raise Refused(Fault.ACTIVE, _NAMES[hidden[1].decode()])
        pages = count_pages(reader, bounds.pages)
        traces = walk.traces | _around(data, ended)
        if walk.signed:
            traces.add(Trace.SIGNATURE)
            walk.unsign()
        return Examined(_written(reader) if write else data, frozenset(traces), pages)
    except LimitReachedError:
        raise Refused(Fault.BOMB) from None


def opened(data: bytes) -> PdfReader:
    """Return a reader of a PDF.

    Raises:
        Refused: it has no beginning, no end or no way between them, or is encrypted.
    """
    try:
        reader = PdfReader(io.BytesIO(data))
        root = reader.trailer["/Root"]
    except (MemoryError, LimitReachedError):
        raise
    except Exception:  # noqa: BLE001 - a reader of foreign bytes may fail in any way
        # What cannot be decrypted may fail before it can be asked whether it is encrypted.
        raise Refused(Fault.ENCRYPTED if re.search(rb"/Encrypt\s+\d+\s+\d+\s+R", data) else Fault.BROKEN) from None
    if not isinstance(root, DictionaryObject):
        raise Refused(Fault.BROKEN)
    return reader


def pages(reader: PdfReader) -> Iterator[DictionaryObject]:
    """Yield the pages in their order.

    Raises:
        Refused: the tree of pages is not whole.
    """
    root = resolved(reader.trailer.get("/Root"))
    waiting, seen = [dict.get(root, "/Pages") if isinstance(root, DictionaryObject) else None], set[int]()
    while waiting:
        node = resolved(waiting.pop())
        if not isinstance(node, DictionaryObject) or id(node) in seen:
            raise Refused(Fault.BROKEN)
        seen.add(id(node))
        kids = resolved(dict.get(node, "/Kids"))
        if isinstance(kids, ArrayObject):
            waiting.extend(reversed(list(list.__iter__(kids))))
        elif resolved(dict.get(node, "/Type")) == "/Pages":
            raise Refused(Fault.BROKEN)
        else:
            yield node


def count_pages(reader: PdfReader, most: int) -> int:
    """Return how many pages there are.

    Raises:
        Refused: none, too many, or the tree of pages is not whole.
    """
    count = 0
    for _ in pages(reader):
        count += 1
        if count > most:
            raise Refused(Fault.PAGES)
    if not count:
        raise Refused(Fault.BROKEN)
    return count


def resolved(value: Any) -> Any:
    """Return what a value refers to."""
    for _ in range(16):
        if not isinstance(value, IndirectObject):
            return value
        value = value.get_object()
    raise Refused(Fault.BROKEN)


def _around(data: bytes, ended: int) -> set[Trace]:
    """Return what stands before and behind a PDF, and whether it is one of several states."""
    traces = set[Trace]()
    if not data.startswith(b"%PDF-") or data[ended + len(_END) :].strip(_AFTER_END):
        traces.add(Trace.TRAILING)
    # A file made for the web has two tables in one state, of which the first says that it is not the last.
    states = data.count(b"startxref") - (b"/Linearized" in data[:2048])
    if states > 1:
        traces.add(Trace.HISTORY)
    return traces


def _written(reader: PdfReader) -> bytes:
    """Return a PDF anew, in the form that it keeps when it is written once more."""
    made = b""
    for _ in range(_MOST_WRITINGS):
        for key in ("/Info", "/ID"):
            reader.trailer.pop(key, None)
        writer = PdfWriter(clone_from=reader)
        writer.metadata = None  # the name of the library
        out = io.BytesIO()
        writer.write(out)
        before, made = made, out.getvalue()
        if made == before:
            return made
        # Branches of the tree of pages, which is written as one, are left over the first time.
        reader = opened(made)
    raise Refused(Fault.BROKEN)


class _Walk:
    """Looks at everything that can be reached, each object once."""

    def __init__(self, reader: PdfReader, bounds: Bounds) -> None:
        self.reader = reader
        self.bounds = bounds
        self.unpacking = Unpacking(bounds)
        self.traces = set[Trace]()
        self.signed: list[DictionaryObject] = []
        self.seen = set[tuple[int, int]]()

    def walk(self) -> None:
        """Look; raises `Refused`."""
        trailer = self.reader.trailer
        self._info(resolved(dict.get(trailer, "/Info")))
        waiting: list[Any] = [dict.get(trailer, "/Root")]
        count = 0
        while waiting:
            value = waiting.pop()
            if isinstance(value, IndirectObject):
                place = (value.idnum, value.generation)
                if place in self.seen:
                    continue
                self.seen.add(place)
                waiting.append(self.reader.get_object(value))
                continue
            count += 1
            if count > _MOST_OBJECTS:
                raise Refused(Fault.BOMB)
            if isinstance(value, DictionaryObject):
                self._dictionary(value)
                waiting.extend(dict.values(value))
            elif isinstance(value, ArrayObject):
                waiting.extend(item for item in list.__iter__(value) if isinstance(item, _HOLDERS))

    def unsign(self) -> None:
        """Take out the signatures, which do not hold any more."""
        for field in self.signed:
            del field["/V"]
        root = resolved(self.reader.trailer["/Root"])
        for key in ("/Perms", "/DSS"):
            root.pop(key, None)
        form = resolved(dict.get(root, "/AcroForm"))
        if isinstance(form, DictionaryObject):
            form.pop("/SigFlags", None)

    def _info(self, info: Any) -> None:
        if isinstance(info, DictionaryObject):
            self.traces |= {
                _INFO.get(key, Trace.OTHER) for key, value in dict.items(info) if resolved(value) not in ("", b"", None)
            }

    def _dictionary(self, found: DictionaryObject) -> None:
        self._refuse_active(found)
        for key in _TAKEN_OUT.keys() & found.keys():
            self.traces.add(_TAKEN_OUT[key])
            dict.pop(found, key)
        if resolved(dict.get(found, "/FT")) == "/Sig" and "/V" in found:
            self.signed.append(found)
        if isinstance(found, StreamObject):
            self._stream(found)

    def _refuse_active(self, found: DictionaryObject) -> None:
        for key in _KEYS.keys() & found.keys():
            raise Refused(Fault.ACTIVE, _KEYS[key])
        embedded = resolved(dict.get(found, "/EmbeddedFiles"))
        if isinstance(embedded, DictionaryObject) and any(
            resolved(dict.get(embedded, key)) for key in ("/Names", "/Kids")
        ):
            raise Refused(Fault.ACTIVE, Active.EMBEDDED)
        for table, key in ((_ACTIONS, "/S"), (_SUBTYPES, "/Subtype")):
            name = resolved(dict.get(found, key))
            if isinstance(name, NameObject) and name in table:
                raise Refused(Fault.ACTIVE, table[name])
        address = resolved(dict.get(found, "/URI"))
        if isinstance(address, DictionaryObject):
            address = resolved(dict.get(address, "/Base"))  # what all links of the document begin with
        if isinstance(address, str | bytes):
            _refuse_address(address if isinstance(address, str) else address.decode("latin-1"))
        self._refuse_opening(resolved(dict.get(found, "/OpenAction")))
        more = resolved(dict.get(found, "/AA"))
        if isinstance(more, DictionaryObject):
            for action in dict.values(more):
                self._refuse_opening(resolved(action))

    def _refuse_opening(self, action: Any) -> None:
        """Refuse an action that happens by itself, or after such a one, and is not one of the quiet ones."""
        waiting, seen = [action], set[int]()
        while waiting:
            one = resolved(waiting.pop())
            if isinstance(one, ArrayObject):
                if seen:  # of the first it is a place in the document, behind it several actions
                    waiting += list(one)
                continue
            if not isinstance(one, DictionaryObject) or id(one) in seen:
                continue
            seen.add(id(one))
            kind = resolved(dict.get(one, "/S"))
            if kind in _ACTIONS:
                raise Refused(Fault.ACTIVE, _ACTIONS[kind])
            if kind not in _QUIET:
                raise Refused(Fault.ACTIVE, Active.OPENING)
            waiting.append(dict.get(one, "/Next"))

    def _stream(self, found: StreamObject) -> None:
        if "/F" in found or "/Ref" in found:
            raise Refused(Fault.ACTIVE, Active.REMOTE)  # its content is in another file
        filters, coded = self.unpacking.measure(found)
        if found.get("/Subtype") == "/Image":
            width, height = resolved(dict.get(found, "/Width")), resolved(dict.get(found, "/Height"))
            if isinstance(width, int) and isinstance(height, int) and width * height > self.bounds.pixels:
                raise Refused(Fault.PIXELS)
        if filters and filters[-1] in _JPEG:
            self._picture(found, coded, lambda data: jpeg.examine(data, self.bounds.pixels, lenient=True))
        elif filters and filters[-1] == "/JPXDecode":
            self._picture(found, coded, jp2.examine)

    def _picture(self, found: StreamObject, coded: bytes, examine: Callable[[bytes], Examined]) -> None:
        """Take the traces out of a picture, whatever it is packed in besides."""
        try:
            inner = examine(coded)
        except Refused as refused:
            # Readers of PDF draw what they can of it; but what is said beside the picture must not stay.
            if refused.fault is not Fault.BROKEN or any(mark in coded for mark in _BESIDE):
                raise
            return
        if inner.traces - {Trace.TRAILING}:
            self.traces |= inner.traces
            leave_one_filter(found, inner.data)


def _refuse_address(address: str) -> None:
    """Refuse an address that is no link; signs that nobody sees are left out, as readers of PDF do."""
    text = "".join(sign for sign in address if sign > " ").lower()
    scheme = _SCHEME.match(text)
    if text.startswith(_ELSEWHERE) or (scheme is not None and scheme[1] not in _LINKS):
        javascript = scheme is not None and scheme[1] == "javascript"
        raise Refused(Fault.ACTIVE, Active.JAVASCRIPT if javascript else Active.REMOTE)


_HOLDERS: Final = (IndirectObject, DictionaryObject, ArrayObject)
