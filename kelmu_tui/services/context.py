"""One assembly of everything a signed-in user works with, shared by the app and the command line.

`open_context` needs neither network nor event loop. `connect` adds what does: store thread, client, engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.platform.clock import Clock, SystemClock
from kelmu_tui.platform.ids import Ids, RandomIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services import session as sessions
from kelmu_tui.services.known import INBOX
from kelmu_tui.services.session import AskPassphrase, Session, choose_keys, find_folder, secret
from kelmu_tui.store import expiry, lease
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.rows import ActiveSession

if TYPE_CHECKING:
    from kelmu_tui.api.client import Client
    from kelmu_tui.api.sign_in import SignIn, Transport
    from kelmu_tui.platform.tasks import OnFailure
    from kelmu_tui.services.claims import Claims
    from kelmu_tui.services.customers import Customers
    from kelmu_tui.services.drafts import Drafts
    from kelmu_tui.services.following import Following
    from kelmu_tui.services.inbox import Inbox
    from kelmu_tui.services.invoices import Invoices
    from kelmu_tui.services.lists import Lists
    from kelmu_tui.services.outbox import Outbox
    from kelmu_tui.services.own_data import OwnData
    from kelmu_tui.services.sendings import Sendings
    from kelmu_tui.store.thread import StoreThread
    from kelmu_tui.sync.engine import Engine


class Context:
    """A user at work for one organisation; close it when done.

    Attributes:
        needs: capabilities of which one has to stay open for the work to go on.
    """

    def __init__(
        self, profile: Profile, store: Store, active: ActiveSession, ids: Ids, needs: frozenset[str] = INBOX
    ) -> None:
        self.profile = profile
        self.store = store
        self.active = active
        self.needs = needs
        self.clock = store.clock
        self.ids = ids
        self.session = Session(store)

    @cached_property
    def inbox(self) -> Inbox:
        """What can be seen of notices and done with them."""
        from kelmu_tui.services.inbox import Inbox

        return Inbox(self.store, self.active, self.clock, self.ids)

    @cached_property
    def customers(self) -> Customers:
        """What may be known of customers."""
        from kelmu_tui.services.customers import Customers

        return Customers(self.store, self.active, self.clock, self.ids)

    @cached_property
    def following(self) -> Following:
        """Which customers are followed."""
        from kelmu_tui.services.following import Following

        return Following(self.store, self.active, self.clock, self.ids, self.customers)

    @cached_property
    def claims(self) -> Claims:
        """What the organisation claims."""
        from kelmu_tui.services.claims import Claims

        return Claims(self.store, self.active, self.clock, self.ids, self.customers)

    @cached_property
    def lists(self) -> Lists:
        """Which lists may be fetched, and what stands in those that are here."""
        from kelmu_tui.services.lists import Lists

        return Lists(self.store, self.active, self.clock, self.ids)

    @cached_property
    def invoices(self) -> Invoices:
        """What Kela bills, and what is said of it."""
        from kelmu_tui.services.invoices import Invoices

        return Invoices(self.store, self.active, self.clock, self.ids, self.lists)

    @cached_property
    def own_data(self) -> OwnData:
        """What the organisation itself knows."""
        from kelmu_tui.services.own_data import OwnData

        return OwnData(self.store, self.active, self.clock)

    @cached_property
    def sendings(self) -> Sendings:
        """Which documents are sent to Kela, and what became of them."""
        from kelmu_tui.services.sendings import Sendings

        return Sendings(self.store, self.active, self.clock, self.ids, self.customers)

    @cached_property
    def outbox(self) -> Outbox:
        """What became of the commands given."""
        from kelmu_tui.services.outbox import Outbox

        return Outbox(self.store, self.clock, self.ids)

    @cached_property
    def drafts(self) -> Drafts:
        """What is being typed and was not given yet."""
        from kelmu_tui.services.drafts import Drafts

        return Drafts(self.store, self.active, self.clock, self.ids)

    @property
    def backend_url(self) -> str:
        """Address of the backend at the last sign-in; the demo's changes with every start."""
        return secret(self.store, "backend") or ""

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(
    profile: Profile,
    *,
    user: str | None = None,
    backend_url: str = "",
    ask: AskPassphrase,
    clock: Clock | None = None,
    ids: Ids | None = None,
) -> Store:
    """Open the ledger of `user` (id, or folder name), of the one signed in last by default.

    Replicas whose lease ended a day ago are destroyed.

    Raises:
        NotSignedIn: there is none.
        StoreError: the ledger or its keys cannot be had.
    """
    folder: Path = find_folder(profile, user, backend_url)
    store = Store.open(folder, choose_keys(profile, folder, ask), clock or SystemClock(), ids or RandomIds())
    if lease.overdue(store):
        sessions.destroy_replicas(store)
    return store


