"""The decision on a look-up: refused or answered, and logged either way before anybody hears of it.

Everything is read and written in one transaction. Refusals are committed too: they count, and a supervisor sees them.
Nothing here depends on whether there is anybody with a code before a reason has been given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from pydantic import ValidationError
from sqlalchemy import Connection, bindparam, select

from kelmu_backend.customers import budgets, journal, people, relating, sources
from kelmu_backend.customers.budgets import Asker
from kelmu_backend.customers.people import Found
from kelmu_backend.customers.sources import Source
from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import look_up
from kelmu_backend.keys import Signer
from kelmu_backend.policy import Access
from kelmu_backend.problems import ProblemError, invalid, not_found
from kelmu_backend.rows import JsonRow, instant
from kelmu_tui.api.contract import CustomerQuery, LookUpFlag, ProblemCode
from kelmu_tui.domain import catalogue
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.identifiers import CodeFault, IdentityCode, InvalidIdentityCode, parse_identity_code
from kelmu_tui.domain.sections import (
    CUSTOMER_LOOKUP,
    Purpose,
    Section,
    Sight,
    file_kept,
    person_hides,
    purposes,
    purposes_for,
    sight,
    under_non_disclosure,
)


class Part(NamedTuple):
    """What was decided on a section; what its read finds later has to be the same."""

    sight: Sight
    non_disclosure: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """A look-up that is answered.

    Attributes:
        line: the first line, `contract.PersonLine`.
        filled: the person's rows are there.
    """

    person: str
    line: JsonRow
    filled: bool
    parts: Mapping[Section, Part]
    sources: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, or the problem that is told once it is logged."""

    opened: Opened | None
    problem: ProblemError | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What a decision depends on beside the record.

    Attributes:
        number: id of the look-up.
        marks: signs codes for the log.
        artificial: codes of artificial people are taken.
    """

    number: str
    now: datetime
    marks: Signer
    artificial: bool
    request_id: str


def read_query(body: bytes) -> CustomerQuery:
    """Return the query of a request.

    Raises:
        ProblemError: it is none.
    """
    try:
        query = CustomerQuery.model_validate_json(body)
    except ValidationError as failure:
        raise unreadable(failure) from None
    if (query.identity_code is None) == (query.customer is None):
        raise one_of_two()
    return query


def unreadable(failure: ValidationError) -> ProblemError:
    """Return the problem of a body that names somebody and does not validate."""
    if {mistake["loc"][:1] for mistake in failure.errors()} == {("identity_code",)}:
        return _code_invalid(CodeFault.FORMAT)
    return invalid(failure)


def one_of_two() -> ProblemError:
    """Return the problem of a body that does not name one person in one way."""
    return ProblemError(ProblemCode.INVALID_REQUEST, errors=["body: identity_code or customer"])


def changed() -> ProblemError:
    """Return the problem of an answer whose user may no longer see what they might at its beginning."""
    return ProblemError(ProblemCode.MANDATE_MISSING)


def checked(text: str | None, now: datetime, *, artificial: bool) -> IdentityCode | None:
    """Return the identity code of a text, None for none.

    Raises:
        ProblemError: it breaks a rule; the problem names the rule, not the code.
    """
    try:
        return None if text is None else parse_identity_code(text, today=local_date(now), artificial=artificial)
    except InvalidIdentityCode as failure:
        raise _code_invalid(failure.fault) from None


def part(access: Access, section: Section, *, non_disclosure: bool) -> Part:
    """Return what may be seen of a section of a person."""
    return Part(sight(access.capabilities, access.agreement, section), non_disclosure)


def decide(connection: Connection, access: Access, query: CustomerQuery, setting: Setting) -> Verdict:
    """Decide on a look-up and log what was decided; the caller commits either way."""
    return _Looking(connection, access, query, setting).decide()


def known(
    connection: Connection, access: Access, query: CustomerQuery, setting: Setting
) -> tuple[str, list[LookUpFlag]]:
    """Return the person whom a query by id names, and its flags; nobody looks, so nothing is logged. Locks the user.

    Raises:
        ProblemError: a look-up of the same person would be refused too, or there is nobody.
    """
    return _Looking(connection, access, query, setting).known()


class _Refused(Exception):
    """The look-up ends with a problem."""

    def __init__(self, problem: ProblemError) -> None:
        super().__init__(problem.code.value)
        self.problem = problem


@dataclass(slots=True)
class _Looking:
    """One look-up on its way to a decision."""

    connection: Connection
    access: Access
    query: CustomerQuery
    setting: Setting
    found: Found | None = None
    mark: str | None = None
    flags: list[LookUpFlag] = field(default_factory=list)

    def decide(self) -> Verdict:
        # Two look-ups of one user at the same time would both find the last place in the budget free.
        user = self.connection.execute(_USER, {"user": self.access.user}).one()
        try:
            purpose = self._purpose()
            code = self._code()
            self._pause()
            found = self.found = self._find(purpose, code)
            self._flag(purpose, user, found, code)
            self._budget(found)
            self._reason(purpose)
            if found.person is None:
                raise self._unknown()
        except _Refused as refused:
            self._log(refused.problem.code.value)
            return Verdict(None, refused.problem)
        opened = self._opened(purpose, found)
        self._log(journal.DONE)
        return Verdict(opened)

    def known(self) -> tuple[str, list[LookUpFlag]]:
        user = self.connection.execute(_USER, {"user": self.access.user}).one()
        try:
            purpose = self._purpose()
            found = self._find(purpose, None)
            self._flag(purpose, user, found, None)
            self._reason(purpose)
        except _Refused as refused:
            raise refused.problem from None
        if found.person is None:
            raise not_found()
        return found.id, self.flags

    # --- what refuses -----------------------------------------------------------------------------------------------

    def _purpose(self) -> Purpose:
        allowed = {purpose.id: purpose for purpose in purposes_for(self.access.organisation.type)}
        if self.query.purpose not in allowed:
            raise _Refused(ProblemError(ProblemCode.PURPOSE_NOT_ALLOWED))
        return allowed[self.query.purpose]

    def _code(self) -> IdentityCode | None:
        query, setting = self.query, self.setting
        try:
            code = checked(query.identity_code, setting.now, artificial=setting.artificial)
        except ProblemError as problem:
            raise _Refused(problem) from None
        self.mark = setting.marks.mark(query.identity_code or f"id:{query.customer}")
        return code

    def _pause(self) -> None:
        wait = budgets.paused(self.connection, self._asker, self.setting.now)
        if wait is not None:
            raise _Refused(_later(ProblemCode.LOOKUPS_PAUSED, wait))

    def _budget(self, found: Found) -> None:
        wait = budgets.spent(self.connection, self._asker, found.id, self.setting.now)
        if wait is not None:
            raise _Refused(_later(ProblemCode.LOOKUPS_SPENT, wait))

    def _reason(self, purpose: Purpose) -> None:
        """Ask for a reason where one is needed.

        That nothing relates the organisation to the person comes before the family name: of a stranger's name nothing
        is told, not even that there is somebody.
        """
        if self._given is not None:
            return
        for flag in (LookUpFlag.SELF, LookUpFlag.UNRELATED, LookUpFlag.FAMILY_NAME):
            if flag in self.flags:
                raise _Refused(ProblemError(ProblemCode.REASON_NEEDED, rule=flag.value))
        if purpose.reason:
            raise _Refused(ProblemError(ProblemCode.REASON_NEEDED, rule="purpose"))

    def _unknown(self) -> _Refused:
        """Return the one answer for whom nobody knows and for whom the user may not reach."""
        assert self.mark is not None
        if budgets.ends_a_row(self.connection, self.access.user, self.mark, self.setting.now):
            self.flags.append(LookUpFlag.PAUSED)
        return _Refused(not_found())

    # --- what is found out ------------------------------------------------------------------------------------------

    @property
    def _given(self) -> str | None:
        """The reason in words; signs and spaces alone are none."""
        reason = self.query.reason
        return reason if reason is not None and any(sign.isalnum() for sign in reason) else None

    @property
    def _asker(self) -> Asker:
        return Asker(self.access.user, self.access.organisation.business_id)

    def _find(self, purpose: Purpose, code: IdentityCode | None) -> Found:
        """Return whom was asked for; whoever is out of reach is nobody from here on."""
        customer = None if code else self.query.customer
        found = people.find(self.connection, code=code.value if code else None, customer=customer)
        reachable = self._reachable(purpose, found)
        return found if code is not None or reachable else people.NOBODY

    def _flag(self, purpose: Purpose, user: Any, found: Found, code: IdentityCode | None) -> None:
        row = found.person
        applies = {
            LookUpFlag.SELF: user.identity_code is not None and user.identity_code in found.codes,
            LookUpFlag.FAMILY_NAME: row is not None and is_family(user.name, row.family_name),
            LookUpFlag.UNRELATED: not self._related(purpose, found),
            LookUpFlag.SEQUENCE: code is not None
            and budgets.in_sequence(self.connection, self.access.user, code, self.setting.marks, self.setting.now),
        }
        self.flags += [flag for flag, applied in applies.items() if applied]

    def _related(self, purpose: Purpose, found: Found) -> bool:
        """Tell whether a notice or a claim is about the person, or about the household when the purpose covers it."""
        home = found.listed if purpose.household else ()
        codes = found.codes | {other.identity_code for other in home}
        return relating.is_related(self.connection, self.access, codes, {found.id, *(other.id for other in home)})

    def _reachable(self, purpose: Purpose, found: Found) -> bool:
        """Tell whether the user knows the person's id from an own look-up, or one of the household."""
        key = {"user": self.access.user, "organisation": self.access.organisation.business_id}
        own = key | {"people": [found.id], "since": self.setting.now - _known_for()}
        home = key | {"people": [other.id for other in found.listed], "since": self.setting.now - file_kept()}
        looked = self.connection.execute(_LOOKED, own).first() is not None
        at_home = [row.purpose for row in self.connection.execute(_LOOKED, home)]
        return looked or (purpose.household and any(purposes()[one].household for one in at_home))

    # --- what is answered -------------------------------------------------------------------------------------------

    def _opened(self, purpose: Purpose, found: Found) -> Opened:
        row, setting = found.person, self.setting
        assert row is not None
        hidden = person_hides(self.access.capabilities)
        if row.non_disclosure:
            hidden |= under_non_disclosure("person")
        line = {
            "line": "person",
            "query": setting.number,
            "person": people.described(
                found, self.query.identity_code, hidden, local_date(setting.now), household=purpose.household
            ),
            "purpose": purpose.id,
            "case_reference": self.query.case_reference,
            "fetched_at": instant(setting.now),
            "expires_at": instant(setting.now + file_kept()),
            "hidden_fields": sorted(hidden),
        }
        parts = {
            section: part(self.access, section, non_disclosure=row.non_disclosure)
            for section in dict.fromkeys(self.query.sections)
        }
        return Opened(row.id, line, row.filled is not None, parts, sources.states(self.connection))

    def _log(self, outcome: str) -> None:
        query, setting = self.query, self.setting
        journal.write(
            self.connection,
            journal.Entry(
                id=setting.number,
                at=setting.now,
                user=self.access.user,
                organisation=self.access.organisation.business_id,
                mandate=self.access.mandate(CUSTOMER_LOOKUP),
                person=self.found.id or None if self.found else None,
                code_mark=self.mark,
                # Another text could be longer than the record has room for, and is no purpose anyway.
                purpose=query.purpose if query.purpose in purposes() else None,
                case_reference=query.case_reference,
                reason=self._given,
                sections=[section.value for section in dict.fromkeys(query.sections)],
                flags=[flag.value for flag in self.flags],
                outcome=outcome,
                request_id=setting.request_id,
            ),
        )


