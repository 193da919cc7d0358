"""Asking the backend about lists from the command line, and what keeps it from answering in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from kelmu_tui.cli import pushing
from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.services.context import Context
from kelmu_tui.services.known import SHUT_OUT
from kelmu_tui.store.list_fetch import Overtaken

if TYPE_CHECKING:
    from kelmu_tui.services.context import Connection

LONGEST: Final = 90.0
"""Seconds that a command waits for the answer to what is published; the rows take the time they take."""


def refresh(env: Env, context: Context, *, invoices: bool = False) -> None:
    """Ask the backend what is published, and with `invoices` what was billed, too.

    Raises:
        ApiError, StoreError: turned into words by `faults`.
        CliError: it took too long.
    """
    with reached(env, context) as url:
        try:
            asyncio.run(asyncio.wait_for(_refresh(context, url, invoices=invoices), LONGEST))
        except TimeoutError:
            raise CliError(Exit.OFFLINE, "timeout", env.t("cli.too_slow")) from None


async def _refresh(context: Context, url: str, *, invoices: bool) -> None:
    from kelmu_tui.services.invoice_fetching import refresh_invoices
    from kelmu_tui.services.list_fetching import refresh_lists

    async with linked(context, url) as connection:
        await refresh_lists(connection, context)
        if invoices:
            await refresh_invoices(connection, context)


class linked:  # noqa: N801 - used like a function
    """A connection for one thing to ask; when the backend shuts the user out, what may not be held goes at once."""

    def __init__(self, context: Context, url: str) -> None:
        from kelmu_tui.services.context import connect

        self._context = context
        self._failures: list[BaseException] = []
        self._connected = connect(context, url, on_failure=lambda _, error: self._failures.append(error))

    async def __aenter__(self) -> Connection:
        self._connection = await self._connected.__aenter__()
        return self._connection

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        from kelmu_tui.api.errors import ApiError
        from kelmu_tui.services.network import renew_session

        try:
            if isinstance(error, ApiError) and error.code in SHUT_OUT:
                run, context = self._connection.thread.run, self._context
                await renew_session(context.store, self._connection.client, None, shut_out=True, run=run)
                await run(context.lists.hold)
        finally:
            await self._connected.__aexit__(kind, error, trace)
        if error is None and self._failures:
            raise self._failures[0]


@contextmanager
def reached(env: Env, context: Context) -> Iterator[str]:
    """Give the backend's address, and say in words what keeps a list from being fetched.

    Raises:
        CliError: as there, or the demo does not run.
    """
    from kelmu_tui.services.list_fetching import NotPublished, Withdrawn

    try:
        with pushing.reach(env, context.backend_url) as url:
            yield url
    except Withdrawn:
        raise CliError(Exit.REFUSED, "list_withdrawn", env.t("errors.api.list_withdrawn")) from None
    except NotPublished:
        raise CliError(Exit.NOT_FOUND, "not_published", env.t("cli.list_not_published")) from None
    except Overtaken:
        raise CliError(Exit.REFUSED, "overtaken", env.t("cli.list_overtaken")) from None
