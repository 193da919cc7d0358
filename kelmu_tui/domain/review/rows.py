"""The rows of an invoice as a review needs them, read from what the wire holds, and the invoice's head.

What a review does not need, such as names, is left out. Sums are `Decimal` euros of whole cents; None stands for what
is not known or not shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar

from kelmu_tui.domain.lists import Event, Period
from kelmu_tui.domain.review.facts import Shape

_EUROS: Final = re.compile(r"-?[0-9]{1,10}\.[0-9]{2}\Z", re.ASCII)

Found = TypeVar("Found")


class UnreadableRow(ValueError):
    """A value of a row is not of its column's type; the message names the column, never the value."""


class Head(NamedTuple):
    """The head of an invoice.

    Attributes:
        kind: id of the catalogue.
        period: what it is for; its rows were paid within.
        payer: code of the municipality, or of the county for treatment abroad.
    """

    kind: str
    period: Period
    sent: date
    due: date
    total: Decimal
    payer: str


class UnemploymentRow(NamedTuple):
    """A payment of an unemployment benefit, or what came back of one.

    Attributes:
        days_paid, days_accumulated: see `shares.share`; positive for returns, too.
        amount: what was paid; of the earnings-related allowance its basic part (assumption). Negative for returns.
        share_percent: percentage of the last day (assumption).
        share: the municipality's share, which is what is billed.
    """

    id: str
    identity_code: str | None
    municipality: str | None
    period: Period | None
    paid_on: date | None
    days_paid: int | None
    days_accumulated: int | None
    amount: Decimal | None
    share_percent: int | None
    share: Decimal | None
    event: Event | None

    @property
    def billed(self) -> Decimal | None:
        """The sum that counts towards the invoice's total."""
        return self.share

    @property
    def track(self) -> str:
        """What a person can have once at a time."""
        return ""


class ChildcareRow(NamedTuple):
    """A payment of childcare support, or what came back of one.

    Attributes:
        amount: what was paid and is billed, the municipal supplement in it (assumption).
    """

    id: str
    identity_code: str | None
    municipality: str | None
    support_type: str | None
    period: Period | None
    paid_on: date | None
    amount: Decimal | None
    supplement: Decimal | None
    event: Event | None

    @property
    def billed(self) -> Decimal | None:
        """The sum that counts towards the invoice's total."""
        return self.amount

    @property
    def track(self) -> str:
        """What a person can have once at a time: a type of support."""
        return self.support_type or ""


class TreatmentRow(NamedTuple):
    """A reimbursement for treatment abroad.

    Attributes:
        country: ISO 3166-1 alpha-2.
        period: time of treatment.
        request_ref: Kela's information request to the county, None when there was none.
        cost, fee: comparable cost and client fee as the county answered.
    """

    id: str
    identity_code: str | None
    country: str | None
    period: Period | None
    prior_authorisation: bool | None
    request_ref: str | None
    cost: Decimal | None
    fee: Decimal | None
    reimbursed: Decimal | None
    paid_on: date | None

    @property
    def amount(self) -> Decimal | None:
        """What was paid."""
        return self.reimbursed

    @property
    def billed(self) -> Decimal | None:
        """The sum that counts towards the invoice's total."""
        return self.reimbursed

    @property
    def track(self) -> str:
        """What tells treatments of one person apart."""
        return f"{self.country or ''} {self.request_ref or ''}"

    @property
    def event(self) -> Event:
        """Reimbursements are paid; nothing else stands in the list."""
        return Event.PAID


Row = UnemploymentRow | ChildcareRow | TreatmentRow


def read_row(shape: Shape, values: Mapping[str, Any]) -> Row:
    """Return the row that the wire holds as `{"id": …, column: value}`; a column that is missing is not shown.

    Raises:
        UnreadableRow: a value is not of its column's type.
    """
    return _READERS[shape](values)


