"""The app as the screens know it: language, keys, signs, time, messages, and the desk once somebody works at one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.css.query import NoMatches
from textual.filter import LineFilter
from textual.screen import Screen

from kelmu_tui.actions import Keymap, State, show_key
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.i18n import LANGUAGES, Translator
from kelmu_tui.i18n.failures import store_text
from kelmu_tui.platform.clock import Clock, SystemClock
from kelmu_tui.platform.paths import styles
from kelmu_tui.platform.tasks import Tasks
from kelmu_tui.screens.base import Dialog, FramedScreen, KeyedScreen
from kelmu_tui.screens.curtain import Curtain
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.places import Places
from kelmu_tui.screens.themes import THEMES
from kelmu_tui.screens.work import Work
from kelmu_tui.store.database import Changed
from kelmu_tui.store.errors import NotShown, StoreError
from kelmu_tui.store.rows import View
from kelmu_tui.sync.status import Connection
from kelmu_tui.terminal.crash import Reporter
from kelmu_tui.terminal.environment import TerminalProfile
from kelmu_tui.widgets.ascii_signs import AsciiSigns
from kelmu_tui.widgets.chrome import Remark, Section, Top
from kelmu_tui.widgets.glyphs import ASCII, UNICODE

if TYPE_CHECKING:
    from kelmu_tui.screens.about import Fact
    from kelmu_tui.screens.drafting import Typing

SECTIONS: Final = (
    ("main.inbox", "common.section_inbox"),
    ("main.customer", "common.section_customer"),
    ("main.lists", "common.section_lists"),
    ("main.invoices", "common.section_invoices"),
    ("main.claims", "common.section_claims"),
    ("main.outbox", "common.section_outbox"),
    ("main.announcements", "common.section_announcements"),
    ("main.followed", "common.section_followed"),
    ("main.documents", "common.section_documents"),
)
"""Sections of the second line: the action that leads there, and its name."""


@dataclass
class Counts:
    """Numbers behind the sections, kept up by whoever learns them."""

    views: Mapping[View, int] = field(default_factory=dict)
    outbox: int = 0
    conflicts: int = 0
    announcements: int = 0
    followed: int = 0


class Face(Places, inherit_bindings=False):
    """What every screen may ask of the app."""

    # Layout for three kinds of terminals; the styles of the screens say what each means.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (60, "-normal"), (110, "-wide"), (150, "-broad")]  # noqa: RUF012 - Textual's type
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012 - Textual's type
    # All at once: a sheet that comes with its screen would make everything that stands already be styled anew.
    # What all screens share comes first, so that each may differ.
    CSS_PATH: ClassVar[Any] = sorted(styles().glob("*.tcss"), key=lambda sheet: (sheet.stem != "house", sheet.stem))
    ESCAPE_TO_MINIMIZE: ClassVar[bool] = False

    def __init__(
        self,
        *,
        reporter: Reporter,
        terminal: TerminalProfile,
        language: str,
        keymap: Keymap | None = None,
        theme: str = "dark",
        clock: Clock | None = None,
        ascii_only: bool | None = None,
    ) -> None:
        self.t = Translator(language)
        self.ascii = terminal.ascii if ascii_only is None else ascii_only
        super().__init__(reporter=reporter, profile=terminal, translate=lambda *a, **v: self.t(*a, **v))
        self.keymap = keymap or Keymap()
        self.clock = clock or SystemClock()
        self.glyphs = ASCII if self.ascii else UNICODE
        self.tasks = Tasks(self.task_failed)
        self.desk: Desk | None = None
        self.work: Work | None = None
        self.typing: Typing | None = None
        self.counts = Counts()
        self.title = "Kelmu"
        self.curtain = Curtain(self)
        self._signs = AsciiSigns()
        for known in THEMES:
            self.register_theme(known)
        self.theme = f"kelmu-{theme}"
        self.stylesheet.set_variables(self.get_css_variables())
        self._dressed = False
        self.animation_level = "none"
        self.set_class(self.ascii, "-ascii")
        self.set_class(theme == "contrast", "-contrast")

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters of every painted line; ours for plain terminals comes last."""
        filters = super().get_line_filters()
        return [*filters, self._signs] if self.ascii else filters

    def push_screen(self, screen: Any, *arguments: Any, **options: Any) -> Any:
        """Show a screen, laid out for this size from the first: otherwise it would be styled twice."""
        if isinstance(screen, KeyedScreen):
            if not screen.is_running:
                self.fit(screen)
            if not screen.LIFTS_CURTAIN:
                self.curtain.lift()
        return super().push_screen(screen, *arguments, **options)

    async def _replace_screen(self, screen: Screen[Any]) -> Screen[Any]:
        """Take a dialog apart behind the painting of what it led to."""
        if self.curtain.down and isinstance(screen, Dialog):
            self.curtain.afterwards(partial(super()._replace_screen, screen))
            return screen
        return await super()._replace_screen(screen)

    def fit(self, screen: KeyedScreen[Any]) -> None:
        """Give a screen the classes of the terminal's size before it is styled."""
        for limits, extent in zip((self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), self.size, strict=True):
            screen.add_class(max((limit, name) for limit, name in limits if limit <= extent)[1], update=False)
        screen.fitted = self.size

    @property
    def look(self) -> tuple[object, ...]:
        """What a screen is put together for: when it changes, screens have to be made anew or told."""
        return (self.t.language, self.theme, self.size, self.ascii, self.keymap)

    def refresh_css(self, animate: bool = True) -> None:
        """Style everything anew; not at the start, where the theme asks for it though the sheets are its own."""
        if self._dressed:
            super().refresh_css(animate)
        self._dressed = True

    # --- time and texts ---------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the present instant (UTC)."""
        return self.clock.now()

    def today(self) -> date:
        """Return the present day in Finland."""
        return local_date(self.clock.now())

    def key_text(self, action: str) -> str:
        """Return how the first key of an action is read, empty when it has none."""
        keys = self.keymap.keys(action)
        return show_key(keys[0], arrows=not self.ascii) if keys else ""

    def set_language(self, language: str) -> None:
        """Switch the language of everything that is shown."""
        self.t = Translator(language)
        for screen in self.screen_stack:
            if isinstance(screen, KeyedScreen):
                screen.retranslate()

    def action_app_language(self) -> None:
        """Go on to the next of the three languages."""
        following = LANGUAGES[(LANGUAGES.index(self.t.language) + 1) % len(LANGUAGES)]
        self.set_language(following)
        self.language_chosen(following)
        self.say(self.t("common.language_now"))

    def language_chosen(self, language: str) -> None:
        """The user chose a language; the app may remember it."""

    # --- messages and failures --------------------------------------------------------------------------------------

    def say(self, text: str, *, role: str = "", hint: str = "") -> None:
        """Show a message of one line on the topmost screen that has a place for it."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, FramedScreen):
                screen.message(Remark(text, role, hint))
                return

    def task_failed(self, name: str, failure: BaseException) -> None:
        """A task ended with an error: what the store can say is said, everything else ends the app with a report."""
        del name
        if isinstance(failure, StoreError):
            self.store_failed(failure)
        elif isinstance(failure, NoMatches) and self._exit:
            return  # the app is closing: the task came back to a screen that has been taken apart
        elif isinstance(failure, Exception):
            self._handle_exception(failure)

    def store_failed(self, failure: StoreError) -> None:
        """Say what is wrong with the disk or the files, and go on; what may not be shown is taken away."""
        if isinstance(failure, NotShown):
            self.shut(failure)
            return
        self.say(store_text(self.t, failure), role="alarm")
        self.report(failure)

    def shut(self, why: NotShown) -> None:
        """Take away everything that is shown of the store: it may not be seen before the backend has been heard."""
        del why

    async def on_unmount(self) -> None:
        """Stop what still runs."""
        await self.tasks.close()

    # --- the present state ------------------------------------------------------------------------------------------

    @property
    def online(self) -> bool:
        """Whether the backend answers."""
        return self.desk is None or self.desk.status().state in (Connection.ONLINE, Connection.FOLLOWING)

    def state(self, *, selected: int = 0, can_undo: bool = False, can_repeat: bool = False) -> State:
        """Return what decides over actions."""
        capabilities = self.desk.session.capabilities if self.desk is not None else frozenset()
        supervisor = self.desk is not None and self.desk.session.supervisor
        return State(capabilities, self.online, selected, can_undo, can_repeat, supervisor)

    def update_frames(self) -> None:
        """Show the present state in the frames of the screens that can be seen."""
        for screen in self.screen_stack[-2:]:
            # Of one that is still being put together some widgets are there and some are not.
            if isinstance(screen, FramedScreen) and screen.ready:
                screen.update_frame()

    def top(self, section: str) -> Top:
        """Return the top lines for a screen of `section`."""
        desk = self.desk
        language = self.t.language.upper()
        if desk is None:
            return Top(title=self.t("common.service"), language=language)
        sign, words, role = self._connection(desk)
        status = desk.status()
        return Top(
            title=desk.session.organisation.name.get(self.t.language),
            sign=sign,
            connection=words,
            role=role,
            queue=f"{self.glyphs.up}{self.t.formats.number(status.queued)}" if status.queued else "",
            conflicts=f"{self.glyphs.conflict}{self.t.formats.number(status.conflicts)}" if status.conflicts else "",
            language=language,
            sections=self._sections(section),
        )

    def _connection(self, desk: Desk) -> tuple[str, str, str]:
        status, glyphs = desk.status(), self.glyphs
        if status.expected and status.filled < status.expected:
            number = self.t.formats.number
            words = self.t("common.filling", done=number(status.filled), total=number(status.expected))
            return glyphs.busy, words, "accent"
        at = self.t.formats.moment(status.synced_at, self.now()) if status.synced_at is not None else ""
        match status.state:
            case Connection.FOLLOWING if status.leader_silent:
                # The terminal that talks to the backend for both of us was stopped: nothing comes, nothing goes.
                return glyphs.offline, self.t("common.leader_silent", at=at or "–"), "warn"
            case Connection.ONLINE | Connection.FOLLOWING:
                return glyphs.online, self.t("common.synced", at=at) if at else self.t("common.online"), "good"
            case Connection.CONNECTING:
                return glyphs.busy, self.t("common.connecting"), "dim"
            case Connection.SIGNED_OUT:
                return glyphs.offline, self.t("common.signed_out"), "alarm"
            case Connection.UPDATE_NEEDED:
                return glyphs.offline, self.t("common.update_needed"), "alarm"
            case Connection.PAUSED:
                return glyphs.offline, self.t("common.paused"), "warn"
            case _:
                return glyphs.offline, self.t("common.offline_since", at=at) if at else self.t("common.offline"), "warn"

    def _sections(self, active: str) -> tuple[Section, ...]:
        number = self.t.formats.number
        counts = {
            "main.inbox": self.counts.views.get(View.UNHANDLED, 0),
            "main.outbox": self.counts.outbox,
            "main.announcements": self.counts.announcements,
            "main.followed": self.counts.followed,
        }
        return tuple(
            Section(
                self.key_text(action),
                self.t(name),
                number(counts[action]) if counts.get(action) else "",
                action == active,
            )
            for action, name in SECTIONS
        )

    async def facts(self) -> list[Fact]:
        """Return what the about screen shows."""
        return []

    def store_changed(self, change: Changed) -> None:
        """The store changed: every screen looks whether that concerns it, and the counts are read again."""
        for screen in self.screen_stack:
            if isinstance(screen, KeyedScreen):
                screen.store_changed(change)

    def expect(self, ids: Iterable[str]) -> None:
        """An own command was given about `ids`: no list counts them as news."""
        for screen in self.screen_stack:
            if isinstance(screen, KeyedScreen):
                screen.expect(ids)

    # --- everywhere -------------------------------------------------------------------------------------------------

    def action_app_help(self) -> None:
        """Show the keys that work here, and everything that is closed."""
        from kelmu_tui.screens.help import HelpScreen

        screen = self.screen
        context = screen.context if isinstance(screen, KeyedScreen) else None
        self.push_screen(HelpScreen(context, screen.state() if isinstance(screen, KeyedScreen) else self.state()))

    def action_app_palette(self) -> None:
        """Find an action by a few letters and do it."""
        from kelmu_tui.screens.palette import PaletteScreen

        screen = self.screen
        if isinstance(screen, KeyedScreen):
            self.push_screen(PaletteScreen(screen), screen.chosen_from_palette)

    def action_app_mouse(self) -> None:
        """Turn the mouse on or off."""
        self.mouse = not self.mouse
        self.say(self.t("common.mouse_on") if self.mouse else self.t("common.mouse_off"))

    def action_app_quit(self) -> None:
        """Leave; what waits to be sent is kept and goes at the next start."""
        self.exit(0)
