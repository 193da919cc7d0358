"""Identity codes and business IDs: strict where a register must be strict, with reasons for people.

The checks themselves are python-stdnum's; around them stands what a register demands and that library leaves open
(ASCII only, no folding, no future births, artificial persons by configuration).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

_FORM: Final = re.compile(r"[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-FHJ-NPR-Y]\Z", re.ASCII)
_BUSINESS_ID: Final = re.compile(r"[0-9]{7}-[0-9]\Z", re.ASCII)
_CENTURIES: Final = {"+": 1800, **dict.fromkeys("-YXWVU", 1900), **dict.fromkeys("ABCDEF", 2000)}
CHECK_CHARACTERS: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"
ARTIFICIAL_FROM: Final = 900
"""Individual numbers from here on belong to nobody; the project's people have no others."""


class CodeFault(StrEnum):
    """The first rule that an identity code breaks."""

    FORMAT = "format"
    DATE = "date"
    FUTURE = "future"
    INDIVIDUAL = "individual"
    ARTIFICIAL = "artificial"
    CHECK = "check"


class InvalidIdentityCode(ValueError):
    """An identity code breaks a rule; the code itself is not in the message."""

    def __init__(self, fault: CodeFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class IdentityCode:
    """A valid identity code; the sign is part of the identity, so equality is that of the whole text."""

    value: str

    @property
    def born(self) -> date:
        """Date of birth."""
        return _birth_date(self.value)

    @property
    def masked(self) -> str:
        """The code as screens show it: everything but the sign and the last three characters hidden."""
        return mask(self.value)

    def __repr__(self) -> str:
        # Values end up in tracebacks and logs by accident; the representation keeps the person out of them.
        return f"IdentityCode({self.masked!r})"

    __str__ = __repr__


def mask(code: str) -> str:
    """Return `code` as screens show it, for example `******-*02E`; the sign stays, it is part of the identity."""
    return f"******{code[6:7]}*{code[8:]}"


def mask_account(account: str) -> str:
    """Return a bank account as screens show it, for example `FI16 **** 0889`: enough to compare, not to pay to."""
    plain = account.replace(" ", "")
    return plain if len(plain) < 12 else f"{plain[:4]} **** {plain[-4:]}"


def _birth_date(code: str) -> date:
    return date(_CENTURIES[code[6]] + int(code[4:6]), int(code[2:4]), int(code[:2]))


def parse_identity_code(text: str, *, today: date, artificial: bool = True) -> IdentityCode:
    """Check `text` strictly and return the code.

    Args:
        text: the code as stored or sent; nothing is trimmed or folded.
        today: no one is born after it.
        artificial: whether individual numbers 900–999 are accepted; production refuses them.

    Raises:
        InvalidIdentityCode: with the first rule broken, in the order format, date, individual number, check.
    """
    if not _FORM.match(text):
        raise InvalidIdentityCode(CodeFault.FORMAT)
    try:
        born = _birth_date(text)
    except ValueError:
        raise InvalidIdentityCode(CodeFault.DATE) from None
    if born > today:
        raise InvalidIdentityCode(CodeFault.FUTURE)
    individual = int(text[7:10])
    if individual < 2:
        raise InvalidIdentityCode(CodeFault.INDIVIDUAL)
    if individual >= ARTIFICIAL_FROM and not artificial:
        raise InvalidIdentityCode(CodeFault.ARTIFICIAL)
    from stdnum.fi import hetu  # costs an import that no first paint should pay

    if not hetu.is_valid(text, allow_temporary=True):
        raise InvalidIdentityCode(CodeFault.CHECK)
    return IdentityCode(text)


def make_identity_code(born: date, sign: str, individual: int) -> IdentityCode:
    """Return the code of an artificial person.

    Raises:
        ValueError: the sign is not one of the century of birth, or the number is not artificial (900–999).
    """
    if _CENTURIES.get(sign) != born.year // 100 * 100 or not ARTIFICIAL_FROM <= individual <= 999:
        raise ValueError("sign or individual number outside the artificial series")
    digits = f"{born:%d%m%y}{individual}"
    return IdentityCode(f"{born:%d%m%y}{sign}{individual}{CHECK_CHARACTERS[int(digits) % 31]}")


def is_business_id(text: str) -> bool:
    """Tell whether `text` is a business ID in the strict form `NNNNNNN-C`."""
    if not _BUSINESS_ID.match(text):
        return False
    from stdnum.fi import ytunnus

    return bool(ytunnus.is_valid(text))
