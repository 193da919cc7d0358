"""The themes: the terminal's own sixteen colours, which people have chosen and which survive every connection."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

_DARK: Final = BUILTIN_THEMES["ansi-dark"]
_LIGHT: Final = BUILTIN_THEMES["ansi-light"]

THEMES: Final[tuple[Theme, ...]] = (
    replace(
        _DARK,
        name="kelmu-dark",
        primary="ansi_cyan",
        secondary="ansi_blue",
        warning="ansi_yellow",
        error="ansi_bright_red",
        success="ansi_green",
        accent="ansi_cyan",
    ),
    replace(
        _LIGHT,
        name="kelmu-light",
        primary="ansi_blue",
        secondary="ansi_cyan",
        # Yellow can't be read on white.
        warning="ansi_magenta",
        error="ansi_red",
        success="ansi_green",
        accent="ansi_blue",
    ),
    replace(
        _DARK,
        name="kelmu-contrast",
        primary="ansi_bright_white",
        secondary="ansi_bright_white",
        warning="ansi_bright_yellow",
        error="ansi_bright_red",
        success="ansi_bright_green",
        accent="ansi_bright_cyan",
        foreground="ansi_bright_white",
        background="ansi_black",
        surface="ansi_black",
        panel="ansi_black",
        boost="ansi_black",
    ),
)
