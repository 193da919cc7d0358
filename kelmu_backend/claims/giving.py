"""The commands of workers on claims (`commands.Apply`), judged by the domain's rules with what the record knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, Row, delete

from kelmu_backend import audit, feed
from kelmu_backend.claims import judging, reading, record
from kelmu_backend.claims.judging import Payee
from kelmu_backend.claims.record import Arrival
from kelmu_backend.commands import Done, Envelope
from kelmu_backend.config import Maker
from kelmu_backend.customers import changing, making
from kelmu_backend.database.claim_tables import claim_editor
from kelmu_backend.feed import Entry
from kelmu_backend.policy import Access, claims_scope
from kelmu_backend.problems import ProblemError, invalid, not_found
from kelmu_tui.api.contract import ClaimBody, EmptyBody, EndBody, ProblemCode, ProlongBody
from kelmu_tui.domain.claims.content import Assistance, Content, Partial
from kelmu_tui.domain.claims.life import (
    Cancel,
    Change,
    ClaimRefusal,
    ClaimRefused,
    ClaimState,
    Command,
    End,
    Prolong,
    Register,
    Status,
    decide,
    settled,
)
from kelmu_tui.domain.claims.rules import check
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.identifiers import InvalidIdentityCode, parse_identity_code
from kelmu_tui.platform.ids import Ids

BODIES: Final[Mapping[str, type[BaseModel]]] = {
    "register": ClaimBody,
    "change": ClaimBody,
    "prolong": ProlongBody,
    "end": EndBody,
    "cancel": EmptyBody,
}
"""Model of each verb's body."""

_NO_CODE: Final = "payee_code"
_LATE: Final = "two_weeks"
"""Rules of the catalogue that are spoken of here."""
_MONEY: Final = ("benefit", "first", "last", "amount", "account")
"""What makes a changed claim arrive anew: a telephone number that is mended does not make it late."""


@dataclass(frozen=True, slots=True)
class Commands:
    """Carries out commands on claims.

    Attributes:
        maker: makes what Kela's systems know of a person when somebody first asks; None where they hold it.
        artificial: codes of artificial people are taken.
    """

    ids: Ids
    maker: Maker | None
    artificial: bool

    def apply(
        self, connection: Connection, envelope: Envelope, access: Access, mandate: str | None, now: datetime
    ) -> Done:
        """Carry out a command on a claim.

        Raises:
            ProblemError: it is refused.
        """
        body = _body(envelope)
        given = _Given(self, connection, envelope, access, mandate, now, local_date(now))
        if envelope.verb == "register":
            assert isinstance(body, ClaimBody)
            return given.register(body)
        row = record.load(connection, envelope.subject)
        if row is None or row.organisation != access.organisation.business_id:
            raise not_found()
        return given.on(row, body)


