"""How the rows of a list are arranged: by which keys, in which columns, and as which saved view."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from kelmu_tui.domain.lists import KelaList
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.filtering import Filtering
from kelmu_tui.screens.words import municipality_name
from kelmu_tui.services.list_views import InvalidName
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.list_pages import ListQuery, SortKey
from kelmu_tui.store.list_views import SavedView, TooMany
from kelmu_tui.widgets.picker import Choice

MOST_KEYS: Final = 3
"""Columns that rows are sorted by at the most; who chooses a fourth has forgotten the first."""


class Arranging(Filtering[None]):
    """The part of the rows' screen that chooses what is listed and how.

    Attributes:
        query_now: filter and order.
        columns_now: ids of the columns in their order, () for all as the list has them.
        view_now: the saved view that was chosen last; what is shown may have been changed since.
    """

    desk: Desk
    list: KelaList

    def __init__(self) -> None:
        super().__init__()
        self.query_now = ListQuery()
        self.columns_now: tuple[str, ...] = ()
        self.view_now: SavedView | None = None

    def change_query(self, query: ListQuery) -> None:
        """List something else."""
        raise NotImplementedError

    def arranged(self) -> None:
        """The columns or the view are other ones."""
        raise NotImplementedError

    # --- order ------------------------------------------------------------------------------------------------------

    def sorted_by(self, keys: Iterable[SortKey]) -> str:
        """Return the keys of an order in words."""
        return ", ".join(self._key(key) for key in keys)

    def _key(self, key: SortKey) -> str:
        glyphs = self.face.glyphs
        return f"{self._column(key.column)} {glyphs.down if key.descending else glyphs.up}"

    def _column(self, id_: str) -> str:
        column = self.list.column(id_)
        return id_ if column is None else column.name.get(self.face.t.language)

    def action_lists_sort(self) -> None:
        """Choose the first key to sort by; the same again turns it around, the earlier ones settle ties."""
        from kelmu_tui.screens.choose import ChooseScreen

        t, keys = self.face.t, self.query_now.sort
        arrows = {True: self.face.glyphs.down, False: self.face.glyphs.up}
        now = {key.column: f"{place} {arrows[key.descending]}" for place, key in enumerate(keys, 1)}
        choices = [Choice("", (t("lists.as_opened"), ""))]
        choices += [Choice(one.id, (one.name.get(t.language), now.get(one.id, ""))) for one in self.list.columns]

        def chosen(key: str | None) -> None:
            if key is not None:
                self.change_query(replace(self.query_now, sort=_sorted(keys, key)))

        self.face.push_screen(ChooseScreen(t("inbox.choose_sort"), choices, keys[0].column if keys else ""), chosen)

    # --- columns ----------------------------------------------------------------------------------------------------

    @property
    def shown_columns(self) -> tuple[str, ...] | None:
        """Ids of the columns that were chosen, with the first one that always stays; None for all of the list."""
        return tuple(dict.fromkeys((self.list.columns[0].id, *self.columns_now))) if self.columns_now else None

    def action_lists_columns(self) -> None:
        """Choose which columns are shown, and in which order."""
        from kelmu_tui.screens.list_choices import ColumnsScreen

        def chosen(columns: tuple[str, ...] | None) -> None:
            if columns is not None and columns != self.columns_now:
                self.columns_now = columns
                self.arranged()

        self.face.push_screen(ColumnsScreen(self.list, self.columns_now), chosen)

    # --- saved views ------------------------------------------------------------------------------------------------

    @property
    def view_text(self) -> str:
        """The name of the view in force, and whether what is shown was changed since it was chosen; empty without."""
        view = self.view_now
        if view is None:
            return ""
        same = (view.columns, view.query) == (self.columns_now, self.query_now)
        return view.name if same else self.face.t("lists.view_changed", name=view.name)

    def action_lists_views(self) -> None:
        """Choose a saved view, save what is shown as one, or delete one."""
        self.face.spawn("lists.views", self._choose_view())

    async def _choose_view(self) -> None:
        from kelmu_tui.screens.list_choices import Deed, ViewsScreen

        views: tuple[SavedView, ...] = await self.desk.run(self.desk.lists.views.saved, self.list.id)
        if not self.alive or not self.is_current:
            return

        def chosen(deed: Deed | None) -> None:
            if deed is None:
                return
            if deed.save:
                self._ask_name(deed.name, [view.name for view in views])
            elif deed.drop:
                self._ask_drop(deed.name)
            else:
                self._take(next((view for view in views if view.name == deed.name), None))

        current = "" if self.view_now is None else self.view_now.name
        self.face.push_screen(ViewsScreen(views, current, self._about), chosen)

    def _take(self, view: SavedView | None) -> None:
        """Show the list as a view says, as it is opened without one."""
        self.view_now = view
        self.columns_now = () if view is None else view.columns
        self.arranged()
        self.change_query(ListQuery() if view is None else view.query)

    def _about(self, view: SavedView) -> str:
        """Return what stands in a view, in few words."""
        t, query = self.face.t, view.query
        parts = []
        if query.text:
            parts.append(f"/{query.text}")
        if query.municipality is not None:
            parts.append(municipality_name(query.municipality, t.language))
        if query.sort:
            parts.append(self.sorted_by(query.sort))
        if view.columns:
            parts.append(t("lists.columns", count=len(view.columns)))
        return f" {self.face.glyphs.dot} ".join(parts) or t("lists.as_it_comes")

    def _ask_name(self, suggestion: str, taken: Iterable[str]) -> None:
        from kelmu_tui.screens.list_choices import SaveViewScreen

        now = SavedView("", self.columns_now, self.query_now)

        async def save(name: str) -> str:
            return await self._save(now._replace(name=name))

        about, filtered = self._about(now), bool(now.query.text)
        self.face.push_screen(SaveViewScreen(suggestion, tuple(taken), save, about=about, filtered=filtered))

    async def _save(self, view: SavedView) -> str:
        t = self.face.t
        try:
            self.view_now = await self.desk.run(self.desk.lists.views.save, self.list.id, view)
        except InvalidName:
            return t("lists.name_needed")
        except TooMany:
            return t("lists.too_many_views")
        except StoreError as error:
            self.face.store_failed(error)
            return t("lists.not_saved")
        self.say(t("lists.view_saved"), role="good")
        self.arranged()
        return ""

    def _ask_drop(self, name: str) -> None:
        from kelmu_tui.screens.confirm import ConfirmScreen

        def answered(drop: bool | None) -> None:
            if drop:
                self.face.spawn("lists.drop_view", self._drop(name))

        t = self.face.t
        box = ConfirmScreen(t("lists.drop_title"), t("lists.drop_view", name=name), t("lists.drop"), t("lists.keep"))
        self.face.push_screen(box, answered)

    async def _drop(self, name: str) -> None:
        await self.desk.run(self.desk.lists.views.drop, self.list.id, name)
        self.say(self.face.t("lists.view_dropped"), role="good")

    def views_changed(self) -> None:
        """Views were saved or deleted, perhaps in another terminal: see whether the one in force still is as it was."""
        if self.view_now is not None:
            self.face.spawn("lists.view_now", self._look_after_view(self.view_now))

    async def _look_after_view(self, view: SavedView) -> None:
        views: tuple[SavedView, ...] = await self.desk.run(self.desk.lists.views.saved, self.list.id)
        if self.alive and self.view_now is view:
            self.view_now = next((one for one in views if one.name == view.name), None)
            self.arranged()


def _sorted(keys: tuple[SortKey, ...], column: str) -> tuple[SortKey, ...]:
    """Return the keys after a column was chosen; none chosen is the order in which the list was opened."""
    if not column:
        return ()
    down = bool(keys) and keys[0].column == column and not keys[0].descending
    return (SortKey(column, down), *(key for key in keys if key.column != column))[:MOST_KEYS]
