"""A customer's file on the command line, as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.sections import Section
from kelmu_tui.i18n import Translator
from kelmu_tui.services.customer_text import person_fields, purpose_text, row_fields, state_text
from kelmu_tui.store.customer_rows import File, SectionFile

NEWS = "*"
"""Stands before a row that is new or different since the last look."""


def lines(file: File, shown: Iterable[Section], t: Translator, *, full: bool) -> Iterator[str]:
    """Yield a file as lines for people: the person, for what and how old it is, then each section."""
    person = file.person
    code = person.identity_code if full else mask(person.identity_code)
    yield f"{person.family_name}, {person.given_names}  {code}"
    for label, text in person_fields(person, t, full=full):
        yield f"{label}: {text}".replace("\n", "\n  ")
    yield purpose_text(file, t)
    yield t("cli.file_age", at=t.formats.instant(file.fetched_at), until=t.formats.instant(file.expires_at))
    for section in shown:
        yield from _section(file.sections[section], t)


def _section(shown: SectionFile, t: Translator) -> Iterator[str]:
    state = state_text(shown, t)
    yield ""
    yield t.choice("customers.section", shown.section) + (f": {state}" if state else "")
    for row in shown.rows:
        mark = NEWS if row.id in shown.news else "-"
        yield f"{mark} " + "; ".join(f"{label}: {text}" for label, text in row_fields(row, t))
