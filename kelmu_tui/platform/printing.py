"""Handing a text to the machine's printing system; the text goes through a pipe, never through arguments or a file."""

from __future__ import annotations

import asyncio
import shutil
from typing import Final

_PROGRAM: Final = "lp"
_TITLE: Final = "kelmu"
"""Name of the job: it stands in queues that others see."""
_LONGEST: Final = 30.0
"""Seconds that the printing system has to take a text."""


class NotPrinted(Exception):
    """Nothing was printed.

    Attributes:
        reason: `none` (there is no printing system), or `refused`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check() -> None:
    """Find out whether there is a printing system.

    Raises:
        NotPrinted: there is none.
    """
    if shutil.which(_PROGRAM) is None:
        raise NotPrinted("none")


async def print_text(text: str) -> None:
    """Send a text with form feeds to the default printer.

    Raises:
        NotPrinted: there is none, or it does not take the text.
    """
    check()
    try:
        process = await asyncio.create_subprocess_exec(
            _PROGRAM,
            "-s",
            "-t",
            _TITLE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        raise NotPrinted("refused") from None
    try:
        await asyncio.wait_for(process.communicate(text.encode()), _LONGEST)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NotPrinted("refused") from None
    if process.returncode:
        raise NotPrinted("refused")
