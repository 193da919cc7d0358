"""The commands on notices, for every screen that shows some."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from kelmu_tui.actions import REGISTRY
from kelmu_tui.i18n.failures import store_text
from kelmu_tui.screens.drafting import Typing
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.rows import NoticeLine, Outcome, Query, View

if TYPE_CHECKING:
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face
    from kelmu_tui.screens.work import Work


class Commands:
    """Mixed into a screen; the screen says which notices are meant and what happens after."""

    if TYPE_CHECKING:
        desk: Desk

        @property
        def face(self) -> Face:
            """The app."""
            ...

    def selected(self) -> tuple[str, ...]:
        """Return the ids a command is about."""
        raise NotImplementedError

    def lines_of(self, ids: Sequence[str]) -> list[NoticeLine]:
        """Return what is known of notices."""
        raise NotImplementedError

    def commanded(self) -> None:
        """A command was given or taken back."""
        raise NotImplementedError

    def left_over(self, ids: Sequence[str]) -> None:
        """A command was saved for others but not for these: they are what giving it again is about."""
        del ids

    async def action_inbox_customer(self) -> None:
        """Look up the customer of the notice; to know who that is is a look at the notice."""
        from kelmu_tui.domain.identifiers import InvalidIdentityCode, mask
        from kelmu_tui.screens.customer_find import Whom

        detail = await self.desk.run(self.desk.inbox.preview, self.selected()[0])
        if detail is None:
            return
        customer = detail.customer
        try:
            code = self.desk.customers.clean_code(customer.identity_code)
        except InvalidIdentityCode:
            self.face.say(self.face.t("errors.api.customer_code_invalid"), role="warn")
            return
        label = f"{customer.family_name}, {customer.given_names} {mask(code.value)}"
        self.face.find_customer(Whom(label, code))

    async def _give(self, verb: str, ids: Sequence[str], *arguments: str) -> None:
        work = self.face.work
        if work is not None:
            await self._do(work, work.do(verb, ids, *arguments))

    async def _do(self, work: Work, given: Awaitable[Outcome | None]) -> None:
        """Give a command.

        Raises:
            StoreError: it could not be saved for all notices; the others are what is left.
        """
        try:
            outcome = await given
        except StoreError:
            self.left_over(work.left)
            raise
        if outcome is not None:
            self.commanded()

    async def _save_typed(self, verb: str, ids: list[str], *arguments: str) -> str:
        """Give a command with what was typed in a dialog; return what hinders it, empty when it is saved.

        `ids` keeps the notices that it was not saved for, so that a second try writes nothing twice.
        """
        work = self.face.work
        if work is None:
            return ""
        try:
            await self._do(work, work.do(verb, ids, *arguments))
        except StoreError as error:
            ids[:] = work.left
            self.face.report(error)
            return store_text(self.face.t, error)
        return ""

    async def action_inbox_take(self) -> None:
        """Make the notices mine."""
        await self._give("take", self.selected())

    async def action_inbox_release(self) -> None:
        """Give them back to the team."""
        await self._give("release", self.selected())

    async def action_inbox_handle(self) -> None:
        """Mark them handled."""
        await self._give("handle", self.selected())

    async def action_inbox_reopen(self) -> None:
        """Put them back to work."""
        await self._give("reopen", self.selected())

    async def action_inbox_take_back(self) -> None:
        """Take back own transfers."""
        await self._give("take-back", self.selected())

    async def action_inbox_note(self) -> None:
        """Write a note to them."""
        await self._write("note", self.selected())

    async def action_inbox_transfer(self) -> None:
        """Choose where they belong, and why, and move them there."""
        ids = self.selected()
        if not await self._write("transfer", ids):
            self.face.say(self.face.t("transfer.no_targets", count=len(ids)), role="warn")

    async def take_up(self, verb: str, ids: Sequence[str]) -> bool:
        """Go on with what was being typed at an earlier desk; False when it cannot be given from this one."""
        if REGISTRY[f"inbox.{verb}"].capability not in self.desk.session.capabilities:
            return False
        held = await self.desk.run(self.desk.inbox.lines, Query(View.ALL), ids)
        return len(held) == len(ids) and await self._write(verb, ids)

    async def _write(self, verb: str, notices: Sequence[str]) -> bool:
        """Open the dialog of a command with a text; False when there is nothing that it could offer."""
        ids = list(notices)
        lines = self.lines_of(ids)
        kinds = {line.kind.value for line in lines}
        typing = Typing(self.face, self.desk, verb, ids, kinds.pop() if len(kinds) == 1 else None)
        save = partial(self._save_typed, verb, ids)
        if verb == "note":
            from kelmu_tui.screens.note import NoteScreen

            await typing.find()
            await self.face.push_screen(NoteScreen(typing, save))
            return True
        from kelmu_tui.screens.transfer import TransferScreen

        targets = await self.desk.run(self.desk.inbox.targets, ids)
        if not targets:
            return False
        await typing.find()
        await self.face.push_screen(TransferScreen(typing, lines, targets, save))
        return True

    async def action_main_undo(self) -> None:
        """Take back the last command."""
        work = self.face.work
        if work is not None and await work.undo() is not None:
            self.commanded()

    async def action_main_repeat(self) -> None:
        """Give the last command to these notices."""
        work = self.face.work
        if work is not None:
            await self._do(work, work.repeat(self.selected()))

    def open_notice(self, id: str) -> Any:  # noqa: A002
        """Show a notice whole."""
        from kelmu_tui.screens.notice import NoticeScreen

        return self.face.push_screen(NoticeScreen(self.desk, id))