@dataclass(frozen=True, slots=True)
class _Given:
    """One command on its way to its effect."""

    commands: Commands
    connection: Connection
    envelope: Envelope
    access: Access
    mandate: str | None
    now: datetime
    today: date

    @property
    def organisation(self) -> str:
        """Business ID of the organisation acted for."""
        return self.access.organisation.business_id

    def register(self, body: ClaimBody) -> Done:
        row = record.load(self.connection, self.envelope.subject)
        if row is not None:
            raise self._refused(ClaimRefusal.REGISTERED, row if row.organisation == self.organisation else None)
        try:
            someone = self._payee(body.payee)
            if not judging.is_known(self.connection, self.access, someone.id, self.now):
                raise ClaimRefused(ClaimRefusal.PAYEE)
            content = replace(_content(body), payee=someone.identity_code)
            after = decide(None, Register(content), self.today)
            self._account(after.content)
            arrived = self._judge(after.content, Payee(someone.id, someone.family_name, someone.died))
        except ClaimRefused as refused:
            raise self._refused(refused.rule, None) from refused
        values = record.columns(after.content) | {
            "id": self.envelope.subject,
            "version": after.version,
            "organisation": self.organisation,
            "person": someone.id,
            "status": after.status.value,
            "registered_at": self.now,
            "registered_by": self.access.name,
            "next_at": self.now + record.LEFT_ALONE,
            **arrived._asdict(),
        }
        entries = record.add(self.connection, values, self.access.name, self.now, self.commands.ids)
        if entries is None:
            # Somebody else has taken the id since it was looked for.
            raise self._refused(ClaimRefusal.REGISTERED, None)
        return self._done(entries, after.version)

    def on(self, row: Row[Any], body: BaseModel) -> Done:
        """Carry out a command on a claim that is there and locked."""
        self._hold(row.person)
        before = record.state_of(row)
        refused: str | None = None
        arrived: Arrival | None = None
        after = before
        try:
            command = self._command(body, row)
            # What time has ended is over, whether anybody has come to it or not.
            after = decide(settled(before, self.today), command, self.today)
            if isinstance(command, (Change, Prolong)):
                self._account(after.content)
                arrived = self._judge(after.content, Payee(row.person, row.family_name, row.died), row.id)
        except ClaimRefused as refusal:
            refused = refusal.rule
        if self.envelope.version != before.version:
            # The rule comes along: "Kela handles it already" says more than "changed by somebody".
            current = self._current(row.id)
            raise ProblemError(ProblemCode.VERSION_CONFLICT, rule=refused, current=current)
        if refused is not None:
            raise self._refused(refused, row)
        if replace(after, version=before.version) == before:
            self._log()
            seq = feed.sequence_of(self.connection, claims_scope(self.organisation), row.id)
            return Done(seq, before.version, feed.state(self.connection).epoch, None)
        entries = record.keep(
            self.connection,
            row,
            after,
            self.envelope.verb,
            self.now,
            self.commands.ids,
            by=self.access.name,
            **self._effects(before, after, arrived, self.now),
        )
        own = claim_editor.c.claim == row.id, claim_editor.c.user == self.access.user
        self.connection.execute(delete(claim_editor).where(*own))
        return self._done(entries, after.version)

    # --- what is judged ---------------------------------------------------------------------------------------------

    def _command(self, body: BaseModel, row: Row[Any]) -> Command:
        if isinstance(body, ClaimBody):
            # Of any code but the payee's own the same is said: a change must not tell whether somebody has it.
            if self._code(body.payee) not in judging.codes(self.connection, row.person):
                raise ClaimRefused(ClaimRefusal.FIXED)
            return Change(replace(_content(body), payee=row.identity_code))
        if isinstance(body, ProlongBody):
            return Prolong(body.last)
        if isinstance(body, EndBody):
            return End(body.last, body.reason)
        return Cancel()

    def _payee(self, code: str) -> Row[Any]:
        """Return whoever has or had a code.

        Raises:
            ClaimRefused: nobody has it, or it is none.
        """
        found = judging.by_code(self.connection, self._code(code))
        if found is None:
            raise ClaimRefused(ClaimRefusal.PAYEE)
        return found

    def _code(self, code: str) -> str:
        try:
            return parse_identity_code(code, today=self.today, artificial=self.commands.artificial).value
        except InvalidIdentityCode:
            raise ClaimRefused(_NO_CODE) from None

    def _account(self, content: Content) -> None:
        if content.account not in reading.ibans(self.connection, self.organisation):
            raise ClaimRefused(ClaimRefusal.ACCOUNT)

    def _judge(self, content: Content, someone: Payee, own: str | None = None) -> Arrival:
        """Return how a claim that the rules allow stands to the payment days.

        Raises:
            ClaimRefused: names the first rule that does not.
        """
        self._hold(someone.id)
        known = judging.facts(self.connection, someone, self.organisation, self.today, without=own)
        checked = check(content, known, self.access.organisation.type, self.today)
        if checked.blocking:
            raise ClaimRefused(checked.blocking[0].rule)
        late = any(finding.rule == _LATE for finding in checked.findings)
        return record.arrival(content, someone.family_name, self.today)._replace(late=late)

    def _hold(self, payee: str) -> None:
        """Lock the payee, whose rows a claim is one of; those of a demo are made now, before it changes among them."""
        if self.commands.maker is not None:
            making.fill(self.connection, self.commands.maker, payee, self.now)
        else:
            changing.lock(self.connection, payee)

    @staticmethod
    def _effects(before: ClaimState, after: ClaimState, arrived: Arrival | None, now: datetime) -> dict[str, Any]:
        """Return what a command changes beside the state."""
        found: dict[str, Any] = {}
        if after.status is Status.REGISTERED:
            found["next_at"] = now + record.LEFT_ALONE
            if arrived and any(getattr(before.content, name) != getattr(after.content, name) for name in _MONEY):
                found |= arrived._asdict()
        elif after.status is Status.IN_FORCE:
            # Prolonged, or to end earlier: Kela's side looks again when it pays or ends next.
            found["next_at"] = now + record.LEFT_ALONE
        return found

    # --- what is answered -------------------------------------------------------------------------------------------

    def _refused(self, rule: str, row: Row[Any] | None) -> ProblemError:
        current = None if row is None else self._current(row.id)
        return ProblemError(ProblemCode.RULE_REFUSED, rule=str(rule), current=current)

    def _current(self, identifier: str) -> Mapping[str, Any] | None:
        return reading.named(self.connection, self.organisation, [identifier]).get(identifier)

    def _log(self) -> None:
        audit.write(
            self.connection,
            at=self.now,
            user=self.envelope.user,
            organisation=self.organisation,
            mandate=self.mandate,
            action=self.envelope.action,
            subject=self.envelope.subject,
            request_id=self.envelope.request_id,
        )

    def _done(self, entries: list[Entry], version: int) -> Done:
        self._log()
        epoch = feed.state(self.connection).epoch
        change = feed.record(self.connection, entries)
        return Done(change.seq, version, epoch, change)


def _body(envelope: Envelope) -> BaseModel:
    try:
        return BODIES[envelope.verb].model_validate_json(envelope.body or b"{}")
    except ValidationError as failure:
        raise invalid(failure) from None


def _content(body: ClaimBody) -> Content:
    values = {name: getattr(body, name) for name in ClaimBody.model_fields}
    paid = body.assistance
    if paid is not None:
        values["assistance"] = Assistance(paid.first, paid.last, paid.amount, paid.decided_on)
    content = Content(**values)
    # Kela gets no more than the basis asks for, whatever a client has sent.
    return Partial.of(content).whole() or content
