"""The rules that judge an invoice as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from kelmu_tui.domain.review.facts import Shape
from kelmu_tui.domain.review.findings import NOTHING, Finding, Findings
from kelmu_tui.domain.review.rows import Head

Check = Callable[[Head, Decimal | None], Findings]
"""A rule as code; the sum of the rows is None where a row lacks its own."""


def _total_wrong(head: Head, rows: Decimal | None) -> Findings:
    if rows is None or rows == head.total:
        return NOTHING
    return (Finding("total_wrong", (), None, rows, head.total),)


def _negative_invoice(head: Head, rows: Decimal | None) -> Findings:  # noqa: ARG001
    return (Finding("negative_invoice", (), None, None, head.total),) if head.total < 0 else NOTHING


def _zero_invoice(head: Head, rows: Decimal | None) -> Findings:  # noqa: ARG001
    return (Finding("zero_invoice", (), None, None, head.total),) if head.total == 0 else NOTHING


INVOICE_RULES: Final[Mapping[Shape, Mapping[str, Check]]] = {
    Shape.UNEMPLOYMENT: {"total_wrong": _total_wrong},
    Shape.CHILDCARE: {
        "total_wrong": _total_wrong,
        "negative_invoice": _negative_invoice,
        "zero_invoice": _zero_invoice,
    },
    Shape.TREATMENT_ABROAD: {"total_wrong": _total_wrong},
}
"""The rules of each shape by their id."""
