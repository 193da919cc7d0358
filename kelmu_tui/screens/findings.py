"""Which findings of a review are listed, in which order, and the rows that each is about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.review import Finding, rules
from kelmu_tui.domain.review.billing import billed_column
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.invoices import Invoices
from kelmu_tui.services.lists import NotHere
from kelmu_tui.services.reviewing import Found, Reviewed
from kelmu_tui.store.judgements import Judgement
from kelmu_tui.store.list_values import ListRow
from kelmu_tui.widgets.fuzzy import fold
from kelmu_tui.widgets.list_source import ListSource

OPEN: Final = "open"
STATES: Final = (OPEN, *Verdict)
"""What can be said of a finding, nothing first."""
ORDERS: Final = ("invoice", "rule", "state", "rows")
_GLANCE: Final = 500
"""Findings that are looked at before asking again whether anybody still waits."""


class Line(NamedTuple):
    """A finding as it is listed, with those of its rows that are here."""

    found: Found
    rows: tuple[ListRow, ...]

    def sum(self, kind: str) -> Decimal | None:
        """Return the sum concerned: what its rows bill, or by how much the invoice as a whole is off."""
        finding = self.found.finding
        if not finding.rows:
            found, expected = finding.found, finding.expected
            if not isinstance(found, Decimal):
                return None
            return found - expected if isinstance(expected, Decimal) else found
        billed = [row.values.get(billed_column(kind)) for row in self.rows]
        sums = [value for value in billed if isinstance(value, Decimal)]
        return sum(sums, Decimal("0.00")) if sums else None


class Wanted(NamedTuple):
    """Which findings are wanted: by words, by state (`STATES`, None for all) and by rule (id), and in which order."""

    text: str = ""
    state: str | None = None
    rule: str | None = None
    order: str = ORDERS[0]

    @property
    def narrowed(self) -> bool:
        """Whether it leaves findings out."""
        return bool(self.text) or self.state is not None or self.rule is not None


def state_of(found: Found, judged: Mapping[str, Judgement]) -> str:
    """Return what is said of a finding: one of `STATES`."""
    judgement = judged.get(found.key)
    return OPEN if judgement is None else judgement.verdict.value


def select(
    found: Sequence[Found],
    wanted: Wanted,
    judged: Mapping[str, Judgement],
    sentence: Callable[[Finding], str],
    over: Callable[[], bool],
) -> tuple[Found, ...]:
    """Return the findings that are wanted; it may take a while and looks now and then whether it is `over`."""
    if not wanted.narrowed:
        chosen = list(found)
    else:
        chosen = []
        for place, one in enumerate(found):
            if place % _GLANCE == 0 and over():
                return ()
            if _fits(one, wanted, judged, sentence):
                chosen.append(one)
    if wanted.order == "rule":
        places = {rule: place for place, rule in enumerate(rules())}
        chosen.sort(key=lambda one: places[one.finding.rule])
    elif wanted.order == "state":
        chosen.sort(key=lambda one: STATES.index(state_of(one, judged)))
    elif wanted.order == "rows":
        chosen.sort(key=lambda one: -len(one.finding.rows))
    return tuple(chosen)


def _fits(one: Found, wanted: Wanted, judged: Mapping[str, Judgement], sentence: Callable[[Finding], str]) -> bool:
    if wanted.rule is not None and one.finding.rule != wanted.rule:
        return False
    if wanted.state is not None and state_of(one, judged) != wanted.state:
        return False
    if not wanted.text:
        return True
    said = judged.get(one.key)
    text = fold(" ".join((sentence(one.finding), *one.finding.rows, said.text if said else "")))
    # Whole pieces of words: letters that lie scattered are found in nearly every one of many sentences.
    return all(word in text for word in fold(wanted.text).split())


class FindingSource:
    """Findings as a source for a RowList: the rows of those that are shown are read from the store."""

    def __init__(
        self,
        run: Callable[..., Awaitable[Any]],
        invoices: Invoices,
        reviewed: Reviewed,
        found: Sequence[Found],
        lost: Callable[[NotHere | NotAllowed], None],
    ) -> None:
        self._run = run
        self._invoices = invoices
        self._reviewed = reviewed
        self._findings = ListSource(found, lambda one: one.key)
        self._lost = lost

    def key(self, row: Line) -> str:
        """Return the finding's key."""
        return row.found.key

    async def page(
        self, limit: int, *, after: Line | None = None, before: Line | None = None, last: bool = False
    ) -> Sequence[Line]:
        """Return a piece of the findings with their rows."""
        behind = None if after is None else after.found
        ahead = None if before is None else before.found
        return await self._lines(await self._findings.page(limit, after=behind, before=ahead, last=last))

    async def find(self, keys: Sequence[str]) -> Sequence[Line]:
        """Return the findings of `keys` with their rows."""
        return await self._lines(await self._findings.find(keys))

    async def count(self) -> int:
        """Return how many findings there are."""
        return await self._findings.count()

    async def _lines(self, found: Sequence[Found]) -> Sequence[Line]:
        if not found:
            return []
        try:
            rows = await self._run(self._invoices.rows, self._reviewed, found)
        except (NotHere, NotAllowed) as problem:
            self._lost(problem)
            return []
        return [Line(one, tuple(rows[id_] for id_ in one.finding.rows if id_ in rows)) for one in found]
