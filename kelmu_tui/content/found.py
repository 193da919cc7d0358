"""What an examination of a file finds, and within what limits it looks."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from kelmu_tui.domain.documents import Fault, MediaType


class What(StrEnum):
    """What a file is that is no document to send; stable, translated by the faces."""

    WORD = "word"
    SPREADSHEET = "spreadsheet"
    PRESENTATION = "presentation"
    OFFICE = "office"
    """One of an office program, old or encrypted, that does not say which."""
    RICH_TEXT = "rich_text"
    POSTSCRIPT = "postscript"
    HEIC = "heic"
    PICTURE = "picture"
    """A picture of another kind: GIF, TIFF, WebP, BMP and their like."""
    SVG = "svg"
    HTML = "html"
    XML = "xml"
    MAIL = "mail"
    TEXT = "text"
    ARCHIVE = "archive"
    PROGRAM = "program"
    SCRIPT = "script"
    FILM = "film"
    SOUND = "sound"
    UNKNOWN = "unknown"


class Active(StrEnum):
    """What in a PDF runs, fetches or carries something else."""

    JAVASCRIPT = "javascript"
    LAUNCH = "launch"
    EMBEDDED = "embedded_files"
    MEDIA = "rich_media"
    XFA = "xfa"
    SUBMIT = "submit_form"
    IMPORT = "import_data"
    REMOTE = "remote"
    """It opens or draws on another file."""
    OPENING = "opening"
    """It does more than to go to a page when it is opened, closed or leafed through."""


class Trace(StrEnum):
    """What a file says beside what it shows, and is taken out of it."""

    GPS = "gps"
    CAMERA = "camera"
    TIME = "time"
    AUTHOR = "author"
    TITLE = "title"
    SOFTWARE = "software"
    COMMENT = "comment"
    THUMBNAIL = "thumbnail"
    XMP = "xmp"
    IPTC = "iptc"
    FRAMES = "frames"
    """Further pictures of an animation."""
    HISTORY = "history"
    """Earlier states of a PDF, which may hold what was taken out of it."""
    TRAILING = "trailing"
    """Bytes behind the end."""
    SIGNATURE = "signature"
    """A digital signature, which does not survive that anything is taken out."""
    OTHER = "other"


class Bounds(NamedTuple):
    """Limits of an examination.

    Attributes:
        file_bytes, pixels, pages: of a file, a picture, a PDF.
        unpacked: bytes into which one stream of a PDF may expand; all together four times as many.
        memory: bytes of the process's address space.
        seconds: of processor time; it is ended when it has run for three times as long, on whatever it waited.
    """

    file_bytes: int
    pixels: int
    pages: int
    unpacked: int = 512 << 20
    memory: int = 1 << 30
    seconds: int = 10


class Inspection(NamedTuple):
    """What was found out about a file.

    Attributes:
        media_type: what it is; none where that is no document to send, or nothing was looked at.
        size: bytes.
        sha256: hexadecimal.
        pages: of a PDF.
        width, height: of a picture as stored, pixels.
        fault: why it is refused.
        detail: with `Fault.TYPE` a `What`, with `Fault.ACTIVE` an `Active`, otherwise empty.
        metadata: the `Trace`s in it, each once, in the order of that class.
    """

    media_type: MediaType | None
    size: int
    sha256: str
    pages: int | None = None
    width: int | None = None
    height: int | None = None
    fault: Fault | None = None
    detail: str = ""
    metadata: tuple[str, ...] = ()


class Cleaned(NamedTuple):
    """A file without what it said beside what it shows.

    Attributes:
        inspection: of the result; of the file as it was where that is refused.
        data: the result; empty where the file is refused.
        removed: the `Trace`s that were in it.
    """

    inspection: Inspection
    data: bytes
    removed: tuple[str, ...]


class Refused(Exception):
    """A file is refused; no byte of it is in the message."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.detail = detail


class Examined(NamedTuple):
    """What the reader of one format hands on.

    Attributes:
        data: the file without its traces and in the one way in which it is written here; the very same bytes where it
            was in that way already.
    """

    data: bytes
    traces: frozenset[Trace]
    pages: int | None = None
    width: int | None = None
    height: int | None = None


def in_order(traces: frozenset[Trace]) -> tuple[str, ...]:
    """Return traces in the order of their class."""
    return tuple(trace.value for trace in Trace if trace in traces)


MOST_COLUMNS: Final = 200
"""Width of the widest preview."""
