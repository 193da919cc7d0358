"""Choosing one of a few things: views, orders, and the like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from kelmu_tui.actions import Context
from kelmu_tui.screens.base import Dialog
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.text_field import LineField


class ChooseScreen(Dialog[str]):
    """A small box with a field and the choices that match; answers the key of the one chosen."""

    CONTEXT: ClassVar[Context] = Context.PALETTE

    def __init__(self, title: str, choices: Sequence[Choice], current: str = "", *, wide: bool = False) -> None:
        """Offer choices of a name and something beside it, which is short unless it is `wide`."""
        super().__init__()
        self._wide = wide
        self.set_class(wide, "-large")
        self._title = title
        self._choices = tuple(choices)
        self._current = current

    def compose(self) -> ComposeResult:
        """Put the box together."""
        beside = Column("count", "", 16, most=60) if self._wide else Column("count", "", 6, align="right", drop=1)
        columns = (Column("name", "", 16, most=24 if self._wide else 44), beside)
        picks = PickList(columns, glyphs=self.face.glyphs, empty=self.face.t("common.nothing_matches"), id="picks")
        yield self.box(
            self._title, LineField(id="field"), picks, Caption(self.hint_line("dialog.accept", "dialog.cancel"))
        )

    def on_mount(self) -> None:
        """Point at what is chosen now."""
        picks = self.query_one(PickList)
        picks.offer(self._choices)
        picks.point(self._current)
        self.set_focus(self.query_one(LineField))

    def on_resize(self) -> None:
        """Fit the list into the terminal."""
        self.fit_picks(len(self._choices))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.query_one(PickList).search(event.value)

    @on(PickList.Picked)
    def _picked(self, event: PickList.Picked) -> None:
        self.dismiss(event.choice.key)

    def action_dialog_accept(self) -> None:
        """Answer what is under the cursor."""
        choice = self.query_one(PickList).current
        if choice is not None:
            self.dismiss(choice.key)

    def action_dialog_down(self) -> None:
        """Point at the next choice."""
        self.query_one(PickList).move(1)

    def action_dialog_up(self) -> None:
        """Point at the choice before."""
        self.query_one(PickList).move(-1)
