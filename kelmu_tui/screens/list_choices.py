"""Choosing what a list shows: its columns and their order, and views that were saved under a name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import ClassVar, Final, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from kelmu_tui.actions import Context
from kelmu_tui.domain.lists import KelaList
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.base import Dialog, Result
from kelmu_tui.screens.list_words import sums_text
from kelmu_tui.screens.words import municipality_name
from kelmu_tui.services.list_views import MAX_NAME, tidy
from kelmu_tui.store.list_pages import Group
from kelmu_tui.store.list_views import SavedView
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.text_field import LineField
from kelmu_tui.widgets.wrapping import wrap

PAGE: Final = 5
"""Rows by which a long choice is turned."""
BOX: Final = 60
"""Cells of the boxes' content at the most."""


class _Picking(Dialog[Result]):
    """A box with choices and two lines of keys; letters are keys here."""

    @property
    def picks(self) -> PickList:
        """The choices."""
        return self.query_one(PickList)

    def pointed(self) -> str:
        """Return the key of the choice under the cursor; there always is one."""
        choice = self.picks.current
        assert choice is not None
        return choice.key

    def fit(self, wanted: int) -> None:
        """Give the choices the lines that the keys leave."""
        width = min(BOX, self.size.width - 4)
        keys = sum(len(wrap(caption.text, width)) for caption in self.query(Caption))
        self.fit_picks(wanted, beside=2 + keys)

    def action_list_down(self) -> None:
        """Point at the next choice."""
        self.picks.move(1)

    def action_list_up(self) -> None:
        """Point at the choice before."""
        self.picks.move(-1)

    def action_list_page_down(self) -> None:
        """Point some choices further down."""
        self.picks.move(PAGE)

    def action_list_page_up(self) -> None:
        """Point some choices further up."""
        self.picks.move(-PAGE)

    def action_list_top(self) -> None:
        """Point at the first choice."""
        self.picks.move(-len(self.picks.matches))

    def action_list_bottom(self) -> None:
        """Point at the last choice."""
        self.picks.move(len(self.picks.matches))


class ColumnsScreen(_Picking[tuple[str, ...]]):
    """All columns of a list with marks at those that are shown; answers these, or () for all as the list has them.

    The first column tells whom a row is about: it stays where it is.
    """

    CONTEXT: ClassVar[Context] = Context.LIST_COLUMNS

    def __init__(self, one: KelaList, shown: Sequence[str]) -> None:
        """Begin with the columns that are shown now, () for all; the others follow behind them."""
        super().__init__()
        self._list = one
        known = [column.id for column in one.columns]
        shown = tuple(shown) or tuple(known)
        self.order = [
            known[0],
            *(id_ for id_ in shown if id_ != known[0]),
            *(id_ for id_ in known[1:] if id_ not in shown),
        ]
        self.marked = {known[0], *shown}

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        picks = PickList((Column("name", "", 12, most=44),), glyphs=self.face.glyphs, id="picks")
        yield self.box(
            t("lists.choose_columns"),
            picks,
            Caption(self.hint_line("columns.mark", "columns.all")),
            Caption(self.hint_line("columns.earlier", "columns.later")),
            Caption(self.hint_line("dialog.accept", "dialog.cancel")),
        )

    def on_mount(self) -> None:
        """Offer the columns."""
        self._offer()

    def on_resize(self) -> None:
        """Fit the list into the terminal."""
        self.fit(len(self.order))

    def _offer(self) -> None:
        names = {column.id: column.name.get(self.face.t.language) for column in self._list.columns}
        mark = self.face.glyphs.mark
        self.picks.offer(
            [
                Choice(id_, (f"{mark if id_ in self.marked else ' '} {names[id_]}",), closed=id_ not in self.marked)
                for id_ in self.order
            ]
        )

    # --- actions ----------------------------------------------------------------------------------------------------

    def action_columns_mark(self) -> None:
        """Show the column or leave it out, and go on to the next one."""
        id_ = self.pointed()
        if id_ == self.order[0]:
            self.say(self.face.t("lists.first_column_stays"))
        else:
            self.marked ^= {id_}
            self._offer()
        self.picks.move(1)

    def action_columns_earlier(self) -> None:
        """Move the column one place ahead."""
        self._move(-1)

    def action_columns_later(self) -> None:
        """Move the column one place back."""
        self._move(1)

    def _move(self, steps: int) -> None:
        id_ = self.pointed()
        at = self.order.index(id_)
        if at and 0 < at + steps < len(self.order):
            self.order.insert(at + steps, self.order.pop(at))
            self._offer()

    def action_columns_all(self) -> None:
        """Show all columns as the list has them."""
        self.order = [column.id for column in self._list.columns]
        self.marked = set(self.order)
        self._offer()

    def action_dialog_accept(self) -> None:
        """Answer the marked columns in their order."""
        shown = tuple(id_ for id_ in self.order if id_ in self.marked)
        self.dismiss(() if shown == tuple(column.id for column in self._list.columns) else shown)


