"""Looking customers up: the answer is stored line by line as it arrives, so that both faces show what there is.

Kept apart from `customers`, which the offline commands import: this module pulls in the wire models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import Any, NamedTuple, Protocol

from kelmu_tui.api.client import Client
from kelmu_tui.api.contract import CustomerQuery, PersonLine, ProblemCode, QueryEnd, SectionLine, SectionState
from kelmu_tui.api.errors import ApiError, ProblemAnswer, SignInNeeded, Unreachable, UpdateNeeded
from kelmu_tui.domain.sections import CUSTOMER_LOOKUP, Hidden, Section
from kelmu_tui.services.context import Context
from kelmu_tui.services.customers import InvalidQuery, LookUp
from kelmu_tui.services.sights import demand_own
from kelmu_tui.store import customers
from kelmu_tui.store.thread import StoreThread

Hear = Callable[[str], None]
"""Hears the customer's id after each line that was stored, on the event loop's thread."""
_SPENT = frozenset({ProblemCode.LOOKUPS_SPENT, ProblemCode.LOOKUPS_PAUSED, ProblemCode.TOO_MANY_REQUESTS})
"""Problems of one look-up after which the others would fare the same."""


class Link(Protocol):
    """What a look-up needs of `services.context.Connection`."""

    @property
    def thread(self) -> StoreThread:
        """The store's thread."""
        ...

    @property
    def client(self) -> Client:
        """The backend."""
        ...


class Looked(NamedTuple):
    """What became of one look-up of several; `customer` is None when it failed before anybody was found."""

    query: LookUp
    customer: str | None
    problem: ApiError | None = None


async def look_up(connection: Link, context: Context, query: LookUp, hear: Hear | None = None) -> str:
    """Ask for a customer, store what comes and return the customer's id; `Customers.open` shows it.

    What was stored stays when the answer breaks off: sections that had not come are as they were before, or down.

    Raises:
        ApiError: the backend refused, could not be reached, or its answer was not whole.
        InvalidQuery: it cannot be asked like this.
        NotAllowed: the mandate ended meanwhile.
        StoreError: the disk does not take the answer.
    """
    run, organisation = connection.thread.run, context.active.organisation.business_id
    asked = _asked(query)
    head: PersonLine | None = None
    try:
        async with aclosing(connection.client.look_up(organisation, asked)) as lines:
            async for line in lines:
                if isinstance(line, PersonLine):
                    head = line
                    await run(_begin, context, line, query.sections)
                elif isinstance(line, SectionLine) and head is not None:
                    await run(_put, context, head, line)
                if head is not None and hear is not None and not isinstance(line, QueryEnd):
                    hear(head.person.customer)
    finally:
        if head is not None:
            await run(_settle, context, head.person.customer)
    assert head is not None  # a stream without its first line has raised
    if hear is not None:
        hear(head.person.customer)
    return head.person.customer


async def look_up_all(
    connection: Link, context: Context, queries: Iterable[LookUp], hear: Hear | None = None
) -> list[Looked]:
    """Ask for several people one after another, each by a query of its own; one that fails does not end the others.

    Raises:
        SignInNeeded, UpdateNeeded, Unreachable: no other would fare better.
        ProblemAnswer: look-ups are spent or paused, or the service has a break.
        NotAllowed, StoreError: as `look_up`.
    """
    found: list[Looked] = []
    for query in queries:
        try:
            found.append(Looked(query, await look_up(connection, context, query, hear)))
        except (SignInNeeded, UpdateNeeded, Unreachable):
            raise
        except ApiError as problem:
            if isinstance(problem, ProblemAnswer) and (problem.retryable or problem.code in _SPENT):
                raise
            found.append(Looked(query, query.customer, problem))
    return found


def _asked(query: LookUp) -> CustomerQuery:
    try:
        return CustomerQuery(
            identity_code=query.code.value if query.code is not None else None,
            customer=query.customer,
            purpose=query.purpose,
            case_reference=query.case_reference,
            reason=query.reason,
            sections=list(query.sections),
        )
    except ValueError:
        raise InvalidQuery from None  # pydantic's error quotes what was typed


def _begin(context: Context, line: PersonLine, sections: Iterable[Section]) -> None:
    found = _json(line)
    found["person"].update(dict.fromkeys(context.customers.person_hides()))
    demand_own(context.store, context.active.organisation.business_id, CUSTOMER_LOOKUP)
    store = context.store
    with store.write("replica") as db:
        customers.begin(db, found, sections, store.clock.now())
        store.changed("customer", keys=(line.person.customer,))


def _put(context: Context, head: PersonLine, line: SectionLine) -> None:
    found, sight = _json(line), context.customers.sights()[line.section]
    if not customers.shows(sight, found):
        # The answer was put together before: by the mandates of now it may not be seen.
        found = _json(
            SectionLine(section=line.section, state=SectionState.HIDDEN, hidden=sight.hidden or Hidden.MANDATE)
        )
    demand_own(context.store, context.active.organisation.business_id, CUSTOMER_LOOKUP)
    store = context.store
    with store.write("replica") as db:
        customers.put_section(db, _json(head), found, store.clock.now())
        store.changed("customer", keys=(head.person.customer,))


def _settle(context: Context, customer: str) -> None:
    store = context.store
    if store.organisation != context.active.organisation.business_id:
        return
    with store.write("replica") as db:
        if customers.settle(db, customer):
            store.changed("customer", keys=(customer,))


def _json(line: PersonLine | SectionLine) -> dict[str, Any]:
    return line.model_dump(mode="json")
