"""The app as it goes on when a page of its files is damaged: the broken file is set aside, a fresh one filled."""

from __future__ import annotations

from kelmu_tui.i18n.failures import incident_text
from kelmu_tui.screens.linked import Linked
from kelmu_tui.store.errors import StoreCorrupt, StoreError
from kelmu_tui.sync.status import SyncStatus


class Mending(Linked):
    """The part of the app that mends what can be mended while it runs."""

    _mending = False

    def store_failed(self, failure: StoreError) -> None:
        """Say what is wrong; a damaged file is looked for and set aside."""
        if not isinstance(failure, StoreCorrupt):
            super().store_failed(failure)
            return
        self.report(failure)
        if not self._mending:
            self._mending = True
            self.spawn("app.mend", self._mend(failure))

    def _status_changed(self, status: SyncStatus) -> None:
        before = self._status.problem
        super()._status_changed(status)
        if status.problem == StoreCorrupt.code != before:
            self.store_failed(StoreCorrupt())

    async def _mend(self, failure: StoreCorrupt) -> None:
        store, thread = self._store, self._thread
        try:
            if store is None or thread is None:
                return
            with self.keys_held():
                await self.stop_engine()
                found = await thread.run(store.set_aside_broken)
                if not found:
                    super().store_failed(failure)
                    self.talk()
                    return
                await self.enter(store)
                self.say(incident_text(self.t, found), role="alarm")
        except StoreError as error:
            super().store_failed(error)
        finally:
            self._mending = False
