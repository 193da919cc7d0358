"""Whole terminals of users of a backend with customers: the real app, its engine and its store, signed in for real."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from textual.pilot import Pilot

from kelmu_backend.database import tables
from kelmu_tui.api.client import Client
from kelmu_tui.api.sign_in import SignIn
from kelmu_tui.domain.sections import Section
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.platform.settings import Loaded, Settings
from kelmu_tui.screens.customer import CustomerScreen
from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.services.customers import LookUp
from kelmu_tui.services.network import FixedToken, complete
from kelmu_tui.services.session import device
from kelmu_tui.store.database import Store
from kelmu_tui.sync.status import Connection
from tests.backend.customers.support import PURPOSE, REASON, Register
from tests.screens.support import TERMINAL, text_of
from tests.widgets.support import until

from .wire import Wire

URL = "http://127.0.0.1:9"
SIZES = ((80, 24), (120, 40))
LASTING = frozenset({"app.network", "app.engine"})
"""Tasks of an app that has nothing to do."""


Event = tuple[str, str | None, str | None, str | None]
"""View, subject, purpose and case reference."""


@dataclass
class Place:
    """A backend with people, and terminals that reach it over `wire`."""

    register: Register
    wire: Wire
    folder: Path

    def profile(self, home: str) -> Profile:
        """Return the profile in a home of its own, as `KELMU_HOME` names it."""
        base = self.folder / home
        return Profile("demo", base / "data" / "demo", base / "settings.toml")

    async def sign_in(self, user: str, home: str) -> None:
        """Sign a user in, by the device grant that a persona approves."""
        where, clock, ids = self.profile(home), self.register.world.clock, SeededIds(home)
        number = device(where, ids)
        async with SignIn(URL, device=number, clock=clock, transport=self.wire) as sign_in:
            asked = await sign_in.start("test")
            await sign_in.approve(asked.user_code, user)
            tokens = await sign_in.poll(asked, at_once=True)
        store = await complete(
            where,
            URL,
            tokens,
            clock=clock,
            ids=ids,
            ask=lambda _: "",
            client=lambda token: Client(URL, FixedToken(token), number, self.wire),
        )
        store.close()

    @asynccontextmanager
    async def terminal(
        self, user: str = "viewer", home: str = "home", size: tuple[int, int] = (80, 24), *, signed_in: bool = False
    ) -> AsyncIterator[Terminal]:
        """Run the app of a user in a home; `signed_in` is for one that was there before."""
        if not signed_in:
            await self.sign_in(user, home)
        app = KelmuApp(
            self.profile(home),
            Settings(language="fi"),
            URL,
            terminal=TERMINAL,
            loaded=Loaded(Settings(language="fi")),
            clock=self.register.world.clock,
            ids=SeededIds(f"{home}-app"),
            transport=self.wire,
        )
        async with app.run_test(size=size) as pilot:
            found = Terminal(app, pilot)
            await until(pilot, lambda: app.desk is not None and getattr(app.screen, "ready", False), "a desk")
            if not self.wire.cut:
                await found.online()
            await found.settled()
            yield found

    def told(self) -> list[Event]:
        """Return view, subject, purpose and case of the customers' views that the backend was told, in order."""
        event = tables.view_event.c
        with self.register.world.database.read() as connection:
            bodies = connection.execute(select(event.body).order_by(event.chain, event.number)).scalars().all()
        return of_customers(bodies)