class Deed(NamedTuple):
    """What was chosen in `ViewsScreen`: a view of that name, empty for the list as it is opened.

    Attributes:
        drop: it is to be deleted.
        save: the present state is to be saved, and the name begins with that of the view in force.
    """

    name: str
    drop: bool = False
    save: bool = False


class ViewsScreen(_Picking[Deed]):
    """The saved views of a list; answers what to do."""

    CONTEXT: ClassVar[Context] = Context.LIST_VIEWS

    def __init__(self, views: Sequence[SavedView], current: str, about: Callable[[SavedView], str]) -> None:
        """Offer views, the `current` one under the cursor; `about` says what stands in one."""
        super().__init__()
        self._views = tuple(views)
        self._current = current
        self._about = about

    def compose(self) -> ComposeResult:
        """Put the box together."""
        columns = (Column("name", "", 12, good=26, most=30), Column("about", "", 6, most=80))
        yield self.box(
            self.face.t("lists.choose_view"),
            PickList(columns, glyphs=self.face.glyphs, id="picks"),
            Caption(self.hint_line("list_views.save", "list_views.drop")),
            Caption(self.hint_line("dialog.accept", "dialog.cancel")),
        )

    def on_mount(self) -> None:
        """Offer the views."""
        as_opened = Choice("", (self.face.t("lists.as_it_comes"), ""))
        self.picks.offer([as_opened, *(Choice(one.name, (one.name, self._about(one))) for one in self._views)])
        self.picks.point(self._current)

    def on_resize(self) -> None:
        """Fit the list into the terminal."""
        self.fit(len(self._views) + 1)

    def action_dialog_accept(self) -> None:
        """Show the list so."""
        self.dismiss(Deed(self.pointed()))

    def action_list_views_save(self) -> None:
        """Save what is shown now."""
        self.dismiss(Deed(self._current, save=True))

    def action_list_views_drop(self) -> None:
        """Delete the view, which the list as it is opened is none of."""
        if self.pointed():
            self.dismiss(Deed(self.pointed(), drop=True))


class SaveViewScreen(Dialog[None]):
    """A line for the name of a view; one of the same name is replaced, and that is said before."""

    CONTEXT: ClassVar[Context] = Context.CONFIRM

    def __init__(
        self,
        suggestion: str,
        taken: Sequence[str],
        save: Callable[[str], Awaitable[str]],
        *,
        about: str,
        filtered: bool,
    ) -> None:
        """Ask for a name, beginning with `suggestion`.

        Args:
            taken: names of views that are there.
            save: saves under the name and returns what hinders it, empty when nothing does.
            about: what is saved.
            filtered: words of a filter are saved too, which may be somebody's name.
        """
        super().__init__()
        self._suggestion = suggestion
        self._taken = frozenset(taken)
        self._save = save
        self._about = about
        self._filtered = filtered

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        yield self.box(
            t("lists.save_view"),
            Caption(self._about, role="", id="about"),
            Caption(t("lists.filter_is_saved") if self._filtered else t("lists.no_names"), role="warn", id="warning"),
            LineField(self._suggestion, id="field", max_length=MAX_NAME),
            Caption(id="effect"),
            Caption(self.hint_line("dialog.accept", "dialog.cancel", accept=t("saving.save"))),
        )

    def on_mount(self) -> None:
        """Begin to type."""
        field = self.query_one(LineField)
        self.set_focus(field)
        field.cursor_position = len(self._suggestion)
        self._say_effect()

    @on(Input.Changed)
    def _say_effect(self) -> None:
        replaced = tidy(self.query_one(LineField).value) in self._taken
        text = self.face.t("lists.replaces_view") if replaced else ""
        self.query_one("#effect", Caption).show(text, role="warn")

    async def action_dialog_accept(self) -> None:
        """Save it."""
        if problem := await self.give(self._save, self.query_one(LineField).value):
            self.query_one("#effect", Caption).show(problem, role="alarm")


def municipality_choices(one: KelaList, groups: Iterable[Group], t: Translator) -> list[Choice]:
    """Return the municipalities of a list to choose from, with the rows and sums of each, behind all of them."""
    choices = [Choice("", (t("lists.all_municipalities"), ""))]
    for group in groups:
        if group.municipality is not None:
            beside = "  ".join((t("lists.rows", count=group.rows), *sums_text(one, group.sums, t)))
            choices.append(Choice(group.municipality, (municipality_name(group.municipality, t.language), beside)))
    return choices
