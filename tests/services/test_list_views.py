"""Views of lists that users save: under which names, what of them is kept, and how many."""

from __future__ import annotations

import pytest

from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context, activate
from kelmu_tui.services.known import OPENERS
from kelmu_tui.services.list_views import InvalidName
from kelmu_tui.store import list_views
from kelmu_tui.store.database import Store
from kelmu_tui.store.list_pages import ListQuery, SortKey
from kelmu_tui.store.list_views import SavedView, TooMany
from tests.services.customers import at_work
from tests.services.signed_in import FIRST
from tests.store.list_rows import LIST


@pytest.fixture
def context(profile: Profile, store: Store) -> Context:
    return at_work(profile, store)


def test_views_are_saved_by_name(context: Context, profile: Profile, store: Store) -> None:
    query = ListQuery((SortKey("reached_on", descending=True), SortKey("name")), "vir", "837")
    context.lists.views.save(LIST, SavedView("  Uudet \n ensin ", ("name", "reached_on"), query))
    context.lists.views.save(LIST, SavedView("Kaikki", (), ListQuery()))
    again = activate(profile, store, FIRST, SeededIds(3), OPENERS).lists.views
    assert again.saved(LIST) == (
        SavedView("Kaikki", (), ListQuery()),
        SavedView("Uudet ensin", ("name", "reached_on"), query),
    )
    again.save(LIST, SavedView("Kaikki", ("name",), ListQuery()))
    assert again.saved(LIST)[0].columns == ("name",)
    assert again.saved("list_highest_care_allowance") == ()
    assert again.drop(LIST, "Kaikki")
    assert not again.drop(LIST, "Kaikki")
    assert [one.name for one in again.saved(LIST)] == ["Uudet ensin"]


def test_a_view_keeps_only_the_columns_that_the_list_has(context: Context, store: Store) -> None:
    context.lists.views.save(LIST, SavedView("Oma", ("gone", "name"), ListQuery((SortKey("gone"), SortKey("name")))))
    assert context.lists.views.saved(LIST) == (SavedView("Oma", ("name",), ListQuery((SortKey("name"),))),)


@pytest.mark.parametrize("name", ["", "  \n", "x" * 61])
def test_a_view_needs_a_name(context: Context, name: str) -> None:
    with pytest.raises(InvalidName):
        context.lists.views.save(LIST, SavedView(name, (), ListQuery()))


def test_views_are_not_without_end(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_views, "MOST", 1)
    context.lists.views.save(LIST, SavedView("a", (), ListQuery()))
    context.lists.views.save(LIST, SavedView("a", ("name",), ListQuery()))
    with pytest.raises(TooMany):
        context.lists.views.save(LIST, SavedView("b", (), ListQuery()))
