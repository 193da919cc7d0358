"""A customer's file: who it is, the overview, and each section as a list with what its row says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import ClassVar, Final

from textual.geometry import Size
from textual.timer import Timer
from textual.widget import Widget

from kelmu_tui.actions import Action, Context
from kelmu_tui.domain.sections import Section
from kelmu_tui.screens import panes
from kelmu_tui.screens.customer_acts import CustomerActs
from kelmu_tui.screens.customer_claims import own_claims
from kelmu_tui.screens.customer_columns import cells, columns, flag
from kelmu_tui.screens.customer_head import CustomerHead
from kelmu_tui.screens.customer_overview import Look, overview
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.listing import ListScreen
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.services.claim_standing import with_own
from kelmu_tui.services.customer_overview import by_benefit
from kelmu_tui.services.customer_text import row_fields, state_text
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.customer_rows import File, Payment, SectionFile, SectionRow
from kelmu_tui.store.database import Changed
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.painted import Piece
from kelmu_tui.widgets.sheet import Block, Field, Paragraph, Sheet
from kelmu_tui.widgets.tabs import Tab, TabLine

PARTS: Final = (None, *Section)
"""The parts of the screen in their order; None is the overview."""
AT_A_GLANCE: Final = 8
"""Blocks of the overview that fill the screen of a terminal of at most `GLANCED` lines: the answers and the chart."""
GLANCED: Final = 24
TAB_ROLES: Final = {"down": "alarm", "stale": "warn", "hidden": "dim", "waiting": "dim", "none": "dim"}


class CustomerScreen(CustomerActs, ListScreen[SectionRow, None]):
    """The file of one customer; sections appear as their sources answer, without moving what is being read."""

    CONTEXT: ClassVar[Context] = Context.CUSTOMER
    SECTION: ClassVar[str] = "main.customer"
    LIFTS_CURTAIN = True

    def __init__(self, desk: Desk) -> None:
        """Make a screen of nobody; `begin` says whose file it shows."""
        super().__init__()
        self.desk = desk
        self.customer = ""
        self.file: File | None = None
        self.part: Section | None = None
        self.order = "day"
        self._first: asyncio.Future[File | None] | None = None
        self._asked = False
        self._opened = False
        self._first_time = True
        self._look = Look()
        self._places: dict[Section, str] = {}
        self._columns_of: tuple[Section | None, str] | None = None
        self._room: tuple[Size, bool] | None = None
        self._whole = False
        self._whole_timer: Timer | None = None
        # From the first: a class that came later would have everything styled anew.
        self.add_class("-overview", "-empty", update=False)

    def body(self) -> Iterable[Widget]:
        """Return head, tabs, overview, and the list with what its row says."""
        yield CustomerHead(self.face.glyphs)
        yield TabLine()
        yield Sheet(glyphs=self.face.glyphs, id="overview", can_focus=False)
        yield from super().body()

    def mounted(self) -> None:
        """Begin with the overview."""
        self._look = Look(self.face.ascii)
        super().mounted()

    def begin(self, customer: str) -> None:
        """Have the file read while the screen is put together behind the curtain; that is a look, logged before."""
        self.customer = customer
        self._asked = True
        self._first = asyncio.ensure_future(self.desk.run(self.desk.customers.open, customer))
        if self.ready:  # it lay in reserve, where it was mounted before it was anybody's
            self.reload()

    def reload(self) -> None:
        """Read the file again, once it is known whose."""
        if self.customer:
            super().reload()

    async def _reload(self) -> None:
        begun = self._first is not None
        try:
            await super()._reload()
        finally:
            if begun and self.alive and self.is_current:
                self.face.curtain.lift()

    # --- what is shown ----------------------------------------------------------------------------------------------

    @property
    def shown(self) -> SectionFile | None:
        """The section of the list; None with the overview, and without a file."""
        return None if self.file is None or self.part is None else self.file.sections.get(self.part)

    async def fetch(self) -> Sequence[SectionRow]:
        """Read the file; the first time that is a look, which is logged before."""
        customers = self.desk.customers
        # What changes while the first reading is under way is read behind it: it is no second look.
        read, self._asked = customers.peek if self._asked else customers.open, True
        first, self._first = self._first, None
        try:
            self.file = await (self.desk.run(read, self.customer) if first is None else first)
        except NotAllowed:
            self.file = None
        self.own_claims = ()
        if self.file is not None:
            self.own_claims = await own_claims(self.desk, self.customer)
            self.file = self._with_own(self.file)
        self._opened = True
        if self.alive:
            self._show_file()
        shown = self.shown
        return () if shown is None else self._sorted(shown.rows)

    def _sorted(self, rows: Sequence[SectionRow]) -> Sequence[SectionRow]:
        payments = [row for row in rows if isinstance(row, Payment)]
        if len(payments) != len(rows) or self.order == "day":
            return rows
        if self.order == "net":
            return sorted(payments, key=lambda row: -row.net)
        return sorted(payments, key=lambda row: benefit_name(row.benefit, self.face.t))

    @property
    def _room_now(self) -> tuple[Size, bool]:
        return self.size, self.has_class("-short")

    def _show_file(self) -> None:
        """Show everything but the list."""
        t = self.face.t
        self._room = self._room_now
        self._show_head()
        self.query_one(TabLine).show(self._tabs(), lines=1 if self.has_class("-short") else 2)
        self._show_overview(at_first=AT_A_GLANCE if self._first_time and self.size.height <= GLANCED else None)
        shown = self.shown
        self.set_class(shown is None or not self._sorted(shown.rows), "-empty")
        if self._columns_of != (self.part, t.language):  # the whole list would be painted anew
            self._columns_of = (self.part, t.language)
            self.rows.set_columns(self.columns())
        self.rows.set_texts(loading=t("common.loading"), empty=self.empty_text(), failed=t("common.reading_failed"))

    def _show_overview(self, *, at_first: int | None = None) -> None:
        """Show the overview; `at_first` so many blocks, and those that nobody sees yet after the painting."""
        blocks: Iterable[Block] = ()
        if self._opened:  # before it was read there is nothing to be said of it
            found = None if self.file is None else overview(self.file, self.face.t, self.face.today(), self._look)
            blocks = self._gone() if found is None else islice(found, at_first)
            self._first_time = False
        self.query_one("#overview", Sheet).show(blocks, keep=True)
        if at_first is not None:
            self.call_after_refresh(self._show_rest)

    def _show_rest(self) -> None:
        if self.alive:
            self._show_overview()

    def _show_head(self) -> None:
        tight = self.has_class("-short")
        self.query_one(CustomerHead).show(self.file, self.face.t, self.face.now(), whole=self._whole, tight=tight)

    def _gone(self) -> Iterable[Block]:
        t = self.face.t
        yield Paragraph(t("customer_view.gone"), "warn")
        yield Paragraph(t("customer_view.gone_hint", key=self.key_text("customer.fetch")))

    def _tabs(self) -> list[Tab]:
        t = self.face.t
        tabs = []
        for number, part in enumerate(PARTS):
            key = self.key_text("customer.overview" if part is None else f"customer.{part.value}")
            if part is None:
                tabs.append(Tab(key or str(number), t("customer_view.tab_overview"), active=self.part is None))
                continue
            shown = None if self.file is None else self.file.sections.get(part)
            mark, role, news = self._mark(shown)
            tabs.append(Tab(key, t.choice("customer_view.tab", part), mark, role, news, part is self.part))
        return tabs

    def _mark(self, shown: SectionFile | None) -> tuple[str, str, str]:
        """Return what stands behind a tab's name, its role, and the sign of news."""
        glyphs = self.face.glyphs
        if shown is None:
            return "", "", ""
        count = self.face.t.formats.number(len(shown.rows)) if shown.rows else ""
        sign = {"down": glyphs.conflict, "stale": glyphs.urgent, "waiting": glyphs.busy, "hidden": glyphs.none}
        mark = f"{count}{sign.get(shown.state, '')}" or glyphs.none
        return mark, TAB_ROLES.get(shown.state, "dim"), glyphs.new if shown.news else ""

    # --- the list ---------------------------------------------------------------------------------------------------

    def columns(self) -> Sequence[Column]:
        """Return the columns of the section."""
        return columns(self.part or Section.PAYMENTS, self.face.t)

    def cells(self, row: SectionRow) -> Mapping[str, Cell]:
        """Return the cells of a row."""
        return cells(row, self.face.t, self.face.ascii)

    def flag(self, row: SectionRow) -> Cell:
        """Return the sign of news, or of a payment that is to come or came back."""
        shown = self.shown
        return flag(row, frozenset() if shown is None else shown.news, self.face.glyphs)

    def key(self, row: SectionRow) -> str:
        """Return the row's id."""
        return row.id

    def heading(self) -> str:
        """Return the official name of the section."""
        return "" if self.part is None else self.face.t.choice("customers.section", self.part)

    def remarks(self) -> Sequence[Piece]:
        """Say what the rows lack, that they are old or only of some benefits; else what payments come to."""
        shown, t = self.shown, self.face.t
        if shown is None or not shown.rows:
            return ()
        text = state_text(shown, t)
        if text:
            return ((text, "warn" if shown.state != "shown" else "dim"),)
        return tuple(self._sum()) if self.part is Section.PAYMENTS else ()

    def _sum(self) -> Iterable[Piece]:
        t = self.face.t
        if self.order != "day":
            yield (f"{t('inbox.sorted_by', what=t.choice('customer_view.sort', self.order))}  ", "dim")
        sums = by_benefit(row for row in self._matching if isinstance(row, Payment))
        net = t.formats.euros(sum((one.net for one in sums), Decimal(0)))
        yield (t("customer_view.in_all", net=net), "strong")

    def empty_text(self) -> str:
        """Say in a word or two why there are no rows; the page below says it whole."""
        shown, t = self.shown, self.face.t
        if self.filter_text():
            return t("common.nothing_matches")
        if shown is None:
            return ""
        if shown.hidden is not None:
            return t.choice("customer_view.hidden_short", shown.hidden)
        return t.choice("customer_view.state", shown.state, shown.state)

    def explanation_title(self, row: SectionRow) -> str:
        """Return the benefit, or what the section is called."""
        benefit = getattr(row, "benefit", None)
        return self.heading() if benefit is None else benefit_name(benefit, self.face.t)

    def explain(self, row: SectionRow) -> Iterable[Block]:
        """Return everything that the row says."""
        shown, t = self.shown, self.face.t
        if shown is not None and row.id in shown.news:
            yield Paragraph(t("customer_view.new_row"), "accent")
        if self.is_own(row):
            yield Paragraph(t("claim_view.own_opens", key=self.key_text("list.open")), "accent")
        yield from (Field(label, text) for label, text in row_fields(row, t))
        if shown is not None and shown.hidden_fields:
            yield Paragraph(t("customer_view.fields_hidden"), "dim")

    def explain_nothing(self) -> Iterable[Block]:
        """Say why the section has no rows, and whom to ask for them."""
        shown, t = self.shown, self.face.t
        if self.file is None:
            yield from self._gone() if self._opened else ()
        elif shown is not None and not shown.rows:
            yield Paragraph(state_text(shown, t), "warn" if shown.state == "down" else "")
            if shown.hidden is not None:
                yield Paragraph(t.choice("customer_view.ask", shown.hidden), "dim")
            elif shown.state == "down":
                yield Paragraph(t("customer_view.down_text", key=self.key_text("customer.fetch")), "dim")
            if shown.source_at is not None:
                yield Field(t("customer_view.source_at"), t.formats.instant(shown.source_at))

    # --- what happens beside ----------------------------------------------------------------------------------------

    def store_changed(self, change: Changed) -> None:
        """A section came, the file ended, or an own claim changed."""
        mine = "customer" in change.tables and (not change.keys or self.customer in change.keys)
        if not change.tables or mine or "claim" in change.tables:
            self.reload()

    def update_frame(self) -> None:
        """A minute has gone: what has ended is not shown any longer."""
        super().update_frame()
        if self.alive and self.file is not None:
            # Not under the lock, where nothing can be read: the screen looks again when it is on top.
            if self.face.now() >= self.file.expires_at and self.is_current:
                self.reload()
            else:
                self._show_head()

    def _with_own(self, file: File) -> File:
        return with_own(file, self.own_claims, self.desk.session.organisation, self.face.t.language)

    def retranslate(self) -> None:
        """Render everything in the language of now."""
        super().retranslate()
        self._columns_of = (self.part, self.face.t.language)
        if self.file is not None:
            self.file = self._with_own(self.file)
        if self._opened:
            self._show_file()

    def resized(self) -> None:
        """The tabs may have room for their names; the layout tells the same size once more after the first."""
        super().resized()
        if self.alive and self._opened and self._room != self._room_now:
            self._show_file()

    # --- parts ------------------------------------------------------------------------------------------------------

    def show_part(self, part: Section | None) -> None:
        """Show another part; what was new in the one before has been seen, and its place is kept."""
        if part is self.part:
            return
        self.note_seen()
        if self.part is not None and self.rows.current_key is not None:
            self._places[self.part] = self.rows.current_key
        self.part = part
        self.set_class(part is None, "-overview")
        self.remove_class("-reading")
        self._text = ""
        self._explained = None
        self._show_file()
        shown = self.shown
        self._all = () if shown is None else tuple(self._sorted(shown.rows))
        if part is not None:
            self._narrow(keep=False, at=self._places.get(part))
        self._update_view()
        self._explain()
        self.update_hints()

    def note_seen(self) -> None:
        """Nothing in the present part is news any more."""
        shown = self.shown
        if shown is not None and shown.news and self.part is not None:
            self.face.spawn("customer.seen", self.desk.run(self.desk.customers.seen, self.customer, self.part))

    def change_look(self, look: Look) -> None:
        """Show the overview otherwise."""
        self._look = look
        self._show_file()

    @property
    def look(self) -> Look:
        """How the overview looks."""
        return self._look

    def show_code(self, seconds: float) -> None:
        """Show the identity code whole for some seconds."""
        if self._whole_timer is not None:
            self._whole_timer.stop()
        self._whole = True
        self._show_file()
        self._whole_timer = self.set_timer(seconds, self._mask)

    def _mask(self) -> None:
        self._whole = False
        if self.alive:
            self._show_file()

    async def perform(self, action: Action) -> None:
        """Moving keys scroll what is being read."""
        sheet = "#overview" if self.part is None else "#preview" if self.has_class("-reading") else ""
        if self.filtering or not sheet or not panes.scroll(self.query_one(sheet, Sheet), action.id):
            await super().perform(action)

    async def action_list_filter(self) -> None:
        """Type words that the rows must contain; the overview has none."""
        if self.part is not None:
            await super().action_list_filter()

    def action_app_back(self) -> None:
        """Go back to the list, then leave the file."""
        if self.has_class("-reading"):
            self.remove_class("-reading")
            return
        if not self.filter_text():
            self.note_seen()
        super().action_app_back()