def typed_row(shape: Shape, id: str, values: Mapping[str, Any]) -> Row:  # noqa: A002
    """Return the row whose values have the types of their columns already, as the store gives them.

    An event that the program does not know is None, as is a column that is missing.
    """
    value = values.get
    event = value("event")
    event = event if isinstance(event, Event) else None
    if shape is Shape.UNEMPLOYMENT:
        return UnemploymentRow(
            id,
            value("identity_code"),
            value("municipality"),
            value("period"),
            value("paid_on"),
            value("days_paid"),
            value("days_accumulated"),
            value("amount_eur"),
            value("share_percent"),
            value("municipal_share_eur"),
            event,
        )
    if shape is Shape.CHILDCARE:
        return ChildcareRow(
            id,
            value("identity_code"),
            value("municipality"),
            value("support_type"),
            value("period"),
            value("paid_on"),
            value("amount_eur"),
            value("municipal_supplement_eur"),
            event,
        )
    return TreatmentRow(
        id,
        value("identity_code"),
        value("country"),
        value("treated"),
        value("prior_authorisation"),
        value("request_ref"),
        value("comparable_cost_eur"),
        value("client_fee_eur"),
        value("reimbursed_eur"),
        value("paid_on"),
    )


def _unemployment(values: Mapping[str, Any]) -> UnemploymentRow:
    return UnemploymentRow(
        _id(values),
        _value(values, "identity_code", _text),
        _value(values, "municipality", _text),
        _value(values, "period", _period),
        _value(values, "paid_on", _day),
        _value(values, "days_paid", _whole),
        _value(values, "days_accumulated", _whole),
        _value(values, "amount_eur", _euros),
        _value(values, "share_percent", _whole),
        _value(values, "municipal_share_eur", _euros),
        _value(values, "event", _event),
    )


def _childcare(values: Mapping[str, Any]) -> ChildcareRow:
    return ChildcareRow(
        _id(values),
        _value(values, "identity_code", _text),
        _value(values, "municipality", _text),
        _value(values, "support_type", _text),
        _value(values, "period", _period),
        _value(values, "paid_on", _day),
        _value(values, "amount_eur", _euros),
        _value(values, "municipal_supplement_eur", _euros),
        _value(values, "event", _event),
    )


def _treatment(values: Mapping[str, Any]) -> TreatmentRow:
    return TreatmentRow(
        _id(values),
        _value(values, "identity_code", _text),
        _value(values, "country", _text),
        _value(values, "treated", _period),
        _value(values, "prior_authorisation", _flag),
        _value(values, "request_ref", _text),
        _value(values, "comparable_cost_eur", _euros),
        _value(values, "client_fee_eur", _euros),
        _value(values, "reimbursed_eur", _euros),
        _value(values, "paid_on", _day),
    )


_READERS: Final[Mapping[Shape, Callable[[Mapping[str, Any]], Row]]] = {
    Shape.UNEMPLOYMENT: _unemployment,
    Shape.CHILDCARE: _childcare,
    Shape.TREATMENT_ABROAD: _treatment,
}


def _id(values: Mapping[str, Any]) -> str:
    found = _value(values, "id", _text)
    if found is None:
        raise UnreadableRow("id")
    return found


def _value(values: Mapping[str, Any], column: str, read: Callable[[Any], Found]) -> Found | None:
    value = values.get(column)
    if value is None:
        return None
    try:
        return read(value)
    except (TypeError, ValueError, KeyError):
        # The cause would carry the value into a traceback.
        raise UnreadableRow(column) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


@lru_cache(4096)  # an invoice has few days and many rows, which then share them
def _day(value: Any) -> date:
    return date.fromisoformat(value)


def _period(value: Any) -> Period:
    return _days(value["from"], value["to"])


@lru_cache(4096)
def _days(first_day: str, last_day: str) -> Period:
    first, last = _day(first_day), _day(last_day)
    if last < first:
        raise ValueError
    return Period(first, last)


def _euros(value: Any) -> Decimal:
    if not _EUROS.match(value):
        raise ValueError
    return Decimal(value)


def _event(value: Any) -> Event:
    return Event(value)
