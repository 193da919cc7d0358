"""The demo's way in: choose who to be; the device grant runs underneath as it does for everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual import on

from kelmu_tui.actions import Context
from kelmu_tui.api.contract import Persona, Tokens
from kelmu_tui.api.sign_in import Away, SignIn, SignInFailed
from kelmu_tui.screens.listing import ListScreen
from kelmu_tui.screens.sign_in import FIRST_PAUSE, LONGEST_PAUSE, Wait
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.chrome import Top
from kelmu_tui.widgets.row_list import RowList
from kelmu_tui.widgets.sheet import Block, Field, Paragraph


class PersonasScreen(ListScreen[Persona, Tokens]):
    """Answers the tokens of the persona chosen."""

    CONTEXT: ClassVar[Context] = Context.PERSONAS

    def __init__(self, sign_in: SignIn, device: str, *, wait: Wait = asyncio.sleep, can_leave: bool = False) -> None:
        super().__init__()
        self._sign_in = sign_in
        self._device = device
        self._wait = wait
        self._can_leave = can_leave
        self._busy = False

    async def fetch(self) -> Sequence[Persona]:
        """Read the personas, again and again while the backend is away."""
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._sign_in.personas()
            except Away:
                self.say(self.face.t("sign_in.away"), role="warn")
                await self._wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    def top(self) -> Top:
        """Return the first line."""
        return Top(title=self.face.t("sign_in.demo_title"), language=self.face.t.language.upper())

    def heading(self) -> str:
        """Return the question."""
        return self.face.t("sign_in.who")

    def key(self, row: Persona) -> str:
        """Return the persona's id."""
        return row.id

    def columns(self) -> Sequence[Column]:
        """Return the columns."""
        t = self.face.t
        return (
            Column("name", t("sign_in.column_name"), 16, most=26),
            Column("organisation", t("sign_in.column_organisation"), 16, most=36),
            Column("language", t("sign_in.column_language"), 8, drop=1),
        )

    def cells(self, row: Persona) -> Mapping[str, Cell]:
        """Return the cells of a persona."""
        return {
            "name": Cell(row.name),
            "organisation": Cell(row.organisation),
            "language": Cell(self.face.t.choice("kinds.language", row.language, row.language.value), "dim"),
        }

    def explanation_title(self, row: Persona) -> str:
        """Return the name."""
        return row.name

    def explain(self, row: Persona) -> Iterable[Block]:
        """Say what the persona is there to show."""
        titles = {"fi": row.title.fi, "sv": row.title.sv, "en": row.title.en}
        yield Paragraph(titles[self.face.t.language])
        yield Field(self.face.t("sign_in.column_organisation"), row.organisation)
        yield Paragraph(self.face.t("sign_in.demo_note"), "dim")

    @on(RowList.Opened)
    def _chosen(self) -> None:
        row = self.rows.current
        if row is not None and not self._busy:
            self._busy = True
            self.say(self.face.t("sign_in.signing_in", name=row.name))
            self.face.spawn("sign_in.persona", self._run(row))

    async def _run(self, persona: Persona) -> None:
        try:
            code = await self._sign_in.start(self._device)
            await self._sign_in.approve(code.user_code, persona.id)
            tokens = await self._sign_in.poll(code, at_once=True)
        except Away:
            self.say(self.face.t("sign_in.away"), role="warn")
        except SignInFailed:
            self.say(self.face.t("sign_in.refused"), role="warn")
        else:
            self.leave_with(tokens)
        finally:
            self._busy = False

    def action_sign_in_again(self) -> None:
        """Read the personas again."""
        self.reload()

    def action_app_back(self) -> None:
        """Give up signing in, when there is somewhere to go back to."""
        if self._can_leave or self.filter_text():
            super().action_app_back()
        else:
            self.say(self.face.t("common.quit_hint", key=self.key_text("app.quit")))
