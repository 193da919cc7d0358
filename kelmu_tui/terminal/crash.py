"""Crash reports: which error, where, caused by which; never a value.

A traceback with messages and local variables holds names and identity codes, and what is printed to a terminal stays
in its scrollback. So a report holds types, modules, functions and line numbers, and the terminal gets one sentence.
"""

from __future__ import annotations

import json
import platform
import re
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any, Final, NamedTuple

from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.platform.paths import private_folder, write_private

MAX_FRAMES: Final = 60
"""Frames kept of one error: the outermost and the innermost half of them."""
MAX_ERRORS: Final = 20
MAX_REPORTS: Final = 50
"""Reports kept; the oldest go first."""

_NAME: Final = re.compile(r"[A-Za-z_<][\w.<>]{0,119}\Z", re.ASCII)
_REQUEST_ID: Final = re.compile(r"[0-9A-Za-z-]{8,64}\Z", re.ASCII)
_PACKAGES: Final = ("kelmu-tui", "textual", "httpx", "pydantic", "sqlcipher3")


class Report(NamedTuple):
    """A report: its id as people read it aloud (`7F3A`), and where it lies; None when it could not be written."""

    id: str
    path: Path | None


def describe(error: BaseException) -> list[dict[str, Any]]:
    """Return `error` and all that caused it or was grouped in it, without any value.

    Each has `type`, `relation` (`raised`, `cause`, `context`, `member`), `frames` (`module`, `function`, `line`,
    outermost first), and `request_id` when it has one.
    """
    return [_entry(relation, found) for relation, found in _chain(error)]


def _chain(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    waiting: list[tuple[str, BaseException]] = [("raised", error)]
    seen: set[int] = set()
    while waiting and len(seen) < MAX_ERRORS:
        relation, found = waiting.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield relation, found
        if found.__cause__ is not None:
            waiting.append(("cause", found.__cause__))
        elif found.__context__ is not None and not found.__suppress_context__:
            waiting.append(("context", found.__context__))
        if isinstance(found, BaseExceptionGroup):
            waiting.extend(("member", member) for member in found.exceptions)


def _entry(relation: str, error: BaseException) -> dict[str, Any]:
    kind = type(error)
    entry: dict[str, Any] = {
        "relation": relation,
        "type": f"{_name(kind.__module__)}.{_name(kind.__qualname__)}",
        "frames": _frames(error.__traceback__),
    }
    request = getattr(error, "request_id", None)
    if isinstance(request, str) and _REQUEST_ID.match(request):
        entry["request_id"] = request
    return entry


def _frames(traceback: TracebackType | None) -> list[dict[str, Any]]:
    frames = [
        {
            "module": _name(str(frame.f_globals.get("__name__", "?"))),
            "function": _name(frame.f_code.co_qualname),
            "line": line,
        }
        for frame, line in walk_tb(traceback)
    ]
    half = MAX_FRAMES // 2
    return frames if len(frames) <= MAX_FRAMES else [*frames[:half], *frames[-half:]]


def _name(text: str) -> str:
    # Names come from source code, but a type made at run time may be called anything.
    return text if _NAME.match(text) else "?"


class Reporter:
    """Writes crash reports of one profile."""

    def __init__(self, folder: Path, clock: Clock, ids: Ids) -> None:
        self._folder = folder
        self._clock = clock
        self._ids = ids
        self._lock = threading.Lock()

    def report(self, error: BaseException) -> Report:
        """Write a report on `error`; never raises, since it runs where something is broken already."""
        name = self._ids.new()[:4].upper()
        try:
            with self._lock:
                private_folder(self._folder)
                path = self._folder / f"{name}.json"
                while path.exists():
                    name = self._ids.new()[:4].upper()
                    path = self._folder / f"{name}.json"
                write_private(path, _text(name, error, self._clock.now()))
                self._tidy()
        except Exception:  # noqa: BLE001 - the sentence for the user must come in any case
            return Report(name, None)
        return Report(name, path)

    def _tidy(self) -> None:
        reports = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in reports[:-MAX_REPORTS]:
            path.unlink(missing_ok=True)


def _text(name: str, error: BaseException, now: datetime) -> bytes:
    report = {
        "report": name,
        "at": now.isoformat(timespec="seconds"),
        "versions": {package: _version(package) for package in _PACKAGES},
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "errors": describe(error),
    }
    return (json.dumps(report, indent=1) + "\n").encode()


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # a crash can wait for it, a start need not

    try:
        return version(package)
    except PackageNotFoundError:
        return "?"


def sentence(report: Report, translate: Callable[..., str]) -> str:
    """Return what the user is told: one line."""
    if report.path is None:
        return translate("errors.crash_unsaved")
    return translate("errors.crash", report=report.id, path=str(report.path))


def install(report: Callable[[BaseException], object]) -> Callable[[], None]:
    """Send every error that nobody caught, on any thread, to `report` in place of a printed traceback.

    Returns:
        A function that puts the former hooks back.
    """
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)

    def uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            report(error.with_traceback(traceback))

    def on_thread(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
            report(arguments.exc_value)

    def unraisable(arguments: Any) -> None:
        if arguments.exc_value is not None:
            report(arguments.exc_value)

    def undo() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, on_thread, unraisable
    return undo
