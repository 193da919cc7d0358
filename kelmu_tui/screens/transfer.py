"""Transferring notices: to whom by the law, why, and what that means, spelled out before enter is pressed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, TextArea

from kelmu_tui.actions import Context
from kelmu_tui.domain.notices import MAX_REASON
from kelmu_tui.domain.organisations import counties, municipalities
from kelmu_tui.domain.transfer import Rule, Target
from kelmu_tui.screens.drafting import DraftDialog, Typing
from kelmu_tui.store.rows import NoticeLine
from kelmu_tui.widgets.block_field import BlockField
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption, Labelled
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.text_field import LineField


class TransferScreen(DraftDialog):
    """Asks for a recipient and a reason; both stay until the transfer is saved."""

    CONTEXT: ClassVar[Context] = Context.TRANSFER

    def __init__(
        self,
        typing: Typing,
        lines: Sequence[NoticeLine],
        targets: Sequence[Target],
        save: Callable[[str, str], Awaitable[str]],
    ) -> None:
        """Ask for a transfer of the notices of `typing`, of which `lines` are known, to one of the legal `targets`.

        `save` gets the municipality (code) and the reason, and returns what hinders the transfer, empty when nothing.
        """
        super().__init__(typing)
        self._save = save
        self._lines = tuple(lines)
        self._told: Target | None = None
        self._targets = {target.municipality: target for target in targets}

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t, found = self.face.t, self._typing.found
        to, reason = str(found.get("to", "")), str(found.get("reason", ""))
        columns = (
            Column("name", "", 14, good=18, most=22),
            Column("holder", "", 14, good=27, most=34, drop=1),
            Column("rule", "", 10, good=14, most=18, drop=2),
        )
        yield self.box(
            self.draft_title(t("transfer.title", count=len(self._typing.ids))),
            Labelled(t("transfer.recipient"), LineField(to, id="to", max_length=60, placeholder=t("transfer.to_hint"))),
            PickList(columns, glyphs=self.face.glyphs, empty=t("transfer.nobody"), id="picks"),
            Labelled(t("transfer.reason"), BlockField(reason, limit=MAX_REASON, breaks=False, id="reason")),
            Caption("", id="effect"),
            Caption("", id="foot"),
        )

    def on_mount(self) -> None:
        """Offer the targets, and go on where an earlier dialog stopped."""
        picks, to, reason = self.query_one(PickList), self.query_one("#to", LineField), self.query_one(BlockField)
        picks.offer([self._choice(target) for target in self._targets.values()])
        if to.value:
            picks.search(to.value)
            picks.point(str(self._typing.found.get("municipality", "")))
        to.cursor_position = len(to.value)
        reason.move_cursor(reason.document.end)
        self.set_focus(reason if reason.text else to)
        self._say_effect()
        self._count_letters()

    def _choice(self, target: Target) -> Choice:
        language, t = self.face.t.language, self.face.t
        municipality = municipalities()[target.municipality]
        county = counties()[municipality.county]
        # Both official names are looked in: a Swedish name is as good a way to a place as the Finnish one.
        names = f"{municipality.name.fi} {municipality.name.sv}"
        return Choice(
            target.municipality,
            (
                municipality.name.get(language),
                target.organisation.name.get(language),
                t.choice("transfer.rule", target.rule),
            ),
            f"{names} {county.name.fi} {county.name.sv} {target.organisation.name.get(language)}",
        )

    def fields(self) -> Mapping[str, str]:
        """Return recipient, as it was typed and as it was chosen, and reason."""
        to, target = self.query_one("#to", LineField).value, self._target
        chosen = target.municipality if to and target is not None else ""
        return {"reason": self.query_one(BlockField).text, "to": to, "municipality": chosen}

    # --- what it means ----------------------------------------------------------------------------------------------

    @property
    def _target(self) -> Target | None:
        choice = self.query_one(PickList).current
        return None if choice is None else self._targets.get(choice.key)

    def _say_effect(self) -> None:
        t, target = self.face.t, self._target
        self._told = target
        effect = self.query_one("#effect", Caption)
        if target is None:
            effect.show(t("transfer.effect_none"), role="dim")
            return
        days = sorted({line.due for line in self._lines})
        due = ""
        if days:
            first = t.formats.short_date(days[0])
            due = t("transfer.due_stays", day=first) if len(days) == 1 else t("transfer.due_stays_from", day=first)
            due += " "
        within = target.rule is Rule.WITHIN_COUNTY
        after = t("transfer.effect_within") if within else t("transfer.effect_away")
        effect.show(due + after, role="" if within else "warn")

    def _count_letters(self) -> None:
        number = self.face.t.formats.number
        length = len(self.query_one(BlockField).text)
        self.query_one("#foot", Caption).show(
            self.hint_line(
                "dialog.accept", "dialog.next", "dialog.cancel", accept=self.face.t("actions.inbox.transfer.label")
            ),
            right=f"{number(length)}/{number(MAX_REASON)}",
        )

    @on(Input.Changed, "#to")
    def _searched(self, event: Input.Changed) -> None:
        self.query_one(PickList).search(event.value)
        self.keep_typed()

    @on(PickList.Pointed)
    def _pointed(self) -> None:
        self.keep_typed()
        # A list of another height points anew at the same choice: no reason to talk over what is being said.
        if self._target is not self._told:
            self._say_effect()

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self._count_letters()
        self._say_effect()
        self.keep_typed()

    # --- keys -------------------------------------------------------------------------------------------------------

    async def action_dialog_accept(self) -> None:
        """Go on to what is missing, or transfer."""
        target, reason = self._target, self.query_one(BlockField)
        effect = self.query_one("#effect", Caption)
        if target is None:
            effect.show(self.face.t("transfer.choose_recipient"), role="warn")
            self.set_focus(self.query_one("#to", LineField))
        elif not reason.text.strip():
            if reason.has_focus:
                effect.show(self.face.t("transfer.give_reason"), role="warn")
            self.set_focus(reason)
        elif problem := await self.give(self._save, target.municipality, reason.text.strip()):
            effect.show(problem, role="alarm")

    def action_dialog_down(self) -> None:
        """Point at the next target."""
        self.query_one(PickList).move(1)

    def action_dialog_up(self) -> None:
        """Point at the target before."""
        self.query_one(PickList).move(-1)
