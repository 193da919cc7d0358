"""Nothing is open: why, whom to ask, and where the official instructions are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final

from kelmu_tui.actions import Context
from kelmu_tui.domain.capabilities import (
    LOOK_ALIKE,
    NOTICES_INBOX,
    PAYMENT_CLAIMS_REGISTER,
    Denied,
    Grant,
    Reason,
    mandates,
)
from kelmu_tui.screens.page import PageScreen
from kelmu_tui.services.session import KnownOrganisation, KnownSession
from kelmu_tui.widgets.chrome import Top
from kelmu_tui.widgets.sheet import Block, Field, Gap, Heading, Paragraph

if TYPE_CHECKING:
    from kelmu_tui.screens.face import Face

ADDRESSES: Final = ("suomi.fi/valtuudet", "kela.fi/kelmu")
"""Official addresses, as text: a person types them into a browser that is trusted."""


def explain_closed(known: KnownOrganisation, face: Face) -> Iterator[Block]:
    """Return why the inbox is closed for an organisation, mandate by mandate, and whom to ask."""
    t, today = face.t, face.today()
    found = known.capabilities(today).explain(NOTICES_INBOX)
    if not isinstance(found, Denied):
        return
    yield Paragraph(t.choice("errors.reason", found.reason), "warn")
    yield Gap()
    if known.grants:
        for grant in known.grants:
            yield Field(t("organisations.your_mandate"), _grant(grant, face))
    else:
        yield Field(t("organisations.your_mandate"), t("organisations.no_mandates"))
    if found.mandates:
        names = "\n".join(mandates()[name].name.get(t.language) for name in found.mandates)
        yield Field(t("organisations.needed"), names)
    yield Gap()
    yield Paragraph(t.choice("organisations.ask", found.reason))
    yield Field(t("organisations.addresses"), "\n".join(ADDRESSES))


def _grant(grant: Grant, face: Face) -> str:
    t = face.t
    catalogue = mandates().get(grant.mandate)
    if catalogue is not None:
        name = catalogue.name.get(t.language)
    else:
        name = t("organisations.look_alike") if grant.mandate == LOOK_ALIKE else grant.mandate
    until = "" if grant.valid_to is None else f", {t('organisations.valid_to', day=t.formats.date(grant.valid_to))}"
    return f"{name} ({t.choice('organisations.mandate_kind', grant.kind)}{until})"


class ClosedScreen(PageScreen[None]):
    """Shown in place of the inbox when no mandate opens anything."""

    CONTEXT: ClassVar[Context] = Context.ABOUT

    def __init__(self, session: KnownSession) -> None:
        super().__init__()
        self._session = session

    def retranslate(self) -> None:
        """Render the explanation in the language of now."""
        super().retranslate()
        t = self.face.t
        self.sheet.show(self._blocks(), title=t("organisations.nothing_opens"), keep=True)

    def _blocks(self) -> Iterator[Block]:
        t = self.face.t
        yield Paragraph(t("organisations.nothing_opens_text", name=self._session.user_name))
        if not self._session.organisations:
            yield Gap()
            yield Paragraph(t("organisations.ask.no_mandate"))
            yield Field(t("organisations.addresses"), "\n".join(ADDRESSES))
        for known in self._session.organisations:
            yield Heading(known.organisation.name.get(t.language))
            yield from explain_closed(known, self.face)

    def action_app_back(self) -> None:
        """There is nothing to go back to; say how to leave."""
        self.say(self.face.t("common.quit_hint", key=self.key_text("app.quit")))


class ClosedPartScreen(PageScreen[None]):
    """Shown when something is asked for that no mandate opens, while other things are open."""

    CONTEXT: ClassVar[Context] = Context.ABOUT

    def __init__(self, denied: Denied, capability: str, section: str) -> None:
        """Explain why `capability` is closed; `section` is the action that leads to what it would open."""
        super().__init__()
        self._denied = denied
        self._capability = capability
        self._section = section

    def top(self) -> Top:
        """Stand for the section that is closed."""
        return self.face.top(self._section)

    def retranslate(self) -> None:
        """Render the explanation in the language of now."""
        super().retranslate()
        title = self.face.t.choice("organisations.capability", self._capability)
        self.sheet.show(self._blocks(), title=title, keep=True)

    def _blocks(self) -> Iterator[Block]:
        t, denied = self.face.t, self._denied
        yield Paragraph(t.choice("errors.reason", denied.reason), "warn")
        yield Gap()
        if denied.mandates:
            names = "\n".join(mandates()[name].name.get(t.language) for name in denied.mandates)
            yield Field(t("organisations.needed"), names)
        only_some = denied.reason is Reason.ORGANISATION_TYPE and self._capability == PAYMENT_CLAIMS_REGISTER
        yield Paragraph(t("claim_view.only_some") if only_some else t.choice("organisations.ask", denied.reason))
        yield Field(t("organisations.addresses"), "\n".join(ADDRESSES))