@dataclass
class Terminal:
    """A running app."""

    app: KelmuApp
    pilot: Pilot[Any]

    @property
    def store(self) -> Store:
        """The store of its user."""
        assert self.app._store is not None
        return self.app._store

    @property
    def text(self) -> str:
        """The screen as it is painted."""
        return text_of(self.app)

    @property
    def words(self) -> str:
        """The words on the screen, without frames and line breaks."""
        return " ".join(self.text.replace("│", " ").split())

    @property
    def file(self) -> CustomerScreen:
        """The screen of a file, which has to be on top."""
        assert isinstance(self.app.screen, CustomerScreen), self.app.screen
        return self.app.screen

    @property
    def _idle(self) -> bool:
        app, screen = self.app, self.app.screen
        thread = app._thread
        if app.curtain.down or app._key_guard is not None or app._held or set(app.tasks.names) - LASTING:
            return False
        if (thread is not None and thread.busy) or any(
            one.rows.busy for one in app.screen_stack if one.is_mounted and hasattr(one, "rows")
        ):
            return False
        waiting = screen._dirty_widgets or screen._layout_required or screen._repaint_required
        return not waiting and not screen._compositor._dirty_regions

    async def settled(self) -> None:
        """Wait until everything that was asked for is on the screen."""
        for _ in range(2):
            await until(self.pilot, lambda: self._idle, "an idle app")
            await self.pilot._wait_for_screen()
        if self.app._exception is not None:
            raise self.app._exception

    async def press(self, *keys: str) -> None:
        """Press keys and wait until they have had all their effect."""
        await self.pilot.press(*keys)
        await self.settled()

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.press(*("space" if letter == " " else letter for letter in text))

    async def until_words(self, *texts: str) -> None:
        """Wait until all texts are on the screen."""
        await until(self.pilot, lambda: all(text in self.words for text in texts), repr(texts))

    async def online(self) -> None:
        """Wait until the backend answers."""
        await until(self.pilot, lambda: self.app.online, "a connection")

    async def offline(self) -> None:
        """Wait until it is known that it does not."""
        self.app._poke()
        await until(self.pilot, lambda: self.app._status.state is Connection.OFFLINE, "being offline")

    async def fetch(self, query: LookUp) -> str:
        """Look somebody up without the dialog."""
        assert self.app.desk is not None
        return await self.app.desk.look_up(query, lambda _: None)

    async def show(self, customer: str) -> None:
        """Open a file that is held."""
        self.app.call_later(self.app.show_customer, customer)
        await until(
            self.pilot,
            lambda: (
                isinstance(self.app.screen, CustomerScreen)
                and self.app.screen.customer == customer
                and self.app.screen.ready
            ),
            "the file",
        )
        await self.settled()

    async def look_up(self, code: str, case: str = "123/26") -> None:
        """Go the whole way of the dialog from the inbox: code, purpose, case, reason when it is asked for."""
        await self.press("2")
        await self.type(code)
        await self.press("enter", "enter")
        await self.type(case)
        await self.pilot.press("enter")  # sources may be slow: the rest of the answer is not waited for
        await until(
            self.pilot,
            lambda: isinstance(self.app.screen, CustomerScreen) or self.app.screen.has_class("-reasoned"),
            "the file or a question for the reason",
        )
        if not isinstance(self.app.screen, CustomerScreen):
            await self.type(REASON)
            await self.pilot.press("enter")
        await until(self.pilot, lambda: isinstance(self.app.screen, CustomerScreen), "the file")

    def logged(self) -> list[Event]:
        """Return view, subject, purpose and case of the customers' views in the ledger, in order."""
        with self.store.read() as db:
            rows = db.execute("SELECT body FROM main.view_event ORDER BY number").fetchall()
        return of_customers(body for (body,) in rows)


def of_customers(bodies: Iterable[str]) -> list[Event]:
    """Return view, subject, purpose and case of the customers' views among events as they are hashed."""
    found = [json.loads(body) for body in bodies]
    return [
        (one["view"], one["subject"], one.get("purpose"), one.get("case_reference"))
        for one in found
        if one["view"].startswith("customer")
    ]


def query(code: Any = None, **changes: Any) -> LookUp:
    """Return a look-up of everything."""
    values = {"purpose": PURPOSE, "code": code, "case_reference": "123/26", "reason": REASON}
    return LookUp(**{**values, "sections": tuple(Section), **changes})
