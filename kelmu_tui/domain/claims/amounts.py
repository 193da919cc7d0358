"""Sums as people type them: with a comma or a point, grouped or not, with or without the unit."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import Final

MAX_AMOUNT: Final = Decimal("9999999.99")
"""The largest sum that a claim carries."""
CENT: Final = Decimal("0.01")

_MINUS: Final = "\N{MINUS SIGN}"
_UNIT: Final = re.compile(r"\A(?:€|eur\b)\s*|\s*(?:€|eur|euro|euroa)\Z", re.IGNORECASE)
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:(?P<sign>[ .,'])[0-9]{3})(?:(?P=sign)[0-9]{3})*\Z", re.ASCII)
_PLAIN: Final = re.compile(r"[0-9]+\Z", re.ASCII)
_LAST_SIGN: Final = re.compile(r"(.*)[.,]([0-9]+)\Z", re.ASCII)
_LONGEST: Final = 60


class AmountFault(StrEnum):
    """The first rule that a sum breaks."""

    FORMAT = "format"
    AMBIGUOUS = "ambiguous"
    """Three digits stand behind its only comma or point: thousands to some, thousandths to others."""
    DECIMALS = "decimals"
    NEGATIVE = "negative"
    ZERO = "zero"
    TOO_LARGE = "too_large"


class InvalidAmount(ValueError):
    """A sum breaks a rule."""

    def __init__(self, fault: AmountFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def parse_amount(text: str) -> Decimal:
    """Return a sum in euros with two decimals, above zero and at most `MAX_AMOUNT`.

    Both `1 234,50` and `1,234.50` are read, with spaces of every kind and an apostrophe between groups, and with `€` or
    `EUR` before or behind. What could be read in two ways is not read at all.

    Raises:
        InvalidAmount: with the first rule broken, in the order of `AmountFault`.
    """
    plain = " ".join(text.split()).replace(_MINUS, "-").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if len(plain) > _LONGEST and _PLAIN.match(plain.replace(" ", "")):
        raise InvalidAmount(AmountFault.TOO_LARGE)
    negative = plain.startswith("-")
    plain = _UNIT.sub("", plain.removeprefix("-").strip())
    if plain.startswith("-") and not negative:  # a sign behind the unit: €-5
        negative, plain = True, plain[1:]
    amount = _read(plain)
    if negative and amount:
        raise InvalidAmount(AmountFault.NEGATIVE)
    if not amount:
        raise InvalidAmount(AmountFault.ZERO)
    if amount > MAX_AMOUNT:
        raise InvalidAmount(AmountFault.TOO_LARGE)
    return amount.quantize(CENT)


def _read(plain: str) -> Decimal:
    """Return the number, not yet judged by its size."""
    if len(plain) > _LONGEST:
        raise InvalidAmount(AmountFault.FORMAT)
    if _PLAIN.match(plain):
        return Decimal(plain)
    grouped = _GROUPED.match(plain)
    if grouped is not None:
        sign = grouped["sign"]
        alone = sign in ".," and plain.count(sign) == 1
        if plain[0] == "0":
            raise InvalidAmount(AmountFault.DECIMALS if alone else AmountFault.FORMAT)
        if alone:
            raise InvalidAmount(AmountFault.AMBIGUOUS)
        return Decimal(plain.replace(sign, ""))
    parted = _LAST_SIGN.match(plain)
    if parted is None:
        raise InvalidAmount(AmountFault.FORMAT)
    whole, cents = parted.groups()
    group = _GROUPED.match(whole)
    if group is not None and group["sign"] != plain[len(whole)]:
        whole = whole.replace(group["sign"], "")
    if not _PLAIN.match(whole):
        raise InvalidAmount(AmountFault.FORMAT)
    if len(cents) > 2:
        raise InvalidAmount(AmountFault.DECIMALS)
    return Decimal(f"{whole}.{cents}")
