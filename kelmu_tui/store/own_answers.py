"""The county's answers to Kela's information requests, and which columns of its files they stand in.

They come from the user's own files, so they stand in the ledger and go with no replica. All functions work inside the
caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kelmu_tui.domain import own_files
from kelmu_tui.store.replica import instant, microseconds

if TYPE_CHECKING:  # the rules of a review are nothing that a start should read
    from kelmu_tui.domain.review import Answer

MOST_MAPPINGS: Final = 50
"""Mappings that are remembered for an organisation and a purpose; the newest ones stay."""
_CENT: Final = Decimal("0.01")


class TooManyAnswers(ValueError):
    """There would be more answers than are kept for an organisation."""


class Outcome(NamedTuple):
    """What became of answers that were given: how many are new, say something else than before, or the same."""

    new: int = 0
    changed: int = 0
    same: int = 0

    def plus(self, other: Outcome) -> Outcome:
        """Return both together."""
        return Outcome(self.new + other.new, self.changed + other.changed, self.same + other.same)


class Kept(NamedTuple):
    """How many answers are kept, and when the oldest and the newest of them were given (UTC)."""

    answers: int
    first_at: datetime
    last_at: datetime


def put(db: Any, organisation: str, answers: Mapping[str, Answer], now: datetime) -> Outcome:
    """Keep answers, in the place of what was answered to the same requests before.

    Raises:
        TooManyAnswers: there would be too many.
    """
    new = changed = 0
    at = microseconds(now)
    for ref, answer in answers.items():
        found = db.execute(
            "SELECT cost, fee FROM main.own_answer WHERE organisation = ? AND ref = ?", (organisation, ref)
        ).fetchone()
        cents = _cents(answer.cost), _cents(answer.fee)
        new += found is None
        changed += found is not None and found != cents
        db.execute(
            "INSERT OR REPLACE INTO main.own_answer (organisation, ref, cost, fee, at) VALUES (?, ?, ?, ?, ?)",
            (organisation, ref, *cents, at),
        )
    if new and _count(db, organisation) > own_files.limits().answers:
        raise TooManyAnswers
    return Outcome(new, changed, len(answers) - new - changed)


def compared(db: Any, organisation: str, answers: Mapping[str, Answer], now: datetime) -> Outcome:
    """Return what `put` would say, without keeping anything.

    Raises:
        TooManyAnswers: as there, for all of them together.
    """
    known = answered(db, organisation, now)
    same = sum(known.get(ref) == answer for ref, answer in answers.items())
    changed = sum(ref in known for ref in answers) - same
    new = len(answers) - same - changed
    if len(known) + new > own_files.limits().answers:
        raise TooManyAnswers
    return Outcome(new, changed, same)


def answered(db: Any, organisation: str, now: datetime) -> dict[str, Answer]:
    """Return what is kept, by reference, without what is over."""
    from kelmu_tui.domain.review import Answer

    rows = db.execute(
        "SELECT ref, cost, fee FROM main.own_answer WHERE organisation = ? AND at > ?",
        (organisation, _oldest(now)),
    )
    return {ref: Answer(_euros(cost), _euros(fee)) for ref, cost, fee in rows}


def kept(db: Any, organisation: str, now: datetime) -> Kept | None:
    """Return how much is kept, None when nothing is."""
    count, first, last = db.execute(
        "SELECT count(*), min(at), max(at) FROM main.own_answer WHERE organisation = ? AND at > ?",
        (organisation, _oldest(now)),
    ).fetchone()
    return Kept(count, instant(first), instant(last)) if count else None


def forget(db: Any, organisation: str) -> int:
    """Delete all answers of an organisation and return how many there were."""
    return int(db.execute("DELETE FROM main.own_answer WHERE organisation = ?", (organisation,)).rowcount)


def over(db: Any, now: datetime) -> bool:
    """Tell whether an answer of any organisation has been kept for long enough; one step into an index."""
    first = db.execute("SELECT min(at) FROM main.own_answer").fetchone()[0]
    return first is not None and first <= _oldest(now)


def end(db: Any, now: datetime, limit: int) -> int:
    """Delete up to `limit` answers that have been kept for long enough, of every organisation."""
    rows = db.execute(
        "SELECT organisation, ref FROM main.own_answer WHERE at <= ? ORDER BY at LIMIT ?", (_oldest(now), limit)
    ).fetchall()
    db.executemany("DELETE FROM main.own_answer WHERE organisation = ? AND ref = ?", rows)
    return len(rows)


def _count(db: Any, organisation: str) -> int:
    row = db.execute("SELECT count(*) FROM main.own_answer WHERE organisation = ?", (organisation,)).fetchone()
    return int(row[0])


def _oldest(now: datetime) -> int:
    return microseconds(now - own_files.kept())


def _cents(euros: Decimal) -> int:
    return int(euros.scaleb(2))


def _euros(cents: int) -> Decimal:
    return Decimal(cents) * _CENT


# --- mappings -------------------------------------------------------------------------------------------------------


def remember(db: Any, organisation: str, wanted: str, headings: str, places: tuple[int, ...], now: datetime) -> None:
    """Remember in which columns a file with such headings has what is wanted; `headings` is a digest of them."""
    db.execute(
        "INSERT OR REPLACE INTO main.own_mapping (organisation, wanted, headings, places, at) VALUES (?, ?, ?, ?, ?)",
        (organisation, wanted, headings, json.dumps(places), microseconds(now)),
    )
    db.execute(
        "DELETE FROM main.own_mapping WHERE organisation = ?1 AND wanted = ?2 AND headings NOT IN (SELECT headings"
        " FROM main.own_mapping WHERE organisation = ?1 AND wanted = ?2 ORDER BY at DESC, headings LIMIT ?3)",
        (organisation, wanted, MOST_MAPPINGS),
    )


def remembered(db: Any, organisation: str, wanted: str) -> dict[str, tuple[int, ...]]:
    """Return the remembered places by the digest of the headings."""
    rows = db.execute(
        "SELECT headings, places FROM main.own_mapping WHERE organisation = ? AND wanted = ?", (organisation, wanted)
    )
    return {headings: tuple(json.loads(places)) for headings, places in rows}
