"""Whether a document is malware: the test pattern that every scanner knows, and the operator's own program."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Sequence
from enum import Enum
from typing import IO, Any, Final

log = logging.getLogger("kelmu_backend")

TIMEOUT: Final = 120.0
"""Seconds that a program gets for one document."""

EICAR: Final = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless pattern by which scanners are tested (https://www.eicar.org); refused always, so that a demo can show
what happens. Parted here, or a scanner would take this file away."""


class Outcome(Enum):
    """What a scan ended with."""

    CLEAN = "clean"
    MALWARE = "malware"
    UNKNOWN = "unknown"
    """The program could not look: the document waits."""


def scan(file: IO[bytes], program: Sequence[str]) -> Outcome:
    """Scan the content of an open file; it is read from its beginning."""
    if _holds_pattern(file):
        return Outcome.MALWARE
    if not program:
        return Outcome.CLEAN
    code = run(file, program)
    return {0: Outcome.CLEAN, 1: Outcome.MALWARE}.get(code, Outcome.UNKNOWN)


def run(file: IO[bytes], program: Sequence[str], slip: bytes | None = None) -> int:
    """Run an operator's program on a file and return its exit code, -1 when it could not be run or took too long.

    It reads the file from its standard input; with a `slip` it reads that there, and gets the path of the open file as
    its last argument instead. What it prints is thrown away, for it may repeat what stands in the document.
    """
    file.seek(0)
    handle = file.fileno()
    given: dict[str, Any] = {"stdin": file} if slip is None else {"input": slip, "pass_fds": (handle,)}
    try:
        done = subprocess.run(  # noqa: S603 - the operator's settings name the program
            [*program, *([] if slip is None else [f"/dev/fd/{handle}"])],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT,
            check=False,
            **given,
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        log.warning("the program for documents could not be run: %s", type(failure).__name__)
        return -1
    return done.returncode


def _holds_pattern(file: IO[bytes]) -> bool:
    file.seek(0)
    kept = b""
    while part := file.read(1 << 20):
        if EICAR in kept + part:
            return True
        kept = part[-len(EICAR) :]
    return False
