"""The form of a payment claim, which thinks along: rules are judged while it is typed, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from typing import ClassVar, Final

from textual import events, on
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, TextArea

from kelmu_tui.actions import Action, Context
from kelmu_tui.domain.claims.accounts import shown_account
from kelmu_tui.domain.claims.content import MAX_GROUNDS, MAX_HANDLER, MAX_REFERENCE, MAX_TELEPHONE
from kelmu_tui.domain.identifiers import mask
from kelmu_tui.screens.claim_begin import Begin
from kelmu_tui.screens.claim_drafting import ClaimTyping
from kelmu_tui.screens.claim_fields import ChoiceField, FieldRow, Fields, Note, Notes
from kelmu_tui.screens.claim_filling import Filled, fill
from kelmu_tui.screens.claim_form_acts import FormActs
from kelmu_tui.screens.claim_judging import Judging
from kelmu_tui.screens.claim_told import arrival_notes, notes, payee_notes, status_notes, typed_note
from kelmu_tui.screens.desk import Desk
from kelmu_tui.services import code_typing
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.services.claim_days import InvalidDay, parse_day
from kelmu_tui.services.claim_judging import Judged
from kelmu_tui.services.claim_said import said
from kelmu_tui.services.claim_typing import AMOUNTS, CHOSEN, DAYS, Field, fields_of, text_of
from kelmu_tui.services.claim_words import basis_name
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.database import Changed
from kelmu_tui.store.errors import StoreError
from kelmu_tui.widgets.block_field import BlockField
from kelmu_tui.widgets.chrome import Caption, ViewLine
from kelmu_tui.widgets.sheet import Field as Said
from kelmu_tui.widgets.sheet import Sheet
from kelmu_tui.widgets.text_field import LineField

__all__ = ["Begin", "ClaimFormScreen"]

MOST_TYPED: Final = 60
ROOMY: Final = 40
"""Lines of a terminal in which what is only told stands below every field; in others where the cursor is."""
PRESENCE_SECONDS: Final = 50.0
"""How often it is told that the claim is still being changed; the backend forgets it after two minutes."""
_LENGTHS: Final = {
    Field.REFERENCE: MAX_REFERENCE,
    Field.HANDLER: MAX_HANDLER,
    Field.TELEPHONE: MAX_TELEPHONE,
}


class ClaimFormScreen(FormActs):
    """Answers the ids of the commands that were given, None when the form was left with its draft kept."""

    CONTEXT: ClassVar[Context] = Context.CLAIM_FORM
    SECTION: ClassVar[str] = "main.claims"

    def __init__(self, desk: Desk, begin: Begin) -> None:
        super().__init__()
        self.desk = desk
        self.begin = begin
        self.values: dict[str, str] = {}
        self.filled = Filled({})
        self.code = code_typing.Typed("")
        self.payee = ""
        self.visited: set[Field] = set()
        self.theirs: Mapping[str, str] = {}
        self._begun = False
        self._held = ExitStack()

    # --- what stands there ------------------------------------------------------------------------------------------

    def body(self) -> Iterable[Widget]:
        """Return the fields, beside them where there is room what Kela will read, and how the whole stands."""
        t = self.face.t
        yield ViewLine()
        rows = [FieldRow(field, t.choice("claim_form.label", field), *self._make(field)) for field in Field]
        yield Horizontal(
            Fields(*rows, id="fields"),
            Sheet(glyphs=self.face.glyphs, id="aside", can_focus=False),
            id="split",
        )
        yield Notes(id="status")

    def _make(self, field: Field) -> Iterable[Widget]:
        t = self.face.t
        if field is Field.PAYEE:
            yield Caption("", role="strong", id="given")
        if field in CHOSEN:
            yield ChoiceField(t.choice("claim_form.hint", field), id=field.value)
        elif field is Field.GROUNDS:
            yield BlockField("", limit=MAX_GROUNDS, breaks=True, id=field.value)
        else:
            hint = t.choice("claim_form.hint", field) if field in _HINTED else ""
            yield LineField(id=field.value, max_length=_LENGTHS.get(field, MOST_TYPED), placeholder=hint)

    def mounted(self) -> None:
        """Read with what the form begins; keys that come meanwhile are kept for it."""
        super().mounted()
        self.typing = ClaimTyping(self.face, self.desk, None, None)
        self.judging = Judging(self.face, self.desk, lambda: (self.values, self.payee), self._judged)
        self._held.enter_context(self.face.keys_held())
        self.face.spawn("claim.fill", self._fill())

    async def _fill(self) -> None:
        with self._held:
            try:
                found: Filled = await self.desk.run(fill, self.desk.claims, self.begin)
            except (NotAllowed, StoreError) as problem:
                self._cannot_begin(problem)
            else:
                if self.alive:
                    self._take(found)

    def _cannot_begin(self, problem: NotAllowed | StoreError) -> None:
        """Go again: nothing may be typed into a form that nothing would keep."""
        if self.alive:
            self.leave_with(None)
        if isinstance(problem, StoreError):
            self.face.call_after_refresh(self.face.store_failed, problem)
        else:
            self.face.call_after_refresh(self.face.say, self.face.t("errors.api.mandate_missing"), role="alarm")

    def _take(self, found: Filled) -> None:
        self.filled = found
        self.values = dict(found.values)
        self.payee = found.payee
        if not found.given:
            self._examine(self.values.get(Field.PAYEE, found.payee))
        typing = self.typing = ClaimTyping(self.face, self.desk, found.claim, found.draft)
        typing.payee, typing.name, typing.kept_at = found.payee, found.name, found.kept_at
        typing.base = found.base
        typing.begin(self.values)
        self.face.typing = typing
        self.judging.claim = found.claim
        self._begun = True
        if found.draft is not None:
            self.visited.update(field for field in Field if self.values.get(field))
        self.show_values()
        self.go_to(self._first_field())
        self.judging.ask()
        if found.claim is not None:
            self.tell_presence()
            if found.draft is not None and not found.gone:
                self.face.spawn("claim.meanwhile", self.look_meanwhile(found.claim))
            self.set_interval(PRESENCE_SECONDS, self.tell_presence)
        if found.gone:
            self.say(self.face.t("claim_form.gone"), role="alarm")
        elif found.draft is not None:
            self.say(self.face.t("claim_form.draft_found"))

    def _first_field(self) -> Field:
        """Return where to begin: at what is not there yet."""
        if not self.filled.given and not self.values.get(Field.PAYEE):
            return Field.PAYEE
        empty = (one for one in fields_of(self.values.get(Field.BASIS, "")) if one is not Field.PAYEE)
        return next((one for one in empty if not self.values.get(one) and one in _WANTED), Field.AMOUNT)

    def row(self, field: Field) -> FieldRow:
        """Return the row of a field."""
        return self.query_one(f"#row-{field.value}", FieldRow)

    def show_values(self) -> None:
        """Put into the fields what they say, and show those that the basis has use for."""
        used = fields_of(self.values.get(Field.BASIS, ""))
        for field in Field:
            self.row(field).display = field in used
            text = self.values.get(field, "")
            if field in CHOSEN:
                self.query_one(f"#{field.value}", ChoiceField).show(text, self._words(field, text))
            elif field is Field.GROUNDS:
                block = self.query_one(f"#{field.value}", BlockField)
                if block.text != text:
                    block.text = text
            else:
                line = self.query_one(f"#{field.value}", LineField)
                if line.value != text:
                    line.value = text
        given, fixed = self.query_one("#given", Caption), self.filled.given
        given.display = fixed
        self.query_one("#payee", LineField).display = not fixed
        if fixed:
            given.show(f"{self.filled.name} {mask(self.payee)}".strip())
        # Payee and basis of a claim stay what they are.
        self.query_one("#basis", ChoiceField).can_focus = self.filled.claim is None

    def _words(self, field: Field, value: str) -> str:
        t = self.face.t
        if not value:
            return ""
        if field is Field.BASIS:
            return basis_name(value, t)
        if field is Field.BENEFIT:
            return benefit_name(value, t)
        name = next((one.name for one in self.filled.accounts if one.iban == value), "")
        return f"{shown_account(value)} {name}".strip()

    def retranslate(self) -> None:
        """Say everything in the language of now."""
        super().retranslate()
        if not self._begun:
            return
        t = self.face.t
        for field in Field:
            self.row(field).rename(t.choice("claim_form.label", field))
            if field in CHOSEN:
                hint = t.choice("claim_form.hint", field)
                value = self.values.get(field, "")
                self.query_one(f"#{field.value}", ChoiceField).show(value, self._words(field, value), hint)
            elif field in _HINTED:
                self.query_one(f"#{field.value}", LineField).placeholder = t.choice("claim_form.hint", field)
        self.show_told()

    def update_frame(self) -> None:
        """The connection changed, or a minute has gone: what is at risk may be another day."""
        super().update_frame()
        if self._begun and self.alive:
            self.judging.ask()

    # --- what is typed ----------------------------------------------------------------------------------------------

    async def on_key(self, event: events.Key) -> None:
        """Open the list of a field where something is chosen, with the letter that was typed."""
        focused = self.focused
        if isinstance(focused, ChoiceField) and event.is_printable and event.character is not None:
            event.stop()
            event.prevent_default()
            self.choose(Field(focused.id or ""), event.character.strip())
        elif isinstance(focused, ChoiceField) and event.key in ("backspace", "delete"):
            event.stop()
            event.prevent_default()
            self.put(Field(focused.id or ""), "")

    def takes(self, action: Action) -> bool:
        """In a field of several lines the arrows and enter are for the text."""
        several = isinstance(self.focused, BlockField)
        return not (several and action.id in ("claim_form.down", "claim_form.up", "claim_form.choose"))

    @on(Input.Changed)
    def _line_changed(self, event: Input.Changed) -> None:
        self._typed(Field(event.input.id or ""), event.value)

    @on(TextArea.Changed)
    def _block_changed(self, event: TextArea.Changed) -> None:
        self._typed(Field.GROUNDS, event.text_area.text)

    def _typed(self, field: Field, text: str) -> None:
        if self._begun and text != self.values.get(field, ""):
            self.values[field.value] = text
            if field is Field.PAYEE:
                self._examine(text)
            self.edited()

    def put(self, field: Field, text: str) -> None:
        """Let a field say something else."""
        if text != self.values.get(field, ""):
            self.values[field.value] = text
            if field is Field.PAYEE:
                self._examine(text)
            self.show_values()
            self.edited()

    def edited(self) -> None:
        """Something says something else: keep it at the next pause, and judge it."""
        self.typing.payee = self.payee
        self.typing.typed(self.values)
        self.judging.ask()

    def _examine(self, text: str) -> None:
        self.code = code_typing.examine(text.strip(), self.face.today(), self.desk.customers.clean_code)
        self.payee = "" if self.code.code is None else self.code.code.value
        if not self.payee:
            self.typing.name = ""

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """A field has been visited: from now on it is told that it is empty."""
        name = event.widget.id or ""
        if self._begun and name in _NAMES:
            self.visited.add(Field(name))
            self._complete(Field(name))

    def _complete(self, field: Field) -> None:
        """Write the year of a day that was typed without it: in a draft it would be another one some day."""
        text = self.values.get(field, "")
        if field in DAYS and text.strip():
            with suppress(InvalidDay):
                day = parse_day(text, self.face.today())
                if str(day.year) not in text:
                    self.put(field, text_of(day))

    def on_descendant_focus(self) -> None:
        """Tell what belongs to the field, and of the one before that it is empty."""
        if self._begun:
            self.show_told()

    def resized(self) -> None:
        """There may be room for more, or for less."""
        if self._begun and self.alive:
            self.show_told()

    # --- what is told -----------------------------------------------------------------------------------------------

    def _judged(self, judged: Judged) -> None:
        if self.alive:
            if judged.payee is not None:
                self.typing.name = judged.payee.name
            self.show_told()

    def show_told(self) -> None:
        """Tell at each field what is to be told of it, and how the whole stands."""
        t, judged, key = self.face.t, self.judging.last, self.key_text("claim_form.customer")
        here, roomy, moved = self.here, self.size.height >= ROOMY, False
        for field in fields_of(self.values.get(Field.BASIS, "")):
            told: list[Note] = []
            if field is Field.PAYEE:
                told += payee_notes(self.code, judged.payee if self.payee else None, t, given=self.filled.given)
            elif (field in DAYS or field in AMOUNTS) and self.judging.said is not None:
                told += typed_note(field, self.values.get(field, ""), self.judging.said, t)
            typed = field is Field.PAYEE and bool(self.code.text)  # what is wrong with a code has been said
            quiet, brief = typed or field not in self.visited, not roomy and field is not here
            told += notes(judged, field, t, key, quiet=quiet, brief=brief, typed=field is here)
            if field is Field.LAST:
                told += arrival_notes(judged, self.face)
            if field.value in self.theirs:
                told.append((t("claim_form.theirs", text=self.shown(field, self.theirs[field.value])), "warn"))
            moved |= self.row(field).tell(told)
        self.query_one("#status", Notes).show(status_notes(self.face, judged, gone=self.filled.gone, begun=self._begun))
        if moved:
            self.call_after_refresh(self._keep_in_sight)
        self._show_head()
        if self.query_one("#aside").display and self.judging.said is not None:
            self._show_aside()

    def _keep_in_sight(self) -> None:
        """Notes have come or gone above: the field that is typed in stays where it can be seen."""
        here = self.here
        if self.alive and here is not None:
            row, fields = self.row(here), self.query_one(Fields)
            fields.scroll_to_widget(row, animate=False, top=row.size.height > fields.size.height)

    def shown(self, field: Field, text: str) -> str:
        """Return the text of a field as it is shown."""
        if field in CHOSEN:
            return self._words(field, text)
        return text or self.face.t("claim_form.empty")

    def _show_head(self) -> None:
        t, face = self.face.t, self.face
        title = t("claim_form.title_change" if self.filled.claim is not None else "claim_form.title")
        right: list[Note] = []
        if self.filled.editing:
            right.append((t("claim_form.editing", who=self.filled.editing), "warn"))
        elif self.typing.kept_at is not None:
            right.append((t("claim_form.kept_at", at=t.formats.moment(self.typing.kept_at, face.now())), "dim"))
        self.query_one(ViewLine).show([(title, "strong")], right)

    def _show_aside(self) -> None:
        t, read = self.face.t, self.judging.said
        if read is not None:
            name = self.typing.name or self.filled.name
            blocks = [Said(t.choice("claim_form.label", field), text) for field, text in said(read.partial, name, t)]
            self.query_one("#aside", Sheet).show(blocks, title=t("claim_form.preview_title"), keep=True)

    # --- what changes below -----------------------------------------------------------------------------------------

    def store_changed(self, change: Changed) -> None:
        """A file has come, or a claim has changed: judge anew, and see whether it is this one."""
        if not self._begun or not self.alive:
            return
        if change.tables & {"claim_draft"} and self.typing.kept_at is not None:
            self._show_head()
        if not change.tables or change.tables & {"claim", "customer", "account", "notice", "scope"}:
            self.judging.ask()
        claim = self.filled.claim
        if claim is not None and "claim" in change.tables and (not change.keys or claim in change.keys):
            self.face.spawn("claim.meanwhile", self.look_meanwhile(claim))

    def on_unmount(self) -> None:
        """Let the keys go, should the form have been taken away before it was filled."""
        self._held.close()


_NAMES: Final = frozenset(field.value for field in Field)
_HINTED: Final = frozenset({Field.PAYEE, *DAYS, *AMOUNTS, Field.REFERENCE})
_WANTED: Final = frozenset(Field) - {Field.REFERENCE, Field.GROUNDS, Field.CARE_LAST}
