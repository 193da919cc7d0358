"""What an invoice bills: the rows of which list, by which column."""

from __future__ import annotations

from functools import cache

from kelmu_tui.domain.lists import KelaList, lists
from kelmu_tui.domain.review.facts import shape_of
from kelmu_tui.domain.review.row_rules import BILLED_COLUMN


def billed_column(kind: str) -> str:
    """Return the column whose sum is the total of an invoice kind.

    Raises:
        KeyError: there is no such kind.
    """
    return BILLED_COLUMN[shape_of(kind)]


@cache
def billed_list(kind: str) -> KelaList:
    """Return the list whose rows an invoice kind bills; other lists of the same invoice only explain it.

    Raises:
        KeyError: there is no such kind.
    """
    column = billed_column(kind)
    return next(one for one in lists().values() if one.invoice == kind and one.column(column) is not None)
