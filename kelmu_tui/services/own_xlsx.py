"""Workbooks, read by a process of their own (`own_xlsx_child`) that may die of them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from kelmu_tui.domain.own_files import limits
from kelmu_tui.services.own_table import OwnFileProblem, Row, Sheet, Watch

_CHILD: Final = Path(__file__).with_name("own_xlsx_child.py")
_STARVED: Final = frozenset({-signal.SIGABRT, -signal.SIGKILL, -signal.SIGXCPU})
"""How the process ends when it wants more memory or time than it gets."""


def workbook_sheets(data: bytes, watch: Watch) -> tuple[Sheet, ...]:
    """Return the sheets of a workbook.

    Raises:
        OwnFileProblem: it is none, or none that can be read.
    """
    found = tuple(_sheet(data, told, watch) for told in _told(data, "top", limits().searched + 5, watch))
    if not found:
        raise OwnFileProblem("no_sheet")
    return found


def _sheet(data: bytes, told: dict[str, Any], watch: Watch) -> Sheet:
    def read() -> Iterator[Row]:
        return map(tuple, _told(data, "sheet", told["number"], watch))

    return Sheet(told["number"], told["name"], tuple(map(tuple, told["top"])), read)


def _told(data: bytes, what: str, which: int, watch: Watch) -> Iterator[Any]:
    """Yield what the process tells of a workbook; ending early ends it.

    Raises:
        OwnFileProblem: what it found wrong, or what became of it.
    """
    with _reading(data, what, which, watch) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.endswith(b"\n"):
                break  # it ended in the middle of a word
            told = json.loads(line)
            if isinstance(told, dict) and "error" in told:
                where = {name: told.get(name) for name in ("row", "column", "sheet")}
                raise OwnFileProblem(told["error"], **where)
            if isinstance(told, dict) and "end" in told:
                return
            yield told
        code = process.wait()
        raise OwnFileProblem("unpacked" if code in _STARVED else "broken" if code < 0 else "no_reader")


@contextmanager
def _reading(data: bytes, what: str, which: int, watch: Watch) -> Iterator[subprocess.Popen[bytes]]:
    most = limits()
    given = (most.unpacked, most.memory, most.seconds, most.rows, most.columns, most.letters, most.sheets)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and file, no shell; the content comes by a pipe
            [sys.executable, "-I", "-B", str(_CHILD), what, str(which), *map(str, given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
        )
    except OSError:
        raise OwnFileProblem("no_reader") from None
    with process:
        longest = threading.Timer(most.seconds, process.kill)
        longest.daemon = True
        longest.start()
        watch.begun(process)
        try:
            assert process.stdin is not None
            with suppress(BrokenPipeError), process.stdin as into:
                into.write(data)
            yield process
        finally:
            longest.cancel()
            watch.over(process)
            process.kill()
