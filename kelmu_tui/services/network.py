"""The session as far as it needs the backend: tokens, finishing a sign-in, ending one.

Kept apart from `session`, which the offline commands import: this module pulls in the HTTP client and the wire models.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Final

from kelmu_tui.api.client import Client
from kelmu_tui.api.contract import SessionInfo, Tokens
from kelmu_tui.api.errors import SignInNeeded, Unreachable
from kelmu_tui.api.sign_in import Away, GrantRefused, SignIn, SignInFailed, Transport, Wait
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services import session as sessions
from kelmu_tui.services.session import TOKEN_SECRETS, AskPassphrase, put_secrets, secret
from kelmu_tui.store import aftermath, chain, copies, files, lease, views
from kelmu_tui.store.database import PURGE, Store
from kelmu_tui.sync import ship
from kelmu_tui.sync.once import ship_once
from kelmu_tui.sync.seams import Api, Result

MARGIN: Final = timedelta(seconds=30)
"""A token that ends within this is renewed first: clocks differ and requests take time."""
TOKEN_LOCK: Final = "tokens.lock"  # noqa: S105 - the name of a file
LOCK_STEP: Final = 0.05
LONGEST_LOCK: Final = 30.0
REVOKE: Final = "revoke:"
TELL_SECONDS: Final = 5.0
"""How long a sign-out waits for the backend to take the views that it has not been told."""

Run = Callable[..., Awaitable[Any]]
"""Runs a whole unit of work on the store's thread: `StoreThread.run`, or `run_here` where there is no such thread."""


async def run_here(function: Callable[..., Any], *args: Any) -> Any:
    """Run a unit of work at once on this thread."""
    return function(*args)


class FixedToken:
    """The access token of a sign-in under way, before there is a ledger to keep it in."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def access_token(self) -> str:
        """Return the token."""
        return self._token

    async def invalidate(self, token: str) -> None:
        """Give up: a token refused in its first minute means no sign-in."""
        del token
        raise SignInNeeded


class LedgerTokens:
    """Tokens of a signed-in user (`api.client.TokenSource`).

    One task and one process renews at a time; new tokens are committed before anybody uses them. A crash before the
    commit costs nothing: the backend takes the previous refresh token until the new one has been used.
    """

    def __init__(
        self,
        store: Store,
        sign_in: SignIn,
        clock: Clock,
        *,
        run: Run = run_here,
        wait: Wait = asyncio.sleep,
    ) -> None:
        self._store = store
        self._sign_in = sign_in
        self._clock = clock
        self._run = run
        self._wait = wait
        self._one = asyncio.Lock()
        self._refused: str | None = None

    async def access_token(self) -> str:
        """Return a token that is good for a while yet.

        Raises:
            SignInNeeded: there is no session any more.
            StoreError: the disk does not give the tokens, or does not take new ones.
            Unreachable: it has to be renewed and the backend is away.
        """
        found = await self._run(self._usable)
        if isinstance(found, str):
            return found
        async with self._one, self._alone():
            found = await self._run(self._usable)  # another task or terminal may have renewed it meanwhile
            if isinstance(found, str):
                return found
            return await self._renew()

    async def invalidate(self, token: str) -> None:
        """Note that the backend refused `token`: the next one asked for is another one."""
        self._refused = token

    def _usable(self) -> str | None:
        token, until = secret(self._store, "access_token"), secret(self._store, "access_until")
        if token is None or until is None or token == self._refused:
            return None
        return token if self._clock.now() + MARGIN < datetime.fromisoformat(until) else None

    async def _renew(self) -> str:
        refresh = await self._run(secret, self._store, "refresh_token")
        if refresh is None:
            raise SignInNeeded
        try:
            tokens = await self._sign_in.refresh(refresh)
        except Away as problem:
            raise Unreachable(problem.request_id or "", retry_after=problem.retry_after) from None
        except GrantRefused as problem:
            # Only the tokens go: what the user saved waits in the outbox for the next sign-in.
            await self._run(put_secrets, self._store, dict.fromkeys(TOKEN_SECRETS))
            raise SignInNeeded(None, problem.request_id or "") from None
        await self._run(put_secrets, self._store, token_secrets(tokens, self._clock.now()))
        return tokens.access_token

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Hold the lock against the user's other terminals."""
        handle = files.open_lock(self._store.folder / TOKEN_LOCK)
        try:
            ends = self._clock.monotonic() + LONGEST_LOCK
            while not files.try_lock(handle):
                if self._clock.monotonic() >= ends:
                    raise Unreachable
                await self._wait(LOCK_STEP)
            yield
        finally:
            os.close(handle)


def token_secrets(tokens: Tokens, now: datetime) -> dict[str, str | None]:
    """Return the secrets that keep `tokens`; an answer without a new refresh token leaves the old one."""
    kept: dict[str, str | None] = {
        "access_token": tokens.access_token,
        "access_until": (now + timedelta(seconds=max(0, tokens.expires_in))).isoformat(),
    }
    if tokens.refresh_token is not None:
        kept["refresh_token"] = tokens.refresh_token
    return kept


def keep_session(store: Store, info: SessionInfo, values: dict[str, str | None]) -> None:
    """Commit the backend's answer about the session, its lease and its time, with further secrets in `values`."""
    store.clock.hear(info.server_time)
    put_secrets(store, {"session": info.model_dump_json(), lease.SECRET: info.lease.until.isoformat(), **values})
    with store.write() as db:
        store.clock.keep(db)


