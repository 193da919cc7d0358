"""The frame of every screen: two lines at the top, a line for messages and a line of hints at the bottom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from rich.cells import cell_len
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget

from kelmu_tui.terminal.timers import SureTimers
from kelmu_tui.widgets.cells import fit, one_line
from kelmu_tui.widgets.glyphs import UNICODE, Glyphs
from kelmu_tui.widgets.painted import Line, Painted, Piece, both_ends
from kelmu_tui.widgets.wrapping import wrap

MESSAGE_SECONDS: Final = 8.0
MESSAGE_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the program with its number; `count` is shown behind it when there is something to count."""

    number: str
    label: str
    count: str = ""
    active: bool = False


class Top(NamedTuple):
    """What the top lines say.

    Attributes:
        connection: words for the connection and the age of the data; `role` is their colour, `sign` their glyph.
        queue: commands on their way, empty when there are none.
        conflicts: commands that wait for the user, empty when there are none.
    """

    title: str = ""
    sign: str = ""
    connection: str = ""
    role: str = ""
    queue: str = ""
    conflicts: str = ""
    language: str = ""
    sections: tuple[Section, ...] = ()


class TopLine(Painted):
    """Whom one works for, how the connection is, what waits; below it the sections and a rule."""

    DEFAULT_CSS = """
    TopLine { dock: top; }
    """

    def __init__(self, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(id="top")
        self._glyphs = glyphs
        self._top = Top()

    def show(self, top: Top) -> None:
        """Show another state."""
        if top != self._top:
            self._top = top
            self.repaint()

    def paint(self, width: int) -> Sequence[Line]:
        """Return the organisation's line, the sections when there are any, and the rule."""
        lines: list[Line] = [self._first(width)]
        if self._top.sections:
            lines.append(self._sections(width))
        lines.append([(self._glyphs.line * width, "rule")])
        return lines

    def _first(self, width: int) -> Line:
        top = self._top
        right: list[Piece] = []
        for text, role in (
            (f"{top.sign} {top.connection}".strip(), top.role),
            (top.queue, "accent"),
            (top.conflicts, "alarm"),
            (top.language, "dim"),
        ):
            if text:
                right += [("  ", ""), (text, role)]
        right.append((" ", ""))
        if width < 50 and top.connection:
            # The name of the organisation is worth more than the words of the connection; its sign and colour stay.
            right = [(text.replace(f"{top.sign} {top.connection}", top.sign), role) for text, role in right]
        return both_ends([(" ", ""), (one_line(top.title), "strong")], right[1:], width)

    def _sections(self, width: int) -> Line:
        # Where not all names fit the last ones leave first, and that of the present section never.
        sections = self._top.sections
        for named in range(len(sections), -1, -1):
            line = self._tabs(sections, named)
            if sum(cell_len(text) for text, _ in line) <= width:
                break
        return line

    @staticmethod
    def _tabs(sections: Sequence[Section], named: int) -> list[Piece]:
        line: list[Piece] = [(" ", "")]
        for index, section in enumerate(sections):
            if index:
                line.append(("  ", ""))
            label = section.label if index < named or section.active else ""
            text = " ".join(part for part in (section.number, one_line(label), section.count) if part)
            if section.active:
                line.append((text, "strong"))
            else:
                line += [(section.number, "key"), (text[len(section.number) :], "")]
        return line


class ViewLine(Painted):
    """Which view, how many rows, how sorted, which filter, what is marked and what is new."""

    def __init__(self) -> None:
        super().__init__(id="view")
        self._left: tuple[Piece, ...] = ()
        self._right: tuple[Piece, ...] = ()

    def show(self, left: Iterable[Piece], right: Iterable[Piece]) -> None:
        """Show another state."""
        self._left, self._right = tuple(left), tuple(right)
        self.repaint()

    def paint(self, width: int) -> Sequence[Line]:
        """Return the one line."""
        return [both_ends([(" ", ""), *self._left], [*self._right, (" ", "")], width)]


class Remark(NamedTuple):
    """A message of one line; `hint` (a key and what it does) stands at its end."""

    text: str
    role: str = ""
    hint: str = ""


class MessageBar(SureTimers, Painted):
    """A rule until there is something to say, and again some seconds later."""

    def __init__(self, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(id="message")
        self._glyphs = glyphs
        self._message: Remark | None = None
        self._timer: Timer | None = None

    @property
    def message(self) -> Remark | None:
        """What is being said."""
        return self._message

    def say(self, message: Remark, *, seconds: float | None = MESSAGE_SECONDS) -> None:
        """Show a message for `seconds`, or until the next one when None."""
        self._stop()
        self._message = message
        if seconds is not None:
            self._timer = self.set_timer(seconds, self.clear)
        self.repaint()

    def clear(self) -> None:
        """Be a rule again."""
        self._stop()
        if self._message is not None:
            self._message = None
            self.repaint()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def paint(self, width: int) -> Sequence[Line]:
        """Return the rule, or the message in as many lines as it needs, up to `MESSAGE_LINES`."""
        message = self._message
        if message is None:
            return [[(self._glyphs.line * width, "rule")]]
        hint = one_line(message.hint)
        right: list[Piece] = [(hint, "key"), (" ", "")] if hint and cell_len(hint) < width // 2 else [(" ", "")]
        room = width - 2 - sum(cell_len(text) for text, _ in right)
        role = message.role or "strong"
        first, *others = wrap(one_line(message.text), room)
        if len(others) >= MESSAGE_LINES:
            others = [*others[: MESSAGE_LINES - 2], " ".join(others[MESSAGE_LINES - 2 :])]
        lines: list[Line] = [both_ends([(" ", ""), (first, role)], right, width)]
        lines.extend(both_ends([(" ", ""), (other, role)], [(" ", "")], width) for other in others)
        return lines


class KeyHint(NamedTuple):
    """A key and what it does; not `usable` hints are dimmed."""

    key: str
    label: str
    usable: bool = True


class HintLine(Painted):
    """The keys that matter here, and how many more there are."""

    def __init__(self) -> None:
        super().__init__(id="hints")
        self._hints: Sequence[KeyHint] = ()
        self._rest = ""

    def show(self, hints: Sequence[KeyHint], rest: str = "") -> None:
        """Show hints that are known to fit, with `rest` at the end of the line."""
        self._hints, self._rest = tuple(hints), rest
        self.repaint()

    def paint(self, width: int) -> Sequence[Line]:
        """Return the one line."""
        left: list[Piece] = [(" ", "")]
        for index, hint in enumerate(self._hints):
            if index:
                left.append(("  ", ""))
            left += [
                (hint.key, "key" if hint.usable else "closed"),
                (f" {one_line(hint.label)}", "" if hint.usable else "closed"),
            ]
        right: list[Piece] = [(self._rest, "dim"), (" ", "")] if self._rest else []
        return [both_ends(left, right, width)]


def title_rule(title: str, width: int, glyphs: Glyphs, *, right: str = "") -> Line:
    """Return a rule with a title near its start: `── Title ───────`."""
    line = glyphs.line
    text = f" {one_line(title)} "
    end = f" {one_line(right)} {line}" if right else ""
    room = width - 2 - cell_len(end)
    if cell_len(text) > room:
        text = fit(text, room)
    pieces: list[Piece] = [(line * 2, "rule"), (text, "strong")]
    pieces.append((line * max(0, room - cell_len(text)), "rule"))
    if end:
        pieces.append((end, "rule"))
    return pieces


class Caption(Painted):
    """A text that wraps, with something at the right end of its last line: the foot of a dialog, an explanation."""

    def __init__(
        self,
        text: str = "",
        *,
        role: str = "dim",
        right: str = "",
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(id=id)
        self._text = text
        self._role = role
        self._right = right

    @property
    def text(self) -> str:
        """What it says."""
        return self._text

    def show(self, text: str | None = None, *, role: str | None = None, right: str | None = None) -> None:
        """Say something else; what is None stays."""
        self._text = self._text if text is None else text
        self._role = self._role if role is None else role
        self._right = self._right if right is None else right
        self.repaint()

    def paint(self, width: int) -> Sequence[Line]:
        """Return the wrapped text."""
        room = width - (cell_len(self._right) + 1 if self._right else 0)
        lines: list[Line] = [[(line, self._role)] for line in wrap(self._text, room)]
        if self._right:
            lines[-1] = both_ends(lines[-1], [(self._right, "dim")], width)
        return lines


class Labelled(Horizontal):
    """A field with its label before it."""

    DEFAULT_CSS = """
    Labelled { height: auto; }
    Labelled > Caption { width: 15; }
    """

    def __init__(self, label: str, field: Widget) -> None:
        super().__init__(Caption(label), field)
