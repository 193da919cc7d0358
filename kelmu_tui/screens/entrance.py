"""The way in: who is signed in, by the device grant or as a persona of the demo, and what opens their files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from textual.screen import Screen

from kelmu_tui.actions import Keymap
from kelmu_tui.i18n import detect as detect_language
from kelmu_tui.i18n.failures import store_text
from kelmu_tui.platform.clock import Clock, SystemClock
from kelmu_tui.platform.ids import Ids, RandomIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.platform.settings import Loaded, Settings
from kelmu_tui.screens.face import Face
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreError, WeakPassphrase, WrongPassphrase
from kelmu_tui.terminal.crash import Reporter
from kelmu_tui.terminal.environment import TerminalProfile

if TYPE_CHECKING:
    from kelmu_tui.api.client import Client
    from kelmu_tui.api.contract import Tokens
    from kelmu_tui.api.sign_in import SignIn, Transport
    from kelmu_tui.services.demo import DemoHandle

Result = TypeVar("Result")


class Entrance(Face):
    """The part of the app that lets people in."""

    def __init__(
        self,
        profile: Profile,
        settings: Settings,
        backend_url: str,
        *,
        terminal: TerminalProfile,
        demo: DemoHandle | None = None,
        user: str | None = None,
        language: str | None = None,
        loaded: Loaded | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
        transport: Transport | None = None,
    ) -> None:
        """Make the app.

        Args:
            user: id of the signed-in user to open, None for the one of last time.
            loaded: the settings with their problems, which the app tells.
            transport: stands in for the network in tests.
        """
        clock, ids = clock or SystemClock(), ids or RandomIds()
        super().__init__(
            reporter=Reporter(profile.reports, clock, ids),
            terminal=terminal,
            language=language or settings.language or detect_language(os.environ),
            keymap=Keymap(settings.keys),
            theme=settings.theme,
            clock=clock,
            ascii_only=None if settings.glyphs == "auto" else settings.glyphs == "ascii",
        )
        self.where = profile
        self.settings = settings
        self.loaded = loaded or Loaded(settings)
        self.backend_url = backend_url
        self.demo = demo
        self.user = user
        self.ids = ids
        self._transport = transport
        self._language_chosen = language is not None or settings.language is not None

    async def enter(self, store: Store, organisation: str | None = None) -> None:
        """Let the user of `store` work."""
        raise NotImplementedError

    async def with_passphrase(self, work: Callable[[Callable[[bool], str]], Result]) -> Result:
        """Run `work`, which may ask for a passphrase, beside the screen; a wrong one is asked for again."""
        loop = asyncio.get_running_loop()
        problem = ""

        def ask(new: bool) -> str:
            future = asyncio.run_coroutine_threadsafe(self._ask_passphrase(new, problem), loop)
            return future.result()

        while True:
            try:
                return await asyncio.to_thread(work, ask)
            except (WrongPassphrase, WeakPassphrase) as error:
                problem = store_text(self.t, error)

    async def _ask_passphrase(self, new: bool, problem: str) -> str:
        from kelmu_tui.screens.passphrase import PassphraseScreen

        return await self.ask(PassphraseScreen(new=new, problem=problem)) or ""

    async def ask(self, screen: Screen[Result], remark: str = "") -> Result | None:
        """Show a screen, with a remark when there is one, and return its answer."""
        answer: asyncio.Future[Result | None] = asyncio.get_running_loop().create_future()

        def answered(result: Result | None) -> None:
            if not answer.done():
                answer.set_result(result)

        async def show() -> None:
            await self.push_screen(screen, answered)
            if remark:
                self.say(remark, role="warn")  # the screen is mounted by now: a remark said before would be lost

        # From the app's own queue: Textual hands the answer to whoever was at work when the screen was pushed, and a
        # screen that has gone since (the inbox of a session that ended) never passes it on.
        self.call_later(show)
        return await answer

    async def sign_in(self, problem: str = "") -> None:
        """Show the way in until somebody has come in."""
        import platform

        from kelmu_tui.api.sign_in import SignIn
        from kelmu_tui.services.session import device

        number = await asyncio.to_thread(device, self.where, self.ids)
        async with SignIn(self.backend_url, device=number, clock=self.clock, transport=self._transport) as sign_in:
            while True:
                screen = self._way_in(sign_in, platform.node())
                tokens = await self.ask(screen, problem)
                if tokens is None:
                    return
                try:
                    store = await self._complete(tokens)
                except Exception as error:  # noqa: BLE001 - sorted below: only what is expected stays here
                    problem = self._failure_text(error)
                    continue
                await self.enter(store)
                return

    def _way_in(self, sign_in: SignIn, device: str) -> Screen[Tokens]:
        if self.demo is not None and not getattr(self.demo, "browser", False):
            from kelmu_tui.screens.personas import PersonasScreen

            return PersonasScreen(sign_in, device)
        from kelmu_tui.screens.sign_in import SignInScreen

        return SignInScreen(sign_in, device)

    async def _complete(self, tokens: Tokens) -> Store:
        """Open the user's files with the tokens; keyring and passphrase may take their time, so beside the screen."""
        from kelmu_tui.api.client import Client
        from kelmu_tui.services.network import FixedToken, complete

        def client(token: str) -> Client:
            return Client(self.backend_url, FixedToken(token), "", self._transport)

        async def finish(ask: Callable[[bool], str]) -> Store:
            return await complete(
                self.where,
                self.backend_url,
                tokens,
                clock=self.clock,
                ids=self.ids,
                ask=ask,
                client=client if self._transport is not None else None,
                opened=None,
            )

        return await self.with_passphrase(lambda ask: asyncio.run(finish(ask)))

    def _failure_text(self, error: Exception) -> str:
        from kelmu_tui.api.errors import ApiError

        if isinstance(error, StoreError):
            return store_text(self.t, error)
        if isinstance(error, ApiError):
            return self.t.choice("errors.api", error.code, self.t("errors.api.internal"))
        raise error
