"""What a document is by its content, found out in a process of its own (`child`) that may die of it.

All of it takes a moment and waits for a process: never on the thread of a screen. Nothing is written to a disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from kelmu_tui.content import sniffing
from kelmu_tui.content.found import MOST_COLUMNS, Active, Bounds, Cleaned, Inspection, Refused, Trace, What
from kelmu_tui.domain import documents
from kelmu_tui.domain.documents import Fault, Limits, MediaType
from kelmu_tui.domain.text import clean as clean_text

_CHILD: Final = Path(__file__).with_name("child.py")
_MOST_TOLD: Final = 1 << 20
_DETAILS: Final = frozenset((*What, *Active))


class NoReader(RuntimeError):
    """The process that reads documents cannot be started, or lacks its libraries: the installation is broken."""


class NoFile(OSError):
    """It is a folder, a device or whatever else can be opened and is no file."""


def read(path: Path, limits: Limits | None = None) -> bytes:
    """Return the bytes of a file; of one that is too large only so many that this is seen.

    Raises:
        NoFile: it is none.
        OSError: it cannot be read.
    """
    most = (limits or documents.limits()).file_bytes + 1
    # A pipe that nobody writes to would otherwise be waited for.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NoFile
    with os.fdopen(handle, "rb") as file:
        return file.read(most)


def inspect(source: bytes | Path, limits: Limits | None = None, bounds: Bounds | None = None) -> Inspection:
    """Return what a document is, whether it can be sent, and what it says beside what it shows.

    Args:
        limits: those of the catalogue unless given.
        bounds: of the process; made of `limits` unless given.

    Raises:
        OSError: the file cannot be read.
        NoReader: documents cannot be read at all here.
    """
    return clean(source, limits, bounds, keep=False).inspection


def clean(
    source: bytes | Path, limits: Limits | None = None, bounds: Bounds | None = None, *, keep: bool = True
) -> Cleaned:
    """Return a document without its traces, in memory; cleaning it once more changes nothing.

    A PDF is always written anew, so that no reader finds more in it than was looked at; also where nothing is removed
    that would have to be said.

    Args:
        limits, bounds: as `inspect`.
        keep: whether the result is wanted; without, its inspection is that of the file as it is.

    Raises:
        OSError, NoReader: as `inspect`.
    """
    limits = limits or documents.limits()
    bounds = bounds or Bounds(limits.file_bytes, limits.pixels, limits.pages)
    data = source if isinstance(source, bytes) else read(source, limits)
    found = Inspection(sniffing.media_type(data), len(data), hashlib.sha256(data).hexdigest())
    try:
        _look_over(data, found.media_type, bounds)
        told, behind = _told(data, "clean" if keep else "inspect", bounds)
    except Refused as refused:
        if refused.fault is Fault.TOO_LARGE and isinstance(source, Path):
            found = found._replace(size=source.stat().st_size)  # no more was read than was needed to see it
        return Cleaned(found._replace(fault=refused.fault, detail=refused.detail), b"", ())
    traces = tuple(trace for trace in Trace if trace in told.get("metadata", ()))
    found = found._replace(
        pages=_number(told.get("pages")), width=_number(told.get("width")), height=_number(told.get("height"))
    )
    if not keep or told.get("same") is True:
        return Cleaned(found._replace(metadata=traces), data if keep else b"", ())
    return Cleaned(found._replace(size=len(behind), sha256=hashlib.sha256(behind).hexdigest()), behind, traces)


def preview(
    source: bytes | Path,
    columns: int,
    *,
    ascii_only: bool = False,
    limits: Limits | None = None,
    bounds: Bounds | None = None,
) -> tuple[str, ...]:
    """Return a small picture of the first page in letters, and its first words; empty where nothing can be shown.

    It is cleaned text, no line wider than `columns`.

    Args:
        ascii_only: whether the picture has to do without blocks; the words stay as they are.
        limits, bounds: as `inspect`.

    Raises:
        OSError, NoReader: as `inspect`.
    """
    limits = limits or documents.limits()
    bounds = bounds or Bounds(limits.file_bytes, limits.pixels, limits.pages)
    data = source if isinstance(source, bytes) else read(source, limits)
    columns = max(min(columns, MOST_COLUMNS), 1)
    try:
        _look_over(data, sniffing.media_type(data), bounds)
        told, _ = _told(data, "ascii" if ascii_only else "preview", bounds, columns)
    except Refused:
        return ()
    return tuple(clean_text(line)[:columns] for line in told.get("lines", ()) if isinstance(line, str))


def _look_over(data: bytes, kind: MediaType | None, bounds: Bounds) -> None:
    """Refuse what needs no reading to be refused."""
    if not data:
        raise Refused(Fault.EMPTY)
    if kind is None:
        raise Refused(Fault.TYPE, sniffing.what(data).value)
    if len(data) > bounds.file_bytes:
        raise Refused(Fault.TOO_LARGE)


def _number(told: Any) -> int | None:
    return told if isinstance(told, int) else None


def _told(data: bytes, what: str, bounds: Bounds, columns: int = 0) -> tuple[dict[str, Any], bytes]:
    """Return what the process tells of a document, and the bytes behind; believed is only what has the right form.

    Raises:
        Refused: what it found wrong, or what became of it.
        NoReader: it could not do its work.
    """
    arguments = [what, *map(str, (*bounds, columns))]
    out, code, too_long = _run(data, arguments, bounds)
    if code == -signal.SIGKILL and not too_long:
        # The machine may have been short of memory for another reason: what kills it twice is the document.
        out, code, too_long = _run(data, arguments, bounds)
    line, ended, behind = out.partition(b"\n")
    if too_long or code == -signal.SIGXCPU:
        raise Refused(Fault.TIMEOUT)
    if -code in _FROM_OUTSIDE:
        raise NoReader  # whoever stops the program says nothing of the document
    if code < 0:
        raise Refused(Fault.BOMB if code in (-signal.SIGABRT, -signal.SIGKILL) else Fault.BROKEN)
    if code or not ended:
        raise NoReader
    try:
        told = json.loads(line)
    except ValueError:
        raise Refused(Fault.BROKEN) from None
    if not isinstance(told, dict) or len(behind) > bounds.file_bytes:
        raise Refused(Fault.BROKEN)
    fault = told.get("fault")
    if fault is not None:
        detail = str(told.get("detail"))
        raise Refused(Fault(fault) if fault in tuple(Fault) else Fault.BROKEN, detail if detail in _DETAILS else "")
    return told, behind


_FROM_OUTSIDE: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


def _run(data: bytes, arguments: list[str], bounds: Bounds) -> tuple[bytes, int, bool]:
    """Return what the process wrote, how it ended, and whether it was ended for its time."""
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and file, no shell; the content comes by a pipe
            [sys.executable, "-I", "-B", str(_CHILD), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
            start_new_session=True,  # keys that end this program are not for the reader
        )
    except OSError:
        raise NoReader from None
    too_long = threading.Event()

    def end() -> None:
        too_long.set()
        process.kill()

    with process:
        longest = threading.Timer(bounds.seconds * 3, end)
        longest.daemon = True
        longest.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(BrokenPipeError), process.stdin as into:
                into.write(data)
            most = bounds.file_bytes + _MOST_TOLD
            out = process.stdout.read(most)
            if len(out) == most:
                process.kill()
            return out, process.wait(), too_long.is_set()
        finally:
            longest.cancel()
            process.kill()
