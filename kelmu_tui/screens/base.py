"""What all screens share: keys by the registry, the frame, messages, and texts that follow the language."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from inspect import isawaitable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from kelmu_tui.actions import ACTIVE, REGISTRY, Action, Context, State, Why, disabled, footer
from kelmu_tui.store.database import Changed
from kelmu_tui.store.errors import StoreError
from kelmu_tui.terminal.one_size import OneSize
from kelmu_tui.terminal.timers import SureTimers
from kelmu_tui.widgets.cells import one_line
from kelmu_tui.widgets.chrome import HintLine, KeyHint, MessageBar, Remark, Top, TopLine

if TYPE_CHECKING:
    from kelmu_tui.screens.face import Face

Result = TypeVar("Result")

CLIPBOARD_KEYS = frozenset({"ctrl+c", "super+c", "ctrl+x", "super+x", "ctrl+v", "super+v"})
"""Keys with which fields copy to the terminal's clipboard, which is not ours to fill with personal data."""


PAUSE_SECONDS = 0.05
"""How long a screen is left alone before another is put in reserve: its own painting and the next key come first."""

BESIDE_PICKS = 4
"""Lines of a box with choices that are not choices: two of border, a field, a line of hints."""


class KeyDone(Message):
    """Follows every key on its way: when it has come up to the screen, the key has had all its effect."""


class KeyedScreen(SureTimers, OneSize, Screen[Result], inherit_bindings=False):
    """A screen whose keys come from the registry: `action_<id with underscores>` does it."""

    CONTEXT: ClassVar[Context] = Context.GLOBAL
    AUTO_FOCUS = None
    ALLOW_SELECT = False

    LIFTS_CURTAIN: ClassVar[bool] = False
    """Whether the screen itself says when it has something to show; the others are shown at once."""

    LEADS_TO_CUSTOMER: ClassVar[bool] = False
    """Whether a key here shows a customer's file, for which a screen is kept in reserve."""

    ready = False
    """Whether the screen can take keys: its fields are there."""

    _resumed = False
    _parting: Callable[[], None] | None = None

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        """Before Textual's own handler: who is shown for the first time is styled, who is covered again is not seen."""
        if not self._resumed or not self.is_current:
            event.refresh_styles = False
        self._resumed = True
        if self.LEADS_TO_CUSTOMER:
            self.set_timer(PAUSE_SECONDS, self.face.prepare_customer)
        self._depart()

    def leave_with(self, result: Result | None, said: str = "", *, role: str = "") -> None:
        """Leave with an answer after an await and then say `said`: now, or when nothing covers the screen any more.

        To dismiss a screen takes away whatever is on top, which by then may be a dialog or the lock.
        """

        def part() -> None:
            self.dismiss(result)
            if said:
                self.face.call_after_refresh(self.face.say, said, role=role)

        if self._parting is None:
            self._parting = part
            self._depart()

    @property
    def parting(self) -> bool:
        """Whether the screen has its answer and takes nothing more, though it may still be there."""
        return self._parting is not None

    def _depart(self) -> None:
        if self._parting is not None and self.is_active:  # Textual calls one under a dialog current
            self._parting()

    @property
    def face(self) -> Face:
        """The app."""
        return cast("Face", self.app)

    @property
    def context(self) -> Context:
        """Which keys work now."""
        return self.CONTEXT

    def _compositor_refresh(self) -> None:
        # Textual paints behind a curtain too and throws it away; `Curtain.lift` has everything painted.
        if not self.face.curtain.down:
            super()._compositor_refresh()

    def state(self) -> State:
        """What decides now which actions are usable."""
        return self.face.state()

    @property
    def alive(self) -> bool:
        """Whether the screen's widgets are there: a task or a timer may come back when they have gone."""
        return bool(self.children) and not self._pruning

    def on_mount(self) -> None:
        """Textual calls this one last, after the handlers of the subclasses."""
        self.ready = True
        if self in self.face.screen_stack:  # and not in reserve, which no key waits for
            self.face.key_done()

    def on_unmount(self) -> None:
        """A key that closed the screen has had its effect."""
        self.face.key_done()

    def on_key_done(self, event: KeyDone) -> None:
        """Let the next key come."""
        event.stop()
        self.face.key_done()

    async def on_key(self, event: events.Key) -> None:
        """Do what the key means here; what it does not mean goes on to the widget's own keys."""
        if event.key in CLIPBOARD_KEYS:
            event.stop()
            if event.key == "ctrl+c":
                self.say(self.face.t("common.ctrl_c"))
            return
        action = self.face.keymap.find(self.context, event.key)
        if action is None or not self.takes(action):
            return
        event.stop()
        await self.perform(action)

    def takes(self, action: Action) -> bool:
        """Tell whether this key press is for the screen; a field being typed in may want it."""
        del action
        return True

    async def perform(self, action: Action) -> None:
        """Do an action, or say why it can't be done now."""
        if self.parting:
            return
        why = disabled(action, self.state())
        if why is Why.CAPABILITY and self.face.explain_closed(action):
            return
        if why is not None:
            self.say(self.face.t.choice("actions.why", why), role="warn")
            return
        name = f"action_{action.method}"
        doer = next((doer for doer in self.doers() if hasattr(doer, name)), None)
        if doer is not None:
            try:
                done = getattr(doer, name)()
                if isawaitable(done):
                    await done
            except StoreError as error:  # a full disk must not end the app: what was saved is safe, work goes on
                self.face.store_failed(error)

    def doers(self) -> tuple[object, ...]:
        """Return who knows how to do the actions of this screen, the first that does does it."""
        return (self, self.face)

    async def chosen_from_palette(self, action: Action | None) -> None:
        """Do what was chosen in the palette."""
        if action is not None:
            await self.perform(action)

    def can_perform(self, action: Action) -> bool:
        """Tell whether this screen or the app knows how to do `action`."""
        name = f"action_{action.method}"
        return any(hasattr(doer, name) for doer in self.doers())

    def say(self, text: str, *, role: str = "", hint: str = "") -> None:
        """Show a message of one line."""
        self.face.say(text, role=role, hint=hint)

    def retranslate(self) -> None:
        """Render every text anew: the language or the keys changed."""

    def store_changed(self, change: Changed) -> None:
        """Something in the store changed; a screen that shows it reads it again."""
        del change

    def store_noted(self, change: Changed) -> None:
        """Something was written that no list shows: a view, an error, the feed's place."""
        del change

    def expect(self, ids: Iterable[str]) -> None:
        """The user's own command changes these notices: a list shows them when they come, without being asked."""
        del ids

    def key_text(self, action: str) -> str:
        """Return how the first key of an action is read, empty when it has none."""
        return self.face.key_text(action)


