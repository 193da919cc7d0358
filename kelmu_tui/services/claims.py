"""Payment claims: what the organisation claims, what is known of a payee, and the commands on claims.

Every method is one unit of work on the store's thread. A list of names and a claim whole are looks, which are logged
before they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from kelmu_tui.domain.capabilities import PAYMENT_CLAIMS_REGISTER
from kelmu_tui.domain.claims.catalogue import RuleKind
from kelmu_tui.domain.claims.content import Content, Partial
from kelmu_tui.domain.claims.days import latest_arrival, next_reached
from kelmu_tui.domain.claims.facts import Facts
from kelmu_tui.domain.claims.life import (
    Cancel,
    Change,
    ClaimRefusal,
    ClaimRefused,
    ClaimState,
    Command,
    End,
    Prolong,
)
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.services.claim_giving import Giver
from kelmu_tui.services.claim_giving import NotOpen as NotOpen
from kelmu_tui.services.claim_handler import Handler, keep_handler, last_handler
from kelmu_tui.services.claim_looks import FILE, LIST, Looks
from kelmu_tui.services.claim_payees import Payees
from kelmu_tui.services.claim_texts import draft_lines
from kelmu_tui.services.customers import Customers
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.session import Session
from kelmu_tui.services.sights import demand_own
from kelmu_tui.store import claim_drafts, claims, lease
from kelmu_tui.store.claim_rows import Account, ClaimDraft, ClaimFile, ClaimLine, Payee
from kelmu_tui.store.claims import Frame
from kelmu_tui.store.database import Store
from kelmu_tui.store.rows import ActiveSession

if TYPE_CHECKING:
    from kelmu_tui.domain.claims.rules import Checked, Finding

AT_RISK: Final = timedelta(days=3)
"""How near the last day of arrival has to be for a claim that waits to be sent to be at risk: a long weekend."""


class Claims:
    """The claims of one organisation, as a user may see and make them."""

    def __init__(self, store: Store, session: ActiveSession, clock: Clock, ids: Ids, customers: Customers) -> None:
        self._store = store
        self._session = session
        self._clock = clock
        self._customers = customers
        self._known = Session(store)
        self._looks = Looks(store, session, clock, ids)
        self._payees = Payees(store, session, clock, customers, self._frame, self._looks.log)
        self._giver = Giver(store, session, clock, ids, self._frame)

    def hold(self) -> None:
        """Let nobody on who may not make claims (any more); every way to a claim begins with it.

        Raises:
            NotAllowed: claims may not be made, or the user works for another organisation meanwhile.
        """
        demand_own(self._store, self._organisation, PAYMENT_CLAIMS_REGISTER)
        found = self._known.known().organisation(self._organisation)
        if found is None or not found.capabilities(self._today()).has(PAYMENT_CLAIMS_REGISTER):
            raise NotAllowed(PAYMENT_CLAIMS_REGISTER)

    # --- what there is -----------------------------------------------------------------------------------------------

    def lines(self) -> tuple[ClaimLine, ...]:
        """Return drafts first, then claims by need: refused, late or heard, open by due day, closed.

        Among the drafts are registrations that were refused (`conflict`), under the ids of their claims. Who shows the
        lines logs that first (`log_list`).

        Raises:
            NotAllowed, NotShown: nothing may be shown.
        """
        self.hold()
        with lease.within(self._store) as db:
            begun = claim_drafts.drafts(db, self._owner, self._clock.now())
            return (*draft_lines(begun, self._today()), *claims.lines(db, self._frame()))

    def log_list(self, count: int) -> None:
        """Log that a list of `count` names is shown; before it is."""
        self._looks.log(LIST, None, count)

    def of_customer(self, customer: str) -> tuple[ClaimLine, ...]:
        """Return the claims on benefits of a customer whose file is held, in the order of `lines`.

        Raises:
            NotAllowed, NotShown: nothing may be shown.
        """
        self.hold()
        self._customers.hold()
        codes = self._payees.codes(customer)
        with lease.within(self._store) as db:
            begun = [one for one in claim_drafts.drafts(db, self._owner, self._clock.now()) if one.payee in codes]
            return (*draft_lines(begun, self._today()), *claims.of_person(db, self._frame(), codes))

    def open(self, id: str) -> ClaimFile | None:  # noqa: A002
        """Return a claim whole after logging the look; None when there is none.

        Painted again within a sitting, while the backend has not changed it, it is the same look.
        Raises:
            NotAllowed, NotShown: nothing may be shown.
            StoreError: the look could not be logged; nothing is shown.
        """
        self.hold()
        with lease.within(self._store) as db:
            found = claims.file(db, self._frame(), id)
        if found is None:
            self._looks.forget(id)
        else:
            self._looks.open(id, found.line.version)
        return found

    def leaving(self, id: str, how: str) -> ClaimFile | None:  # noqa: A002
        """Return a claim whole after logging that it leaves the program; None when there is none.

        Args:
            how: `copy` for the case file, `letter`.

        Raises:
            NotAllowed, NotShown, StoreError: as `open`.
        """
        self.hold()
        with lease.within(self._store) as db:
            found = claims.file(db, self._frame(), id)
        if found is not None:
            self._looks.log(f"{FILE}:{how}", id, 1)
        return found

    def log_letter(self, draft: str) -> None:
        """Log that what a draft says leaves the program as a letter; before it does.

        Raises:
            NotAllowed, StoreError: nothing leaves.
        """
        self.hold()
        self._looks.log(f"{FILE}:letter", draft, 1)

    def accounts(self) -> tuple[Account, ...]:
        """Return the organisation's accounts by name.

        Raises:
            NotAllowed, NotShown: nothing may be shown.
        """
        self.hold()
        with lease.within(self._store) as db:
            return claims.accounts(db)

    # --- what is known of a payee ------------------------------------------------------------------------------------

    def facts(self, code: str, *, claim: str | None = None) -> Facts:
        """Return what is known here of the person with an identity code: from their file and the own claims.

        A file is used where it may be shown, and as a look at it: logged once in a sitting.

        Args:
            claim: id of the claim that is changed: it is no other one.
        """
        return self._payees.facts(code, but=claim)

    def payee(self, code: str) -> Payee | None:
        """Return who has an identity code, from a file, a notice or a claim here; None when nobody is known.

        Raises:
            NotAllowed, NotShown: nothing may be shown.
            StoreError: the look could not be logged; nothing is shown.
        """
        self.hold()
        return self._payees.payee(code)

    def check(self, partial: Partial, *, claim: str | None = None) -> Checked:
        """Judge what a form says so far by the rules, with what is known of the payee.

        Args:
            claim: id of the claim that is changed.
        """
        from kelmu_tui.domain.claims.rules import check_partial

        facts = Facts() if partial.payee is None else self.facts(partial.payee, claim=claim)
        return check_partial(partial, facts, self._session.organisation.type, self._today())

    def at_risk(self, content: Content) -> date | None:
        """Return the payment day that is missed if the claim does not reach Kela within `AT_RISK`, None without one.

        That is what being without a network may cost: with one the claim arrives at once.
        """
        today = self._today()
        reached = next_reached(content, self.facts(content.payee).surname, today)
        return reached if reached is not None and latest_arrival(reached) - today <= AT_RISK else None

    # --- commands ----------------------------------------------------------------------------------------------------

    def register(self, content: Content, *, name: str, non_disclosure: bool, draft: str | None) -> str:
        """Make a claim, and drop the draft of it in the same transaction; return the id of the command.

        Args:
            name: "Family, Given" of the payee.

        Raises:
            ClaimRefused: a rule forbids it.
            NotAllowed: claims may not be made (any more).
            StoreError: it is not saved.
        """
        self.hold()
        self._judge(content, None)
        return self._giver.register(content, name=name, non_disclosure=non_disclosure, draft=draft)

    def change(self, id: str, content: Content, draft: str | None) -> list[str]:  # noqa: A002
        """Say something else in a claim, and drop the draft of it; return the ids of the commands.

        Raises:
            NotOpen: there is no such claim, or it is over.
            ClaimRefused, NotAllowed, StoreError: as `register`.
        """
        return self._give([id], "claim-change", lambda _: Change(content), draft)

    def prolong(self, ids: Sequence[str], last: date) -> list[str]:
        """Let claims last until a later day; all or none.

        Raises:
            NotOpen, ClaimRefused, NotAllowed, StoreError: as `change`; nothing is saved.
        """
        return self._give(ids, "claim-prolong", lambda _: Prolong(last))

    def doubts(self, ids: Sequence[str], last: date) -> tuple[Finding, ...]:
        """Return what forbids that claims last until a later day, and what the rules warn of then and did not before.

        Each rule says it once.

        Raises:
            NotOpen, NotAllowed: as `prolong`.
            ClaimRefused: the state of one does not allow it, or its days.
        """
        self.hold()
        found: dict[str, Finding] = {}
        for id_ in ids:
            _, before, after = self._giver.decided(id_, lambda _: Prolong(last))
            facts = self.facts(after.content.payee, claim=id_)
            said = self._check(before.content, facts).findings
            for one in self._check(after.content, facts).findings:
                if one.kind in (RuleKind.BLOCK, RuleKind.WARN) and one not in said:
                    found.setdefault(one.rule, one)
        return tuple(found.values())

    def end(self, ids: Sequence[str], last: date, reason: str) -> list[str]:
        """Tell that the ground of claims has ended, with their last day and why; all or none.

        Raises:
            NotOpen, ClaimRefused, NotAllowed, StoreError: as `change`; nothing is saved.
        """
        return self._give(ids, "claim-end", lambda _: End(last, reason))

    def cancel(self, ids: Sequence[str]) -> list[str]:
        """Take claims back before Kela handles them; all or none.

        Raises:
            NotOpen, ClaimRefused, NotAllowed, StoreError: as `change`; nothing is saved.
        """
        return self._give(ids, "claim-cancel", lambda _: Cancel())

    def take_back(self, commands: Sequence[str]) -> int:
        """Undo commands; return for how many that worked.

        What was never sent is discarded, and what was typed for it is a draft again. A registration that was sent is
        followed by a cancellation, if the claim still allows one. Whatever else was sent stays.

        Raises:
            NotAllowed: claims may not be made (any more).
            StoreError: nothing is undone.
        """
        self.hold()
        return self._giver.take_back(commands)

    # --- drafts ------------------------------------------------------------------------------------------------------

    def save_draft(
        self,
        draft: str | None,
        *,
        claim: str | None,
        payee: str,
        name: str,
        values: Mapping[str, str],
        base: Mapping[str, str] | None = None,
    ) -> str:
        """Keep what is being typed, in the place of a draft or as a new one; return its id.

        Args:
            base: texts of the claim that is changed, as far as the user knows what others made of it; None leaves
                those of before, or takes those of now where there were none.

        Raises:
            NotAllowed: claims may not be made (any more).
            StoreError: it is not saved.
        """
        self.hold()
        return self._giver.keep(draft, claim, payee, name, values, base)

    def draft(self, id: str) -> ClaimDraft | None:  # noqa: A002
        """Return a draft of the user's own, or what is left of a registration that was refused; None without one.

        Raises:
            NotAllowed: claims may not be made (any more).
        """
        self.hold()
        with self._store.read() as db:
            found = claim_drafts.find(db, self._owner, id, self._clock.now())
            return found or claim_drafts.refused(db, self._organisation, id)

    def mend(self, command: str) -> str | None:
        """Return the id of a draft with what a refused command says, so that it can be mended; None without one.

        A refused registration is one already. Of a refused change it is made, and the change is over with that.

        Raises:
            NotAllowed: claims may not be made (any more).
            StoreError: it is not saved.
        """
        self.hold()
        return self._giver.mend(command)

    def drop_draft(self, id: str) -> None:  # noqa: A002
        """Destroy a draft, or end a registration that was refused.

        Raises:
            NotAllowed: claims may not be made (any more).
            StoreError: it is still there.
        """
        self.hold()
        with self._store.write() as db:
            claim_drafts.drop(db, self._owner, id)
            ended = claim_drafts.end_refused(db, self._organisation, id, self._clock.now(), how="discarded")
            self._store.changed("claim_draft", *(("command", "conflict") if ended else ()), keys=(id,))

    # --- who handles it ----------------------------------------------------------------------------------------------

    def handler(self) -> Handler:
        """Return what the user's last claim for the organisation said of whom Kela can ask."""
        return last_handler(self._store, self._session)

    def keep_handler(self, name: str, telephone: str) -> None:
        """Keep whom Kela can ask for the next claim.

        Raises:
            StoreError: it is not saved.
        """
        keep_handler(self._store, self._session, Handler(name, telephone))

    # --- inside ------------------------------------------------------------------------------------------------------

    @property
    def _organisation(self) -> str:
        return self._session.organisation.business_id

    @property
    def _owner(self) -> claim_drafts.Owner:
        return claim_drafts.Owner(self._session.user_id, self._organisation)

    def _today(self) -> date:
        return local_date(self._clock.now())

    def _frame(self) -> Frame:
        return Frame(self._organisation, self._session.user_id, self._clock.now())

    def _check(self, content: Content, facts: Facts) -> Checked:
        from kelmu_tui.domain.claims.rules import check

        return check(content, facts, self._session.organisation.type, self._today())

    def _judge(self, content: Content, claim: str | None) -> None:
        if blocking := self._check(content, self.facts(content.payee, claim=claim)).blocking:
            raise ClaimRefused(blocking[0].rule)
        own = {one.iban for one in self.accounts()}
        if own and content.account not in own:
            raise ClaimRefused(ClaimRefusal.ACCOUNT)

    def _give(
        self, ids: Sequence[str], verb: str, make: Callable[[ClaimState], Command], draft: str | None = None
    ) -> list[str]:
        self.hold()
        wanted = tuple(dict.fromkeys(ids))
        for id_ in wanted:
            command, _, after = self._giver.decided(id_, make)
            if isinstance(command, Change | Prolong):
                self._judge(after.content, id_)
        return self._giver.give(wanted, verb, make, draft)
