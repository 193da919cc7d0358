"""What is typed into the form of a sending, and what of it hinders the sending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from kelmu_tui.domain.documents import askers, ways
from kelmu_tui.services.claim_days import DayFault, InvalidDay, parse_day
from kelmu_tui.services.customers import InvalidCase


class SendField(StrEnum):
    """The fields of the form, in their order."""

    CUSTOMER = "customer"
    ASKED_BY = "asked_by"
    WAY = "way"
    ASKED_ON = "asked_on"
    CASE = "case"


CHOSEN: Final = frozenset({SendField.ASKED_BY, SendField.WAY})
"""Fields in which something is chosen."""


class Wrong(StrEnum):
    """What can be wrong with a field; a day has faults of its own."""

    MISSING = "missing"
    FUTURE = "future"
    CASE = "case"


Fault = Wrong | DayFault


class ReadRequest(NamedTuple):
    """What the fields say.

    Attributes:
        asked_by, way: empty while nothing is chosen.
        faults: fields that hinder the sending, and why; not that of the customer, whose code is judged apart.
    """

    asked_by: str
    way: str
    asked_on: date | None
    case: str | None
    faults: Mapping[SendField, Fault]


def read_request(values: Mapping[str, str], today: date, clean_case: Callable[[str], str | None]) -> ReadRequest:
    """Read the fields.

    Args:
        clean_case: returns a case reference as it is sent (`Customers.clean_case`).
    """
    faults: dict[SendField, Fault] = {}
    asked_by, way = values.get(SendField.ASKED_BY, ""), values.get(SendField.WAY, "")
    if asked_by not in askers():
        faults[SendField.ASKED_BY] = Wrong.MISSING
    if way not in ways():
        faults[SendField.WAY] = Wrong.MISSING
    asked_on = None
    try:
        if text := values.get(SendField.ASKED_ON, "").strip():
            asked_on = parse_day(text, today)
        else:
            faults[SendField.ASKED_ON] = Wrong.MISSING
    except InvalidDay as invalid:
        faults[SendField.ASKED_ON] = invalid.fault
    if asked_on is not None and asked_on > today:
        faults[SendField.ASKED_ON] = Wrong.FUTURE
    case = None
    try:
        case = clean_case(values.get(SendField.CASE, ""))
    except InvalidCase:
        faults[SendField.CASE] = Wrong.CASE
    return ReadRequest(asked_by, way, asked_on, case, faults)
