"""What can be done in the form of a sending: moving, choosing, looking the customer up, adding files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kelmu_tui.domain.documents import askers, kinds, ways
from kelmu_tui.screens.sending_form_giving import FILES, SendingFormGiving
from kelmu_tui.services.sending_typing import CHOSEN, SendField
from kelmu_tui.widgets.picker import Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kelmu_tui.screens.sending_files import Attached, Files


class SendingFormActs(SendingFormGiving):
    """The actions of the form."""

    if TYPE_CHECKING:

        @property
        def current(self) -> Attached | None:
            """The file under the cursor."""
            ...

        def show_values(self) -> None:
            """Put into the fields what they say."""

        def examine(self, text: str) -> None:
            """Judge the customer's code."""

        def ask_who(self) -> None:
            """Look who has the code."""

    # --- moving -----------------------------------------------------------------------------------------------------

    @property
    def here(self) -> str:
        """Id of the widget that has the focus."""
        return "" if self.focused is None else self.focused.id or ""

    def go_to(self, where: SendField | str) -> None:
        """Give a field or the list of files the focus, where it takes keys."""
        wanted = self.query(f"#{where}")
        if wanted and wanted.first().can_focus and wanted.first().display:
            self.set_focus(wanted.first())

    def _list(self) -> Files | None:
        from kelmu_tui.screens.sending_files import Files

        return self.focused if isinstance(self.focused, Files) else None

    def action_sending_form_next(self) -> None:
        """Go to the next field."""
        self.focus_next()

    def action_sending_form_previous(self) -> None:
        """Go to the field before."""
        self.focus_previous()

    def action_sending_form_down(self) -> None:
        """Go a file or a field down."""
        files = self._list()
        if files is None:
            self.focus_next()
        else:
            files.move(1)

    def action_sending_form_up(self) -> None:
        """Go a file up, and from the first one to the field above; or a field up."""
        files = self._list()
        if files is None or files.current is None or files.matches[0] is files.current:
            self.focus_previous()
        else:
            files.move(-1)

    def action_sending_form_clear(self) -> None:
        """Empty the field."""
        if self.here in SendField._value2member_map_:
            self.put(SendField(self.here), "")

    def action_sending_form_help(self) -> None:
        """Show the keys."""
        self.face.action_app_help()

    # --- choosing ---------------------------------------------------------------------------------------------------

    def put(self, where: SendField, text: str) -> None:
        """Let a field say something else."""
        if text != self.values.get(where, ""):
            self.values[where.value] = text
            if where is SendField.CUSTOMER:
                self.examine(text)
            self.show_values()
            self.show_told()

    def action_sending_form_choose(self) -> None:
        """Open the list of the field, choose the kind of the file, or go on to the next field."""
        if self.here == FILES:
            self.action_sending_form_kind() if self.files.all else self.action_sending_form_add()
        elif self.here in CHOSEN:
            self.choose(SendField(self.here))
        else:
            self.focus_next()

    def choose(self, where: SendField, typed: str = "") -> None:
        """Offer what can be chosen in a field; a letter that was typed chooses the first that begins so."""
        from kelmu_tui.screens.choose import ChooseScreen

        t = self.face.t
        named = askers() if where is SendField.ASKED_BY else ways()
        choices = [Choice(one.id, (one.name.get(t.language), "")) for one in named.values()]
        first = [one.key for one in choices if typed and one.cells[0].casefold().startswith(typed.casefold())]

        def chosen(key: str | None) -> None:
            if key is not None:
                self.put(where, key)
                self.focus_next()

        current = first[0] if first else self.values.get(where, "")
        self.face.push_screen(ChooseScreen(t.choice("sending_view.label", where), choices, current), chosen)

    def action_sending_form_customer(self) -> None:
        """Look the customer up and come back."""
        from kelmu_tui.domain.capabilities import CUSTOMER_LOOKUP
        from kelmu_tui.domain.identifiers import mask
        from kelmu_tui.screens.customer_find import FindScreen, Whom

        t, code = self.face.t, self.code.code
        if CUSTOMER_LOOKUP not in self.desk.session.capabilities:
            self.say(t("sending_view.no_look_up"), role="warn")
            return
        if code is None:
            self.say(t("sending_view.customer_missing"), role="warn")
            self.go_to(SendField.CUSTOMER)
            return

        def found(customer: str | None) -> None:
            if customer is not None:
                self.ask_who()

        label = f"{self.who} {mask(code.value)}".strip()
        self.face.push_screen(FindScreen(self.desk, Whom(label, code=code)), found)

    # --- files ------------------------------------------------------------------------------------------------------

    def action_sending_form_add(self) -> None:
        """Pick files from the disk."""
        from kelmu_tui.screens.document_pick import DocumentPickScreen

        work = self.face.sending_work(self.desk)

        def at(folder: str) -> None:
            work.folder = folder

        def picked(paths: tuple[Path, ...] | None) -> None:
            if paths:
                self._add(paths)

        self.face.push_screen(DocumentPickScreen(work.folder, at), picked)

    def _add(self, paths: Sequence[Path]) -> None:
        t, before = self.face.t, {one.path: one for one in self.files.all}
        new = self.files.add(paths)
        for path in paths:
            if path in before:  # chosen once more: it may have been mended meanwhile
                self.files.again(before[path])
        if len(new) < len(paths):
            self.say(t("sending_view.here_already", count=len(paths) - len(new)))
        self.show_all()
        if new:
            self.point(new[0].key)
            self.ask_kinds([one.key for one in new])
        self.go_to(FILES)

    def point(self, key: str) -> None:
        """Put the cursor on a file."""
        from kelmu_tui.screens.sending_files import Files

        self.query_one(Files).point(key)

    def ask_kinds(self, keys: Sequence[str]) -> None:
        """Ask of each of these files which kind it is, one after another; escape leaves the rest for later."""
        from kelmu_tui.screens.choose import ChooseScreen

        # Of a file that cannot be sent nobody needs to know the kind.
        one = next((one for one in self.files.all if one.key in keys and one.refused is None), None)
        if one is None:
            return
        t = self.face.t
        choices = [Choice(kind.id, (kind.name.get(t.language), "")) for kind in kinds().values()]
        rest = list(keys)[list(keys).index(one.key) + 1 :]

        def chosen(kind: str | None) -> None:
            if kind is not None:
                one.kind = kind
                self.show_all()
                if rest:
                    self.point(rest[0])
                    self.call_after_refresh(self.ask_kinds, rest)

        self.face.push_screen(ChooseScreen(t("sending_view.which_kind", file=one.label), choices, one.kind), chosen)

    def action_sending_form_kind(self) -> None:
        """Say which kind of document the file under the cursor is."""
        one = self._file()
        if one is not None:
            self.ask_kinds([one.key])

    def action_sending_form_name(self) -> None:
        """Say what the document is called for Kela."""
        from kelmu_tui.screens.sending_name import SendingNameScreen

        one = self._file()
        if one is None:
            return

        def named(name: str | None) -> None:
            if name is not None:
                one.name = name
                self.show_all()

        self.face.push_screen(SendingNameScreen(one.called(self.face.t)), named)

    def action_sending_form_remove(self) -> None:
        """Take the file under the cursor out of the sending."""
        one = self._file()
        if one is not None:
            self.files.remove(one.key)
            self.show_all()
            self.say(self.face.t("sending_view.removed_file", file=one.short))

    def action_sending_form_look(self) -> None:
        """Show what the file was found to be on a page of its own."""
        from kelmu_tui.screens.sending_preview import DocumentLookScreen

        one = self._file()
        if one is not None:
            self.face.push_screen(DocumentLookScreen(one))

    def _file(self) -> Attached | None:
        one = self.current
        if one is None:
            self.say(self.face.t("sending_view.no_files_yet", key=self.key_text("sending_form.add")), role="warn")
        return one
