"""A desk at which lists are fetched: the real store and service, and a backend whose publications tests give."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.screens.desk import HearRows
from kelmu_tui.services.lists import Lists
from kelmu_tui.services.session import put_secrets
from kelmu_tui.store.lists import Publication
from tests.screens.customers import LookUpOffice
from tests.screens.support import settled, text_of
from tests.services.customers import grant
from tests.services.signed_in import organisation, session_text
from tests.store.build import OWN

VETERANS = "list_front_veterans_supplement"


class ListsOffice(LookUpOffice):
    """An office whose user may fetch lists.

    Attributes:
        published: what the backend publishes, with the rows of each.
        gate: after its first part a fetch waits until this is open.
        refused: what the backend says in place of an answer.
    """

    def __init__(self, folder: Path, rows: Iterable[Mapping[str, Any]], **options: Any) -> None:
        super().__init__(folder, rows, **options)
        self.published: list[tuple[Publication, list[dict[str, Any]]]] = []
        self.refused: Exception | None = None
        self.refreshed = 0

    @property
    def lists(self) -> Lists:
        """The service of the desk."""
        assert self.desk is not None
        return self.desk.lists

    def publish(self, publication: Publication, rows: list[dict[str, Any]]) -> None:
        """Let the backend publish a list, in place of an earlier version."""
        self.published = [one for one in self.published if one[0][:2] != publication[:2]]
        self.published.append((publication, rows))

    def hold(self, publication: Publication, rows: list[dict[str, Any]]) -> None:
        """Have a list here."""
        self.lists.finish(self.lists.take(self.lists.begin(publication), rows))

    def give(self, *mandates: str) -> None:
        """Let the session be one with these mandates."""
        made = organisation(OWN, "Pirkanmaa", grants=[grant(mandate) for mandate in mandates])
        put_secrets(self.store, {"session": session_text(made)})

    async def refresh_lists(self) -> None:
        """Say what is published."""
        self.refreshed += 1
        if self.refused is not None:
            raise self.refused
        await self.thread.run(self.lists.announce, [one for one, _ in self.published], list(catalogue()))

    async def refresh_invoices(self) -> None:
        """Say that nothing was billed."""

    async def fetch_list(self, list_id: str, period: str, hear: HearRows) -> None:
        """Give the rows in two parts, the second one when the gate is open."""
        publication, rows = next(one for one in self.published if one[0][:2] == (list_id, period))
        under_way = await self.thread.run(self.lists.begin, publication)
        here = under_way.rows
        for part in (rows[here : len(rows) // 2], rows[max(here, len(rows) // 2) :]):
            if part:
                under_way = await self.thread.run(self.lists.take, under_way, part)
                hear(under_way.rows, publication.rows)
            await asyncio.sleep(0)
            if self.refused is not None:
                raise self.refused
            await self.gate.wait()
        await self.thread.run(self.lists.finish, under_way)


@asynccontextmanager
async def listing(
    folder: Path, size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[tuple[ListsOffice, Pilot[Any]]]:
    """Run an office for lists; wait until its inbox is there."""
    app = ListsOffice(folder, (), **options)
    try:
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            yield app, pilot
    finally:
        app.gate.set()
        app.thread.close()


def words(app: ListsOffice) -> str:
    """Return the screen as words."""
    return " ".join(text_of(app).split())


def looks(app: ListsOffice) -> list[tuple[str, str, int]]:
    """Return view, subject and rows of what was logged about lists."""
    with app.store.read() as db:
        found = db.execute(
            "SELECT body ->> 'view', body ->> 'subject', body ->> 'rows' FROM main.view_event ORDER BY number"
        ).fetchall()
    return [(view, subject, rows) for view, subject, rows in found if view.startswith("list_")]
