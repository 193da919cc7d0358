"""Bank accounts as people type them: IBAN with its own check and Finland's national one.

The structures of countries and the check over 97 are python-stdnum's; the check digit of Finnish accounts is not in it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

_FORM: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+\Z", re.ASCII)
_LOWEST, _HIGHEST = "02", "98"
"""Check digits that the reckoning gives; 00, 01 and 99 leave the same remainder as three others and are never given."""
_FINLAND: Final = "FI"
_FINNISH_LENGTH: Final = 18
MAX_ACCOUNT: Final = 34
"""Characters of the longest IBAN."""


class AccountFault(StrEnum):
    """The first rule that an account breaks."""

    FORMAT = "format"
    """It does not begin with a country and two digits, or has other characters than letters and digits."""
    LENGTH = "length"
    COUNTRY = "country"
    """The country has no IBAN, or its accounts look otherwise."""
    CHECK = "check"
    NATIONAL = "national"
    """The check digit within a Finnish account is wrong, though that of the IBAN is right."""


class InvalidAccount(ValueError):
    """An account breaks a rule; the account itself is not in the message."""

    def __init__(self, fault: AccountFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def parse_account(text: str) -> str:
    """Return an IBAN as it is kept: in capitals, without spaces.

    Spaces of every kind and small letters are forgiven, nothing else.

    Raises:
        InvalidAccount: with the first rule broken, in the order form, length, country, check, national check.
    """
    plain = "".join(text.split())
    account = plain.upper() if plain.isascii() else ""
    if not _FORM.match(account):
        raise InvalidAccount(AccountFault.FORMAT)
    if len(account) > MAX_ACCOUNT or (account.startswith(_FINLAND) and len(account) != _FINNISH_LENGTH):
        raise InvalidAccount(AccountFault.LENGTH)
    from stdnum import exceptions, iban, luhn  # costs an import that no first paint should pay

    try:
        iban.validate(account)
    except exceptions.InvalidChecksum:
        raise InvalidAccount(AccountFault.CHECK) from None
    except exceptions.ValidationError:
        raise InvalidAccount(AccountFault.COUNTRY) from None
    if not _LOWEST <= account[2:4] <= _HIGHEST:
        raise InvalidAccount(AccountFault.CHECK)
    if account.startswith(_FINLAND) and not luhn.is_valid(account[4:]):
        raise InvalidAccount(AccountFault.NATIONAL)
    return account


def shown_account(iban: str) -> str:
    """Return an account in groups of four, as banks print it."""
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
