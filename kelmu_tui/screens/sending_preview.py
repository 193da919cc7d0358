"""What goes to Kela, before it goes; and one file as it was found to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from kelmu_tui.actions import Context
from kelmu_tui.domain.identifiers import mask
from kelmu_tui.screens.page import PageScreen
from kelmu_tui.screens.sending_files import Attached, file_blocks, found_text
from kelmu_tui.services.sealing import Request
from kelmu_tui.services.sending_words import asked_text, kind_name, trace_names
from kelmu_tui.widgets.sheet import Block, Field, Gap, Heading, Paragraph


class SendingPreviewScreen(PageScreen[bool]):
    """Answers True when it is to be sent."""

    CONTEXT: ClassVar[Context] = Context.SENDING_PREVIEW
    SECTION: ClassVar[str] = "main.documents"

    def __init__(self, request: Request, files: Sequence[Attached]) -> None:
        super().__init__()
        self._request = request
        self._files = files

    def retranslate(self) -> None:
        """Render the page in the language of now; names that were given stay."""
        super().retranslate()
        self.sheet.show(self._blocks(), title=self.face.t("sending_view.preview_title"), keep=True)

    def update_frame(self) -> None:
        """The connection changed: it goes at once, or later."""
        super().update_frame()
        if self.alive:
            self.sheet.show(self._blocks(), title=self.face.t("sending_view.preview_title"), keep=True)

    def _blocks(self) -> Iterator[Block]:
        t, request = self.face.t, self._request
        key = self.key_text("sending_preview.send")
        yield Paragraph(t("sending_view.enter_sends", key=key), "good")
        if not self.face.online:
            yield Paragraph(t("sending_view.goes_later"), "warn")
        yield Gap()
        yield Field(t("sending_view.customer"), f"{request.name} {mask(request.customer.value)}".strip(), "strong")
        asked = asked_text(request.asked_by, request.way, request.asked_on.isoformat(), t)
        yield Field(t("sending_view.asked"), asked)
        yield Field(t("sending_view.case"), request.case_reference or self.face.glyphs.none)
        desk = self.face.desk
        if desk is not None:
            who = f"{desk.session.user_name}, {desk.session.organisation.name.get(t.language)}"
            yield Field(t("sending_view.sender"), who)
        whole = sum(one.checked.inspection.size for one in self._files if one.checked is not None)
        yield Field(t("sending_view.size"), t.formats.size(whole))
        yield Heading(t("sending_view.documents", count=len(self._files)))
        for number, one in enumerate(self._files, 1):
            yield from self._document(number, one)

    def _document(self, number: int, one: Attached) -> Iterator[Block]:
        t = self.face.t
        assert one.checked is not None
        yield Field(f"{number}. {kind_name(one.kind, t)}", one.called(t), "strong")
        yield Field("", f"{found_text(one.checked.inspection, t)}  ({one.label})", "dim")
        if one.checked.removed:
            yield Field("", t("sending_view.will_remove", what=trace_names(one.checked.removed, t)), "accent")

    def action_sending_preview_send(self) -> None:
        """Send it."""
        self.dismiss(True)


class DocumentLookScreen(PageScreen[None]):
    """One file with its small picture."""

    CONTEXT: ClassVar[Context] = Context.FORM_PAGE
    SECTION: ClassVar[str] = "main.documents"

    def __init__(self, file: Attached) -> None:
        super().__init__()
        self._file = file

    def retranslate(self) -> None:
        """Render the page in the language of now."""
        super().retranslate()
        self.sheet.show(file_blocks(self._file, self.face.t), title=self._file.label, keep=True)
