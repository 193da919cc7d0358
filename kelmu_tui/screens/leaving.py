"""The app as people leave it: signing out, quitting, and changing what opens their files when they come back."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from kelmu_tui.i18n.failures import store_text
from kelmu_tui.screens.locking import Locking
from kelmu_tui.services.session import DEMO
from kelmu_tui.services.unsent import discard_unsent, unsent
from kelmu_tui.store.errors import StoreError
from kelmu_tui.sync.status import Connection as Link
from kelmu_tui.sync.status import SyncStatus

SEND_SECONDS: Final = 20.0
"""How long a sign-out waits for what is to be sent first."""
_NO_USE: Final = (Link.OFFLINE, Link.SIGNED_OUT, Link.UPDATE_NEEDED, Link.PAUSED)


class Leaving(Locking):
    """The part of the app that lets people out."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Make the app; the arguments are those of `Entrance`."""
        super().__init__(*arguments, **options)
        self._moved = asyncio.Event()

    async def leave(self) -> None:
        """Close the desk and the store."""
        raise NotImplementedError

    async def clear_desk(self) -> None:
        """Close the desk."""
        raise NotImplementedError

    # --- signing out ------------------------------------------------------------------------------------------------

    async def action_main_sign_out(self) -> None:
        """Sign out, after asking about what is not sent yet."""
        if self._thread is not None and self._store is not None:
            self.spawn("app.sign_out", self._ask_and_leave())

    async def _ask_and_leave(self) -> None:
        store, thread = self._store, self._thread
        if store is None or thread is None:
            return
        count = await thread.run(unsent, store)
        remark = ""
        if count:
            answer = await self._ask_about(count)
            if answer is None:
                return
            if answer == "discard":
                left = await thread.run(discard_unsent, store, store.clock.now())
                remark = self.t("sign_in.out_left", count=left) if left else ""
        else:
            from kelmu_tui.screens.confirm import ConfirmScreen

            title, deed, stay = self.t("sign_in.out_title"), self.t("sign_in.out_deed"), self.t("sign_in.out_stay")
            if not await self.ask(ConfirmScreen(title, self.t("sign_in.out_warning"), deed, stay)):
                return
        await self._sign_out(remark)

    async def _ask_about(self, count: int) -> str | None:
        from kelmu_tui.screens.sign_out import DISCARD, SignOutScreen
        from kelmu_tui.screens.typed import TypedScreen

        answer = await self.ask(SignOutScreen(count, self._send_waiting, keep=not self.where.ephemeral))
        if answer == DISCARD:
            t = self.t
            question = TypedScreen(
                t("sign_in.out_discard"), t("sign_in.out_discarded", count=count), t("sign_in.out_word")
            )
            return answer if await self.ask(question) else None
        return answer

    async def _send_waiting(self) -> int:
        """Try to send what waits; return how many commands are left."""
        store, thread = self._store, self._thread
        if store is None or thread is None:
            return 0
        self._poke()
        ends = self.clock.monotonic() + SEND_SECONDS
        while left := await thread.run(unsent, store):
            patience = ends - self.clock.monotonic()
            if patience <= 0 or self._status.state in _NO_USE:
                break
            self._moved.clear()
            try:
                await asyncio.wait_for(self._moved.wait(), patience)
            except TimeoutError:
                break
        return left

    def _status_changed(self, status: SyncStatus) -> None:
        super()._status_changed(status)
        self._moved.set()

    async def _sign_out(self, remark: str) -> None:
        from kelmu_tui.services.network import calls, end_session

        store, thread = self._store, self._thread
        if store is None or thread is None:
            return
        await self.clear_desk()
        # The engine's own client has gone with it. A backend that is away is told at the next sign-in.
        async with calls(store, self.backend_url, self.clock, self._transport) as (sign_in, client):
            await end_session(self.where, store, sign_in, self.ids, client)
        await self.leave()
        await self.sign_in(remark)

    # --- quitting ---------------------------------------------------------------------------------------------------

    def action_app_quit(self) -> None:
        """Leave; where nothing is kept, only after asking about what is not sent yet."""
        waiting = self._status.queued if self.where.ephemeral else 0
        if waiting:
            self.spawn("app.quit", self._ask_and_quit(waiting))
        else:
            super().action_app_quit()

    async def _ask_and_quit(self, waiting: int) -> None:
        from kelmu_tui.screens.confirm import ConfirmScreen

        t = self.t
        warning = t("sign_in.lost_at_quit", count=waiting)
        if await self.ask(
            ConfirmScreen(t("actions.app.quit.label"), warning, t("sign_in.quit"), t("sign_in.out_stay"))
        ):
            super().action_app_quit()

    # --- what opens the files ---------------------------------------------------------------------------------------

    def action_main_passphrase(self) -> None:
        """Choose another passphrase, or the first one where the keyring has kept the keys."""
        from kelmu_tui.screens.new_passphrase import NewPassphraseScreen

        if self.where.name == DEMO or self.where.ephemeral:
            self.say(self.t("lock.no_passphrase"), role="warn")
        elif self._store is not None and self._thread is not None:
            self.push_screen(NewPassphraseScreen(self._change_passphrase, asks_old=self._how() == "passphrase"))

    async def _change_passphrase(self, old: str, new: str) -> str:
        """Change it and return what hinders it."""
        from kelmu_tui.services.passphrase import change

        store, thread = self._store, self._thread
        if store is None or thread is None:
            return ""
        try:
            changed = await asyncio.to_thread(
                change, self.where, store.folder, lambda fresh: new if fresh else old, keyring=False
            )
        except StoreError as error:
            return store_text(self.t, error)
        await thread.run(store.use_keys, changed.keys)
        self.say(self.t("lock.changed" if changed.forgotten else "lock.changed_left"), role="good")
        return ""
