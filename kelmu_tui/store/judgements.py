"""What people said of findings in Kela's invoices.

Judgements stand in the ledger, since the replica can go at any moment. They name no people: a finding is named by its
key (`domain.review.verdicts`). They end when the rows that they are about have to: a list may be kept no longer. All
functions work inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.lists import retention
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.store.replica import instant, microseconds


class About(NamedTuple):
    """The invoice that is judged: whose, of which kind (catalogue) and for which period (key)."""

    organisation: str
    kind: str
    period: str


class Judgement(NamedTuple):
    """What was said of a finding.

    Attributes:
        text: reason or remark, empty without one.
        by: name of who said it.
    """

    verdict: Verdict
    text: str
    by: str
    at: datetime


_ABOUT: Final = "organisation = ? AND kind = ? AND period = ?"


def judge(db: Any, about: About, keys: Iterable[str], judgement: Judgement) -> None:
    """Keep a judgement of findings, in the place of an earlier one of each."""
    until = microseconds(judgement.at + retention().kept)
    db.executemany(
        "INSERT OR REPLACE INTO main.judgement (organisation, kind, period, key, verdict, text, by, at, expires)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (*about, key, judgement.verdict.value, judgement.text, judgement.by, microseconds(judgement.at), until)
            for key in keys
        ],
    )


def take_back(db: Any, about: About, keys: Iterable[str]) -> None:
    """Forget what was said of findings."""
    db.executemany(f"DELETE FROM main.judgement WHERE {_ABOUT} AND key = ?", [(*about, key) for key in keys])  # noqa: S608


def judgements(db: Any, about: About, now: datetime) -> dict[str, Judgement]:
    """Return what was said of the findings of an invoice, by their keys."""
    rows = db.execute(
        f"SELECT key, verdict, text, by, at FROM main.judgement WHERE {_ABOUT} AND expires > ?",  # noqa: S608
        (*about, microseconds(now)),
    )
    return {key: Judgement(Verdict(verdict), text, by, instant(at)) for key, verdict, text, by, at in rows}


def end(db: Any, now: datetime) -> int:
    """Forget the judgements whose time is over; return how many."""
    return int(db.execute("DELETE FROM main.judgement WHERE expires <= ?", (microseconds(now),)).rowcount)
