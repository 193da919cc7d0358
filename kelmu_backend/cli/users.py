"""`kelmu-backend users`: list users, give and take mandates, end sessions."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kelmu_backend.cli.common import Commands, Exit, NotPossible, add_data, record, say
from kelmu_tui.platform.clock import SystemClock

if TYPE_CHECKING:
    from kelmu_tui.domain.capabilities import Grant

BY_ADMINISTRATOR: Final = "administrator"
"""Outcome in the audit log of what was done here and by nobody who has signed in."""


def add(commands: Commands) -> None:
    """Add the commands to the grammar."""
    group = commands.add_parser("users", help="list users, give and take mandates, end sessions")
    actions = group.add_subparsers(required=True, metavar="action")
    listing = actions.add_parser("list", help="users with their mandates, one JSON document a line")
    listing.set_defaults(run=_list)
    add_data(listing)
    for name, run, about in (
        ("grant", _grant, "give a mandate to act for the own organisation"),
        ("revoke", _revoke, "take a mandate for an organisation"),
    ):
        action = actions.add_parser(name, help=about)
        action.set_defaults(run=run)
        action.add_argument("user", help="id of the user")
        action.add_argument("mandate", help="id of the mandate")
        action.add_argument("organisation", help="business ID of the organisation acted for")
        add_data(action)
    ending = actions.add_parser("end-sessions", help="end all sessions of a user at once")
    ending.set_defaults(run=_end_sessions)
    ending.add_argument("user", help="id of the user")
    add_data(ending)


def _list(options: argparse.Namespace) -> int:
    from sqlalchemy import select

    from kelmu_backend import policy
    from kelmu_backend.database import tables

    with record(options) as database, database.read() as connection:
        for row in connection.execute(select(tables.app_user).order_by(tables.app_user.c.id)).all():
            grants = [grant._asdict() for grant in policy.grants(connection, row.id)]
            print(json.dumps({"id": row.id, "name": row.name, "grants": grants}, ensure_ascii=False, default=str))
    return Exit.OK


def _end_sessions(options: argparse.Namespace) -> int:
    from sqlalchemy import select

    from kelmu_backend.database import tables
    from kelmu_backend.identity import families, grants

    now = SystemClock().now()
    with record(options) as database, database.write() as connection:
        known = select(tables.app_user.c.id).where(tables.app_user.c.id == options.user)
        if connection.execute(known).one_or_none() is None:
            raise NotPossible("there is no such user")
        withdrawn = grants.withdraw(connection, options.user, now)
        ended = families.end_all(connection, options.user, now)
    say(f"sessions ended: {ended}; sign-ins under way that were refused: {withdrawn}")
    return Exit.OK


def _grant(options: argparse.Namespace) -> int:
    from kelmu_tui.domain.capabilities import Grant, MandateKind

    today = SystemClock().now().date()

    def add(found: list[Grant]) -> list[Grant]:
        given = Grant(
            options.mandate,
            MandateKind.MANDATE_TO_ACT,
            options.organisation,
            options.organisation,
            (),
            today,
        )
        return [*(grant for grant in found if _key(grant) != _key(given)), given]

    return _regrant(options, "mandate.given", add)


def _revoke(options: argparse.Namespace) -> int:
    return _regrant(
        options,
        "mandate.taken",
        lambda found: [grant for grant in found if _key(grant) != (options.mandate, options.organisation)],
    )


def _key(grant: Grant) -> tuple[str, str]:
    return grant.mandate, grant.principal


def _regrant(options: argparse.Namespace, action: str, change: Callable[[list[Grant]], list[Grant]]) -> int:
    from sqlalchemy.exc import IntegrityError

    from kelmu_backend import audit, policy

    with record(options) as database:
        try:
            with database.write() as connection:
                grants = policy.grants(connection, options.user)
                revision = policy.replace_grants(connection, options.user, change(grants))
                audit.write(
                    connection,
                    at=SystemClock().now(),
                    user=options.user,
                    organisation=options.organisation,
                    mandate=options.mandate,
                    action=action,
                    outcome=BY_ADMINISTRATOR,
                )
        except KeyError:
            raise NotPossible("there is no such user") from None
        except IntegrityError:
            raise NotPossible("there is no such organisation") from None
    say(f"revision {revision}")
    return Exit.OK
