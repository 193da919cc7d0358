"""The full-screen face's door: prepares the process, then imports Textual and starts the app."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from kelmu_tui.terminal.environment import detect, prepare

if TYPE_CHECKING:
    from kelmu_tui.platform.paths import Profile
    from kelmu_tui.platform.settings import Loaded, Settings
    from kelmu_tui.services.demo import DemoHandle


def run(
    profile: Profile,
    settings: Settings,
    backend_url: str,
    *,
    demo: DemoHandle | None = None,
    user: str | None = None,
    language: str | None = None,
    loaded: Loaded | None = None,
    at_the_end: Callable[[], object] | None = None,
) -> int:
    """Run the app in this terminal and return its exit code.

    Args:
        user: is opened instead of the one of last time.
        at_the_end: done when the process has to end without unwinding.
    """
    # Nothing that a start makes is rubbish; looking for some takes a tenth of it. The curtain switches it on again.
    gc.disable()
    terminal = detect(os.environ)
    if settings.mouse != "auto":
        terminal = terminal._replace(mouse=settings.mouse == "on")
    if settings.motion != "auto":
        terminal = terminal._replace(motion=settings.motion == "on")
    if settings.glyphs != "auto":
        terminal = terminal._replace(ascii=settings.glyphs == "ascii")
    # Textual obeys variables that write logs and screenshots; it must not see them when it is imported.
    prepare(os.environ, terminal)
    from kelmu_tui.screens.house import KelmuApp

    app = KelmuApp(
        profile, settings, backend_url, terminal=terminal, demo=demo, user=user, language=language, loaded=loaded
    )
    app.at_the_end = at_the_end
    app.run()
    return app.return_code or 0
