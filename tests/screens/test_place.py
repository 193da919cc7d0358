"""The screen keeps its place while everything under it is read anew: resets, new epochs, refills, compaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from textual.pilot import Pilot

from kelmu_tui.store import feed
from kelmu_tui.store.page import Entry, Page
from kelmu_tui.store.rows import Query
from tests.screens.support import Office, notices, office, press, settled, text_of, type_text, where
from tests.store.build import NOW, OWN, notice
from tests.widgets.support import until

NOTICES: Final = f"notices:{OWN}"
SCOPES: Final = (NOTICES, f"traces:{OWN}", "announcements")
ROWS: Final = [row | {"due": f"2026-12-{1 + n // 14:02d}"} for n, row in enumerate(notices(400))]
TYPED: Final = "sukunimi"


class Place(NamedTuple):
    """What a user sees of the list and would miss."""

    cursor: str | None
    line: int
    marks: frozenset[str]
    query: Query


def place(app: Office) -> Place:
    window = app.inbox.rows._window
    return Place(where(app), window.cursor - window.top, app.inbox.rows.marks, app.inbox.query_now)


class Feed:
    """The backend's side of the feed, spoken to the store as `sync.pull` does."""

    def __init__(self, app: Office, pilot: Pilot[Any]) -> None:
        self._app = app
        self._pilot = pilot
        self._seq = 10
        self._epoch = "one"

    async def begin(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Bring the first snapshot."""
        await self.take("reset")
        await self.fill(rows)
        await self.flip()

    async def take(
        self, kind: str = "delta", *, changes: Iterable[Entry] = (), added: Sequence[str] = (), more: bool = False
    ) -> None:
        """Bring a page."""
        self._seq += 1
        page = Page(
            kind, self._epoch, f"c{self._seq}", self._seq, more, tuple(changes), SCOPES, added, (), 1, "lease-1",
            NOW + timedelta(hours=12), NOW,
        )  # fmt: skip
        store = self._app.store
        with store.write("replica") as db:
            effect = feed.apply(db, page)
            assert effect is not None
            store.changed(*effect.tables, keys=effect.told())
        await settled(self._pilot)

    def new_epoch(self) -> None:
        """The backend was restored."""
        self._epoch += "'"
        self._seq = 3

    async def fill(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Stream what the scopes that are being filled hold; `rows` are the notices."""
        store = self._app.store
        with store.read() as db:
            scopes = [scope for scope in feed.state(db).scopes if scope.filling is not None]
        for scope in scopes:
            assert scope.filling is not None
            own = rows if scope.name == NOTICES else []
            with store.write("replica") as db:
                assert feed.expect(db, scope.name, scope.filling, self._epoch, len(own))
                store.changed("scope")
            for start in range(0, len(own), 100):
                with store.write("replica") as db:
                    assert feed.fill(db, scope.name, scope.filling, self._epoch, own[start : start + 100])
                await settled(self._pilot)
            with store.write("replica") as db:
                assert feed.end_fill(db, scope.name, scope.filling, self._epoch, self._seq)

    async def flip(self) -> None:
        """Reach the checkpoint from which the fill is shown."""
        await self.take()
        with self._app.store.read() as db:
            assert not feed.state(db).filling


async def at_a_place(app: Office, pilot: Pilot[Any]) -> tuple[Feed, Place]:
    """Fill the list and go deep into it: filtered, marked, scrolled."""
    backend = Feed(app, pilot)
    await backend.begin(ROWS)
    await press(pilot, "slash")
    await type_text(pilot, TYPED)
    await press(pilot, "enter")
    for _ in range(12):
        await press(pilot, "pagedown")
    await press(pilot, "x", "j", "x", *"jj")
    if app.screen.query_one("#preview").display:
        await until(pilot, lambda: app.inbox._preview_of == where(app), "the preview")
        await settled(pilot)
    found = place(app)
    assert len(found.marks) == 2
    assert 0 < found.line < app.inbox.rows._window.height - 1
    assert found.query.text == TYPED
    return backend, found


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("what", ["cursor too old", "new epoch", "scope refilled"])
async def test_the_place_stays_while_rows_are_read_anew_and_when_they_come(
    tmp_path: Path, what: str, size: tuple[int, int]
) -> None:
    async with office(tmp_path, [], size) as (app, pilot):
        backend, before = await at_a_place(app, pilot)
        seen = text_of(app)
        if what == "new epoch":
            backend.new_epoch()
        if what == "scope refilled":
            await backend.take(added=(NOTICES,))
        else:
            await backend.take("reset")
        assert (place(app), text_of(app)) == (before, seen)
        app.set_status(refreshing=True, filled=0, expected=400)
        await settled(pilot)
        assert app.t("common.filling", done="0", total="400")[:12] in text_of(app).splitlines()[0]
        await backend.fill(ROWS)
        assert place(app) == before
        app.set_status(refreshing=False, filled=0, expected=0)
        await backend.flip()
        assert (place(app), text_of(app)) == (before, seen)
        await press(pilot, "j")
        assert place(app).line == before.line + 1


async def test_compaction_that_leaves_nothing_out_changes_nothing(tmp_path: Path) -> None:
    """The feed keeps the newest entry of a row: what comes may have been seen before, and many at once."""
    async with office(tmp_path, []) as (app, pilot):
        backend, before = await at_a_place(app, pilot)
        seen = text_of(app)
        again = [Entry(NOTICES, row["id"], row["version"], "up", row) for row in ROWS]
        await backend.take(changes=again[:200], more=True)
        assert (place(app), text_of(app)) == (before, seen)
        await backend.take(changes=again[200:])
        assert (place(app), text_of(app)) == (before, seen)


async def test_the_cursor_goes_to_the_neighbour_of_a_row_that_the_snapshot_lacks(tmp_path: Path) -> None:
    async with office(tmp_path, []) as (app, pilot):
        backend, before = await at_a_place(app, pilot)
        shown = [row.id for row in app.inbox.rows.rows]
        at = shown.index(str(before.cursor))
        gone = {str(before.cursor), min(before.marks)}
        await backend.take("reset")
        await backend.fill([row for row in ROWS if row["id"] not in gone])
        await backend.flip()
        after = place(app)
        neighbour = next(id_ for id_ in shown[at + 1 :] if id_ not in gone)
        assert after == before._replace(cursor=neighbour, marks=before.marks - gone)


async def test_the_place_in_the_order_is_kept_when_everything_around_has_gone(tmp_path: Path) -> None:
    async with office(tmp_path, []) as (app, pilot):
        backend, before = await at_a_place(app, pilot)
        desk = app.desk
        assert desk is not None
        shown = [row.id for row in desk.inbox.page(before.query, limit=400)]
        at = shown.index(str(before.cursor))
        stay = {*shown[: max(0, at - 60)], *shown[at + 230 :]}
        assert shown[at + 230 :]
        await backend.take("reset")
        await backend.fill([row for row in ROWS if row["id"] in stay])
        await backend.flip()
        assert where(app) == shown[at + 230]
        assert place(app).query == before.query


async def test_new_rows_of_a_snapshot_are_counted_and_not_pushed_under_the_cursor(tmp_path: Path) -> None:
    async with office(tmp_path, []) as (app, pilot):
        backend, before = await at_a_place(app, pilot)
        seen = [row.id for row in app.inbox.rows.visible_rows]
        fresh = [notice(f"z{n:03d}", family=f"Sukunimix{n}", due="2026-11-01") for n in range(30)]
        await backend.take("reset")
        await backend.fill([*ROWS, *fresh])
        await backend.flip()
        assert place(app) == before
        assert [row.id for row in app.inbox.rows.visible_rows] == seen
        assert app.inbox.rows.fresh == 30
