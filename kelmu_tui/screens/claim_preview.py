"""A payment claim as Kela gets it, with what hinders it or speaks against it, before it is registered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kelmu_tui.actions import Context
from kelmu_tui.domain.claims.catalogue import RuleKind
from kelmu_tui.domain.claims.content import Partial
from kelmu_tui.screens.claim_told import arrival_notes, remarks
from kelmu_tui.screens.page import PageScreen
from kelmu_tui.services.claim_judging import Judged
from kelmu_tui.services.claim_said import said
from kelmu_tui.widgets.sheet import Block, Field, Gap, Paragraph


class PreviewScreen(PageScreen[bool]):
    """Answers True when the claim is to be registered as it stands here."""

    CONTEXT: ClassVar[Context] = Context.CLAIM_PREVIEW
    SECTION: ClassVar[str] = "main.claims"

    def __init__(self, partial: Partial, name: str, judged: Judged) -> None:
        """Show what was typed so far, and what is told of it; `name` is the payee's."""
        super().__init__()
        self._partial = partial
        self._whose = name
        self._judged = judged

    def retranslate(self) -> None:
        """Render the page in the language of now."""
        super().retranslate()
        self.sheet.show(self._blocks(), title=self.face.t("claim_form.preview_title"), keep=True)

    def _blocks(self) -> Iterator[Block]:
        t, judged = self.face.t, self._judged
        for field, text in said(self._partial, self._whose, t):
            yield Field(t.choice("claim_form.label", field), text)
        yield Field(t("claim_form.paid_to"), self._organisation())
        yield Gap()
        for text, role in arrival_notes(judged, self.face):
            yield Paragraph(text, role)
        for one in remarks(judged, t, self.key_text("claim_form.customer")):
            if one.kind in (RuleKind.BLOCK, RuleKind.WARN, RuleKind.WARN_LATE):
                yield Paragraph(t.choice("claim_form.kind", one.kind, text=one.text), one.role)
        if judged.hindrances:
            yield Paragraph(t("claim_form.blocked", count=judged.hindrances), "alarm")
        else:
            yield Paragraph(t("claim_form.enter_registers", key=self.key_text("claim_preview.register")), "good")

    def _organisation(self) -> str:
        desk = self.face.desk
        return "" if desk is None else desk.session.organisation.name.get(self.face.t.language)

    def action_claim_preview_register(self) -> None:
        """Register it."""
        if self._judged.hindrances:
            self.say(self.face.t("claim_form.blocked", count=self._judged.hindrances), role="alarm")
        else:
            self.dismiss(True)
