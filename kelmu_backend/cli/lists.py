"""`kelmu-backend lists`: withdraw a list, publish one of the demo anew, and print what a county of it answered."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from kelmu_backend.cli.common import Commands, Exit, NotPossible, add_data, record, say
from kelmu_tui.domain.deadlines import local_date
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

    answers = actions.add_parser("answers", help="what a county of the demo answered to Kela's requests, as CSV")
    answers.set_defaults(run=_run, work=_answers)
    answers.add_argument("organisation", help="business ID")
    answers.add_argument("period", type=_period, help="2026-H1")
    add_data(answers)


def _period(text: str) -> Period:
    return read_period(text)


def _run(options: argparse.Namespace) -> int:
    from kelmu_backend.lists.publishing import NotPublished

    try:
        with record(options) as database:
            told: str = database.insist(lambda connection: options.work(connection, options))
    except NotPublished:
        raise NotPossible(_NOT_THERE) from None
    if told:
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


def _answers(connection: Connection, options: argparse.Namespace) -> str:
    """Print the county's answers about treatment abroad, which an invoice can be held against."""
    import csv
    import sys

    from kelmu_backend.lists import making
    from kelmu_backend.lists.publishing import NotPublished
    from kelmu_backend.population.issued import county_answers, roll_of, seed_of
    from kelmu_backend.population.issued.drafts import euros

    holder = making.locked(connection, options.organisation)
    if holder is None or options.period.key[4:6] != "-H":
        raise NotPublished(options.organisation)
    seed = seed_of(connection)
    roll = roll_of(connection, holder, seed, local_date(SystemClock().now()))
    out = csv.writer(sys.stdout, delimiter=";", lineterminator="\n")
    out.writerow(("request_ref", "comparable_cost_eur", "client_fee_eur"))
    for reference, answer in sorted(county_answers(roll, seed, [options.period]).items()):
        out.writerow((reference, euros(answer.cost), euros(answer.fee)))
    return ""
