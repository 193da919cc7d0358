"""The fields of the form of a payment claim: what is typed, what is chosen, and below each what is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget

from kelmu_tui.widgets.cells import fit
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.painted import Line, Painted, both_ends
from kelmu_tui.widgets.wrapping import wrap

Note = tuple[str, str]
"""A text and its role."""


class Fields(VerticalScroll, can_focus=False):
    """The rows of the form; they scroll to the field that has the focus."""

    DEFAULT_CSS = """
    Fields { scrollbar-size-vertical: 0; height: 1fr; width: 1fr; }
    """


class ChoiceField(Painted, can_focus=True):
    """Shows what was chosen; whoever holds it opens the list at a letter or at enter.

    Attributes:
        value: key of what was chosen, empty while nothing is.
    """

    ALLOW_SELECT: ClassVar[bool] = False
    DEFAULT_CSS = """
    ChoiceField { height: 1; width: 1fr; }
    """

    def __init__(self, placeholder: str, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self.value = ""
        self._text = ""
        self._placeholder = placeholder

    def show(self, value: str, text: str, placeholder: str | None = None) -> None:
        """Show another choice, in words."""
        self.value, self._text = value, text
        if placeholder is not None:
            self._placeholder = placeholder
        self.repaint()

    def on_focus(self) -> None:
        """Show that keys come here."""
        self.repaint()

    def on_blur(self) -> None:
        """Show that they do not any more."""
        self.repaint()

    def paint(self, width: int) -> Sequence[Line]:
        """Return the one line."""
        text, role = (self._text, "") if self.value else (self._placeholder, "dim")
        if self.has_focus:
            return [[(fit(text, width), "cursor")]]
        return [both_ends([(text, role)], [], width)]


class Notes(Painted):
    """What is told, a paragraph each, or nothing at all."""

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id, classes=classes)
        self._notes: tuple[Note, ...] = ()

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is told."""
        return self._notes

    def show(self, notes: Sequence[Note]) -> bool:
        """Tell something else, and say whether it is something else."""
        told = tuple(notes)
        if told == self._notes:
            return False
        self._notes = told
        self.display = bool(told)
        self.repaint()
        return True

    def paint(self, width: int) -> Sequence[Line]:
        """Return the wrapped texts."""
        return [[(line, role)] for text, role in self._notes for line in wrap(text, max(1, width))]


class FieldRow(Vertical):
    """A field with its label, and what is told of it."""

    DEFAULT_CSS = """
    FieldRow { height: auto; }
    FieldRow > Horizontal { height: auto; }
    FieldRow > Horizontal > .label { width: 15; }
    FieldRow > Notes { padding-left: 15; display: none; }
    """

    def __init__(self, field: StrEnum, label: str, *widgets: Widget) -> None:
        self.field = field
        self._caption = Caption(label)
        self._caption.add_class("label")
        self._notes = Notes()
        super().__init__(Horizontal(self._caption, *widgets), self._notes, id=f"row-{field.value}")

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is told of the field."""
        return self._notes.notes

    def rename(self, label: str) -> None:
        """Call the field something else."""
        self._caption.show(label)

    def tell(self, notes: Sequence[Note]) -> bool:
        """Tell something else of the field, and say whether it is something else."""
        return self._notes.show(notes)