async def renew_session(
    store: Store, client: Client, revision: int | None, *, shut_out: bool = False, run: Run = run_here
) -> bool:
    """Ask for the session again when the user's mandates have changed since it was kept.

    Args:
        revision: the number that came with the feed (`SyncStatus.session_revision`).
        shut_out: the feed itself was refused, so that no number can come with it: ask in any case.

    Returns:
        Whether it was asked; the caller then chooses the organisation anew, since capabilities may differ.

    Raises:
        ApiError: the backend gave no usable answer.
    """
    if not shut_out and (revision is None or await run(secret, store, "session_revision") == str(revision)):
        return False
    info = await client.session()
    known: dict[str, str | None] = {} if shut_out else {"session_revision": str(revision)}
    await run(keep_session, store, info, known)
    await run(_destroy_lost, store, frozenset(found.business_id for found in info.organisations))
    return True


def _destroy_lost(store: Store, held: frozenset[str]) -> None:
    """End the organisations for which no mandate is left; the attached one ends by its feed.

    They are those with a replica, and those of which the ledger still holds work: a replica goes with a sign-out too.
    """
    with store.read() as db:
        named = aftermath.organisations(db)
    ended = {*sessions.replicas(store.folder), *named} - held - {store.organisation}
    for organisation in sorted(ended):
        sessions.end_organisation(store, organisation)
    if ended:
        copies.tidy(store)


async def ask_session(store: Store, backend_url: str, clock: Clock) -> None:
    """Ask for the session where no organisation is open, and keep the answer.

    Raises:
        ApiError: the backend gave no usable answer.
        ValueError: the address is not allowed.
    """
    async with calls(store, backend_url, clock) as (_, client):
        await renew_session(store, client, None, shut_out=True)


@asynccontextmanager
async def calls(
    store: Store, backend_url: str, clock: Clock, transport: Transport | None = None
) -> AsyncIterator[tuple[SignIn, Client]]:
    """Give what talks to the backend for the user of an open store where no engine runs.

    Raises:
        ValueError: the address is not allowed.
    """
    device = secret(store, "device") or ""
    async with SignIn(backend_url, device=device, clock=clock, transport=transport) as sign_in:
        client = Client(backend_url, LedgerTokens(store, sign_in, clock), device, transport)
        try:
            yield sign_in, client
        finally:
            await client.close()


async def complete(
    profile: Profile,
    backend_url: str,
    tokens: Tokens,
    *,
    clock: Clock,
    ids: Ids,
    ask: AskPassphrase,
    client: Callable[[str], Client] | None = None,
    opened: Store | None = None,
) -> Store:
    """Finish a sign-in: ask who it is, open that user's ledger and commit tokens and session to it.

    Args:
        client: makes the client for an access token; a seam for tests.
        opened: the store that is open already; it is used when the same user signs in again, closed otherwise.

    Raises:
        ApiError: the backend gave no usable answer; nothing is kept.
        StoreError: the ledger cannot be opened.
    """
    device = sessions.device(profile, ids)
    calls = client(tokens.access_token) if client else Client(backend_url, FixedToken(tokens.access_token), device)
    try:
        info = await calls.session()
    finally:
        await calls.close()
    folder = sessions.user_folder(profile, backend_url, info.user.id)
    if opened is not None and opened.folder == folder:
        store = opened
    else:
        if opened is not None:
            opened.close()
        store = Store.open(folder, sessions.choose_keys(profile, folder, ask), clock, ids)
    keep_session(store, info, {**token_secrets(tokens, clock.now()), "backend": backend_url, "device": device})
    with store.write() as db:
        if chain.barred(db):
            views.begin_again(db, info.user.id, ids)
            store.changed("secret", "view_event")
    _destroy_lost(store, frozenset(found.business_id for found in info.organisations))
    sessions.make_current(profile, folder)
    return store


async def revoke_queued(store: Store, sign_in: SignIn) -> int:
    """Revoke what an offline sign-out left behind; return how many tokens still wait."""
    with store.read() as db:
        rows = db.execute("SELECT key, value FROM main.secret WHERE key GLOB 'revoke:*'").fetchall()
    left = 0
    for key, token in rows:
        try:
            await sign_in.revoke(token)
        except Away:
            left += 1
            continue
        except SignInFailed:
            pass  # refused for good: the token is dead anyway
        put_secrets(store, {key: None})
    return left


async def end_session(
    profile: Profile, store: Store, sign_in: SignIn | None, ids: Ids, client: Api | None = None
) -> bool:
    """Sign out: the tokens go at once, the replicas are shredded, the backend is told now or later.

    What the user saved stays in the ledger; deciding about it comes before (`unsent`). Views that were not told yet
    are told through `client`, if the backend answers soon; what is left waits in the ledger.

    Returns:
        Whether the backend knows; False when the revocation waits for the next connection.
    """
    if client is not None and not ship.waiting(store).known:
        await _tell_views(store, client)  # a log of views is registered by who is signed in
    refresh = secret(store, "refresh_token")
    gone: dict[str, str | None] = dict.fromkeys((*TOKEN_SECRETS, "session", lease.SECRET))
    if refresh is not None:
        gone[f"{REVOKE}{ids.new()}"] = refresh
    # With the intents, and with the way to this ledger forgotten last, the next start finishes what a crash leaves.
    put_secrets(store, gone | {f"{PURGE}{organisation}": "" for organisation in sessions.replicas(store.folder)})
    sessions.destroy_replicas(store)
    sessions.forget_current(profile, store.folder)
    if client is not None:
        await _tell_views(store, client)
    if sign_in is None:
        return refresh is None
    return await revoke_queued(store, sign_in) == 0


async def _tell_views(store: Store, client: Api) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(ship_once(_Here(store), client), TELL_SECONDS)


class _Here:
    """Units of work at once on this thread (`sync.seams.Runner`)."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def run(self, function: Callable[..., Result], *args: Any) -> Result:
        """Run a unit of work."""
        return function(*args)
