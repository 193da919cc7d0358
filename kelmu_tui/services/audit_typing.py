"""What a supervisor types to say which look-ups are wanted, checked before anything is asked.

Without the wire models: the command line names these mistakes among all others.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Final

MAX_SAMPLE: Final = 200
"""Look-ups in one sample at the most; the contract says the same."""

_MAX_SEED: Final = 2**53 - 1
_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,40}")
_DAY: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)


class Part(StrEnum):
    """What a supervisor says of what is wanted, in the order in which it is asked for."""

    PURPOSE = "purpose"
    CODE = "code"
    CASE = "case"
    USER = "user"
    CUSTOMER = "customer"
    SIZE = "size"
    SINCE = "since"
    UNTIL = "until"
    FLAG = "flag"
    SEED = "seed"


class Unfit(ValueError):
    """A part of what is wanted cannot be taken as it was typed; what was typed is not in the message."""

    def __init__(self, part: Part) -> None:
        super().__init__(part.value)
        self.part = part


def clean_id(text: str, part: Part) -> str | None:
    """Return an id as it was typed, None for an empty one.

    Raises:
        Unfit: no id looks like that.
    """
    wanted = text.strip()
    if wanted and _ID.fullmatch(wanted) is None:
        raise Unfit(part)
    return wanted or None


def clean_day(text: str, part: Part) -> date | None:
    """Return a day that was typed as `24.11.2026` or `2026-11-24`, None for an empty one.

    Raises:
        Unfit: there is no such day.
    """
    wanted = text.strip()
    if not wanted:
        return None
    written = _DAY.fullmatch(wanted)
    try:
        if written is not None:
            return date(int(written[3]), int(written[2]), int(written[1]))
        return date.fromisoformat(wanted)
    except ValueError:
        raise Unfit(part) from None


def clean_number(text: str, part: Part) -> int | None:
    """Return the size or the seed of a sample, None for an empty one.

    Raises:
        Unfit: it is none, or too large.
    """
    wanted = "".join(text.split())
    if not wanted:
        return None
    least, most = (1, MAX_SAMPLE) if part is Part.SIZE else (0, _MAX_SEED)
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) <= len(str(most)) and least <= int(wanted) <= most):
        raise Unfit(part)
    return int(wanted)


def check_days(since: date | None, until: date | None) -> None:
    """Check that the last day does not come before the first.

    Raises:
        Unfit: it does.
    """
    if since is not None and until is not None and until < since:
        raise Unfit(Part.UNTIL)
