"""What was given and where it stands: on its way, done, refused; and what can still be done about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Final

from kelmu_tui.actions import Action, Context, State
from kelmu_tui.domain.claims.life import VERBS as CLAIM_VERBS
from kelmu_tui.domain.documents import VERBS as DOCUMENT_VERBS
from kelmu_tui.domain.following import VERBS as FOLLOW_VERBS
from kelmu_tui.screens import panes
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.listing import ListScreen
from kelmu_tui.screens.words import municipality_name
from kelmu_tui.services import refusals
from kelmu_tui.store import drafts
from kelmu_tui.store.database import Changed
from kelmu_tui.store.endings import NotPossible
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.outbox import State as CommandState
from kelmu_tui.store.rows import CommandLine
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.picker import Choice
from kelmu_tui.widgets.sheet import Block, Field, Paragraph, Sheet

ROLES: Final = {
    CommandState.REFUSED.value: "alarm",
    CommandState.UNDELIVERABLE.value: "alarm",
    drafts.STATE: "warn",
    CommandState.BLOCKED.value: "warn",
    CommandState.QUEUED.value: "accent",
    CommandState.SENDING.value: "accent",
    CommandState.ACKNOWLEDGED.value: "good",
}
HIDDEN: Final = frozenset({CommandState.REISSUED.value})
WRITTEN: Final = frozenset({"claim-register", "claim-change"})
"""Commands that were written in a form."""


class OutboxScreen(ListScreen[CommandLine, None]):
    """The user's own commands, those that need the user first."""

    CONTEXT: ClassVar[Context] = Context.OUTBOX
    SECTION: ClassVar[str] = "main.outbox"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    async def fetch(self) -> Sequence[CommandLine]:
        """Read the commands."""
        lines: Sequence[CommandLine] = await self.desk.run(self.desk.outbox.lines)
        return [line for line in lines if line.state not in HIDDEN]

    def store_changed(self, change: Changed) -> None:
        """A command went on its way."""
        if not change.tables or change.tables & {"command", "conflict"}:
            self.reload()

    def key(self, row: CommandLine) -> str:
        """Return the command's id."""
        return row.id

    def state(self) -> State:
        """Return what decides over the actions."""
        work = self.face.work
        selected = len(self.rows.targets) if self.alive else 0
        return self.face.state(selected=selected, can_undo=work is not None and work.can_undo)

    def empty_text(self) -> str:
        """Say that nothing was given yet."""
        return self.face.t("outbox.empty")

    def heading(self) -> str:
        """Return what the commands are called."""
        return self.face.t("outbox.heading")

    def columns(self) -> Sequence[Column]:
        """Return the columns."""
        t = self.face.t
        return (
            Column("at", t("outbox.column_at"), 12, drop=1),
            Column("verb", t("outbox.column_verb"), 14, most=24),
            Column("about", t("outbox.column_about"), 16, most=40),
            Column("state", t("outbox.column_state"), 14, most=28),
        )

    def cells(self, row: CommandLine) -> Mapping[str, Cell]:
        """Return the cells of a command."""
        t = self.face.t
        return {
            "at": Cell(t.formats.moment(row.created_at, self.face.now()), "dim"),
            "verb": Cell(t.choice("states.verb", row.verb)),
            "about": Cell(self._about(row)),
            "state": Cell(t.choice("states.command", row.state), ROLES.get(row.state, "dim")),
        }

    def flag(self, row: CommandLine) -> Cell:
        """Return the sign of a conflict or of a command on its way."""
        glyphs = self.face.glyphs
        if row.conflict is not None or row.state == CommandState.UNDELIVERABLE:
            return Cell(glyphs.conflict, "alarm")
        return Cell(glyphs.pending, "accent") if row.state in ("queued", "sending") else Cell(" ")

    def _about(self, row: CommandLine) -> str:
        label, t = row.label, self.face.t
        customer = label.get("customer")
        if customer:
            return str(customer)
        if label.get("count", 1) > 1:
            return t("outbox.draft_count", count=label["count"])
        if row.verb in DOCUMENT_VERBS and label.get("masked_code"):
            return str(label["masked_code"])
        kind = label.get("kind")
        return t.choice("kinds.short", str(kind), str(kind)) if kind else row.aggregate[:8]

    # --- the explanation --------------------------------------------------------------------------------------------

    def explanation_title(self, row: CommandLine) -> str:
        """Return verb and state."""
        t = self.face.t
        return f"{t.choice('states.verb', row.verb)} {self.face.glyphs.dot} {t.choice('states.command', row.state)}"

    def explain(self, row: CommandLine) -> Iterable[Block]:
        """Say what the command was about, what became of it and what can be done."""
        t, label = self.face.t, row.label
        documents = row.verb in DOCUMENT_VERBS
        about = t("claim_view.claim") if row.verb in CLAIM_VERBS else t("outbox.about")
        yield Field(t("sending_view.sending") if documents else about, self._about(row))
        if documents:
            if label.get("masked_code"):
                yield Field(t("customer_view.code"), str(label["masked_code"]))
            if label.get("documents"):
                yield Paragraph(t("sending_view.documents", count=int(label["documents"])))
        if row.verb in CLAIM_VERBS:
            from kelmu_tui.screens.claim_refused import claim_fields

            yield from claim_fields(row, t)
        if label.get("kind") and label.get("customer"):  # without a name the kind stands for the notice
            yield Field(t("outbox.kind"), t.choice("kinds.short", str(label["kind"]), str(label["kind"])))
        if label.get("to_municipality"):
            yield Field(t("outbox.to"), municipality_name(str(label["to_municipality"]), t.language))
        if row.conflict is not None:
            now = self.face.now()
            yield Paragraph(refusals.why(row.conflict, t), "alarm")
            if not documents:  # Kela has nothing of it, or the receipt would be here
                yield Field(t("outbox.now"), refusals.present(row, t, now))
            yield Paragraph(refusals.next_steps(row.conflict, t, row.verb), "dim")
        elif standing := refusals.standing(row, t):
            yield Paragraph(standing, "warn")
        if row.text:
            yield Field(t("outbox.written"), row.text)
        yield from self._sending(row)

    def _sending(self, row: CommandLine) -> Iterable[Block]:
        t = self.face.t
        waits = row.state in (CommandState.QUEUED, CommandState.SENDING)
        if waits and row.attempts:
            yield Field(t("outbox.attempts"), t.formats.number(row.attempts))
        if waits and row.due_at is not None:
            yield Field(t("outbox.next_attempt"), t.formats.time(row.due_at))
        if row.problem is not None and row.problem.get("request_id"):
            yield Field(t("outbox.request_id"), str(row.problem["request_id"]), "dim")

    # --- actions ----------------------------------------------------------------------------------------------------

    async def perform(self, action: Action) -> None:
        """Moving keys scroll the explanation while it is being read."""
        if not (self.has_class("-reading") and panes.scroll(self.query_one("#preview", Sheet), action.id)):
            await super().perform(action)

    def action_outbox_pane(self) -> None:
        """Give the explanation room and the moving keys, or the list again."""
        self.toggle_class("-reading")
        self.query_one("#preview", Sheet).set_class(self.has_class("-reading"), "-active")

    def action_app_back(self) -> None:
        """Go back to the list, then leave the screen."""
        if self.has_class("-reading"):
            self.action_outbox_pane()
        else:
            super().action_app_back()

    async def action_outbox_retry(self) -> None:
        """Send again now."""
        await self._each("retry", "outbox.retried")
        self.desk.poke()

    async def action_outbox_redo(self) -> None:
        """Give refused commands again on the present state."""
        await self._each("redo", "outbox.redone")
        self.desk.poke()

    async def action_outbox_reload(self) -> None:
        """Drop refused commands and look at the notice as it is now."""
        await self._reload_command(self.rows.targets)

    async def _reload_command(self, ids: Sequence[str]) -> None:
        row = next((row for row in self.rows.rows if row.id in ids), None)
        if row is not None and row.verb in DOCUMENT_VERBS:  # there is nothing of it elsewhere that could be looked at
            self.face.show_sending(row.aggregate)
            return
        if not await self._each("reload", "outbox.reloaded", ids) or row is None or len(ids) > 1:
            return
        show = self._shower(row)
        if show is not None:
            show(row.aggregate)
            return
        from kelmu_tui.screens.inbox import InboxScreen

        below = next((screen for screen in self.face.screen_stack if isinstance(screen, InboxScreen)), None)
        own = row.organisation == self.desk.session.organisation.business_id
        if below is not None and own and await below.go_to(row.aggregate):
            self.face.action_main_inbox()
            self.face.say(self.face.t("outbox.reloaded", count=1), role="good")
        else:
            self.say(self.face.t("outbox.reloaded_gone"), role="warn")

    def _shower(self, row: CommandLine) -> Callable[[str], None] | None:
        """Return what shows that which a command is about, unless it is a notice."""
        face = self.face
        kinds = (
            (FOLLOW_VERBS, face.show_followed),
            (CLAIM_VERBS, face.show_claim),
            (DOCUMENT_VERBS, face.show_sending),
        )
        return next((show for verbs, show in kinds if row.verb in verbs), None)

    def _show_notice(self, notice: str) -> None:
        from kelmu_tui.screens.notice import NoticeScreen

        self.face.push_screen(NoticeScreen(self.desk, notice))

    def action_outbox_discard(self) -> None:
        """End commands, after a warning."""
        self._discard(self.rows.targets)

    def _discard(self, ids: Sequence[str]) -> None:
        from kelmu_tui.screens.confirm import ConfirmScreen

        t = self.face.t

        async def answered(deed: bool | None) -> None:
            if deed:
                await self._each("discard", "outbox.discarded", ids)

        self.face.push_screen(
            ConfirmScreen(
                t("outbox.discard_title", count=len(ids)),
                t("outbox.discard_warning", count=len(ids)),
                t("outbox.discard_deed", count=len(ids)),
                t("outbox.discard_stay"),
            ),
            answered,
        )

    def action_list_open(self) -> None:
        """Choose what to do with a conflict, or look at the notice."""
        row = self.rows.current
        if row is None:
            return
        if row.conflict is None:
            show = self._shower(row) or self._show_notice
            show(row.aggregate)
            return
        from kelmu_tui.screens.choose import ChooseScreen

        t = self.face.t
        claim = row.verb in CLAIM_VERBS
        reload = t("claim_view.choose_reload") if claim else t("outbox.choose_reload")
        if row.verb in DOCUMENT_VERBS:
            reload = t("sending_view.outbox_open")
        choices = [
            *([Choice("form", (t("claim_view.choose_form"), ""))] if row.verb in WRITTEN else []),
            Choice("reload", (reload, "")),
            Choice("redo", (t("outbox.choose_redo"), "")),
            Choice("discard", (t("outbox.choose_discard"), "")),
        ]

        async def chosen(key: str | None) -> None:
            if key == "form":
                from kelmu_tui.screens.claim_refused import open_refused

                open_refused(self, self.desk, row)
            elif key == "reload":
                await self._reload_command((row.id,))
            elif key == "redo":
                await self._each("redo", "outbox.redone", (row.id,))
                self.desk.poke()
            elif key == "discard":
                self._discard((row.id,))

        self.face.push_screen(ChooseScreen(t("outbox.choose"), choices), chosen)

    async def _each(self, method: str, done_text: str, ids: Sequence[str] | None = None) -> int:
        """Do something with each of the commands; say and return how many it worked for."""
        t, outbox = self.face.t, self.desk.outbox
        deeds = {"retry": outbox.retry, "redo": outbox.redo, "discard": outbox.discard, "reload": outbox.reload}
        done, why = 0, ""
        for command in self.rows.targets if ids is None else ids:
            try:
                await self.desk.run(deeds[method], command)
                done += 1
            except NotPossible as error:
                why = error.reason
            except StoreError as error:  # a dialog may have asked for this, after the action that opened it has ended
                self.reload()
                self.face.store_failed(error)
                return 0
        self.rows.clear_marks()
        self.reload()
        if done:
            self.say(t(done_text, count=done), role="good")
        elif why:
            self.say(t.choice("outbox.not_possible", why), role="warn")
        return done
