"""A text that leaves the program: where it is saved, and what the printer says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kelmu_tui.domain.deadlines import HELSINKI_TIME
from kelmu_tui.screens.base import KeyedScreen

if TYPE_CHECKING:
    from kelmu_tui.services.case_file import Form

    Made = Awaitable[str | None]
    """A text, after it was logged that it leaves; None when it is not here any more."""


def save_text(
    screen: KeyedScreen[Any],
    name: str,
    make: Callable[[Form], Made],
    *,
    gone: str,
    about: str = "",
    pages_only: str = "",
) -> None:
    """Ask where to save a text, and say where it went.

    Args:
        name: what it is, for the file's name.
        gone: key of what is said when there is no text any more.
        about: what is saved where the ending of the name decides nothing.
        pages_only: key of what is said of other forms, when the text has only the one for reading.
    """
    from kelmu_tui.platform.saving import save_new
    from kelmu_tui.screens.save_file import SaveScreen
    from kelmu_tui.services.case_file import Form, form_of

    face = screen.face

    async def save(path: Path) -> str:
        t, form = face.t, form_of(path)
        if pages_only and form is not Form.PAGES:
            return t(pages_only)
        text = await make(form)
        if text is None:
            return t(gone)
        await asyncio.to_thread(save_new, path, text, mark=form is Form.TABLE)
        screen.say(t("saving.done", path=str(path)), role="good")
        return ""

    # No name and no code of anybody: file names are seen by whoever lists the folder.
    at = face.now().astimezone(HELSINKI_TIME)
    face.push_screen(SaveScreen(f"~/kelmu-{name}-{at:%Y%m%d-%H%M%S}.txt", save, about=about))


async def print_text_of(screen: KeyedScreen[Any], make: Callable[[], Made], *, gone: str, save_key: str) -> None:
    """Print a text, and say what became of it.

    Args:
        gone: key of what is said when there is no text any more.
        save_key: the action that saves it instead.
    """
    from kelmu_tui.platform.printing import NotPrinted, check, print_text

    t = screen.face.t
    try:
        check()
        text = await make()
        if text is None:
            screen.say(t(gone), role="warn")
            return
        await print_text(text)
    except NotPrinted as failure:
        screen.say(t.choice("saving.not_printed", failure.reason, key=screen.key_text(save_key)), role="warn")
    else:
        screen.say(t("saving.printed"), role="good")
