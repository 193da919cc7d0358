"""`kelmu-backend lists`: withdraw a published list, or publish one of the demo anew, to see what clients do then."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from kelmu_backend.cli.common import Commands, Exit, NotPossible, add_data, record, say
from kelmu_tui.domain.lists import Period, lists, read_period
from kelmu_tui.platform.clock import SystemClock

if TYPE_CHECKING:
    from sqlalchemy import Connection

_NOT_THERE: Final = "there is no such list, or it is withdrawn"


def add(commands: Commands) -> None:
    """Add the commands to the grammar."""
    group = commands.add_parser("lists", help="withdraw lists, and publish them anew")
    actions = group.add_subparsers(required=True, metavar="action")
    for name, about, work in (
        ("withdraw", "withdraw a list: whoever fetched it learns that it may not be used", _withdraw),
        ("republish", "publish a list of the demo anew, without mistakes, and correct its invoice", _republish),
    ):
        action = actions.add_parser(name, help=about)
        action.set_defaults(run=_run, work=work)
        action.add_argument("organisation", help="business ID")
        action.add_argument("list", choices=list(lists()), metavar="list", help="id of the catalogue")
        action.add_argument("period", type=_period, help="2026-11, 2026-Q4, 2026-H2 or 2026")
        add_data(action)


def _period(text: str) -> Period:
    return read_period(text)


def _run(options: argparse.Namespace) -> int:
    from kelmu_backend.lists.publishing import NotPublished

    try:
        with record(options) as database, database.write() as connection:
            told: str = options.work(connection, options)
    except NotPublished:
        raise NotPossible(_NOT_THERE) from None
    say(told)
    return Exit.OK


def _withdraw(connection: Connection, options: argparse.Namespace) -> str:
    from kelmu_backend.lists import publishing

    publishing.withdraw(connection, options.organisation, lists()[options.list], options.period)
    return f"withdrawn: {options.list} {options.period.key}"


def _republish(connection: Connection, options: argparse.Namespace) -> str:
    from kelmu_backend.population.issued.correcting import correct
    from kelmu_backend.population.issued.drafts import euros

    one, now = lists()[options.list], SystemClock().now()
    found = correct(connection, options.organisation, one, options.period, now)
    added = "" if found.added is None else f", {euros(found.added)} euros added to its invoice"
    return f"version {found.version}: {one.id} {options.period.key}{added}"
