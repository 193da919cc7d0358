"""About: versions, places on disk, the connection, and mistakes in the settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from kelmu_tui.actions import Context
from kelmu_tui.screens.page import LivePage
from kelmu_tui.widgets.sheet import Block, Field, Heading, Paragraph


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the page, grouped by `part`; a `wrong` one is shown as such."""

    part: str
    label: str
    value: str
    wrong: bool = False


class AboutScreen(LivePage[None]):
    """A page of facts for the user and for the support."""

    CONTEXT: ClassVar[Context] = Context.ABOUT

    async def load(self) -> None:
        """Collect the facts and show them."""
        facts = await self.face.facts()
        if self.alive:
            t = self.face.t
            self.sheet.show(self._blocks(facts), title=t("help.about_title"), keep=True)

    def _blocks(self, facts: Sequence[Fact]) -> Iterator[Block]:
        yield Paragraph(self.face.t("help.about_text"))
        key = self.key_text("main.diagnostics")
        if key and self.face.desk is not None:
            yield Paragraph(self.face.t("diagnostics.from_about", key=key), "dim")
        part = ""
        for fact in facts:
            if fact.part != part:
                part = fact.part
                yield Heading(part)
            yield Field(fact.label, fact.value, "warn" if fact.wrong else "")
