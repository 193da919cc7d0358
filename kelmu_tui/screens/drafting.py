"""Dialogs with a text of the user's own: whatever takes the screen away, the text is there again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from textual.timer import Timer

from kelmu_tui.screens.base import Dialog
from kelmu_tui.store.endings import written
from kelmu_tui.store.errors import StoreError

if TYPE_CHECKING:
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face

CLAIM: Final = "claim"
"""What the form of a payment claim has in the place of a command on notices."""
PAUSE_SECONDS: Final = 0.5
"""What is typed is kept when the keys rest for so long."""
MOST_PAUSES: Final = 8
"""Who never rests has it kept after so many of them."""


class Typing:
    """What is being typed for notices, kept beside the screen at every pause: no key waits for the disk.

    Attributes:
        user, organisation: whose it is.
        ids: the notices; whoever gives the command takes out those that have got it.
        found: the text of an earlier dialog, as its fields.
    """

    def __init__(self, face: Face, desk: Desk, verb: str, ids: list[str], kind: str | None) -> None:
        self.user = desk.session.user_id
        self.organisation = desk.session.organisation.business_id
        self.verb = verb
        self.ids = ids
        self.found: Mapping[str, str] = {}
        self.title = ""
        self._face = face
        self._desk = desk
        self._kind = kind
        self._before: str | None = None
        self._now: Mapping[str, str] = {}
        self._kept: Mapping[str, str] = {}
        self._timer: Timer | None = None
        self._pauses = 0
        self._went_on = False

    async def find(self) -> None:
        """Look for what was typed before for the same notices."""
        found = await self._desk.run(self._desk.drafts.find, self.verb, self.ids)
        if found is not None:
            self.found = self._now = self._kept = found.payload
            self._before = found.id if set(found.notices) != set(self.ids) else None
            t = self._face.t
            self.title = t("inbox.draft_offered", at=t.formats.moment(found.at, self._face.now()))

    @property
    def text(self) -> str:
        """What the user wrote, as far as it goes."""
        return written(self._now)

    def typed(self, payload: Mapping[str, str]) -> None:
        """The dialog's fields hold this now."""
        filled = {name: text for name, text in payload.items() if text}
        if filled == self._now:
            return
        self._now = filled
        self._went_on = True
        if self._timer is None:
            self._pauses = 0
            self._wait()

    def _wait(self) -> None:
        self._went_on = False
        self._timer = self._face.set_timer(PAUSE_SECONDS, self._rested)

    def _rested(self) -> None:
        self._pauses += 1
        if self._went_on and self._pauses < MOST_PAUSES:
            self._wait()
            return
        self._timer = None
        self._face.spawn("draft.keep", self.flush())

    async def flush(self) -> None:
        """Keep what is typed now.

        Raises:
            StoreError: the disk says no.
        """
        if self._now != self._kept:
            payload = self._now
            keep = self._desk.drafts.keep
            await self._desk.run(keep, self.verb, tuple(self.ids), payload, kind=self._kind, before=self._before)
            self._kept, self._before = payload, None

    def close(self) -> None:
        """The dialog has ended."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._face.typing is self:
            self._face.typing = None


class DraftDialog(Dialog[None]):
    """A dialog whose text is kept while it is typed, and after escape; it goes when it is given or emptied."""

    def __init__(self, typing: Typing) -> None:
        super().__init__()
        self._typing = typing

    def on_mount(self) -> None:
        """From now on the text is looked after, by the app, since screens can be taken away."""
        self.face.typing = self._typing

    def draft_title(self, title: str) -> str:
        """Return the title, with a word on the draft that is offered."""
        return f"{title} {self.face.glyphs.dot} {self._typing.title}" if self._typing.title else title

    def fields(self) -> Mapping[str, str]:
        """Return what the fields hold, by the names of the command's payload."""
        raise NotImplementedError

    def keep_typed(self) -> None:
        """A field was typed in."""
        self._typing.typed(self.fields())

    async def give(self, save: Callable[..., Awaitable[str]], *answer: str) -> str:
        """Give what was typed; the draft goes with the very transaction that saves it."""
        # A disk that is full says so when the command is saved, which is what the user asked for.
        with suppress(StoreError):
            await self._typing.flush()
        problem = await super().give(save, *answer)
        if not problem:
            self._typing.close()
        return problem

    def action_dialog_cancel(self) -> None:
        """Leave without giving anything; a text stays as a draft."""
        typing = self._typing
        if not typing.text.strip():
            typing.typed({})
        typing.close()
        self.face.spawn("draft.keep", typing.flush())
        super().action_dialog_cancel()
        if typing.text.strip():
            self.face.say(self.face.t("inbox.draft_kept"))
