"""What happens to documents without a request: they are taken, their time is over, what a crash left behind goes."""

from __future__ import annotations

import logging

from kelmu_backend.core import Core
from kelmu_backend.documents import taking, uploads
from kelmu_backend.documents.taking import Claimed, Judged, Kela
from kelmu_backend.feed import Change

log = logging.getLogger("kelmu_backend")


class Documents:
    """The work of one running backend."""

    def __init__(self, core: Core) -> None:
        self._core = core
        config = core.config
        self._kela = Kela(core.vault, config.scanner, config.delivery, playing=config.demo)

    async def take(self) -> int:
        """Let Kela's side take the sendings that wait; return how many it has taken or refused."""
        done = 0
        while self._kela.takes:
            claimed = await self._core.run(self._claim)
            if claimed is None:
                break
            told = await self._judge(claimed)
            if told is None:
                continue
            change, places = await self._core.run(self._finish, told)
            await self._core.run(self._core.vault.destroy, places)
            if change is not None:
                self._core.hub.committed(change)
                done += 1
        return done

    async def _judge(self, claimed: Claimed) -> Claimed | None:
        """Note what becomes of each document; None when some have to be tried again, or another process goes on."""
        left = 0
        for document in claimed.unjudged:
            judged = await self._core.run(self._kela.judge, claimed.row, document)
            left += judged is None
            noted = await self._core.run(self._note, claimed, judged)
            if noted is None:
                return None
            claimed = noted
        if left:
            await self._core.run(self._release, claimed)
            return None
        return claimed

    async def expire(self) -> int:
        """Destroy the uploads that nobody finished in time; return how many."""
        count = 0
        while places := await self._core.run(self._expire):
            await self._core.run(self._core.vault.destroy, places)
            count += len(places)
        return count

    async def sweep(self) -> int:
        """Remove files that belong to nothing; return how many."""
        return await self._core.run(self._sweep)

    def _claim(self) -> Claimed | None:
        core = self._core
        now = core.config.clock.now()
        # Looking needs no writer: most seconds nothing waits.
        with core.database.read() as connection:
            identifier = taking.waiting(connection, now)
        if identifier is None:
            return None
        with core.database.write() as connection:
            return taking.claim(connection, identifier, now)

    def _release(self, claimed: Claimed) -> None:
        core = self._core
        log.warning("a sending waits: a program could not do its part")
        with core.database.write() as connection:
            taking.release(connection, claimed, core.config.clock.now())

    def _note(self, claimed: Claimed, judged: Judged | None) -> Claimed | None:
        core = self._core
        now = core.config.clock.now()
        return core.database.insist(lambda connection: taking.note(connection, claimed, judged, now))

    def _finish(self, claimed: Claimed) -> tuple[Change | None, list[str]]:
        core = self._core
        now = core.config.clock.now()
        return core.database.insist(lambda connection: taking.finish(connection, claimed, now))

    def _expire(self) -> list[str]:
        core = self._core
        now = core.config.clock.now()
        with core.database.read() as connection:
            if not uploads.over(connection, now):
                return []
        with core.database.write() as connection:
            return uploads.expire(connection, now)

    def _sweep(self) -> int:
        core = self._core
        # In this order: what is begun after the listing is in neither.
        found = core.vault.names()
        with core.database.read() as connection:
            alive = uploads.alive(connection, found)
        return sum(core.vault.destroy_stray(name) for name in found if name not in alive)
