"""Review of an invoice from Kela: what does not stand up in its rows and its head, by which rule.

The rules, their words in three languages and their sources stand in `catalogue/review.toml`; the modules beside this
one hold what they compute. A value that is not known or not shown is no fault, except where a rule says so.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from decimal import Decimal
from typing import Final

from kelmu_tui.domain.lists import invoices
from kelmu_tui.domain.review.facts import Rule, Shape, rules, shape_of
from kelmu_tui.domain.review.findings import Answer, Earlier, Finding, Setting, Value
from kelmu_tui.domain.review.group_rules import Groups, Placed
from kelmu_tui.domain.review.invoice_rules import INVOICE_RULES
from kelmu_tui.domain.review.row_rules import ROW_RULES
from kelmu_tui.domain.review.rows import (
    ChildcareRow,
    Head,
    Row,
    TreatmentRow,
    UnemploymentRow,
    UnreadableRow,
    read_row,
    typed_row,
)

__all__ = [
    "Answer",
    "ChildcareRow",
    "Earlier",
    "Finding",
    "Head",
    "Row",
    "Rule",
    "Shape",
    "TreatmentRow",
    "UnemploymentRow",
    "UnreadableRow",
    "Value",
    "read_row",
    "review",
    "rules",
    "shape_of",
    "typed_row",
]

_WHOLE: Final = -1
"""Position of what is found in the invoice as a whole."""


def review(
    head: Head,
    rows: Iterable[Row],
    *,
    known: Container[str] | None = None,
    answers: Mapping[str, Answer] | None = None,
    earlier: Earlier | None = None,
    artificial: bool = True,
) -> tuple[Finding, ...]:
    """Return what the rules find: first in the invoice as a whole, then row by row, at a row in the catalogue's order.

    The rows are taken one by one and not kept; what is kept of each is a few values.

    Args:
        rows: of the invoice, in its order, each of the shape of its kind (`shape_of`).
        known: identity codes of the people whom the organisation knows, None where it has no list of them.
        answers: the county's own answers by the reference of the request, None where they are not at hand.
        earlier: rows of earlier invoices; without them a return is judged only for the time of this invoice.
        artificial: whether artificial people are real ones here, see `identifiers.parse_identity_code`.

    Raises:
        KeyError: there is no such kind of invoice.
    """
    shape = shape_of(head.kind)
    setting = Setting(head, invoices()[head.kind], known, answers, artificial, {})
    groups = Groups(shape, earlier, head.period)
    checks = tuple(ROW_RULES[shape].values())
    placed: list[Placed] = []
    total: Decimal | None = Decimal("0.00")
    for position, row in enumerate(rows):
        for check in checks:
            found = check(row, setting)
            if found:
                placed.extend(Placed(position, finding) for finding in found)
        groups.add(position, row)
        total = None if total is None or row.billed is None else total + row.billed
    placed.extend(groups.findings())
    for whole in INVOICE_RULES[shape].values():
        placed.extend(Placed(_WHOLE, finding) for finding in whole(head, total))
    order = {rule: place for place, rule in enumerate(rules())}
    placed.sort(key=lambda one: (one.position, order[one.finding.rule]))
    return tuple(one.finding for one in placed)
