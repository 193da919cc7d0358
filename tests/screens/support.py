"""A desk on the real store for tests of screens: real services, a status that tests set, no network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from contextvars import copy_context
from pathlib import Path
from typing import Any, Final

from textual.pilot import Pilot

from kelmu_tui.actions import Keymap
from kelmu_tui.api.client import Client
from kelmu_tui.api.errors import Unreachable
from kelmu_tui.domain.capabilities import CUSTOMER_LOOKUP, NOTICE_TRANSFER, NOTICES_INBOX
from kelmu_tui.domain.organisations import OrganisationType, social_care_organiser
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.screens.desk import Desk, Hear, HearRows
from kelmu_tui.screens.face import Face
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.work import Work
from kelmu_tui.services.announcements import Announcements
from kelmu_tui.services.claims import Claims
from kelmu_tui.services.customers import Customers, LookUp
from kelmu_tui.services.drafts import Drafts
from kelmu_tui.services.following import Following
from kelmu_tui.services.inbox import Inbox
from kelmu_tui.services.invoices import Invoices
from kelmu_tui.services.lists import Lists
from kelmu_tui.services.look_ups import LookUpLog
from kelmu_tui.services.outbox import Outbox
from kelmu_tui.services.own_data import OwnData
from kelmu_tui.services.sendings import Sendings
from kelmu_tui.store import outbox
from kelmu_tui.store.database import Changed, Store
from kelmu_tui.store.rows import ActiveOrganisation, ActiveSession
from kelmu_tui.store.thread import StoreThread
from kelmu_tui.sync.status import Connection, SyncStatus
from kelmu_tui.terminal.crash import Reporter
from kelmu_tui.terminal.environment import Kind, profile_of
from tests.store.build import NOW, OWN, FixedClock, fill, notice, open_store
from tests.widgets.support import picture, until

SIZES: Final = ((40, 12), (80, 24), (120, 40))
LANGUAGES: Final = ("fi", "sv", "en")
TERMINAL: Final = profile_of(Kind.LOCAL, {"LANG": "C.UTF-8"})
SESSION: Final = ActiveSession(
    "user-1",
    "Laura Koski",
    ActiveOrganisation(
        OWN,
        social_care_organiser("837").name,
        OrganisationType.WELLBEING_COUNTY,
        "06",
        social_care_organiser("837").municipalities,
    ),
    frozenset({NOTICES_INBOX, NOTICE_TRANSFER, CUSTOMER_LOOKUP}),
    "device",
    "lease-1",
)
HOSTILE: Final = (
    "[b]x[/] [@click=app.quit]y[/] \x1b[2J\x1b]52;c;aGk=\x07\u202eevil\u200b 日本語 👩‍👩‍👧 e\u0301\u0301\u0301\u0301"
)


class Office(Face):
    """The app with a desk, as `KelmuApp` has one, without sign-in and network."""

    def __init__(
        self,
        folder: Path,
        rows: Iterable[Mapping[str, Any]],
        *,
        language: str = "fi",
        keys: Mapping[str, str] | None = None,
        session: ActiveSession = SESSION,
        ascii_only: bool = False,
        theme: str = "dark",
    ) -> None:
        self.time = FixedClock()
        super().__init__(
            reporter=Reporter(folder / "reports", self.time, SeededIds(1)),
            terminal=TERMINAL,
            language=language,
            keymap=Keymap(keys),
            clock=self.time,
            ascii_only=ascii_only,
            theme=theme,
        )
        self.store: Store = open_store(folder / "one", self.time)
        self.store.attach(OWN)
        fill(self.store, rows)
        self.thread = StoreThread(self.store)
        self.status = SyncStatus(Connection.ONLINE, synced_at=NOW)
        self.pokes = 0
        self.editing: list[tuple[str, bool]] = []
        self.upload_rate: float | None = None
        ids = SeededIds(2)
        self.desk = Desk(
            session,
            self.thread.run,
            Inbox(self.store, session, self.time, ids),
            Outbox(self.store, self.time, ids),
            Drafts(self.store, session, self.time, ids),
            Announcements(self.store, self.time),
            lambda: self.status,
            self.poke,
            lambda: Customers(self.store, session, self.time, ids),
            self.look_up,
            self._following,
            lambda: LookUpLog(session, self.client, self.time),
            lambda: Lists(self.store, session, self.time, ids),
            self.refresh_lists,
            self.fetch_list,
            self._invoices,
            self.refresh_invoices,
            lambda: OwnData(self.store, session, self.time),
            self._claims,
            self.tell_editing,
            self._sendings,
            lambda: self.upload_rate,
        )
        self.work = Work(self, self.desk)

    def _following(self) -> Following:
        assert self.desk is not None
        return Following(self.store, self.desk.session, self.time, SeededIds(3), self.desk.customers)

    def _claims(self) -> Claims:
        assert self.desk is not None
        return Claims(self.store, self.desk.session, self.time, SeededIds(5), self.desk.customers)

    async def tell_editing(self, claim: str, on: bool) -> None:
        """Note what is told of claims that are changed."""
        self.editing.append((claim, on))

    def _sendings(self) -> Sendings:
        assert self.desk is not None
        return Sendings(self.store, self.desk.session, self.time, SeededIds(5), self.desk.customers)

    def _invoices(self) -> Invoices:
        assert self.desk is not None
        return Invoices(self.store, self.desk.session, self.time, SeededIds(4), self.desk.lists)

    def poke(self) -> None:
        self.pokes += 1

    async def look_up(self, query: LookUp, hear: Hear) -> str:
        """Stand for the backend; tests of customers say what it answers."""
        raise NotImplementedError

    async def refresh_lists(self) -> None:
        """Stand for the backend; tests of lists say what it publishes."""
        raise Unreachable

    async def fetch_list(self, list_id: str, period: str, hear: HearRows) -> None:
        """Stand for the backend; tests of lists say what comes."""
        raise NotImplementedError

    async def refresh_invoices(self) -> None:
        """Stand for the backend; tests of invoices say what it billed."""
        raise Unreachable

    def client(self) -> Client:
        """Stand for the way to the backend; tests of the log of look-ups give one."""
        raise Unreachable

    async def on_mount(self) -> None:
        loop, own = asyncio.get_running_loop(), copy_context()

        def heard(change: Changed) -> None:
            loop.call_soon_threadsafe(self.store_changed, change, context=own)

        self.store.listen(heard)
        assert self.desk is not None
        await self.push_screen(InboxScreen(self.desk))

    @property
    def inbox(self) -> InboxScreen:
        return next(screen for screen in self.screen_stack if isinstance(screen, InboxScreen))

    def set_status(self, **changes: Any) -> None:
        self.status = self.status._replace(**changes)
        self.update_frames()

    @property
    def idle(self) -> bool:
        """Whether nothing is under way: no task, no unit, no list that reads, no key that waits, no paint."""
        lists = [screen.rows for screen in self.screen_stack if screen.is_mounted and hasattr(screen, "rows")]
        quiet = not self.tasks.names and not self.thread.busy and not any(one.busy for one in lists)
        return quiet and self._key_guard is None and not self._held and self.painted

    @property
    def painted(self) -> bool:
        """Whether the terminal has been sent all that it is to see; on a busy machine that is some frames later."""
        if self.curtain.down:
            return True
        screen = self.screen
        waiting = screen._dirty_widgets or screen._layout_required or screen._repaint_required
        return not waiting and not screen._compositor._dirty_regions


def notices(count: int) -> list[dict[str, Any]]:
    """Return notices of different people, places, kinds and days, the most pressing first."""
    kinds = ("social_work_need", "supplementary_or_preventive_application", "reduced_basic_amount")
    places = ("837", "536", "980")
    return [
        notice(
            f"n{number:04d}",
            family=f"Sukunimi{number:04d}",
            given="Aino Maria",
            kind=kinds[number % 3],
            urgent=number % 7 == 0 and number % 3 != 2,
            municipality=places[number % 3],
            due=f"2026-{11 + number // 60:02d}-{1 + number % 30:02d}",
            arrived=f"2026-11-{1 + number % 18:02d}T07:{number % 60:02d}:00Z",
            free_text=f"Vapaa teksti {number}",
        )
        for number in range(count)
    ]


@asynccontextmanager
async def office(
    folder: Path, rows: Iterable[Mapping[str, Any]], size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[tuple[Office, Pilot[Any]]]:
    """Run an office; wait until its inbox is there."""
    app = Office(folder, rows, **options)
    try:
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            yield app, pilot
    finally:
        app.thread.close()


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until the app has nothing left to do but to wait for a key."""
    app = pilot.app
    assert isinstance(app, Office)
    for _ in range(2):
        await until(pilot, lambda: app.idle, "an idle app")
        await pilot.pause()
    if app._exception is not None:
        raise app._exception


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys and wait until they have had all their effect."""
    await pilot.press(*keys)
    await settled(pilot)


async def type_text(pilot: Pilot[Any], text: str) -> None:
    """Type a text."""
    await press(pilot, *("space" if letter == " " else letter for letter in text))


def text_of(app: Any) -> str:
    """Return the whole screen as text."""
    return "\n".join(picture(app))


def check_grid(app: Any, size: tuple[int, int]) -> None:
    """Assert what holds for every screen: each line fills the width, nothing hostile, no key of a text is shown."""
    width, height = size
    strips = app.screen._compositor.render_strips()
    assert len(strips) == height
    for strip in strips:
        assert strip.cell_length == width, (strip.cell_length, strip.text)
    text = "\n".join(strip.text for strip in strips)
    for character in "\x1b\x07\u202e\u200b\x9b":
        assert character not in text


def change(store: Store, work: Callable[[Any], object], *tables: str, keys: Iterable[str] = ()) -> None:
    """Do to the replica what a pull would do, and tell the listeners."""
    with store.write() as db:
        work(db)
        store.changed(*tables, keys=keys)


def pending(app: Office) -> list[tuple[str, str]]:
    """Return verb and notice of the commands that wait."""
    with app.store.read() as db:
        return [(command.verb, command.aggregate) for command in outbox.pending(db, OWN)]


def where(app: Office) -> str | None:
    """Return the id of the notice under the cursor."""
    return app.inbox.rows.current_key
