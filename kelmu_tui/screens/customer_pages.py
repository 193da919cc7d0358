"""Pages that belong to a customer's file: what its words mean, and a section as text for the case file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from kelmu_tui.actions import Context
from kelmu_tui.domain.sections import Section
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.base import KeyedScreen
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.page import PageScreen
from kelmu_tui.screens.text_out import print_text_of, save_text
from kelmu_tui.services.customer_explain import explain_row, explain_section
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.customer_rows import SectionFile, SectionRow
from kelmu_tui.terminal.clipboard import TooLong
from kelmu_tui.widgets.sheet import Block, Heading, Paragraph

if TYPE_CHECKING:
    from kelmu_tui.services.case_file import Form


class ExplainScreen(PageScreen[None]):
    """Every code, section of law and term of a row, and of its section, in words."""

    CONTEXT: ClassVar[Context] = Context.ABOUT

    def __init__(self, row: SectionRow | None, part: Section | None, shown: SectionFile | None) -> None:
        super().__init__()
        self._row = row
        self._part = part
        self._shown = shown

    def retranslate(self) -> None:
        """Render the page in the language of now."""
        super().retranslate()
        self.sheet.show(self._blocks(), title=self.face.t("explain.title"), keep=True)

    def _blocks(self) -> Iterator[Block]:
        t = self.face.t
        found = [] if self._row is None else list(explain_row(self._row, t))
        found += explain_section(self._part, self._shown, t)
        for title, text in found:
            yield Heading(title)
            yield Paragraph(text, indent=2)


class TextScreen(PageScreen[None]):
    """A section or the whole file as plain text, which the terminal's own selection can take; reading it is logged."""

    CONTEXT: ClassVar[Context] = Context.CUSTOMER_TEXT

    def __init__(self, desk: Desk, customer: str, part: Section | None) -> None:
        super().__init__()
        self.desk = desk
        self._customer = customer
        self._part = part
        self._text: str | None = None

    def mounted(self) -> None:
        """Have the text logged, then show it."""
        super().mounted()
        self.face.spawn("customer.text", self._read())

    async def _read(self) -> None:
        customers = self.desk.customers
        try:
            # In the language of the screen at this moment: what was logged is what is shown.
            self._text = await self.desk.run(customers.section_text, self._customer, parts(self._part), self.face.t)
        except NotAllowed:
            self._text = None
        if self.alive:
            self._show()

    def _show(self) -> None:
        t = self.face.t
        title = t("customer_view.text_title")
        if self._text is None:
            self.sheet.show([Paragraph(t("customer_view.gone"), "warn")], title=title)
        else:
            self.sheet.show([Paragraph(self._text)], title=title)

    def action_customer_send(self) -> None:
        """Hand the text to the terminal's clipboard."""
        t = self.face.t
        if self._text is None:
            return
        try:
            self.face.send_copy(self._text)
        except TooLong:
            self.say(t("customer_view.too_long"), role="warn")
        else:
            self.say(t("customer_view.sent"), role="good")

    def action_customer_save(self) -> None:
        """Ask where to save it."""
        ask_where(self, self.desk, self._customer, self._part)

    def action_customer_print(self) -> None:
        """Print it, without waiting for the printer."""
        from kelmu_tui.services.case_file import Form

        make = partial(exported, self.desk, self._customer, self._part, self.face.t, Form.PAGES)
        printed = print_text_of(self, make, gone="customer_view.gone", save_key="customer.save")
        self.face.spawn("customer.print", printed)


def parts(part: Section | None) -> tuple[Section, ...]:
    """Return the sections that a part of the screen stands for; none for the overview means all."""
    return () if part is None else (part,)


async def exported(desk: Desk, customer: str, part: Section | None, t: Translator, form: Form) -> str | None:
    """Return what leaves, after it was logged; None when it is not held (any more)."""
    try:
        text: str | None = await desk.run(desk.customers.exported, customer, parts(part), t, form)
    except NotAllowed:
        return None
    return text


def ask_where(screen: KeyedScreen[Any], desk: Desk, customer: str, part: Section | None) -> None:
    """Ask where to save a section, or the whole file, and say where it went."""

    async def make(form: Form) -> str | None:
        return await exported(desk, customer, part, screen.face.t, form)

    save_text(screen, part.value if part else "customer", make, gone="customer_view.gone")
