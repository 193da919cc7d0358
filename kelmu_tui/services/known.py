"""What the backend said of the session, as domain values, and why nothing can be shown."""

import json
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.capabilities import (
    CUSTOMER_LOOKUP,
    DOCUMENTS_SEND,
    NOTICES_INBOX,
    PAYMENT_CLAIMS_REGISTER,
    Agreement,
    Capabilities,
    Denied,
    Grant,
    MandateKind,
    all_capabilities,
    capabilities,
)
from kelmu_tui.domain.organisations import Names, Organisation, OrganisationType

SHUT_OUT: Final = frozenset({"organisation_not_allowed", "mandate_missing"})
"""Codes of the backend's 403: what is known of the session is older than the user's mandates."""


INBOX: Final = frozenset({NOTICES_INBOX})
LOOK_UPS: Final = frozenset({CUSTOMER_LOOKUP})
LISTS: Final = frozenset(name for name in all_capabilities() if name.startswith("list_"))
CLAIMS: Final = frozenset({PAYMENT_CLAIMS_REGISTER})
DOCUMENTS: Final = frozenset({DOCUMENTS_SEND})
OPENERS: Final = INBOX | LOOK_UPS | LISTS | CLAIMS | DOCUMENTS
"""Capabilities of which one is needed to work for an organisation: for the inbox, customers, lists, claims, documents,
for any of them."""


class SessionProblem(Exception):
    """Base: why nothing can be shown; `code` names the text for people."""

    code = "session"


class NotSignedIn(SessionProblem):
    """Nobody has signed in in this profile, or everybody has signed out."""

    code = "not_signed_in"


class ChooseOrganisation(SessionProblem):
    """The user may act for several organisations and has not said for which."""

    code = "choose_organisation"

    def __init__(self, organisations: "tuple[KnownOrganisation, ...]") -> None:
        super().__init__(self.code)
        self.organisations = organisations


class NoSuchOrganisation(SessionProblem):
    """The session has no such organisation; `organisations` are those it has."""

    code = "no_such_organisation"

    def __init__(self, organisations: "tuple[KnownOrganisation, ...]") -> None:
        super().__init__(self.code)
        self.organisations = organisations


class NothingOpens(SessionProblem):
    """No mandate opens what was needed for the organisation.

    `why` explains that, None when there is not even an organisation.
    """

    code = "nothing_opens"

    def __init__(self, organisation: "KnownOrganisation | None", why: Denied | None) -> None:
        super().__init__(self.code)
        self.organisation = organisation
        self.why = why


class NotSupervisor(Exception):
    """The user does not supervise the use of the organisation's mandates."""


class KnownOrganisation(NamedTuple):
    """An organisation of the session with what the user's mandates and its agreement say."""

    organisation: Organisation
    grants: tuple[Grant, ...]
    agreement: Agreement | None
    supervisor: bool
    opened: frozenset[str] = frozenset()
    """What the backend found open on the day of its answer."""

    def capabilities(self, on: date) -> Capabilities:
        """Return what is open on a day; the backend decides by the same function."""
        return capabilities(self.grants, self.organisation, self.agreement, on)


class KnownSession(NamedTuple):
    """What the backend said last of the session."""

    user_id: str
    user_name: str
    language: str
    organisations: tuple[KnownOrganisation, ...]
    lease: str
    lease_until: datetime
    server_time: datetime
    demo: bool

    def organisation(self, business_id: str) -> KnownOrganisation | None:
        """Return the organisation with a business ID."""
        return next((o for o in self.organisations if o.organisation.business_id == business_id), None)

    def usable(self, on: date, needs: frozenset[str] = INBOX) -> tuple[KnownOrganisation, ...]:
        """Return the organisations for which one of the capabilities needed is open on a day."""
        return tuple(o for o in self.organisations if needs & o.capabilities(on).names)


def read_session(text: str) -> KnownSession:
    """Return the session from the JSON of `contract.SessionInfo`.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    found = json.loads(text)
    user, lease = found["user"], found["lease"]
    return KnownSession(
        user["id"],
        user["name"],
        user["language"],
        tuple(_organisation(row) for row in found["organisations"]),
        lease["id"],
        datetime.fromisoformat(lease["until"]),
        datetime.fromisoformat(found["server_time"]),
        bool(found.get("demo")),
    )


def _organisation(row: dict[str, Any]) -> KnownOrganisation:
    names, code = row["name"], row["business_id"]
    starts = _day(row.get("agreement_from"))
    return KnownOrganisation(
        Organisation(
            code,
            Names(names["fi"], names["sv"], names["en"]),
            OrganisationType(row["type"]),
            row.get("county"),
            tuple(row.get("municipalities", ())),
        ),
        tuple(_grant(grant) for grant in row.get("grants", ())),
        None if starts is None else Agreement(code, starts, _day(row.get("agreement_to")), _content(row)),
        bool(row.get("supervisor")),
        frozenset(row.get("capabilities", ())),
    )


def _content(row: dict[str, Any]) -> tuple[str, ...] | None:
    content = row.get("agreement_content")
    return None if content is None else tuple(content)


def _grant(row: dict[str, Any]) -> Grant:
    return Grant(
        row["mandate"],
        MandateKind(row["kind"]),
        row["principal"],
        row["employer"],
        tuple(row.get("chain", ())),
        date.fromisoformat(row["valid_from"]),
        _day(row.get("valid_to")),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def named(known: KnownSession, wanted: str) -> KnownOrganisation:
    """Return the organisation with a business ID, or the only one whose name begins so in any language.

    Raises:
        NoSuchOrganisation: none is meant, or several are.
    """
    exact = known.organisation(wanted)
    if exact is not None:
        return exact
    start = wanted.casefold()
    meant = [
        o
        for o in known.organisations
        if start
        and any(n.casefold().startswith(start) for n in (o.organisation.name.get(c) for c in ("fi", "sv", "en")))
    ]
    if len(meant) != 1:
        raise NoSuchOrganisation(known.organisations)
    return meant[0]