def open_context(
    profile: Profile,
    *,
    user: str | None = None,
    backend_url: str = "",
    organisation: str | None = None,
    ask: AskPassphrase,
    clock: Clock | None = None,
    ids: Ids | None = None,
    tell: Callable[[Store], None] | None = None,
    needs: frozenset[str] = INBOX,
) -> Context:
    """Open everything a user needs to work from the local store.

    Args:
        tell: hears of the store whatever comes of it: its `incidents` may be why nobody is signed in.
        needs: capabilities of which one has to be open (`services.known`).

    Raises:
        SessionProblem: nobody is signed in, nothing opens, or an organisation has to be chosen.
        StoreError: the files or their keys cannot be had; `NotShown` when the lease is over.
    """
    clock, ids = clock or SystemClock(), ids or RandomIds()
    store = open_store(profile, user=user, backend_url=backend_url, ask=ask, clock=clock, ids=ids)
    try:
        context = activate(profile, store, organisation, ids, needs)
        with suppress(StoreError):  # on a full disk as well there is something to be read
            expiry.erase_lists(store)
        return context
    except BaseException:
        store.close()
        raise
    finally:
        if tell is not None:
            tell(store)


def activate(
    profile: Profile, store: Store, organisation: str | None, ids: Ids, needs: frozenset[str] = INBOX
) -> Context:
    """Choose the organisation in an open store; also how the app changes it while running.

    Raises:
        SessionProblem, NotShown: as `open_context`; the store stays open.
    """
    session = Session(store)
    active = session.activate(organisation, local_date(store.clock.now()), needs)
    lease.check(store)
    return Context(profile, store, active, ids, needs)


class Connection(NamedTuple):
    """What talks to the backend for a context."""

    thread: StoreThread
    client: Client
    engine: Engine
    sign_in: SignIn


@asynccontextmanager
async def connect(
    context: Context,
    backend_url: str | None = None,
    *,
    on_failure: OnFailure,
    thread: StoreThread | None = None,
    transport: Transport | None = None,
) -> AsyncIterator[Connection]:
    """Give the engine and its parts, all closed at the end; the engine is not running yet.

    Args:
        backend_url: another address than that of the last sign-in (demo).
        on_failure: hears of tasks that fail.
        thread: the store's thread, when the caller has one already; it is left open then.
        transport: stands in for the network in tests.

    Raises:
        ValueError: the address is not allowed.
    """
    from kelmu_tui.api.client import Client
    from kelmu_tui.api.sign_in import SignIn
    from kelmu_tui.platform.tasks import Tasks
    from kelmu_tui.services.network import LedgerTokens
    from kelmu_tui.store.thread import StoreThread
    from kelmu_tui.sync.engine import Engine

    url = backend_url or context.backend_url
    device = context.active.device
    own_thread = thread is None
    thread = thread or StoreThread(context.store)
    tasks = Tasks(on_failure)
    sign_in = SignIn(url, device=device, clock=context.clock, transport=transport)
    tokens = LedgerTokens(context.store, sign_in, context.clock, run=thread.run)
    client = Client(url, tokens, device, transport)
    try:
        yield Connection(thread, client, Engine(thread, client, context.clock, context.ids, tasks), sign_in)
    finally:
        await tasks.close()
        await client.close()
        await sign_in.close()
        if own_thread:
            thread.close()
