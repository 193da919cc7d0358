"""What can be done with claims: make, change, prolong, end and cancel them, take that back, and have them as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from kelmu_tui.domain.claims.catalogue import RuleKind
from kelmu_tui.domain.claims.life import (
    Cancel,
    Change,
    ClaimRefused,
    Command,
    End,
    Prolong,
    Status,
    allows,
    can_last_longer,
)
from kelmu_tui.screens.base import FramedScreen
from kelmu_tui.screens.claim_begin import PURPOSE, Begin
from kelmu_tui.screens.claim_work import END, PROLONG, Again
from kelmu_tui.services.claim_views import is_draft
from kelmu_tui.services.claim_words import refusal_text, rule_text
from kelmu_tui.services.claims import NotOpen
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.claim_rows import ClaimLine
from kelmu_tui.store.errors import StoreError

if TYPE_CHECKING:
    from kelmu_tui.actions import State
    from kelmu_tui.screens.claim_work import ClaimWork
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face

CHANGE: Final = "claim-change"
CANCEL: Final = "claim-cancel"
_KINDS: Final[dict[str, type[Command]]] = {CHANGE: Change, PROLONG: Prolong, END: End, CANCEL: Cancel}


def possible(line: ClaimLine, verb: str) -> bool:
    """Tell whether a claim allows a command (as the outbox names it) now; of a draft only its form does."""
    if is_draft(line) or not allows(Status(line.status), _KINDS[verb]):
        return False
    return verb != PROLONG or can_last_longer(line.last, line.ended_on)


class ClaimActs(FramedScreen[None]):
    """The actions of the screens of claims."""

    desk: Desk

    @property
    def chosen(self) -> Sequence[ClaimLine]:
        """The marked claims, or the one under the cursor or on the page."""
        raise NotImplementedError

    def acted(self) -> None:
        """Something was done: no mark is needed any more, and what is shown is read anew."""
        raise NotImplementedError

    @property
    def claim_work(self) -> ClaimWork:
        """What was done at this desk."""
        return self.face.claim_work(self.desk)

    def claims_state(self, selected: int) -> State:
        """Return what decides over the actions."""
        work = self.claim_work
        return self.face.state(selected=selected, can_undo=work.can_undo, can_repeat=work.again is not None)

    # --- the form ---------------------------------------------------------------------------------------------------

    def open_form(self, begin: Begin) -> None:
        """Show the form; what it gave can be taken back here."""
        open_claim_form(self.face, self.desk, begin, self.acted)

    def action_claims_new(self) -> None:
        """Make a new claim."""
        self.open_form(Begin.new())

    def action_claims_change(self) -> None:
        """Change the claim, or go on with the draft."""
        line = self._one()
        if line is None:
            return
        if is_draft(line):
            self.open_form(Begin.of_draft(line.id))
        elif not possible(line, CHANGE):
            self._not_now(CHANGE, [line])
        elif line.editing is not None:
            self._ask_beside(line, line.editing)
        else:
            self.open_form(Begin.of_change(line.id))

    def _ask_beside(self, line: ClaimLine, who: str) -> None:
        """Somebody else is changing it: ask before there are two."""
        from kelmu_tui.screens.confirm import ConfirmScreen

        t = self.face.t

        def answered(deed: bool | None) -> None:
            if deed:
                self.open_form(Begin.of_change(line.id))

        self.face.push_screen(
            ConfirmScreen(
                t("claim_view.beside_title"),
                t("claim_view.beside_warning", who=who),
                t("claim_view.beside_deed"),
                t("claim_view.beside_stay"),
            ),
            answered,
        )

    def action_claims_again(self) -> None:
        """Make a new claim with what this one says."""
        line = self._one()
        if line is not None and is_draft(line):
            self.say(self.face.t("claim_view.draft_only", key=self.key_text("claims.change")), role="warn")
        elif line is not None:
            self.open_form(Begin.of_copy(line.id))

    # --- commands ---------------------------------------------------------------------------------------------------

    def action_claims_prolong(self) -> None:
        """Ask until when the claims last."""
        lines, left = self._able(PROLONG)
        if lines:
            from kelmu_tui.screens.claim_day import ProlongScreen

            async def save(last: date) -> str:
                return await self._prolong(lines, last)

            async def doubts(last: date) -> tuple[str, str]:
                return await self._doubts(lines, last)

            self.face.push_screen(ProlongScreen(lines, left, save, doubts))

    async def _doubts(self, lines: Sequence[ClaimLine], last: date) -> tuple[str, str]:
        """Return what the rules forbid or warn of when claims last until a day, and its role."""
        t = self.face.t
        try:
            found = await self.desk.run(self.desk.claims.doubts, [line.id for line in lines], last)
        except (ClaimRefused, NotOpen, NotAllowed):
            return "", ""  # told when it is to be saved
        forbid = [one for one in found if one.kind is RuleKind.BLOCK]
        if not forbid:
            return " ".join(rule_text(one, t) for one in found), "warn"
        new = t("claim_view.longer_anew", key=self.key_text("claims.again"))
        return " ".join([*(rule_text(one, t) for one in forbid), new]), "alarm"

    async def _prolong(self, lines: Sequence[ClaimLine], last: date) -> str:
        ids = [line.id for line in lines]
        return await self._give(PROLONG, lambda: self.desk.claims.prolong(ids, last), Again(PROLONG, last))

    def action_claims_end(self) -> None:
        """Ask when and why the ground of the claims has ended."""
        lines, left = self._able(END)
        if lines:
            from kelmu_tui.screens.claim_day import EndScreen

            async def save(last: date, reason: str) -> str:
                return await self._end(lines, last, reason)

            self.face.push_screen(EndScreen(lines, left, save))

    async def _end(self, lines: Sequence[ClaimLine], last: date, reason: str) -> str:
        ids = [line.id for line in lines]
        return await self._give(END, lambda: self.desk.claims.end(ids, last, reason), Again(END, last, reason))

    def action_claims_cancel(self) -> None:
        """Ask before claims are cancelled and drafts are dropped."""
        from kelmu_tui.screens.confirm import ConfirmScreen

        drafts = [line for line in self.chosen if is_draft(line)]
        claims = [line for line in self.chosen if not is_draft(line) and possible(line, CANCEL)]
        others = [line for line in self.chosen if line not in drafts and line not in claims]
        if not drafts and not claims:
            self._not_now(CANCEL, others)
            return
        t = self.face.t
        warnings = []
        if claims:
            warnings.append(t("claim_view.cancel_warning", count=len(claims)))
        if drafts:
            warnings.append(t("claim_view.drop_warning", count=len(drafts)))
        if others:
            warnings.append(t("claim_view.left_out", count=len(others)))

        async def answered(deed: bool | None) -> None:
            if deed:
                await self._cancel(claims, drafts)

        title = (
            t("claim_view.cancel_title", count=len(claims)) if claims else t("claim_view.drop_title", count=len(drafts))
        )
        deed = (
            t("claim_view.cancel_deed", count=len(claims)) if claims else t("claim_view.drop_deed", count=len(drafts))
        )
        self.face.push_screen(ConfirmScreen(title, " ".join(warnings), deed, t("claim_view.cancel_stay")), answered)

    async def _cancel(self, claims: Sequence[ClaimLine], drafts: Sequence[ClaimLine]) -> None:
        """Cancel claims and drop drafts; a draft that is gone already is no reason to stop."""
        ids, problem, t = [line.id for line in claims], "", self.face.t
        try:
            for line in drafts:
                await self.desk.run(self.desk.claims.drop_draft, line.id)
            if ids:
                problem = await self._give(CANCEL, lambda: self.desk.claims.cancel(ids))
            else:
                self.say(t("claim_view.dropped", count=len(drafts)), role="good")
                self.acted()
        except NotAllowed:
            problem = t("claim_view.closed")
            self.acted()
        except StoreError as failure:  # a dialog has asked for this, after the action that opened it has ended
            self.face.store_failed(failure)
        if problem:
            self.say(problem, role="warn")

    async def _give(self, verb: str, give: Callable[[], list[str]], again: Again | None = None) -> str:
        """Give a command and say what became of it; return what hinders it, empty when nothing does.

        Raises:
            StoreError: it is not saved.
        """
        t = self.face.t
        try:
            commands: list[str] = await self.desk.run(give)
        except ClaimRefused as refused:
            return refusal_text(refused.rule, t)
        except NotOpen:
            self.acted()
            return t("claim_view.over_meanwhile")
        except NotAllowed:
            self.acted()
            return t("claim_view.closed")
        self.claim_work.gave(commands, again)
        key = self.key_text("main.undo")
        hint = f"{key} {t('actions.main.undo.label')}" if key else ""
        done = t.choice("claim_view.done", verb, count=len(commands))
        waits = "" if self.face.online else f" {t('claim_view.waits')}"
        self.say(done + waits, role="good", hint=hint)
        self.acted()
        return ""

    async def action_main_undo(self) -> None:
        """Take back what was given last."""
        try:
            await self.claim_work.undo()
        except NotAllowed:
            self.say(self.face.t("claim_view.closed"), role="warn")
        self.acted()

    async def action_main_repeat(self) -> None:
        """Prolong or end other claims as the last ones were."""
        again = self.claim_work.again
        if again is None:
            return
        lines, left = self._able(again.verb)
        if not lines:
            return
        if again.verb == PROLONG:
            problem = await self._prolong(lines, again.last)
        else:
            problem = await self._end(lines, again.last, again.reason)
        if problem:
            self.say(problem, role="warn")
        elif left:
            self.say(self.face.t("claim_view.left_out", count=left), role="warn")

    # --- which ------------------------------------------------------------------------------------------------------

    def _one(self) -> ClaimLine | None:
        """Return the claim that is meant where only one can be; say so when several are marked."""
        chosen = self.chosen
        if len(chosen) > 1:
            self.say(self.face.t("claim_view.one_at_a_time"), role="warn")
            return None
        return chosen[0] if chosen else None

    def _able(self, verb: str) -> tuple[list[ClaimLine], int]:
        """Return the claims that allow a command, and how many don't; say why when none does."""
        chosen = self.chosen
        lines = [line for line in chosen if possible(line, verb)]
        if chosen and not lines:
            self._not_now(verb, chosen)
        return lines, len(chosen) - len(lines)

    def _not_now(self, verb: str, lines: Sequence[ClaimLine]) -> None:
        """Say why a command is not possible, and what is instead."""
        if not lines:
            return
        t = self.face.t
        if all(is_draft(line) for line in lines):
            self.say(t("claim_view.draft_only", key=self.key_text("claims.change")), role="warn")
            return
        if verb == PROLONG and all(allows(Status(line.status), Prolong) for line in lines if not is_draft(line)):
            open_ended = all(line.last is None and line.ended_on is None for line in lines)
            said = "claim_view.open_ended" if open_ended else "claim_view.end_told"
            self.say(t(said, key=self.key_text("claims.again")), role="warn")
            return
        keys = {CHANGE: "claims.end", PROLONG: "claims.change", END: "claims.cancel", CANCEL: "claims.end"}
        self.say(t.choice("claim_view.not_now", verb, key=self.key_text(keys[verb])), role="warn")

    # --- looking ----------------------------------------------------------------------------------------------------

    def action_claims_explain(self) -> None:
        """Explain the claim: rules with their sources, its state, and the terms."""
        from kelmu_tui.screens.claim_pages import ClaimExplainScreen

        if (line := self._saved()) is not None:
            self.face.push_screen(ClaimExplainScreen(self.desk, line.id))

    def action_claims_letter(self) -> None:
        """Show the claim as a letter."""
        from kelmu_tui.screens.claim_pages import ClaimTextScreen, Kind

        if (line := self._saved()) is not None:
            self.face.push_screen(ClaimTextScreen(self.desk, line.id, Kind.LETTER))

    def action_claims_copy(self) -> None:
        """Show the claim as text for the case file."""
        from kelmu_tui.screens.claim_pages import ClaimTextScreen, Kind

        if (line := self._saved()) is not None:
            self.face.push_screen(ClaimTextScreen(self.desk, line.id, Kind.RECORD))

    def _saved(self) -> ClaimLine | None:
        """Return the one claim that is meant when it is more than a draft."""
        line = self._one()
        if line is not None and is_draft(line):
            self.say(self.face.t("claim_view.draft_only", key=self.key_text("claims.change")), role="warn")
            return None
        return line

    def action_claims_customer(self) -> None:
        """Open the payee's file, or ask for what they are looked up."""
        line = self._one()
        if line is not None:
            self.face.spawn("claims.customer", self._customer(line))

    async def _customer(self, line: ClaimLine) -> None:
        from kelmu_tui.screens.customer_find import Whom

        claims, code = self.desk.claims, ""
        try:
            if is_draft(line):
                draft = await self.desk.run(claims.draft, line.id)
                code = "" if draft is None else draft.payee
            else:
                file = await self.desk.run(claims.open, line.id)
                code = "" if file is None else file.content.payee
            payee = await self.desk.run(claims.payee, code) if code else None
        except NotAllowed:
            self.say(self.face.t("claim_view.closed"), role="warn")
            return
        if not self.alive:
            return
        if not code:
            self.say(self.face.t("claim_view.no_payee"), role="warn")
        elif payee is not None and payee.looked_up and payee.customer is not None:
            self.face.show_customer(payee.customer)
        else:
            from kelmu_tui.domain.identifiers import InvalidIdentityCode

            try:
                found = await self.desk.run(self.desk.customers.clean_code, code)
            except InvalidIdentityCode:
                self.say(self.face.t("claim_view.no_payee"), role="warn")
                return
            label = f"{line.name} {line.masked_code}".strip()
            self.face.find_customer(Whom(label, code=found), PURPOSE)


def open_claim_form(face: Face, desk: Desk, begin: Begin, done: Callable[[], None] | None = None) -> Any:
    """Show the form of a claim; the commands that it gave can be taken back. Await it for the form to be there."""
    from kelmu_tui.screens.claim_form import ClaimFormScreen

    def formed(commands: tuple[str, ...] | None) -> None:
        face.claim_work(desk).gave(commands or ())
        if done is not None:
            done()

    return face.push_screen(ClaimFormScreen(desk, begin), formed)
