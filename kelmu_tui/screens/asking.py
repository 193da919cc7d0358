"""The app as it asks the backend for something that a screen wants now: a customer, the log of look-ups, lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kelmu_tui.screens.leaving import Leaving

if TYPE_CHECKING:
    from kelmu_tui.api.client import Client
    from kelmu_tui.screens.desk import Hear, HearRows
    from kelmu_tui.services.claim_presence import Presence
    from kelmu_tui.services.context import Connection, Context
    from kelmu_tui.services.customers import LookUp
    from kelmu_tui.services.look_ups import LookUpLog
    from kelmu_tui.store.rows import ActiveSession


class Asking(Leaving):
    """What a desk asks for while it is there; without a way to the backend it is away."""

    _presence: Presence | None = None

    async def stop_engine(self) -> None:
        """Stop what is under way, and only then talking: a closed connection would look like a broken one."""
        if self._exports is not None:
            await self._exports.stop()
        if self._fetches is not None:
            await self._fetches.stop()
        if self._reviews is not None:
            await self._reviews.stop()
        await super().stop_engine()

    def _way(self) -> tuple[Connection, Context]:
        context, link = self._working, self._link
        if context is None or link is None:
            from kelmu_tui.api.errors import Unreachable

            raise Unreachable
        return link, context

    async def _look_up(self, query: LookUp, hear: Hear) -> str:
        link, context = self._way()
        from kelmu_tui.services.looking import look_up

        return await look_up(link, context, query, hear)

    def _look_up_log(self, session: ActiveSession) -> LookUpLog:
        from kelmu_tui.services.look_ups import LookUpLog

        return LookUpLog(session, self._client, self.clock)

    def _client(self) -> Client:
        return self._way()[0].client

    async def _tell_editing(self, claim: str, on: bool) -> None:
        """Tell the backend that the user changes a claim; nobody waits for it, and without a way it is left out."""
        context = self._working
        if context is None:
            return
        organisation = context.active.organisation.business_id
        if self._presence is None or self._presence.organisation != organisation:
            from kelmu_tui.services.claim_presence import Presence

            self._presence = Presence(self._client, organisation, self.clock)
        await self._presence.tell(claim, on)

    async def _refresh_lists(self) -> None:
        link, context = self._way()
        from kelmu_tui.services.list_fetching import refresh_lists

        await refresh_lists(link, context)

    async def _refresh_invoices(self) -> None:
        link, context = self._way()
        from kelmu_tui.services.invoice_fetching import refresh_invoices

        await refresh_invoices(link, context)

    async def _fetch_list(self, list_id: str, period: str, hear: HearRows) -> None:
        link, context = self._way()
        from kelmu_tui.services.list_fetching import NotPublished, fetch_list
        from kelmu_tui.services.lists import NotHere

        try:
            await fetch_list(link, context, list_id, period, hear)
        except NotPublished:
            raise NotHere from None
