"""Commands as the screens give them: one message for what happened, a stack to undo, the last one to repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kelmu_tui.services.inbox import UNIT, CannotUndo
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.rows import Outcome

if TYPE_CHECKING:
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face

MOST_UNDO: Final = 100
NOT_UNDOABLE: Final = frozenset({"note", "take-back", "open"})
REPEATABLE: Final = frozenset({"take", "release", "handle", "reopen", "transfer", "note"})


@dataclass(frozen=True, slots=True)
class Repeat:
    """A command that can be given again to other notices."""

    verb: str
    arguments: tuple[str, ...]


class Work:
    """What was done at a desk; lives as long as the desk.

    Attributes:
        left: the notices that the last command was not saved for, because the store failed on the way.
    """

    def __init__(self, face: Face, desk: Desk) -> None:
        self._face = face
        self._desk = desk
        self._undo: list[Outcome] = []
        self.last: Repeat | None = None
        self.left: tuple[str, ...] = ()

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._undo)

    async def do(self, verb: str, ids: Sequence[str], *arguments: str) -> Outcome | None:
        """Give a command to notices and say what became of it.

        Raises:
            StoreError: it could not be saved for the notices in `left`; for those before them it was.
        """
        self.left = tuple(ids)
        if not ids:
            return None
        inbox = self._desk.inbox
        methods: dict[str, Any] = {
            "take": inbox.take,
            "release": inbox.release,
            "handle": inbox.handle,
            "reopen": inbox.reopen,
            "note": inbox.note,
            "transfer": inbox.transfer,
            "take-back": inbox.take_back,
        }
        parts: list[Outcome] = []
        try:
            while self.left:
                parts.append(await self._desk.run(methods[verb], self.left[:UNIT], *arguments))
                self.left = self.left[UNIT:]
        except StoreError:
            self._remember(_whole(verb, parts), arguments)
            raise
        outcome = _whole(verb, parts)
        self._remember(outcome, arguments)
        self._tell(outcome, undoable=verb not in NOT_UNDOABLE)
        return outcome

    def _remember(self, outcome: Outcome, arguments: tuple[str, ...]) -> None:
        """Have what was done sent and shown, and keep it to be undone and repeated."""
        self._face.expect(outcome.done)
        if outcome.verb in REPEATABLE and (outcome.done or not self.left):
            self.last = Repeat(outcome.verb, arguments)
        if outcome.done:
            if outcome.verb not in NOT_UNDOABLE:
                self._undo.append(outcome)
                del self._undo[:-MOST_UNDO]
            self._desk.poke()

    async def repeat(self, ids: Sequence[str]) -> Outcome | None:
        """Give the last command again, to other notices."""
        if self.last is None:
            return None
        return await self.do(self.last.verb, ids, *self.last.arguments)

    async def undo(self) -> Outcome | None:
        """Take back the last command that can be taken back."""
        if not self._undo:
            return None
        last = self._undo.pop()
        try:
            outcome: Outcome = await self._desk.run(self._desk.inbox.undo, last)
        except StoreError:
            self._undo.append(last)  # once there is room again it can still be taken back
            raise
        except CannotUndo:
            self._face.say(self._face.t("inbox.cannot_undo"), role="warn")
            return None
        self._face.expect(outcome.done)
        if outcome.done:
            self._desk.poke()
        t = self._face.t
        if outcome.refused:
            self._face.say(self._refusals(outcome), role="warn")
        else:
            self._face.say(t("inbox.undone", count=len(outcome.done)))
        return outcome

    def _tell(self, outcome: Outcome, *, undoable: bool) -> None:
        face = self._face
        hint = ""
        if outcome.done and undoable:
            key = face.key_text("main.undo")
            hint = f"{key} {face.t('actions.main.undo.label')}" if key else ""
        if not outcome.refused and not outcome.done:
            face.say(face.t("inbox.nothing_changed"))
        elif not outcome.refused:
            face.say(face.t.choice("inbox.done", outcome.verb, count=len(outcome.done)), role="good", hint=hint)
        elif not outcome.done:
            face.say(self._refusals(outcome), role="warn")
        else:
            done = face.t.choice("inbox.done", outcome.verb, count=len(outcome.done))
            face.say(f"{done} {self._refusals(outcome)}", role="warn", hint=hint)

    def _refusals(self, outcome: Outcome) -> str:
        """Say the most frequent reason; several reasons at once are rare and stand on the rows themselves."""
        reasons = [reason for _, reason in outcome.refused]
        common = max(set(reasons), key=reasons.count)
        why = self._face.t.choice("errors.refusal", common)
        if len(reasons) == 1 and not outcome.done:
            return why
        return self._face.t("inbox.not_done", count=len(reasons), why=why)


def _whole(verb: str, parts: Sequence[Outcome]) -> Outcome:
    """Return what became of a command that was saved in parts."""
    return Outcome(
        verb,
        tuple(id_ for part in parts for id_ in part.commands),
        tuple(id_ for part in parts for id_ in part.done),
        tuple(refused for part in parts for refused in part.refused),
        parts[0].arguments if parts else (),
    )
