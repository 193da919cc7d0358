"""Whose file it is: name, code, place and language, how old it is, and what has to be seen before anything is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.cells import cell_len

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.organisations import municipalities
from kelmu_tui.i18n import Translator
from kelmu_tui.services.customer_text import purpose_name
from kelmu_tui.store.customer_rows import File, Person
from kelmu_tui.widgets.cells import fit, one_line
from kelmu_tui.widgets.glyphs import UNICODE, Glyphs
from kelmu_tui.widgets.painted import Line, Painted, Piece, both_ends

NARROW: Final = 60
LEAST_NAME: Final = 24
LEAST_PURPOSE: Final = 8
ROLES: Final = {"interpreter": "accent", "code_changed": "warn"}
"""Warnings that are not alarming."""


class CustomerHead(Painted):
    """Two lines that stay whatever is read below them."""

    def __init__(self, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(id="head")
        self._glyphs = glyphs
        self._left: tuple[Piece, ...] = ()
        self._person = ""
        self._right = ""
        self._short_right = ""
        self._second: tuple[tuple[Piece, ...], str] = ((), "")
        self._tight = False

    def show(self, file: File | None, t: Translator, now: datetime, *, whole: bool, tight: bool = False) -> None:
        """Show another file, or none.

        Args:
            whole: show the identity code as it is.
            tight: leave out the second line when there is nothing to beware of.
        """
        if file is None:
            self._left, self._person, self._right, self._short_right, self._second = (), "", "", "", ((), "")
        else:
            person = file.person
            self._person = f"{person.family_name}, {person.given_names}"
            self._left = tuple(_standing(person, t, whole=whole))
            self._right = t(
                "customer_view.age",
                fetched=t.formats.moment(file.fetched_at, now),
                expires=t.formats.moment(file.expires_at, now),
            )
            self._short_right = t("customer_view.expires", expires=t.formats.moment(file.expires_at, now))
            case = f" {file.case_reference}" if file.case_reference else ""
            self._second = (tuple(_warnings(person, t, self._glyphs)), f"{purpose_name(file.purpose, t)}{case}")
        self._tight = tight
        self.repaint()

    def paint(self, width: int) -> Sequence[Line]:
        """Return who it is, and what to beware of beside what for."""
        right = self._right if width >= NARROW + 20 else self._short_right
        if width < NARROW:
            right = ""
        room = width - 2 - (cell_len(right) + 2 if right else 0)
        first = both_ends([(" ", ""), *self._whom(room)], [(right, "dim"), (" ", "")], width)
        return [first] if self._tight and not self._second[0] else [first, *self._what_for(width)]

    def _whom(self, room: int) -> list[Piece]:
        """Return the name and as much of the rest as fits; the name gives way to the code, the rest to the name."""
        kept = list(self._left)
        least = min(LEAST_NAME, cell_len(self._person))
        while len(kept) > 1 and sum(cell_len(text) for text, _ in kept) + least > room:
            kept.pop()
        left = max(1, room - sum(cell_len(text) for text, _ in kept))
        name = one_line(self._person)
        return [(fit(name, left).rstrip() if cell_len(name) > left else name, "strong"), *kept]

    def _what_for(self, width: int) -> list[Line]:
        """Return what to beware of, on as many lines as that takes, and behind it what the look-up is for."""
        warnings, purpose = self._second
        lines: list[list[Piece]] = [[(" ", "")]]
        used = 1
        for text, role in warnings:
            text = fit(text, width - 2) if cell_len(text) > width - 2 else text
            if used > 1 and used + 2 + cell_len(text) > width - 1:
                lines.append([(" ", "")])
                used = 1
            gap = "  " if used > 1 else ""
            lines[-1].append((gap + text, role))
            used += cell_len(gap + text)
        room = width - used - 3
        text = fit(one_line(purpose), room).rstrip() if cell_len(purpose) > room else purpose
        lines[-1] = both_ends(lines[-1], [(text if room > LEAST_PURPOSE else "", "dim"), (" ", "")], width)
        return list(lines)


def _standing(person: Person, t: Translator, *, whole: bool) -> list[Piece]:
    found: list[Piece] = [
        (f"  {person.identity_code if whole else mask(person.identity_code)}", "strong" if whole else "")
    ]
    found.append((f"  {t.choice('kinds.language', person.language, person.language)}", ""))
    if person.home_municipality is not None:
        place = municipalities().get(person.home_municipality)
        found.insert(1, (f"  {place.name.get(t.language) if place else person.home_municipality}", ""))
    return found


def _warnings(person: Person, t: Translator, glyphs: Glyphs) -> list[Piece]:
    found: list[Piece] = []
    for name in person.warnings:
        text = t.choice("customers.warning", name, name)
        if name == "deceased" and person.died is not None:
            text = f"{text} {t.formats.date(person.died)}"
        if name == "interpreter" and person.interpreter_language is not None:
            language = person.interpreter_language
            text = f"{text}: {t.choice('kinds.language', language, language)}"
        found.append((f"{glyphs.warning} {one_line(text)}", ROLES.get(name, "alarm")))
    return found
