"""Who may do what: grants and agreement read in the transaction that uses them, judged by the domain.

Nothing is cached between requests, so that a mandate that ends takes effect on the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from kelmu_backend import feed
from kelmu_backend.database import tables
from kelmu_backend.problems import ProblemError
from kelmu_tui.api.contract import ProblemCode
from kelmu_tui.domain.capabilities import (
    CUSTOMER_LOOKUP,
    DOCUMENTS_SEND,
    NOTICE_TRANSFER,
    NOTICES_INBOX,
    PAYMENT_CLAIMS_REGISTER,
    Agreement,
    Allowed,
    Capabilities,
    Grant,
    MandateKind,
    capabilities,
)
from kelmu_tui.domain.notices import Actor
from kelmu_tui.domain.organisations import Names, Organisation, OrganisationType

ANNOUNCEMENTS: Final = "announcements"


def notices_scope(organisation: str) -> str:
    """Return the feed scope of the notices that `organisation` holds."""
    return f"notices:{organisation}"


def traces_scope(organisation: str) -> str:
    """Return the feed scope of the traces of notices that `organisation` gave away."""
    return f"traces:{organisation}"


def follows_scope(organisation: str, user: str) -> str:
    """Return the feed scope of the customers whom `user` follows for `organisation`."""
    return f"follows:{organisation}:{user}"


def claims_scope(organisation: str) -> str:
    """Return the feed scope of the claims of `organisation`, and of its accounts."""
    return f"claims:{organisation}"


def sendings_scope(organisation: str, user: str) -> str:
    """Return the feed scope of the receipts of what `user` sent for `organisation`."""
    return f"sendings:{organisation}:{user}"


@dataclass(frozen=True, slots=True)
class Access:
    """What one user may do for one organisation, as of one transaction."""

    user: str
    name: str
    organisation: Organisation
    capabilities: Capabilities
    revision: int
    scopes: frozenset[str] = field(default=frozenset())
    agreement: Agreement | None = None

    @property
    def actor(self) -> Actor:
        """The user as the rules of notices know them."""
        return Actor(self.user, self.name, self.organisation.business_id)

    def has(self, capability: str) -> bool:
        """Tell whether `capability` is open."""
        return self.capabilities.has(capability)

    def mandate(self, capability: str | None) -> str | None:
        """Return the mandate that opens `capability`, for the audit log."""
        verdict = self.capabilities.explain(capability) if capability else None
        return verdict.grant.mandate if isinstance(verdict, Allowed) else None

    def demand(self, capability: str | None) -> None:
        """Raise unless `capability` is open; None asks for nothing more than a grant of any kind.

        Raises:
            ProblemError: no mandate opens it.
        """
        if capability is not None and not self.has(capability):
            raise ProblemError(ProblemCode.MANDATE_MISSING)


_USER_AND_ORGANISATION: Final = (
    select(
        tables.app_user.c.name.label("user_name"),
        tables.app_user.c.grant_revision,
        tables.organisation,
        tables.agreement.c.valid_from,
        tables.agreement.c.valid_to,
        tables.agreement.c.content,
    )
    .select_from(tables.app_user)
    .join(tables.organisation, tables.organisation.c.business_id == bindparam("organisation"))
    .outerjoin(tables.agreement, tables.agreement.c.organisation == tables.organisation.c.business_id)
    .where(tables.app_user.c.id == bindparam("user"))
)
_GRANTS: Final = select(tables.grant).where(tables.grant.c.user == bindparam("user")).order_by(tables.grant.c.id)
_GRANTS_FOR: Final = _GRANTS.where(tables.grant.c.principal == bindparam("organisation"))


def access(connection: Connection, user: str, organisation: str, on: date) -> Access:
    """Return what `user` may do for `organisation` (business ID) on the Finnish day `on`.

    Raises:
        ProblemError: the user has no grant for it; an organisation that does not exist answers the same.
    """
    key = {"user": user, "organisation": organisation}
    found = connection.execute(_USER_AND_ORGANISATION, key).one_or_none()
    rows = connection.execute(_GRANTS_FOR, key).all()
    if found is None or not rows:
        raise ProblemError(ProblemCode.ORGANISATION_NOT_ALLOWED)
    holder = organisation_of(found)
    agreement = agreement_of(found)
    opened = capabilities([grant_of(row) for row in rows], holder, agreement, on)
    scopes = _scopes(holder.business_id, user, opened)
    return Access(user, found.user_name, holder, opened, found.grant_revision, scopes, agreement)


def _scopes(organisation: str, user: str, opened: Capabilities) -> frozenset[str]:
    scopes = {ANNOUNCEMENTS}
    if opened.has(NOTICES_INBOX):
        scopes.add(notices_scope(organisation))
    if opened.has(NOTICE_TRANSFER):
        scopes.add(traces_scope(organisation))
    if opened.has(CUSTOMER_LOOKUP):
        scopes.add(follows_scope(organisation, user))
    if opened.has(PAYMENT_CLAIMS_REGISTER):
        scopes.add(claims_scope(organisation))
    if opened.has(DOCUMENTS_SEND):
        scopes.add(sendings_scope(organisation, user))
    return frozenset(scopes)


def grants(connection: Connection, user: str) -> list[Grant]:
    """Return all grants of `user`, in the order they were given."""
    return [grant_of(row) for row in connection.execute(_GRANTS, {"user": user})]


def replace_grants(connection: Connection, user: str, given: Sequence[Grant]) -> int:
    """Give `user` exactly the grants `given` and return the new grant revision.

    The head of the feed moves, so that waiting polls look again and tell what was added or revoked.

    Raises:
        KeyError: there is no such user.
    """
    raised = update(tables.app_user).where(tables.app_user.c.id == user)
    raised = raised.values(grant_revision=tables.app_user.c.grant_revision + 1)
    if connection.execute(raised).rowcount != 1:
        raise KeyError(user)
    connection.execute(delete(tables.grant).where(tables.grant.c.user == user))
    if given:
        connection.execute(insert(tables.grant), [_grant_row(user, grant) for grant in given])
    revision = connection.execute(
        select(tables.app_user.c.grant_revision).where(tables.app_user.c.id == user)
    ).scalar_one()
    feed.advance(connection)
    return int(revision)


def _grant_row(user: str, grant: Grant) -> dict[str, Any]:
    return {
        "user": user,
        "mandate": grant.mandate,
        "kind": grant.kind.value,
        "principal": grant.principal,
        "employer": grant.employer,
        "chain": list(grant.chain),
        "valid_from": grant.valid_from,
        "valid_to": grant.valid_to,
    }


def grant_of(row: Row[Any]) -> Grant:
    """Return the domain's grant of a row of `mandate_grant`."""
    return Grant(
        row.mandate,
        MandateKind(row.kind),
        row.principal,
        row.employer,
        tuple(row.chain),
        row.valid_from,
        row.valid_to,
    )


def organisation_of(row: Row[Any]) -> Organisation:
    """Return the domain's organisation of a row of `organisation`."""
    return Organisation(
        row.business_id,
        Names(row.name_fi, row.name_sv, row.name_en),
        OrganisationType(row.type),
        row.county,
        tuple(row.municipalities),
    )


def agreement_of(row: Row[Any]) -> Agreement | None:
    """Return the agreement that was joined to a row of `organisation`, None when there is none."""
    return (
        None
        if row.valid_from is None
        else Agreement(
            row.business_id, row.valid_from, row.valid_to, None if row.content is None else tuple(row.content)
        )
    )


ORGANISATIONS_OF: Final = (
    select(tables.organisation, tables.agreement.c.valid_from, tables.agreement.c.valid_to, tables.agreement.c.content)
    .outerjoin(tables.agreement, tables.agreement.c.organisation == tables.organisation.c.business_id)
    .where(
        tables.organisation.c.business_id.in_(
            select(tables.grant.c.principal).where(tables.grant.c.user == bindparam("user"))
        )
    )
    .order_by(tables.organisation.c.name_fi)
)
"""Organisations for which a user has a grant, with their agreements."""
