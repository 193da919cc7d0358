"""The lock: an opaque screen over everything, with nothing on it but the way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from kelmu_tui.actions import REGISTRY, Context
from kelmu_tui.screens.base import KeyedScreen
from kelmu_tui.screens.passphrase import MAX_PASSPHRASE
from kelmu_tui.widgets.cells import one_line
from kelmu_tui.widgets.chrome import Caption, Labelled
from kelmu_tui.widgets.text_field import LineField

if TYPE_CHECKING:
    from textual.timer import Timer

FREE_TRIES: Final = 3
"""Wrong passphrases after which the next try has to wait."""
LONGEST_WAIT: Final = 60.0


class Hindrance(NamedTuple):
    """Why it stays locked; `wrong` when the passphrase was."""

    text: str
    wrong: bool


def wait_after(wrong: int) -> float:
    """Return how many seconds the next try waits after so many wrong ones: 1, 2, 4 … 60 from the third on."""
    return 0.0 if wrong < FREE_TRIES else min(LONGEST_WAIT, 2.0 ** (wrong - FREE_TRIES))


class LockScreen(KeyedScreen[None]):
    """Takes the place of everything that was shown until the files are open again."""

    CONTEXT: ClassVar[Context] = Context.LOCKED

    def __init__(
        self, how: Callable[[], str], unlock: Callable[[str], Awaitable[Hindrance | None]], remark: str
    ) -> None:
        """Lock.

        Args:
            how: tells what opens the files now: `passphrase`, `keyring`, `demo` or `memory`.
            unlock: opens them, with what was typed; returns what hinders it, None when all is as it was.
            remark: why it was locked, when the user did not do it.
        """
        super().__init__()
        self._how = how
        self._unlock = unlock
        self._remark = remark
        self._trying = False
        self._wrong = 0
        self._until = 0.0
        self._ticking: Timer | None = None

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        field = LineField(id="field", secret=True, max_length=MAX_PASSPHRASE)
        hints = [f"{self.key_text(name)} {t(REGISTRY[name].label_key)}" for name in ("lock.unlock", "app.quit")]
        box = Container(
            Caption(self._text(), role="", id="text"),
            Labelled(t("common.passphrase"), field),
            Caption(self._remark, role="warn", id="effect"),
            Caption("   ".join(hints)),
            id="box",
        )
        box.border_title = Content(one_line(t("lock.title")))
        yield box

    def on_mount(self) -> None:
        """Wait for the passphrase, or for the key."""
        self._ask()

    def _text(self) -> str:
        return self.face.t.choice("lock.how", self._how(), key=self.key_text("lock.unlock"))

    def _ask(self) -> None:
        """Ask for what opens the files now; another terminal may have changed it."""
        self.query_one("#text", Caption).show(self._text())
        asked = self._how() == "passphrase"
        self.query_one(Labelled).display = asked
        self.set_focus(self.query_one(LineField) if asked else None)

    def action_lock_unlock(self) -> None:
        """Try to open what was typed for; beside the screen, since a keyring may take its time."""
        field = self.query_one(LineField)
        if self._trying or self._left() > 0 or (self._how() == "passphrase" and not field.value):
            return
        self._trying = True
        typed, field.value = field.value, ""
        self.query_one("#effect", Caption).show(self.face.t("lock.opening"), role="dim")
        self.face.spawn("lock.unlock", self._try(typed))

    async def _try(self, typed: str) -> None:
        try:
            hindrance = await self._unlock(typed)
        finally:
            self._trying = False
        if hindrance is None or not self.alive:
            return
        self._ask()
        self.query_one("#effect", Caption).show(hindrance.text, role="alarm")
        if hindrance.wrong:
            self._wrong += 1
            self._until = self.face.clock.monotonic() + wait_after(self._wrong)
            if self._left() > 0:
                self._tick()
                self._ticking = self.set_interval(1.0, self._tick)

    def _left(self) -> float:
        return self._until - self.face.clock.monotonic()

    def _tick(self) -> None:
        """Show how long the next try has to wait."""
        effect, seconds = self.query_one("#effect", Caption), self._left()
        if seconds > 0:
            effect.show(self.face.t("lock.wait", seconds=int(seconds) + (seconds % 1 > 0)), role="alarm")
            return
        effect.show(self.face.t("lock.again"), role="")
        if self._ticking is not None:
            self._ticking.stop()
            self._ticking = None
