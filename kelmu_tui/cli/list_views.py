"""Saved views of lists on the command line: which there are, and what one shows.

The filter of a view may be somebody's name: it stands in what is asked for, never in messages or advice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.cli.list_output import NOTHING
from kelmu_tui.cli.lists import NEEDS, wanted_list
from kelmu_tui.cli.output import Column
from kelmu_tui.domain.lists import KelaList
from kelmu_tui.services.context import Context
from kelmu_tui.store.list_pages import ListQuery
from kelmu_tui.store.list_views import SavedView


def list_views(env: Env) -> int:
    """List the user's saved views of a list."""
    one = wanted_list(env)
    with env.context(NEEDS) as context:
        views = context.lists.views.saved(one.id)
    if env.out.as_json:
        env.out.data("lists.views", {"list": one.id, "views": [_data(view) for view in views]})
        return Exit.OK
    t = env.t
    headings = [t("cli.column_name"), t("cli.column_columns"), t("cli.column_order"), t("cli.column_filter")]
    env.out.table([Column(heading, shrinks=True) for heading in headings], [_cells(view) for view in views])
    if not views:
        env.out.note(t("cli.no_views"))
    return Exit.OK


def _data(view: SavedView) -> dict[str, Any]:
    query = view.query
    return {
        "name": view.name,
        "columns": list(view.columns),
        "sort": [key._asdict() for key in query.sort],
        "filter": query.text,
        "municipality": query.municipality,
    }


def _cells(view: SavedView) -> list[str]:
    query = view.query
    order = ", ".join(f"{key.column}:desc" if key.descending else key.column for key in query.sort)
    filters = " ".join(word for word in (query.municipality, query.text) if word)
    return [view.name, ", ".join(view.columns) or NOTHING, order or NOTHING, filters or NOTHING]


def viewed(
    env: Env, context: Context, one: KelaList, query: ListQuery, columns: Sequence[str]
) -> tuple[ListQuery, list[str]]:
    """Return what is to be shown: as the line says, and where it says nothing as the view that it names.

    Raises:
        CliError: there is no such view.
    """
    every = [column.id for column in one.columns]
    name = env.option("saved_view")
    if name is None:
        return query, list(columns) or every
    views = context.lists.views.saved(one.id)
    view = next((view for view in views if view.name == name), None)
    if view is None:
        listed = [f"  {view.name}" for view in views]
        text = env.t("cli.view_unknown") if listed else env.t("cli.no_views")
        raise CliError(Exit.NOT_FOUND, "view_unknown", "\n".join([text, *listed]))
    saved = view.query
    merged = ListQuery(query.sort or saved.sort, query.text or saved.text, query.municipality or saved.municipality)
    return merged, list(columns or view.columns) or every
