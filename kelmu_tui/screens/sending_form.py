"""The form of a sending: about whom, who asked for it, and the files, each of which is checked at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final

from textual import events, on
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from kelmu_tui.actions import Context
from kelmu_tui.domain.documents import askers, limits, ways
from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.sections import MAX_CASE
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.claim_fields import ChoiceField, FieldRow, Fields, Note, Notes
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.sending_files import Attached, Attachments, Files, file_blocks, file_choices, file_columns
from kelmu_tui.screens.sending_form_acts import SendingFormActs
from kelmu_tui.screens.sending_typing import SendingTyping
from kelmu_tui.services import code_typing
from kelmu_tui.services.claim_days import DayFault
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.sending_typing import CHOSEN, ReadRequest, SendField, Wrong, read_request
from kelmu_tui.store.database import Changed
from kelmu_tui.store.errors import NotShown
from kelmu_tui.widgets.chrome import Caption, ViewLine
from kelmu_tui.widgets.picker import PickList
from kelmu_tui.widgets.sheet import Sheet
from kelmu_tui.widgets.text_field import LineField

MOST_TYPED: Final = 60
MOST_FILES: Final = 5
"""Lines of the list of files that always have room, where the terminal is not short."""
_FIELDS: Final = frozenset(one.value for one in SendField)


@dataclass(frozen=True, slots=True)
class Begin:
    """What is known before anything is typed.

    Attributes:
        code: identity code of a customer who is known, and `name` ("Family, Given") of the same.
        values: texts of the fields, where a form before this one was taken away, and `files` its files.
    """

    code: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: Sequence[Attached] = field(default=(), repr=False)


class SendingFormScreen(SendingFormActs):
    """Answers the id of the sending, None when the form was left."""

    CONTEXT: ClassVar[Context] = Context.SENDING_FORM
    SECTION: ClassVar[str] = "main.documents"

    def __init__(self, desk: Desk, begin: Begin) -> None:
        super().__init__()
        self.desk = desk
        self.begin = begin
        self.values = {SendField.ASKED_BY.value: "customer"}
        self.code = code_typing.Typed("")
        self.who = begin.name
        self.visited: set[SendField] = set()
        self.barred = False
        self._asked_who = 0
        self._known: bool | None = None if not begin.code else True

    # --- what stands there ------------------------------------------------------------------------------------------

    def body(self) -> Iterable[Widget]:
        """Return the fields, the files, and what is to be said of the one under the cursor."""
        t = self.face.t
        yield ViewLine()
        rows = [FieldRow(one, t.choice("sending_view.label", one), *self._make(one)) for one in SendField]
        empty = t("sending_view.no_files_yet", key=self.key_text("sending_form.add"))
        files = Files(file_columns(), glyphs=self.face.glyphs, empty=empty, id="files")
        left = Vertical(Fields(*rows, id="fields"), Caption("", role="dim", id="counted"), files, id="left")
        yield Vertical(left, Sheet(glyphs=self.face.glyphs, id="aside", can_focus=False), id="split")
        yield Notes(id="status")

    def _make(self, one: SendField) -> Iterable[Widget]:
        t = self.face.t
        if one is SendField.CUSTOMER and self.begin.code:
            yield Caption(f"{self.begin.name} {mask(self.begin.code)}".strip(), role="strong", id="given")
        elif one in CHOSEN:
            yield ChoiceField(t("sending_view.choose_hint"), id=one.value)
        else:
            length = 2 * MAX_CASE if one is SendField.CASE else MOST_TYPED
            hint = t("sending_view.customer_hint") if one is SendField.CUSTOMER else ""
            yield LineField(id=one.value, max_length=length, placeholder=hint)

    def mounted(self) -> None:
        """Begin with what is missing; today is when it was asked, unless something else is typed."""
        super().mounted()
        self.files = Attachments(self.face, self.desk, self._checked)
        if self.begin.code:
            self.code = code_typing.examine(self.begin.code, self.face.today(), self.desk.customers.clean_code)
        case = self.desk.customers.last_case()
        if self.begin.code and case is not None and case.case_reference:
            self.values[SendField.CASE.value] = case.case_reference
        self.values[SendField.ASKED_ON.value] = self.face.t.formats.date(self.face.today())
        self._go_on()
        self.show_values()
        self.query_one(Files).light(False)
        self.go_to(SendField.WAY if self.begin.code else SendField.CUSTOMER)
        self.show_all()

    def _go_on(self) -> None:
        """Take what stood in the form before, and let what stands in this one be held when the desk changes."""
        self.values.update(self.begin.values)
        if not self.begin.code and (text := self.values.get(SendField.CUSTOMER, "")):
            self.examine(text)
        self.files.take(self.begin.files)
        self.typing = self.face.typing = SendingTyping(self.face, self.desk, self._held)

    def _held(self) -> Begin:
        return replace(self.begin, values=dict(self.values), files=tuple(self.files.all))

    def on_unmount(self) -> None:
        """What is still checked is for nobody."""
        self.files.close()
        self.typing.close()

    def show_values(self) -> None:
        """Put into the fields what they say."""
        t = self.face.t
        for one in SendField:
            text = self.values.get(one, "")
            if one in CHOSEN:
                named = (askers() if one is SendField.ASKED_BY else ways()).get(text)
                words = "" if named is None else named.name.get(t.language)
                self.query_one(f"#{one.value}", ChoiceField).show(text, words, t("sending_view.choose_hint"))
            elif one is not SendField.CUSTOMER or not self.begin.code:
                line = self.query_one(f"#{one.value}", LineField)
                if line.value != text:
                    line.value = text

    def retranslate(self) -> None:
        """Say everything in the language of now; what was typed stays as it is."""
        super().retranslate()
        if self.alive and self.ready:
            for one in SendField:
                self.query_one(f"#row-{one.value}", FieldRow).rename(self.face.t.choice("sending_view.label", one))
            if not self.begin.code:
                self.query_one("#customer", LineField).placeholder = self.face.t("sending_view.customer_hint")
            self.show_values()
            self.show_all()

    def update_frame(self) -> None:
        """The connection changed: what happens on sending is another thing."""
        super().update_frame()
        if self.alive and self.ready:
            self.show_told()

    # --- what is typed ----------------------------------------------------------------------------------------------

    async def on_key(self, event: events.Key) -> None:
        """Open the list of a field where something is chosen, and let the keys of the list of files move in it."""
        focused = self.focused
        printable = event.is_printable and event.character is not None
        if isinstance(focused, ChoiceField) and printable:
            event.stop()
            event.prevent_default()
            if not self.busy:
                self.choose(SendField(focused.id or ""), (event.character or "").strip())
        elif isinstance(focused, Files) and event.key in ("delete", "backspace"):
            event.stop()
            event.prevent_default()
            if not self.busy:
                self.action_sending_form_remove()

    @on(Input.Changed)
    def _line_changed(self, event: Input.Changed) -> None:
        name = event.input.id or ""
        if name in _FIELDS and self.ready and event.value != self.values.get(name, ""):
            self.values[name] = event.value
            if name == SendField.CUSTOMER:
                self.examine(event.value)
            self.show_told()

    def examine(self, text: str) -> None:
        """Judge the customer's code, and look who has it once it is whole."""
        self.code = code_typing.examine(text.strip(), self.face.today(), self.desk.customers.clean_code)
        self.who, self._known = "", None
        self.ask_who()

    def ask_who(self) -> None:
        """Look whether somebody with the code is known here, once it is whole, unless it was known from the first."""
        self._asked_who += 1
        if self.code.code is not None and not self.begin.code:
            self.face.spawn("sending.name", self._ask_who(self._asked_who))

    async def _ask_who(self, asked: int) -> None:
        code = self.code.code
        if code is None:  # it was changed before it was its turn
            return
        try:
            name: str = await self.desk.run(self.desk.sendings.name_of, code)
        except (NotAllowed, NotShown):
            return  # whoever closes the desk says so
        if self.alive and asked == self._asked_who:
            self.who, self._known = name, bool(name)
            self.show_told()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """A field has been visited: from now on it is told that it is empty."""
        name = event.widget.id or ""
        if name in _FIELDS and self.ready:
            self.visited.add(SendField(name))

    def on_descendant_focus(self) -> None:
        """Tell what belongs to the field."""
        if self.alive and self.ready:
            self.show_told()

    # --- what is told -----------------------------------------------------------------------------------------------

    def read(self) -> ReadRequest:
        """Read the fields as they are."""
        return read_request(self.values, self.face.today(), self.desk.customers.clean_case)

    @property
    def current(self) -> Attached | None:
        """The file under the cursor of the list."""
        choice = self.query_one(Files).current
        return None if choice is None else next((one for one in self.files.all if one.key == choice.key), None)

    def _checked(self) -> None:
        if self.alive:
            self.show_all()

    def show_all(self) -> None:
        """Show files and notes anew."""
        files, t = self.query_one(Files), self.face.t
        files.offer(list(file_choices(self.files.all, t, self.face.glyphs)))
        files.display = bool(self.files.all) or self.size.height >= 18
        files.styles.height = max(1, min(len(self.files.all) or 1, limits().files, self._file_lines))
        self.show_aside()
        self.show_told()

    @property
    def _file_lines(self) -> int:
        return 2 if self.size.height < 18 else max(MOST_FILES, self.size.height - 28)

    @on(PickList.Pointed)
    def show_aside(self) -> None:
        """Say what is to be said of the file under the cursor."""
        if not self.ready and not self.is_mounted:
            return
        one, sheet = self.current, self.query_one("#aside", Sheet)
        if one is None:
            sheet.show([])
        else:
            sheet.show(file_blocks(one, self.face.t), title=one.label)

    def show_told(self) -> None:
        """Tell at each field what is to be told of it, and how the whole stands."""
        t, read = self.face.t, self.read()
        for one in SendField:
            told: list[Note] = list(self._customer_notes()) if one is SendField.CUSTOMER else []
            fault = read.faults.get(one)
            if fault is not None and (one in self.visited or fault is not Wrong.MISSING):
                told.append((fault_text(one, fault, t), "alarm"))
            elif one is SendField.ASKED_ON and read.asked_on is not None:
                written = t.formats.date(read.asked_on)
                if self.values.get(one, "").strip() != written:
                    told.append((f"{t.formats.weekday(read.asked_on)} {written}", "dim"))
            self.query_one(f"#row-{one.value}", FieldRow).tell(told)
        self._show_head()
        self.query_one("#status", Notes).show(self._status())

    def _customer_notes(self) -> Iterable[Note]:
        t, code = self.face.t, self.code
        if self.begin.code:
            return
        if code.wrong is not None:
            yield t.choice("customer_view.wrong", code.wrong, at=code.at), "alarm"
        elif code.code is None:
            if code.text:
                yield t("customer_view.find_missing", count=code.missing), "dim"
            elif SendField.CUSTOMER in self.visited:
                yield t("sending_view.customer_missing"), "alarm"
        elif self._known:
            yield self.who, "strong"
        else:
            yield t("customer_view.find_right", day=t.formats.date(code.code.born)), "good"
            if self._known is False:
                yield t("sending_view.not_looked_up", key=self.key_text("sending_form.customer")), "warn"

    def _show_head(self) -> None:
        t, number = self.face.t, self.face.t.formats.number
        count, most = len(self.files.all), limits().files
        self.query_one(ViewLine).show([(t("sending_view.form_title"), "strong")], [])
        role = "alarm" if count > most else "dim"
        text = t("sending_view.files_counted", count=number(count), most=number(most))
        self.query_one("#counted", Caption).show(text, role=role)

    def _status(self) -> list[Note]:
        t = self.face.t
        if self.barred:
            return [(t("sending_view.closed_text", key=self.key_text("sending_form.help")), "alarm")]
        if self.sealing is not None:
            done, whole = self.sealing
            return [(t("sending_view.sealing", done=done, whole=whole), "accent")]
        waiting = sum(one.waits for one in self.files.all)
        if waiting:
            return [(t("sending_view.being_checked", count=waiting), "dim")]
        return [] if self.face.online else [(t("sending_view.goes_later"), "warn")]

    # --- what changes below -----------------------------------------------------------------------------------------

    def store_changed(self, change: Changed) -> None:
        """A customer's file came, or the mandate ended."""
        if not self.alive or not self.ready:
            return
        if not change.tables or change.tables & {"customer", "notice"}:
            self.ask_who()
        if not change.tables or "scope" in change.tables:
            self.face.spawn("sending.hold", self._hold())

    async def _hold(self) -> None:
        try:
            await self.desk.run(self.desk.sendings.hold)
            self.barred = False
        except (NotAllowed, NotShown):
            self.barred = True
        if self.alive:
            self.show_told()

    def resized(self) -> None:
        """There is room for more, or for less."""
        if self.alive and self.ready:
            self.show_all()


def fault_text(one: SendField, fault: Wrong | DayFault, t: Translator) -> str:
    """Return what is wrong with a field and what to do."""
    if isinstance(fault, DayFault):
        return t.choice("claim_form.day_fault", fault)
    if fault is Wrong.MISSING:
        return t.choice("sending_view.missing", one)
    return t("customer_view.find_case_wrong") if fault is Wrong.CASE else t("sending_view.future")
