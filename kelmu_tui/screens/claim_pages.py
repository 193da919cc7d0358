"""Pages that belong to a claim: its explanation, and the claim as text that leaves: a record or a letter."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from kelmu_tui.actions import Context
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.page import PageScreen
from kelmu_tui.screens.text_out import print_text_of, save_text
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.database import Changed
from kelmu_tui.terminal.clipboard import TooLong
from kelmu_tui.widgets.sheet import Block, Gap, Heading, Paragraph

if TYPE_CHECKING:
    from kelmu_tui.services.claim_explain import Explanation
    from kelmu_tui.services.claim_leaving import Leaving


class Kind(StrEnum):
    """What is made of a claim."""

    RECORD = "record"
    LETTER = "letter"


class ClaimExplainScreen(PageScreen[None]):
    """Which rules speak of a claim now and where they come from, what its state means, and the terms."""

    CONTEXT: ClassVar[Context] = Context.ABOUT
    SECTION: ClassVar[str] = "main.claims"

    def __init__(self, desk: Desk, claim: str) -> None:
        super().__init__()
        self.desk = desk
        self._claim = claim
        self._found: Explanation | None = None
        self._read = False

    def mounted(self) -> None:
        """Judge the claim by the rules."""
        super().mounted()
        self.face.spawn("claim.explain", self._judge())

    async def _judge(self) -> None:
        from kelmu_tui.services.claim_explain import explanation

        try:
            self._found = await self.desk.run(explanation, self.desk.claims, self._claim)
        except NotAllowed:
            self._found = None
        self._read = True
        if self.alive:
            self._show()

    def retranslate(self) -> None:
        """Render the page in the language of now."""
        super().retranslate()
        if self._read:
            self._show()

    def _show(self) -> None:
        self.sheet.show(self._blocks(), title=self.face.t("claim_view.explain_title"), keep=True)

    def _blocks(self) -> Iterator[Block]:
        from kelmu_tui.services.claim_explain import parts

        t = self.face.t
        if self._found is None:
            yield Paragraph(t("claim_view.gone"), "warn")
            return
        for part in parts(self._found, t):
            yield Heading(part.title)
            for entry in part.entries:
                if entry.name:
                    yield Paragraph(entry.name, entry.role or "strong")
                if entry.text:
                    yield Paragraph(entry.text, indent=2 if entry.name else 0)
                for source in entry.sources:
                    yield Paragraph(source, "dim", indent=2)


class ClaimTextScreen(PageScreen[None]):
    """The claim as text. The letter names the payee by the whole code: showing it is logged as what leaves."""

    CONTEXT: ClassVar[Context] = Context.CLAIM_TEXT
    SECTION: ClassVar[str] = "main.claims"

    def __init__(self, desk: Desk, claim: str, kind: Kind) -> None:
        super().__init__()
        self.desk = desk
        self._claim = claim
        self._kind = kind
        self._text: str | None = None
        self._advice: tuple[str, ...] = ()
        self._read = False

    def mounted(self) -> None:
        """Put the text together."""
        super().mounted()
        self.face.spawn("claim.text", self._make())

    async def _make(self) -> None:
        self._text = await self._leaving()
        self._read = True
        if self.alive:
            self._show()

    async def _leaving(self) -> str | None:
        """Return the text in the language of the screen, after it was logged that it leaves; None when it is gone."""
        from kelmu_tui.services.claim_leaving import letter, record

        make = letter if self._kind is Kind.LETTER else record
        try:
            found: Leaving | None = await self.desk.run(
                make, self.desk.claims, self.desk.session, self._claim, self.face.t, self.face.now()
            )
        except NotAllowed:
            return None
        self._advice = () if found is None else found.advice
        return None if found is None else found.text

    def store_changed(self, change: Changed) -> None:
        """The mandate may have ended: what it opened is shown no more."""
        if self.alive and (not change.tables or "scope" in change.tables):
            self.face.spawn("claim.text_held", self._hold())

    async def _hold(self) -> None:
        try:
            await self.desk.run(self.desk.claims.hold)
        except NotAllowed:
            self._text = None
            if self.alive:
                self._show()

    def retranslate(self) -> None:
        """Show the text; it stays in the language in which it was made."""
        super().retranslate()
        if self._read:
            self._show()

    def _show(self) -> None:
        t = self.face.t
        title = t.choice("claim_view.text_title", self._kind)
        if self._text is None:
            self.sheet.show([Paragraph(t("claim_view.gone"), "warn")], title=title)
            return
        blocks: list[Block] = [Paragraph(line, "accent") for line in self._advice]
        blocks += [Gap()] if blocks else []
        for line in self._text.splitlines():
            bare = line.lstrip()
            blocks.append(Paragraph(bare, indent=min(len(line) - len(bare), 4)) if bare else Gap())
        self.sheet.show(blocks, title=title, keep=True)

    def action_claim_text_send(self) -> None:
        """Hand the text to the terminal's clipboard."""
        if self._text is None:
            return
        try:
            self.face.send_copy(self._text)
        except TooLong:
            self.say(self.face.t("claim_view.too_long", key=self.key_text("claim_text.save")), role="warn")
        else:
            self.say(self.face.t("customer_view.sent"), role="good")

    def action_claim_text_save(self) -> None:
        """Ask where to save it."""
        about, only = self.face.t("claim_view.save_about"), "claim_view.pages_only"
        save_text(self, "claim", lambda _: self._leaving(), gone="claim_view.gone", about=about, pages_only=only)

    def action_claim_text_print(self) -> None:
        """Print it, without waiting for the printer."""
        printed = print_text_of(self, self._leaving, gone="claim_view.gone", save_key="claim_text.save")
        self.face.spawn("claim.print", printed)
