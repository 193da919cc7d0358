"""Draw docs/inbox.svg: the app itself, at 120×40, on a demo of its own. Run it with `make picture`."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path
from typing import Final

from kelmu_tui.api.sign_in import SignIn
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.platform.paths import HOME_VARIABLE, profile
from kelmu_tui.platform.settings import Settings
from kelmu_tui.services.demo import PROFILE, Demo, DemoHandle, Shape
from kelmu_tui.services.network import complete
from kelmu_tui.services.session import device
from kelmu_tui.terminal.environment import Kind, profile_of

PERSONA: Final = "persona-county-worker"
TARGET: Final = Path(__file__).parent / "inbox.svg"
FONT_FACE: Final = re.compile(r"@font-face\s*\{[^}]*\}\s*")
"""The exported picture asks for its font from the net; a reader's own monospaced font does as well."""


def no_passphrase(_new: bool) -> str:
    """The demo asks for none."""
    raise AssertionError


async def draw(handle: DemoHandle) -> str:
    """Sign in, show the inbox and return the picture."""
    from kelmu_tui.screens.house import KelmuApp
    from kelmu_tui.screens.inbox import InboxScreen

    where, clock, ids = profile(PROFILE), SystemClock(), RandomIds()
    async with SignIn(handle.url, device=device(where, ids), clock=clock) as sign_in:
        asked = await sign_in.start("picture")
        await sign_in.approve(asked.user_code, PERSONA)
        tokens = await sign_in.poll(asked, at_once=True)
        (await complete(where, handle.url, tokens, clock=clock, ids=ids, ask=no_passphrase)).close()
    terminal = profile_of(Kind.LOCAL, {"LANG": "C.UTF-8", "COLORTERM": "truecolor"})
    app = KelmuApp(where, Settings(), handle.url, terminal=terminal, demo=handle, language="en")
    async with app.run_test(size=(120, 40)) as pilot:
        for _ in range(300):
            await pilot.pause(0.1)
            if isinstance(app.screen, InboxScreen) and app.screen.rows.count > 20:
                break
        await pilot.press("j", "j", "j", "x", "x", "x")
        for _ in range(10):
            await pilot.pause(0.1)
        return FONT_FACE.sub("", app.export_screenshot(title="kelmu"))


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as home:
        os.environ[HOME_VARIABLE] = home
        with Demo(profile(PROFILE)).open(Shape(1, None, None)) as handle:
            picture = asyncio.run(draw(handle))
    TARGET.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
