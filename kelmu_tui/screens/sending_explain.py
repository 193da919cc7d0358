"""What happens to documents on their way to Kela: states, limits, what is taken out, and how long anything is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kelmu_tui.actions import Context
from kelmu_tui.domain.documents import limits, receipt_kept, unfinished_kept
from kelmu_tui.screens.page import PageScreen
from kelmu_tui.store.sendings import STATES
from kelmu_tui.widgets.sheet import Block, Field, Heading, Paragraph


class SendingExplainScreen(PageScreen[None]):
    """The explanation; the state of the sending at hand comes first."""

    CONTEXT: ClassVar[Context] = Context.ABOUT
    SECTION: ClassVar[str] = "main.documents"

    def __init__(self, state: str | None = None) -> None:
        super().__init__()
        self._state = state

    def retranslate(self) -> None:
        """Render the page in the language of now."""
        super().retranslate()
        self.sheet.show(self._blocks(), title=self.face.t("sending_view.explain_title"), keep=True)

    def _blocks(self) -> Iterator[Block]:
        t, most = self.face.t, limits()
        states = sorted(STATES, key=lambda one: one != self._state)
        yield Heading(t("sending_view.explain_states"))
        for state in states:
            role = "strong" if state == self._state else ""
            yield Field(t.choice("documents.state", state), t.choice("sending_view.explain_state", state), role)
        yield Heading(t("sending_view.explain_files"))
        size = t.formats.size(most.file_bytes)
        yield Paragraph(t("sending_view.explain_limits", files=most.files, size=size, pages=most.pages))
        yield Paragraph(t("sending_view.explain_content"))
        yield Paragraph(t("sending_view.explain_removed"))
        yield Heading(t("sending_view.explain_kept"))
        yield Paragraph(t("sending_view.explain_copy"))
        yield Paragraph(t("sending_view.explain_unfinished", count=unfinished_kept().days))
        yield Paragraph(t("sending_view.explain_receipt", days=receipt_kept().days))
        yield Paragraph(t("sending_view.explain_audit"))
        yield Heading(t("sending_view.explain_source"))
        yield Paragraph(t("sending_view.explain_request"))
        yield Paragraph(t("sending_view.explain_assumed"), "dim")
