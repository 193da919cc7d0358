"""Two periods of a list held against each other: who came, who left, whose data changed, and the counts over a year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import ClassVar, Final

from textual import on
from textual.widget import Widget

from kelmu_tui.actions import Context, State
from kelmu_tui.domain.lists import ColumnType, KelaList
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.filtering import FilterBar, Filtering
from kelmu_tui.screens.list_people import look_up
from kelmu_tui.screens.list_words import list_columns, period_text, row_cells, short_period, value_text
from kelmu_tui.screens.placed_source import PlacedSource
from kelmu_tui.screens.whole_codes import WholeCodes
from kelmu_tui.screens.words import municipality_name
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.lists import Comparing, NotHere
from kelmu_tui.store import list_compare
from kelmu_tui.store.database import Changed
from kelmu_tui.store.list_compare import ALL, Difference, Fit, Kind, Number
from kelmu_tui.store.list_pages import Group
from kelmu_tui.store.lists import Counts
from kelmu_tui.widgets.bars import Bar, chart
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.chrome import Caption, ViewLine
from kelmu_tui.widgets.list_source import ListSource
from kelmu_tui.widgets.painted import Line, Piece
from kelmu_tui.widgets.row_list import RowList
from kelmu_tui.widgets.sheet import Block, Drawn, Sheet
from kelmu_tui.widgets.tabs import Tab, TabLine

KINDS: Final = tuple(Kind)
HEIGHT: Final = 4
"""Lines of the plot, its labels aside."""


class DifferencesScreen(Filtering[None]):
    """The differences of one kind at a time; the counts of all are on the tabs."""

    CONTEXT: ClassVar[Context] = Context.DIFFERENCES
    SECTION: ClassVar[str] = "main.lists"
    LEADS_TO_CUSTOMER = True

    def __init__(self, desk: Desk, one: KelaList, before: str, after: str) -> None:
        """Compare the period `before` with the later one `after`."""
        super().__init__()
        self.desk = desk
        self.list = one
        self.before = before
        self.after = after
        self.kind = Kind.CAME
        self.whole: Comparing | None = None
        self.comparing: Comparing | None = None
        self.fit_now = ALL
        self.counts: tuple[Counts, ...] = ()
        self._lost: NotHere | NotAllowed | None = None
        self._codes = WholeCodes(self, lambda: self.rows.refresh())
        self._narrowing = False
        self._groups: tuple[str, list[Group]] | None = None

    def body(self) -> Iterable[Widget]:
        """Return the head, the tabs, the rows and the plot."""
        yield ViewLine()
        yield TabLine()
        yield Caption("", role="dim", id="totals")
        yield FilterBar()
        rows: RowList[Difference] = RowList(
            self._columns(), self._cells, glyphs=self.face.glyphs, on_failure=self.face.task_failed, id="rows"
        )
        yield rows
        yield Sheet(glyphs=self.face.glyphs, id="plot", can_focus=False)

    def mounted(self) -> None:
        """Compare."""
        super().mounted()
        self.set_focus(self.rows)
        self.face.spawn("lists.compare", self._compare())

    @property
    def context(self) -> Context:
        """While a filter is typed, letters are text."""
        return Context.FILTER if self.filtering else Context.DIFFERENCES

    def doers(self) -> tuple[object, ...]:
        """Return who knows how to do the actions: the list does the moving."""
        return (self, self.rows, self.face)

    def state(self) -> State:
        """Return what decides over the actions: the row under the cursor."""
        return self.face.state(selected=len(self.rows.targets) if self.alive else 0)

    # --- what is compared -------------------------------------------------------------------------------------------

    async def _compare(self) -> None:
        lists = self.desk.lists
        try:
            comparing = await self.desk.run(lists.compare, self.list.id, self.before, self.after)
            counts = await self.desk.run(lists.counts, self.list.id)
        except (NotHere, NotAllowed) as problem:
            self._lose(problem)
            return
        if self.alive and self._lost is None:
            self.whole = self.comparing = comparing
            self.counts = counts
            # What there is something of is shown first.
            self.kind = next((kind for kind in KINDS if self._number(kind).rows), Kind.CAME)
            self._show_kind()
            self._show_texts()

    def _number(self, kind: Kind) -> Number:
        """Return how many of a kind are shown."""
        assert self.comparing is not None
        return self.comparing.shown[kind]

    def _show_kind(self, *, keep: bool = False) -> None:
        comparing, kind, lists = self.comparing, self.kind, self.desk.lists
        self.rows.set_columns(self._columns())
        if comparing is None:
            return
        source: PlacedSource[Difference] = PlacedSource(
            self.desk.run,
            lambda **where: lists.differences(comparing, kind, **where),
            lambda ids: lists.find_differences(comparing, kind, ids),
            self._number(kind).rows,
            self._lose,
        )
        self.rows.show(source, keep=keep)

    def _readable(self) -> bool:
        return self.alive and self._lost is None

    def change_fit(self, fit: Fit) -> None:
        """Show other differences; the cursor stays on its row when that is there too."""
        if fit == self.fit_now:
            return
        self.fit_now = fit
        self._show_texts()
        if not self._narrowing and self.whole is not None:
            self._narrowing = True
            self.face.spawn("lists.narrow", self._narrow(self.whole))

    async def _narrow(self, whole: Comparing) -> None:
        """Show what is asked for now; what was asked for meanwhile comes next, and nothing in between."""
        done: Fit | None = None
        try:
            while self._readable() and done != self.fit_now:
                done = self.fit_now
                comparing = await self.desk.run(self.desk.lists.narrowed, whole, done) if done.filtered else whole
                if self._readable() and done == self.fit_now:
                    self.comparing = comparing
                    self._show_kind(keep=True)
                    self._show_texts()
        except (NotHere, NotAllowed) as problem:
            self._lose(problem)
        finally:
            self._narrowing = False

    def _lose(self, problem: NotHere | NotAllowed) -> None:
        if self._lost is None and self.alive:
            self._lost, self.whole, self.comparing = problem, None, None
            self.rows.show(ListSource[Difference]((), lambda row: row.id))
            self._show_texts()

    def store_changed(self, change: Changed) -> None:
        """Lists changed: see whether both are still here."""
        if change.tables and not change.tables & {"list", "scope"}:
            return
        if self.alive and self.comparing is not None and (not change.keys or self.list.id in change.keys):
            self.rows.update()

    # --- texts ------------------------------------------------------------------------------------------------------

    def retranslate(self) -> None:
        """Render every text in the language of now."""
        super().retranslate()
        self.rows.set_columns(self._columns())
        self._show_texts()

    def _empty_text(self) -> str:
        t = self.face.t
        if isinstance(self._lost, NotAllowed):
            return t("lists.not_any_more")
        if self._lost is not None:
            return t("lists.both_needed", before=period_text(self.before, t), after=period_text(self.after, t))
        if self.fit_now.filtered:
            return t("lists.nothing_fits")
        return t("lists.no_difference")

    def _show_texts(self) -> None:
        t, comparing = self.face.t, self.comparing
        loading = t("common.loading") if comparing is None else ""
        self.rows.set_texts(loading=loading, empty=self._empty_text(), failed=t("common.reading_failed"))
        periods = f"{period_text(self.before, t)} {self.face.glyphs.line} {period_text(self.after, t)}"
        name = (self.list.name.get(t.language), "strong")
        self.query_one(ViewLine).show([(f"{periods}  ", ""), name], self._filter_pieces())
        self.query_one(TabLine).show([self._tab(place, kind) for place, kind in enumerate(KINDS)], lines=1)
        said = ""
        if comparing is not None and comparing.fit.filtered:
            shown, total = self._number(self.kind).rows, list_compare.number(comparing.found, self.kind).rows
            said = t("lists.rows_of", shown=t.formats.number(shown), total=t.formats.number(total))
        elif comparing is not None:
            number = self._number(self.kind)
            parts = [t("lists.person_count", count=number.persons), t("lists.same", count=comparing.found.same)]
            if number.rows != number.persons:
                parts.insert(1, t("lists.rows", count=number.rows))
            said = f"  {self.face.glyphs.dot}  ".join(parts)
        self.query_one("#totals", Caption).show(said)
        most = max((one.persons for one in self.counts), default=0)
        title = t("lists.over_the_year", most=most) if len(self.counts) > 1 else ""
        self.query_one("#plot", Sheet).show(self._plot(), title=title)

    def _filter_pieces(self) -> list[Piece]:
        found: list[Piece] = []
        if self.fit_now.municipality is not None:
            found.append((f"  {municipality_name(self.fit_now.municipality, self.face.t.language)}", "accent"))
        if self.fit_now.text and not self.filtering:
            found.append((f"  /{self.fit_now.text}", "accent"))
        return found

    def _tab(self, place: int, kind: Kind) -> Tab:
        t, comparing, mark = self.face.t, self.comparing, ""
        if comparing is not None:
            mark = t.formats.number(self._number(kind).persons)
            if comparing.fit.filtered:
                mark = f"{mark}/{t.formats.number(list_compare.number(comparing.found, kind).persons)}"
        key = self.key_text(f"differences.{kind.value}") or str(place + 1)
        return Tab(key, t.choice("lists.kind", kind), mark, active=kind is self.kind)

    def _plot(self) -> Iterable[Block]:
        """Yield how many persons there were in each period that is remembered."""
        if len(self.counts) < 2:
            return
        bars = [Bar(short_period(one.period), Decimal(one.persons)) for one in self.counts]

        def draw(width: int) -> Sequence[Line]:
            lines = chart(bars, width, HEIGHT, ascii_only=self.face.ascii)
            return [[(line, "accent" if place < HEIGHT else "dim")] for place, line in enumerate(lines)]

        yield Drawn(draw)

    # --- rows -------------------------------------------------------------------------------------------------------

    def _columns(self) -> tuple[Column, ...]:
        columns = list_columns(self.list, self.face.t)
        if self.kind is not Kind.CHANGED:
            return columns
        known = {one.id for one in self.list.columns if one.type is ColumnType.CODE}
        head = tuple(column for place, column in enumerate(columns) if place == 0 or column.id in known)
        return (*head, Column("what", self.face.t("lists.column_what"), 24, good=60, most=120))

    def _cells(self, row: Difference) -> Mapping[str, Cell]:
        shown = row.after or row.before
        assert shown is not None
        cells = row_cells(self.list, shown, self.face.t, codes=self._codes.shown)
        if self.kind is Kind.CHANGED:
            cells["what"] = Cell(self._what(row), "accent")
        return cells

    def _what(self, row: Difference) -> str:
        t, before, after = self.face.t, row.before, row.after
        if before is None:
            return t("lists.row_more")
        if after is None:
            return t("lists.row_less")
        parts = []
        for id_ in row.columns:
            column = self.list.column(id_)
            if column is not None:
                was = value_text(column, before.values.get(id_), t) or self.face.glyphs.none
                now = value_text(column, after.values.get(id_), t) or self.face.glyphs.none
                parts.append(f"{column.name.get(t.language)}: {was} > {now}")
        return "; ".join(parts)

    @on(RowList.Changed)
    @on(RowList.Moved)
    def _rows_changed(self) -> None:
        if self.alive:
            self.update_hints()

    @on(RowList.Opened)
    def _opened(self) -> None:
        row = self.rows.current
        shown = None if row is None else row.after or row.before
        if shown is not None:
            look_up(self, self.list, shown)

    # --- the filter -------------------------------------------------------------------------------------------------

    def filter_hint(self) -> str:
        """Return what can be filtered by."""
        return self.face.t("lists.filter_hint")

    def filter_text(self) -> str:
        """Return the words of the filter."""
        return self.fit_now.text

    def apply_filter(self, text: str, *, keep: bool = False) -> None:
        """Show the differences that have words beginning so, before or after."""
        del keep
        self.change_fit(self.fit_now._replace(text=text))

    def filter_toggled(self) -> None:
        """Show which keys work now."""
        self._show_texts()
        self.update_hints()

    def action_lists_groups(self) -> None:
        """Show how many differences each municipality has, and choose one."""
        if not any(one.type is ColumnType.MUNICIPALITY for one in self.list.columns):
            self.say(self.face.t("lists.no_municipalities"), role="warn")
        elif self.comparing is not None:
            self.face.spawn("lists.groups", self._choose_group(self.comparing))

    async def _choose_group(self, comparing: Comparing) -> None:
        from kelmu_tui.screens.choose import ChooseScreen
        from kelmu_tui.screens.list_choices import municipality_choices

        t, text = self.face.t, comparing.fit.text
        if comparing.fit.municipality is None or self._groups is None or self._groups[0] != text:
            try:
                self._groups = (text, await self.desk.run(self.desk.lists.difference_groups, comparing))
            except (NotHere, NotAllowed) as problem:
                self._lose(problem)
                return
        if not self.alive or not self.is_current:
            return

        def chosen(key: str | None) -> None:
            if key is not None:
                self.change_fit(self.fit_now._replace(municipality=key or None))

        choices = municipality_choices(self.list, self._groups[1], t)
        current = self.fit_now.municipality or ""
        self.face.push_screen(ChooseScreen(t("lists.choose_municipality"), choices, current, wide=True), chosen)

    # --- actions ----------------------------------------------------------------------------------------------------

    def _go_to(self, kind: Kind) -> None:
        if kind is not self.kind:
            self.kind = kind
            self._show_kind()
            self._show_texts()

    def action_differences_next(self) -> None:
        """Go to the next part."""
        self._go_to(KINDS[(KINDS.index(self.kind) + 1) % len(KINDS)])

    def action_differences_previous(self) -> None:
        """Go to the part before."""
        self._go_to(KINDS[(KINDS.index(self.kind) - 1) % len(KINDS)])

    def action_differences_came(self) -> None:
        """Show who is new."""
        self._go_to(Kind.CAME)

    def action_differences_went(self) -> None:
        """Show who left."""
        self._go_to(Kind.WENT)

    def action_differences_changed(self) -> None:
        """Show whose data changed."""
        self._go_to(Kind.CHANGED)

    def action_lists_code(self) -> None:
        """Show the identity codes whole for a while, or hide them again."""
        self._codes.toggle()

    def action_app_back(self) -> None:
        """Undo the filter; then leave."""
        if self.fit_now.filtered:
            self.change_fit(ALL)
        else:
            self.dismiss(None)
