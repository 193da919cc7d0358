"""What a review finds, and what it knows while it looks."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from kelmu_tui.domain.lists import Event, Invoice, Period
from kelmu_tui.domain.review.rows import Head, Row

Value = Decimal | int | str | date | Period | Event | None
"""A typed value of a finding; its form in a language is the screens' matter."""


class Finding(NamedTuple):
    """Something that a rule found.

    Attributes:
        rule: id of the catalogue's rule.
        rows: ids of the rows it is about, in the order of the invoice; none when it is about the invoice as a whole.
        column: id of the list's column that it is about, None when it is about no single one.
        expected: what should stand there by the rule, None where the rule names nothing.
        found: what stands there.
    """

    rule: str
    rows: tuple[str, ...]
    column: str | None = None
    expected: Value = None
    found: Value = None


Findings = tuple[Finding, ...]
NOTHING: Findings = ()


class Answer(NamedTuple):
    """The county's own answer to an information request: cost of comparable treatment and client fee, in euros."""

    cost: Decimal
    fee: Decimal


class Earlier(NamedTuple):
    """Rows of earlier invoices of the same kind: what was paid then is not paid again, and may come back now.

    Attributes:
        since: first day from which on all invoices are at hand, those of the one under review included; a return for an
            earlier time is not judged.
    """

    since: date
    rows: Iterable[Row]


class Setting(NamedTuple):
    """What the rules judge a row by; see `review`. `valid` remembers of each identity code whether it is one."""

    head: Head
    invoice: Invoice
    known: Container[str] | None
    answers: Mapping[str, Answer] | None
    artificial: bool
    valid: dict[str, bool]
