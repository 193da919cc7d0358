"""How a piece of text looks that has a role: one table for all painted widgets and themes.

A role is resolved when it is first painted. As component classes of a style sheet each of the roles was matched against
every rule for every widget, whenever anything of the widget changed: a third of the time to the first painted list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color


class Ink(NamedTuple):
    """Colours by a theme's variable or a terminal's own name, empty for the ground's, and attributes."""

    color: str = ""
    background: str = ""
    bold: bool = False
    dim: bool = False
    reverse: bool = False
    underline: bool = False


PLAIN: Final = Ink()
ROLES: Final[Mapping[str, Ink]] = {
    "header": Ink(bold=True),
    "cursor": Ink(reverse=True),
    "marked": Ink("accent", bold=True),
    "strong": Ink(bold=True),
    "dim": Ink(dim=True),
    "rule": Ink(dim=True),
    "warn": Ink("warning"),
    "alarm": Ink("error", bold=True),
    "good": Ink("success"),
    "accent": Ink("accent"),
    "key": Ink("accent", bold=True),
    "chosen": Ink(reverse=True),
    "closed": Ink(dim=True),
    "code": Ink(bold=True, reverse=True),
    "qr": Ink("ansi_black", "ansi_bright_white"),
}
"""What a piece of text can be; a role that is not here is plain."""

CONTRAST: Final[Mapping[str, Ink]] = {
    **ROLES,
    "dim": PLAIN,
    "rule": PLAIN,
    "closed": PLAIN,
    "warn": Ink("warning", bold=True),
    "accent": Ink("accent", underline=True),
    "cursor": Ink(bold=True, reverse=True),
}
"""High contrast: nothing is dim, and what is coloured is bold or underlined too."""


def dye(ground: Style, role: str, variables: Mapping[str, str], *, contrast: bool = False) -> Style:
    """Return the style of `role` on the `ground` of its widget.

    Args:
        variables: the theme's, which say what the names of colours mean.
    """
    ink = (CONTRAST if contrast else ROLES).get(role, PLAIN)
    return ground + Style(
        color=_color(ink.color, variables),
        bgcolor=_color(ink.background, variables),
        bold=ink.bold or None,
        dim=ink.dim or None,
        reverse=ink.reverse or None,
        underline=ink.underline or None,
    )


def _color(name: str, variables: Mapping[str, str]) -> RichColor | None:
    return Color.parse(variables.get(name, name)).rich_color if name else None
