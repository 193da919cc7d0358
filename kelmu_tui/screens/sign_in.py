"""Signing in by a code (RFC 8628): an address, a code to type there, time left, and every way it can end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from enum import StrEnum
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Container

from kelmu_tui.actions import Action, Context
from kelmu_tui.api.contract import DeviceAuthorization, Tokens
from kelmu_tui.api.sign_in import Away, CodeExpired, SignIn, SignInRefused, Waiting
from kelmu_tui.screens.base import FramedScreen
from kelmu_tui.widgets.chrome import HintLine, MessageBar, Top, TopLine
from kelmu_tui.widgets.painted import Line, Painted
from kelmu_tui.widgets.sheet import Block, Gap, Paragraph, Sheet

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 15.0
"""Seconds between two tries to get a code while the backend is away."""
QUIET: Final = 2
"""Modules of white around a QR code; the standard asks for four, readers are content with two."""
BESIDE: Final = 44
"""Cells that the words need beside the QR code."""

Wait = Callable[[float], Awaitable[None]]


class Stage(StrEnum):
    """Where the sign-in stands."""

    ASKING = "asking"
    AWAY = "away"
    WAITING = "waiting"
    WAITING_AWAY = "waiting_away"
    EXPIRED = "expired"
    REFUSED = "refused"
    DONE = "done"


class QrCode(Painted):
    """An address as a QR code of half blocks: two modules in one cell."""

    def __init__(self) -> None:
        super().__init__(id="qr")
        self._rows: tuple[str, ...] = ()

    def encode(self, address: str) -> None:
        """Show `address`, or nothing when it is empty."""
        self._rows = qr_rows(address) if address else ()
        self.styles.width = len(self._rows[0]) if self._rows else 0
        self.repaint()

    @property
    def cells(self) -> tuple[int, int]:
        """Width and height."""
        return (len(self._rows[0]), len(self._rows)) if self._rows else (0, 0)

    def paint(self, width: int) -> Sequence[Line]:
        """Return the code; dark on light whatever the theme, since cameras want it so."""
        del width
        return [[(row, "qr")] for row in self._rows]


def qr_rows(address: str) -> tuple[str, ...]:
    """Return the QR code of `address` as lines of half blocks, quiet zone included; empty when segno is not there."""
    try:
        import segno
    except ImportError:
        return ()
    matrix = [[bool(dark) for dark in row] for row in segno.make(address, error="l", micro=False).matrix]
    size = len(matrix) + 2 * QUIET
    blank = [False] * size
    rows = [blank] * QUIET + [[False] * QUIET + row + [False] * QUIET for row in matrix] + [blank] * QUIET
    if len(rows) % 2:
        rows.append(blank)
    signs = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    return tuple(
        "".join(signs[upper, lower] for upper, lower in zip(top, bottom, strict=True))
        for top, bottom in zip(rows[::2], rows[1::2], strict=True)
    )


class SignInScreen(FramedScreen[Tokens]):
    """Answers the tokens; leaving without any answers None."""

    CONTEXT: ClassVar[Context] = Context.SIGN_IN

    def __init__(self, sign_in: SignIn, device: str, *, wait: Wait = asyncio.sleep, can_leave: bool = False) -> None:
        """Sign in with `sign_in`; `device` is what the approval page calls this machine."""
        super().__init__()
        self._sign_in = sign_in
        self._device = device
        self._wait = wait
        self._can_leave = can_leave
        self.stage = Stage.ASKING
        self._code: DeviceAuthorization | None = None
        self._ends = 0.0
        self._attempt: asyncio.Task[None] | None = None

    def compose(self) -> ComposeResult:
        """Put the words beside the code."""
        yield TopLine(self.face.glyphs)
        yield Container(Sheet(glyphs=self.face.glyphs, id="page", can_focus=False), QrCode(), id="split")
        yield MessageBar(self.face.glyphs)
        yield HintLine()

    def mounted(self) -> None:
        """Ask for a code."""
        super().mounted()
        self.set_interval(1.0, self._tick)
        self._begin()

    def _begin(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
        self._code = None
        self._enter(Stage.ASKING)
        self._attempt = self.face.tasks.spawn("sign_in", self._run())

    async def _run(self) -> None:
        authorization = await self._ask()
        if authorization is None:
            return
        self._code = authorization
        self._ends = self.face.clock.monotonic() + authorization.expires_in
        self._enter(Stage.WAITING)
        self._show_qr()
        try:
            tokens = await self._sign_in.poll(authorization, self._waiting)
        except CodeExpired:
            self._enter(Stage.EXPIRED)
        except SignInRefused:
            self._enter(Stage.REFUSED)
        else:
            self._enter(Stage.DONE)
            self.leave_with(tokens)

    async def _ask(self) -> DeviceAuthorization | None:
        """Ask for a code until the backend gives one; None when it does not give any to this program."""
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._sign_in.start(self._device)
            except Away as away:
                self._enter(Stage.AWAY)
                await self._wait(max(pause, away.retry_after or 0))
                pause = min(2 * pause, LONGEST_PAUSE)
            except SignInRefused:
                self._enter(Stage.REFUSED)
                return None

    def _waiting(self, waiting: Waiting) -> None:
        self._ends = self.face.clock.monotonic() + waiting.seconds_left
        self._enter(Stage.WAITING_AWAY if waiting.backend_away else Stage.WAITING)

    def _enter(self, stage: Stage) -> None:
        if stage is not self.stage:
            self.stage = stage
        if self.alive:
            self._show()
            if stage in (Stage.EXPIRED, Stage.REFUSED):
                self.query_one(QrCode).encode("")

    def _tick(self) -> None:
        if self.stage in (Stage.WAITING, Stage.WAITING_AWAY):
            self._show()

    # --- what is shown ----------------------------------------------------------------------------------------------

    def top(self) -> Top:
        """Return the first line."""
        return Top(title=self.face.t("sign_in.title"), language=self.face.t.language.upper())

    def retranslate(self) -> None:
        """Render the words in the language of now."""
        super().retranslate()
        self._show()

    def resized(self) -> None:
        """The QR code comes and goes with the room for it."""
        super().resized()
        self._show_qr()

    def _show_qr(self) -> None:
        code = self.query_one(QrCode)
        address = ""
        if self._code is not None and not self.face.ascii and self.stage in (Stage.WAITING, Stage.WAITING_AWAY):
            address = self._code.verification_uri_complete or self._code.verification_uri
        if address:
            rows = qr_rows(address)
            needed = BESIDE if self._code is None else max(BESIDE, cell_len(self._code.verification_uri) + 4)
            fits = bool(rows) and len(rows) <= self.size.height - 4 and len(rows[0]) + needed <= self.size.width
            address = address if fits else ""
        code.encode(address)

    def _show(self) -> None:
        self.query_one(Sheet).show(self._blocks(), keep=True)

    def _blocks(self) -> Iterator[Block]:
        t = self.face.t
        yield Gap()
        match self.stage:
            case Stage.ASKING:
                yield Paragraph(t("sign_in.asking"), "dim")
            case Stage.AWAY:
                yield Paragraph(t("sign_in.away"), "warn")
            case Stage.EXPIRED:
                yield Paragraph(t("sign_in.expired"), "warn")
                yield Gap()
                yield Paragraph(t("sign_in.again", key=self.key_text("sign_in.again")))
            case Stage.REFUSED:
                yield Paragraph(t("sign_in.refused"), "warn")
                yield Gap()
                yield Paragraph(t("sign_in.again", key=self.key_text("sign_in.again")))
            case Stage.DONE:
                yield Paragraph(t("sign_in.done"), "good")
            case _:
                yield from self._code_blocks()

    def _code_blocks(self) -> Iterator[Block]:
        t, code = self.face.t, self._code
        if code is None:
            return
        yield Paragraph(t("sign_in.open"))
        yield Gap()
        yield Paragraph(code.verification_uri, "accent", indent=2)
        yield Gap()
        yield Paragraph(t("sign_in.type"))
        yield Gap()
        # Wide apart, so that it can be read aloud across a desk; copied, it is still one line of text.
        yield Paragraph(" ".join(code.user_code), "code", indent=2)
        yield Gap()
        left = t.formats.countdown(self._ends - self.face.clock.monotonic())
        yield Paragraph(t("sign_in.left", time=left), "dim")
        if self.stage is Stage.WAITING_AWAY:
            yield Paragraph(t("sign_in.waiting_away"), "warn")
        yield Gap()
        yield Paragraph(t("sign_in.identify"), "dim")

    # --- actions ----------------------------------------------------------------------------------------------------

    def action_sign_in_again(self) -> None:
        """Ask for a new code."""
        self._begin()

    def takes(self, action: Action) -> bool:
        """There is no list here, whatever the registry lets work on this screen."""
        return not action.id.startswith("list.")

    def action_app_back(self) -> None:
        """Give up signing in."""
        if self._can_leave:
            self._cancel()
            self.dismiss(None)
        else:
            self.say(self.face.t("common.quit_hint", key=self.key_text("app.quit")))

    def _cancel(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()

    def on_unmount(self) -> None:
        """Stop asking."""
        self._cancel()
