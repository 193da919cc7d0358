"""The form of a payment claim as it is given or left, and what others make of the claim meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kelmu_tui.domain.claims.life import ClaimRefused
from kelmu_tui.screens.base import FramedScreen
from kelmu_tui.screens.claim_filling import can_change
from kelmu_tui.services.claim_typing import Field, texts
from kelmu_tui.services.claims import NotOpen
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.errors import NotShown, StoreError

if TYPE_CHECKING:
    from kelmu_tui.domain.claims.content import Content
    from kelmu_tui.screens.claim_drafting import ClaimTyping
    from kelmu_tui.screens.claim_filling import Filled
    from kelmu_tui.screens.claim_judging import Judging
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.store.claim_rows import ClaimFile, Payee

MINE, THEIRS = "mine", "theirs"


class FormGiving(FramedScreen[tuple[str, ...]]):
    """The end of the form, and of what others change."""

    desk: Desk
    values: dict[str, str]
    filled: Filled
    visited: set[Field]
    theirs: Mapping[str, str]
    typing: ClaimTyping
    judging: Judging
    _registering = False

    if TYPE_CHECKING:

        def go_to(self, field: Field) -> None:
            """Give a field the focus."""

        def show_values(self) -> None:
            """Put into the fields what they say."""

        def show_told(self) -> None:
            """Tell what is to be told."""

        def edited(self) -> None:
            """Something says something else."""

        def shown(self, field: Field, text: str) -> str:
            """Return the text of a field as it is shown."""
            ...

    # --- what others do ---------------------------------------------------------------------------------------------

    def tell_presence(self, *, on: bool = True) -> None:
        """Tell the others who see the claim that it is being changed, or no more."""
        claim = self.filled.claim
        if claim is not None:
            self.face.spawn("claim.presence", self.desk.tell_editing(claim, on))

    async def look_meanwhile(self, claim: str) -> None:
        """See what somebody else has made of the claim."""
        try:
            file: ClaimFile | None = await self.desk.run(self.desk.claims.open, claim)
        except (NotAllowed, NotShown):
            return
        if not self.alive or self._registering:
            return
        t = self.face.t
        if file is None or not can_change(file):
            self.filled = self.filled._replace(gone=True)
            self.say(t("claim_form.gone"), role="alarm")
            self.show_told()
            return
        now, before, own = texts(file.content), self.filled.base or {}, self.values
        changed = [field.value for field in Field if now.get(field, "") != before.get(field, "")]
        self.filled = self.filled._replace(editing=file.line.editing, base=now)
        theirs = {name: now.get(name, "") for name in changed if own.get(name, "") != now.get(name, "")}
        self.theirs = {**{name: text for name, text in self.theirs.items() if name not in changed}, **theirs}
        if not self.theirs:
            self.typing.base = now
        if theirs:
            key = self.key_text("claim_form.meanwhile")
            names = ", ".join(t.choice("claim_form.label", name) for name in theirs)
            self.say(t("claim_form.changed_meanwhile", fields=names, key=key), role="warn")
        self.show_told()

    def action_claim_form_meanwhile(self) -> None:
        """Choose between what others have changed and what is typed here."""
        from kelmu_tui.screens.choose import ChooseScreen
        from kelmu_tui.widgets.picker import Choice

        t = self.face.t
        if not self.theirs:
            self.say(t("claim_form.nothing_meanwhile"))
            return
        said = "; ".join(
            f"{t.choice('claim_form.label', name)}: {self.shown(Field(name), text)}"
            for name, text in self.theirs.items()
        )
        choices = [
            Choice(THEIRS, (t("claim_form.take_theirs"), said)),
            Choice(MINE, (t("claim_form.keep_mine"), "")),
        ]

        def chosen(key: str | None) -> None:
            theirs = self.theirs
            if key is None:
                return
            self.theirs, self.typing.base = {}, self.filled.base
            if key == THEIRS:
                self.values.update(theirs)
                self.show_values()
                self.edited()
            self.show_told()

        self.face.push_screen(ChooseScreen(t("claim_form.meanwhile_title"), choices, THEIRS, wide=True), chosen)

    # --- giving it --------------------------------------------------------------------------------------------------

    async def action_claim_form_register(self) -> None:
        """Register the claim, or say what hinders it; keys typed ahead wait for that."""
        await self._register()

    async def _register(self) -> None:
        if self._registering:
            return
        self._registering = True
        try:
            given = await self._give()
        except NotAllowed:
            self.say(self.face.t("errors.api.mandate_missing"), role="alarm")
            return
        except NotShown:
            return
        except StoreError as failure:  # the preview may have asked for this, after the action that opened it has ended
            self.face.store_failed(failure)
            return
        finally:
            self._registering = False
        if given and self.alive:
            self.typing.close()
            self.desk.poke()
            t, missed = self.face.t, self.judging.last.missed
            if self.face.online:
                said, role = t("claim_form.registered"), "good"
            elif missed is None:
                said, role = t("claim_form.registered_offline"), "warn"
            else:
                said, role = t("claim_form.registered_at_risk", day=t.formats.date(missed)), "warn"
            self._go(given, said, role=role)

    def _go(self, given: tuple[str, ...] | None, said: str = "", *, role: str = "") -> None:
        """Leave, say so, and let nobody think that the claim is still being changed here."""
        self.tell_presence(on=False)
        self.leave_with(given, said, role=role)

    async def _give(self) -> tuple[str, ...]:
        """Give the command; return its ids, none when something hinders it, which has been said."""
        judged = await self.judging.now()
        self.visited.update(Field)
        self.show_told()
        t, content = self.face.t, judged.content
        if self.filled.gone:
            self.say(t("claim_form.gone"), role="alarm")
            return ()
        if self.theirs:
            self.action_claim_form_meanwhile()
            return ()
        if judged.hindrances or content is None:
            self.say(t("claim_form.blocked", count=max(1, judged.hindrances)), role="alarm")
            if judged.blocking:
                self.go_to(judged.blocking[0])
            return ()
        await self.typing.flush()
        try:
            return await self._command(content, judged.payee)
        except ClaimRefused as refused:
            self._tell_refused(refused.rule)
        except NotOpen:
            self.filled = self.filled._replace(gone=True)
            self.say(t("claim_form.gone"), role="alarm")
        return ()

    async def _command(self, content: Content, payee: Payee | None) -> tuple[str, ...]:
        claims, claim, draft = self.desk.claims, self.filled.claim, self.typing.draft

        def give() -> Sequence[str]:
            if claim is not None:
                return claims.change(claim, content, draft)
            name = payee.name if payee is not None else self.filled.name
            hidden = payee is not None and payee.non_disclosure
            return [claims.register(content, name=name, non_disclosure=hidden, draft=draft)]

        def work() -> tuple[str, ...]:
            commands = tuple(give())
            claims.keep_handler(content.handler, content.telephone)
            return commands

        given: tuple[str, ...] = await self.desk.run(work)
        return given

    def _tell_refused(self, rule: str) -> None:
        from kelmu_tui.domain.claims.catalogue import rules

        t = self.face.t
        known = rules().get(rule)
        why = known.name.get(t.language) if known is not None else t.choice("errors.refusal", rule, rule)
        self.say(t("claim_form.refused", why=why), role="alarm")
        self.judging.ask()

    # --- leaving ----------------------------------------------------------------------------------------------------

    async def action_claim_form_leave(self) -> None:
        """Leave without asking: what was typed is kept, and that is said."""
        if self._registering:
            return
        typing = self.typing
        await typing.flush()  # a disk that is full says so, and the form stays with what stands in it
        typing.close()
        if typing.lost:
            self._go(None, self.face.t("claim_form.lost"), role="alarm")
            return
        self._go(None, self.face.t("claim_form.draft_kept") if typing.kept else "")

    def action_claim_form_drop(self) -> None:
        """Drop the draft after asking, and leave."""
        from kelmu_tui.screens.confirm import ConfirmScreen

        t = self.face.t

        async def answered(drop: bool | None) -> None:
            if drop:
                await self._drop()

        self.face.push_screen(
            ConfirmScreen(
                t("claim_form.drop_title"),
                t("claim_form.drop_warning"),
                t("claim_form.drop_deed"),
                t("claim_form.stay"),
            ),
            answered,
        )

    async def _drop(self) -> None:
        if self._registering:
            return
        try:
            await self.typing.drop()
        except (NotAllowed, StoreError) as problem:
            self.face.typing = self.typing  # it is still there, and what is typed on is kept again
            if isinstance(problem, StoreError):
                self.face.store_failed(problem)
            else:
                self.say(self.face.t("errors.api.mandate_missing"), role="alarm")
            return
        if self.alive:
            self._go(None, self.face.t("claim_form.dropped"))
