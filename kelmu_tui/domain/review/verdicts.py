"""What people say of a finding, and the name under which a finding is found again when its list comes anew."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from kelmu_tui.domain.lists import Period
from kelmu_tui.domain.review.findings import Finding, Value

_DIGITS: Final = 16
"""Hexadecimal digits of a key: enough for the findings of an invoice, short enough to be typed."""


class Verdict(StrEnum):
    """What the user says of a finding."""

    ACCEPTED = "accepted"
    DISPUTED = "disputed"
    NOTED = "noted"


def finding_key(finding: Finding) -> str:
    """Return the key of a finding within its invoice: 16 hexadecimal digits.

    The rows of a publication keep their ids when it comes anew, so a finding keeps its key for as long as the same
    stands in the same rows; where something else stands there, it is another finding.
    """
    named = [finding.rule, list(finding.rows), finding.column, *_told(finding.found)]
    text = json.dumps(named, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _told(value: Value) -> tuple[str, str]:
    """Return type and text of a value, so that equal sums are equal and a sum is never taken for a number."""
    match value:
        case None:
            return "", ""
        case Decimal():
            return "euros", f"{value:.2f}"
        case Period():
            return "period", f"{value.first.isoformat()}/{value.last.isoformat()}"
        case date():
            return "day", value.isoformat()
        case int():
            return "number", str(value)
        case _:
            return "text", str(value)
