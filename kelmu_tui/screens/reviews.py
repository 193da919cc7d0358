"""Reviews of invoices under way: how far each is, why one did not end well, and what the ones before found.

A review goes on while the user looks at something else; only what it found in the last invoice is kept in memory, of
the others the keys of their findings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING, NamedTuple

from kelmu_tui.domain.own_files import ABROAD
from kelmu_tui.domain.review.billing import billed_list
from kelmu_tui.screens.fetches import Progress
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.invoices import Billing, NoHead
from kelmu_tui.services.lists import NotHere
from kelmu_tui.services.reviewing import Reviewed, review
from kelmu_tui.store.errors import NotShown, StoreError
from kelmu_tui.store.invoices import InvoiceHead

if TYPE_CHECKING:
    from kelmu_tui.domain.review import Answer
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face

Which = tuple[str, str]
"""A kind of invoice and a period."""


class Keys(NamedTuple):
    """The findings of a review by their keys, and what was reviewed: the copy (number) and its invoices."""

    copy: int
    heads: tuple[InvoiceHead, ...]
    found: frozenset[str]


class Reviews:
    """The reviews of one desk.

    Attributes:
        told: is called whenever one of them looks different; with True when one is over.
        residents: identity codes of the people whom the organisation knows, None while there is no list of them.
    """

    def __init__(self, face: Face, desk: Desk) -> None:
        self.desk = desk
        self.told: Callable[[bool], None] = _nobody
        self.residents: Container[str] | None = None
        self._face = face
        self._tasks: dict[Which, asyncio.Task[None]] = {}
        self._progress: dict[Which, Progress] = {}
        self._stopped: set[Which] = set()
        self._keys: dict[Which, Keys] = {}
        self._last: Reviewed | None = None

    def progress(self, which: Which) -> Progress | None:
        """Return how far a review is, None when there is none under way."""
        return self._progress.get(which)

    def stopped(self, which: Which) -> bool:
        """Tell whether the last review of an invoice was stopped, or did not end well."""
        return which in self._stopped

    def last(self, billing: Billing) -> Reviewed | None:
        """Return the last review, None when it was not of this invoice as it is here now."""
        return self._last if self._last is not None and is_of(self._last, billing) else None

    def keys(self, billing: Billing) -> frozenset[str] | None:
        """Return the keys of what was found in an invoice as it is here now, None when that was not reviewed."""
        known = self._keys.get((billing.kind.id, billing.period))
        copy = None if billing.entry is None else billing.entry.copy
        same = known is not None and copy is not None and (known.copy, known.heads) == (copy.number, billing.heads)
        return known.found if known is not None and same else None

    def begin(self, which: Which, rows: int) -> None:
        """Review an invoice with that many rows, unless that is under way."""
        if which in self._tasks:
            return
        self._stopped.discard(which)
        self._progress[which] = Progress(0, rows)
        task = self._face.tasks.spawn("invoice.review", self._review(which))
        # Not in the coroutine: one that is cancelled before it began never runs.
        task.add_done_callback(lambda _: self._ended(which))
        self._tasks[which] = task
        self.told(False)

    def cancel(self, which: Which) -> bool:
        """Stop a review; False when there is none."""
        task = self._tasks.get(which)
        if task is None:
            return False
        self._stopped.add(which)
        task.cancel()
        return True

    async def stop(self) -> None:
        """Stop all of them, and wait until they have ended."""
        running = list(self._tasks.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _review(self, which: Which) -> None:
        def hear(done: int, total: int) -> None:
            before, now = self._progress.get(which), Progress(done, total)
            self._progress[which] = now
            if before is None or before.percent != now.percent:
                self.told(False)

        t = self._face.t
        try:
            answers = await self.desk.run(self._answers, which[0])
            reviewed = await review(
                self.desk.run, self.desk.invoices, *which, residents=self.residents, answers=answers, hear=hear
            )
        except (NotAllowed, NotHere, NoHead):
            self._stopped.add(which)  # the screen that shows the invoice says why, when it looks what there is
        except NotShown as error:
            self._face.store_failed(error)
        except StoreError as error:
            self._stopped.add(which)
            self._face.store_failed(error)
        else:
            self._remember(which, reviewed)
            self._face.say(t("invoice_view.reviewed_now", count=len(reviewed.found)), role="good")

    def _answers(self, kind: str) -> Mapping[str, Answer] | None:
        """Return the county's own answers by the reference of the request, None where there are none."""
        return self.desk.own_data.answers() or None if billed_list(kind).id == ABROAD else None

    def _remember(self, which: Which, reviewed: Reviewed) -> None:
        self._last = reviewed
        self._keys[which] = Keys(
            reviewed.copy.number, reviewed.billing.heads, frozenset(one.key for one in reviewed.found)
        )

    def _ended(self, which: Which) -> None:
        self._tasks.pop(which, None)
        self._progress.pop(which, None)
        self.told(True)


def is_of(reviewed: Reviewed, billing: Billing | None) -> bool:
    """Tell whether what was reviewed is what is here now."""
    copy = None if billing is None or billing.entry is None else billing.entry.copy
    same = copy is not None and copy.number == reviewed.copy.number
    return same and billing is not None and billing.heads == reviewed.billing.heads


def _nobody(over: bool) -> None:
    """Hear it where no screen shows it."""
    del over
