"""The palette: an action by a few letters, with its key, so that the next time the key is enough."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from kelmu_tui.actions import ACTIVE, REGISTRY, Action, Context, Why, disabled, search
from kelmu_tui.screens.base import Dialog, KeyedScreen
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.text_field import LineField

HEIGHT = 10


class PaletteScreen(Dialog[Action]):
    """Answers the action to do on the screen below."""

    CONTEXT: ClassVar[Context] = Context.PALETTE

    def __init__(self, below: KeyedScreen[object]) -> None:
        super().__init__()
        self._below = below

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        columns = (
            Column("label", "", 14, most=22),
            Column("help", "", 20, most=60, drop=1),
            Column("keys", "", 8, align="right"),
        )
        picks = PickList(columns, glyphs=self.face.glyphs, empty=t("common.nothing_matches"), id="picks")
        yield self.box(
            t("help.palette_title"),
            LineField(id="field", placeholder=t("help.palette_hint")),
            picks,
            Caption(self.hint_line("dialog.accept", "dialog.cancel")),
        )

    def on_mount(self) -> None:
        """Offer what can be done below."""
        self.set_focus(self.query_one(LineField))
        self._offer("")

    def on_resize(self) -> None:
        """Fit the list into the terminal."""
        self.fit_picks(HEIGHT)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._offer(event.value)

    def _offer(self, query: str) -> None:
        state, active = self._below.state(), ACTIVE.get(self._below.context, ())
        choices = []
        for match in search(query, self.face.keymap, self.face.t):
            action = match.action
            here = any(name in active for name in action.contexts) and self._below.can_perform(action)
            why = disabled(action, state)
            if here and why is not Why.CAPABILITY:
                choices.append(
                    Choice(action.id, (match.label, match.help, " ".join(match.keys[:2])), closed=why is not None)
                )
        picks = self.query_one(PickList)
        picks.offer(choices)
        if choices:
            picks.point(choices[0].key)

    @on(PickList.Picked)
    def _picked(self, event: PickList.Picked) -> None:
        self.dismiss(REGISTRY[event.choice.key])

    def action_dialog_accept(self) -> None:
        """Do what is under the cursor; a reason against it is said below."""
        choice = self.query_one(PickList).current
        if choice is not None:
            self.dismiss(REGISTRY[choice.key])

    def action_dialog_down(self) -> None:
        """Point at the next action."""
        self.query_one(PickList).move(1)

    def action_dialog_up(self) -> None:
        """Point at the action before."""
        self.query_one(PickList).move(-1)
