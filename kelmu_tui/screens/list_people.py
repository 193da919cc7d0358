"""From a row of a list to the people in it: whose file is looked up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kelmu_tui.actions import REGISTRY
from kelmu_tui.domain.capabilities import CUSTOMER_LOOKUP
from kelmu_tui.domain.identifiers import InvalidIdentityCode, mask, parse_identity_code
from kelmu_tui.domain.lists import ColumnType, KelaList, Period
from kelmu_tui.screens.customer_find import Whom
from kelmu_tui.store.list_values import ListRow, Named
from kelmu_tui.widgets.picker import Choice

if TYPE_CHECKING:
    from kelmu_tui.screens.base import KeyedScreen


def people(one: KelaList, row: ListRow) -> Iterator[Named]:
    """Yield those whom a row is about: the one with the code in it, then those in its columns of persons."""
    texts = [row.values.get(column.id) for column in one.columns if column.type is ColumnType.TEXT]
    name = next((str(text) for text in texts if text), "")
    for column in one.columns:
        value = row.values.get(column.id)
        if column.type is ColumnType.CODE and value:
            yield Named(name, str(value))
        elif column.type is ColumnType.PERSONS and isinstance(value, tuple) and not isinstance(value, Period):
            yield from value


def look_up(screen: KeyedScreen[Any], one: KelaList, row: ListRow) -> None:
    """Ask for what the one in a row is looked up; where there are several, who it is."""
    face = screen.face
    found = list(people(one, row))
    desk = face.desk
    if desk is None or CUSTOMER_LOOKUP not in desk.session.capabilities:
        if not face.explain_closed(REGISTRY["main.customer"]):
            screen.say(face.t("actions.why.capability"), role="warn")
    elif not found:
        screen.say(face.t("lists.nobody"), role="warn")
    elif len(found) == 1:
        _find(screen, found[0])
    else:
        from kelmu_tui.screens.choose import ChooseScreen

        def chosen(key: str | None) -> None:
            if key is not None:
                _find(screen, found[int(key)])

        choices = [Choice(str(place), (one.name, mask(one.identity_code))) for place, one in enumerate(found)]
        face.push_screen(ChooseScreen(face.t("lists.whom"), choices, wide=True), chosen)


def _find(screen: KeyedScreen[Any], who: Named) -> None:
    face = screen.face
    try:
        code = parse_identity_code(who.identity_code, today=face.today())
    except InvalidIdentityCode:
        screen.say(face.t("errors.api.customer_code_invalid"), role="warn")
        return
    face.find_customer(Whom(f"{who.name}  {code.masked}", code))
