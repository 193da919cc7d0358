"""Help: every key that works here, found by a few letters, and what is closed and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from kelmu_tui.actions import ACTIVE, Action, Context, Group, State, Why, disabled, search
from kelmu_tui.screens.base import Dialog
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.sheet import Block, Field, Heading, Paragraph, Sheet
from kelmu_tui.widgets.text_field import LineField

CLOSED: Final = (Why.CAPABILITY, Why.SUPERVISION)
"""Reasons that last: what they close is listed apart."""


class HelpScreen(Dialog[None]):
    """The actions of the screen below, then all others, then what is closed."""

    CONTEXT: ClassVar[Context] = Context.HELP

    def __init__(self, context: Context | None, state: State) -> None:
        super().__init__(classes="-large")
        self._below = context
        self._state = state

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        yield self.box(
            t("help.title"),
            LineField(id="field", placeholder=t("help.search_hint")),
            Sheet(glyphs=self.face.glyphs, id="page", can_focus=False),
            Caption(self.hint_line("dialog.down", "dialog.clear", "dialog.cancel")),
        )

    def on_mount(self) -> None:
        """Show everything."""
        self.set_focus(self.query_one(LineField))
        self._show("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._show(event.value)

    def _show(self, query: str) -> None:
        self.query_one(Sheet).show(self._blocks(query))

    def _blocks(self, query: str) -> Iterator[Block]:
        t = self.face.t
        found = search(query, self.face.keymap, t)
        here = [match for match in found if self._is_here(match.action)]
        closed = [match for match in found if disabled(match.action, self._state) in CLOSED]
        if not found:
            yield Paragraph(t("common.nothing_matches"), "dim")
        if query.strip():
            for match in found:
                yield self._entry(match.action, match.keys, match.help)
            return
        for group in Group:
            entries = [m for m in here if m.action.group is group and m not in closed]
            if entries:
                yield Heading(t.choice("actions.group", group))
                for match in entries:
                    yield self._entry(match.action, match.keys, match.help)
        elsewhere = [m for m in found if m not in here and m not in closed]
        if elsewhere:
            yield Heading(t("help.elsewhere"))
            for match in elsewhere:
                yield self._entry(match.action, match.keys, match.help)
        if closed:
            yield Heading(t("help.closed"))
            yield Paragraph(t("help.closed_why"), "dim")
            for match in closed:
                yield self._entry(match.action, match.keys, match.help)

    def _is_here(self, action: Action) -> bool:
        return self._below is not None and any(name in ACTIVE[self._below] for name in action.contexts)

    def _entry(self, action: Action, keys: tuple[str, ...], text: str) -> Block:
        why = disabled(action, self._state)
        if why is not None:
            text = f"{text} {self.face.glyphs.none} {self.face.t.choice('actions.why', why)}"
        role, key_role = ("", "key") if why is None else ("closed", "closed")
        return Field(" ".join(keys) or self.face.glyphs.none, text, role, key_role)

    def action_dialog_accept(self) -> None:
        """Nothing is to be done: close."""
        self.dismiss(None)

    def action_dialog_down(self) -> None:
        """Scroll."""
        self.query_one(Sheet).scroll_lines(1)

    def action_dialog_up(self) -> None:
        """Scroll back."""
        self.query_one(Sheet).scroll_lines(-1)

    def takes(self, action: Action) -> bool:
        """Every key of the box is for the box."""
        del action
        return True