class FramedScreen(KeyedScreen[Result]):
    """A full screen: top lines, body, message line, hints."""

    SECTION: ClassVar[str] = ""
    """Id of the action that leads here, when the screen is a section."""

    def body(self) -> Iterable[Widget]:
        """Return what stands between the frame's lines."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Put the frame around the body."""
        yield TopLine(self.face.glyphs)
        yield from self.body()
        yield MessageBar(self.face.glyphs)
        yield HintLine()

    def on_mount(self) -> None:
        """Fill in the texts. Textual calls every class's own handler, so subclasses take the hook below."""
        if self.alive:
            self.retranslate()
            self.mounted()

    def mounted(self) -> None:
        """The screen is there, its texts are in place."""

    def on_screen_resume(self) -> None:
        """The screen is on top again: what changed meanwhile shows; not when another one covers it already."""
        if self.is_current:
            self.update_frame()

    def on_resize(self) -> None:
        """Choose hints for the new width."""
        self.update_hints()
        self.resized()

    def resized(self) -> None:
        """The screen has another size."""

    def retranslate(self) -> None:
        """Render the frame's texts anew."""
        self.update_frame()

    def update_frame(self) -> None:
        """Show the present state in the top lines and the hints."""
        if self.alive:
            self.query_one(TopLine).show(self.top())
            self.update_hints()

    def top(self) -> Top:
        """Return what the top lines say; the sections only where their numbers lead to them."""
        top = self.face.top(self.SECTION)
        return top if Context.MAIN in ACTIVE.get(self.CONTEXT, ()) else top._replace(sections=())

    def update_hints(self) -> None:
        """Choose the hints for the width and the present state."""
        if not self.alive:
            return
        chosen = footer(
            self.context,
            self.face.keymap,
            self.face.t,
            max(1, self.size.width - 2),
            self.state(),
            arrows=not self.face.ascii,
        )
        hints = [KeyHint(hint.key, hint.label, hint.usable) for hint in chosen.hints]
        self.query_one(HintLine).show(hints, chosen.rest)

    def message(self, message: Remark) -> None:
        """Show a message in this screen's line."""
        if self.alive:
            self.query_one(MessageBar).say(message)


class Dialog(KeyedScreen[Result], ModalScreen[Result], inherit_bindings=False):
    """A box over the screen below, opaque and as small as its content; escape leaves without doing anything."""

    CONTEXT: ClassVar[Context] = Context.DIALOG

    _given = False

    async def give(self, save: Callable[..., Awaitable[str]], *answer: str) -> str:
        """Have what was typed saved, and leave; stay with all of it when `save` returns what hinders it.

        Return what hinders it.
        """
        if self._given:  # by a key before, which waited for the disk: the dialog is on its way out
            return ""
        problem = await save(*answer)
        self.set_class(bool(problem), "-hindered")  # in a small window the reason needs room that choices have
        if not problem:
            self._given = True
            self.leave_with(None)
        return problem

    def takes(self, action: Action) -> bool:
        """In a field of several lines the arrows are for moving in the text."""
        # By name: importing the field of several lines costs more than most dialogs need.
        several = type(self.focused).__name__ == "BlockField"
        return not (several and action.id in ("dialog.down", "dialog.up"))

    def action_dialog_cancel(self) -> None:
        """Leave without doing anything."""
        self.dismiss(None)

    def action_dialog_next(self) -> None:
        """Go to the next field."""
        self.focus_next()

    def action_dialog_previous(self) -> None:
        """Go to the field before."""
        self.focus_previous()

    def action_dialog_clear(self) -> None:
        """Empty the field."""
        from textual.widgets import Input, TextArea

        if isinstance(self.focused, Input):
            self.focused.value = ""
        elif isinstance(self.focused, TextArea):
            self.focused.clear()

    def box(self, title: str, *widgets: Widget) -> Container:
        """Return the frame of the dialog with its content."""
        frame = Container(*widgets, id="box")
        frame.border_title = Content(one_line(title))  # an object: a string would be read as markup
        return frame

    def fit_picks(self, wanted: int, *, beside: int = BESIDE_PICKS) -> None:
        """Give the list of choices `wanted` lines, or as many as the terminal has `beside` the rest of the box."""
        self.query_one("#picks").styles.height = max(1, min(wanted, self.size.height - beside))

    def hint_line(self, *actions: str, accept: str = "") -> str:
        """Return a line of hints for the foot of the dialog; `accept` says what enter does here."""
        parts = []
        for name in actions:
            key = self.key_text(name)
            if key:
                own = accept if name == "dialog.accept" else ""
                parts.append(f"{key} {own or self.face.t(REGISTRY[name].label_key)}")
        return "   ".join(parts)
