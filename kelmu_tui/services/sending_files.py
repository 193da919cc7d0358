"""Files that are to be sent: read whole while nobody changes them, and what they were found to be.

Reading and looking over take a moment: never on the thread of a screen.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from kelmu_tui.domain import documents
from kelmu_tui.domain.documents import Fault

if TYPE_CHECKING:
    from kelmu_tui.content.found import Inspection

_READING: Final = {
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.ENAMETOOLONG: "name",
    errno.ELOOP: "name",
    errno.ENXIO: "not_a_file",
}
UNREADABLE: Final = ("missing", "denied", "name", "not_a_file", "io")
"""Why a file cannot be read at all."""


class FileRefused(ValueError):
    """A file is not sent.

    Attributes:
        fault: why, None when it could not be read at all.
        unreadable: why not then, of `UNREADABLE`; empty otherwise.
        detail: what exactly was found, in a word of `content`; empty when there is none.
    """

    def __init__(self, path: Path, fault: Fault | None, *, unreadable: str = "", detail: str = "") -> None:
        super().__init__(unreadable if fault is None else fault.value)
        self.path = path
        self.fault = fault
        self.unreadable = unreadable
        self.detail = detail


class File(NamedTuple):
    """A file to be sent.

    Attributes:
        kind: of `domain.documents.kinds`.
        name: what the document is called for Kela.
        seen: digest of the file as it was checked (`CheckedFile.digest`); another one is refused then.
    """

    path: Path
    kind: str
    name: str
    seen: str | None = None


class CheckedFile(NamedTuple):
    """What a file is found to be.

    Attributes:
        inspection: of what would be sent, or of the file where it is refused.
        removed: what is taken out before it is sent.
        preview: a small picture in text.
        digest: of the file as it is.
    """

    path: Path
    inspection: Inspection
    removed: tuple[str, ...]
    preview: tuple[str, ...]
    digest: str

    @property
    def fault(self) -> Fault | None:
        """Why it is refused, None when it can be sent."""
        return self.inspection.fault


def read(path: Path, *, seen: bool = False) -> bytes:
    """Return the bytes of a file that nobody changes meanwhile.

    Args:
        seen: it was looked at before, so that one that is not there has changed.

    Raises:
        FileRefused: it changed, or cannot be read.
    """
    from kelmu_tui.content import checking

    try:
        before = _mark(path)
        data = checking.read(path)
        after = _mark(path)
    except checking.NoFile:
        raise FileRefused(path, None, unreadable="not_a_file") from None
    except OSError as error:
        if seen and error.errno == errno.ENOENT:
            raise FileRefused(path, Fault.CHANGED) from None
        raise FileRefused(path, None, unreadable=_READING.get(error.errno or 0, "io")) from None
    except ValueError:
        raise FileRefused(path, None, unreadable="name") from None
    whole = len(data) == after[2] or len(data) > documents.limits().file_bytes
    if before != after or not whole:
        raise FileRefused(path, Fault.CHANGED)
    return data


def _mark(path: Path) -> tuple[int, ...]:
    found = os.stat(path)  # noqa: PTH116 - as it is opened: through links
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
