"""Beginning to follow a customer whose file is read; a reason in words is asked for where the backend will want one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from textual.app import ComposeResult

from kelmu_tui.actions import Context
from kelmu_tui.domain.following import FollowRefused
from kelmu_tui.domain.sections import MAX_REASON_TEXT
from kelmu_tui.screens.base import Dialog, KeyedScreen
from kelmu_tui.screens.desk import Desk
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.customer_rows import File
from kelmu_tui.widgets.block_field import BlockField
from kelmu_tui.widgets.chrome import Caption


class ReasonScreen(Dialog[None]):
    """A box for the reason; it stays with what was typed when something hinders it."""

    CONTEXT: ClassVar[Context] = Context.NOTE

    def __init__(self, why: str, save: Callable[[str], Awaitable[str]]) -> None:
        """Ask, saying `why`; `save` gets the reason and returns what hinders it, empty when nothing does."""
        super().__init__()
        self._why = why
        self._save = save

    def compose(self) -> ComposeResult:
        """Put the box together."""
        yield self.box(
            self.face.t("customer_view.find_reason"),
            BlockField("", limit=MAX_REASON_TEXT, breaks=False, id="text"),
            Caption(self._why, id="effect"),
            Caption(self.hint_line("dialog.save", "dialog.cancel")),
        )

    def on_mount(self) -> None:
        """Begin to write."""
        self.set_focus(self.query_one(BlockField))

    async def action_dialog_save(self) -> None:
        """Give the reason."""
        text = self.query_one(BlockField).text.strip()
        problem = await self.give(self._save, text) if text else self._why
        if problem:
            self.query_one("#effect", Caption).show(problem, role="warn")


async def begin_follow(screen: KeyedScreen[Any], desk: Desk, file: File) -> None:
    """Follow the customer of `file` for its purpose and case, or show who is followed already."""
    face, t = screen.face, screen.face.t

    def whether() -> tuple[str | None, str | None]:
        followed = desk.following.of(file.person.customer)
        why = desk.customers.why_reason(file.person.customer, file.purpose) if followed is None else None
        return None if followed is None else followed.id, why

    async def save(reason: str | None) -> str:
        wanted = desk.customers.clean_reason(reason or "")  # no longer than the field lets it be
        try:
            await desk.run(desk.following.begin, file, wanted)
        except FollowRefused as refused:
            return t.choice("errors.refusal", refused.reason)
        except NotAllowed:
            return t("customer_view.gone")
        screen.say(t("followed.begun"), role="good", hint=screen.key_text("main.followed"))
        desk.poke()
        return ""

    try:
        followed, why = await desk.run(whether)
    except NotAllowed:
        screen.say(t("customer_view.gone"), role="warn")
        return
    if followed is not None:
        face.show_followed(followed)
    elif why is not None:
        face.push_screen(ReasonScreen(t.choice("customer_view.reason_why", why), save))
    elif problem := await save(None):
        screen.say(problem, role="warn")