_USER: Final = (
    select(tables.app_user.c.name, tables.app_user.c.identity_code)
    .where(tables.app_user.c.id == bindparam("user"))
    .with_for_update(key_share=True)
)
_LOOKED: Final = (
    select(look_up.c.purpose)
    .where(
        look_up.c.user == bindparam("user"),
        look_up.c.organisation == bindparam("organisation"),
        look_up.c.person.in_(bindparam("people", expanding=True)),
        look_up.c.at > bindparam("since"),
        look_up.c.outcome == journal.DONE,
    )
    .distinct()
)


def is_family(user: str, family_name: str) -> bool:
    """Tell whether the last part of a user's whole name is `family_name`."""
    whole, family = user.casefold(), family_name.casefold()
    return whole == family or whole.endswith(f" {family}")


def _known_for() -> timedelta:
    """Return how long a customer's id may be used after a look-up: as long as a customer stays followed."""
    return timedelta(days=catalogue.table("customers.toml")["retention"]["followed_days"])


def _code_invalid(fault: CodeFault) -> ProblemError:
    return ProblemError(ProblemCode.CUSTOMER_CODE_INVALID, rule=fault.value)


def _later(code: ProblemCode, seconds: int) -> ProblemError:
    return ProblemError(code, headers={"Retry-After": str(seconds)})
