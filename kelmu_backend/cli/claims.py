"""`kelmu-backend claims`: list claims, and move them as Kela's side does, to see what a client makes of it."""

from __future__ import annotations

import argparse
import json
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from kelmu_backend.cli.common import Commands, Exit, NotPossible, add_data, record, say
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import RandomIds

if TYPE_CHECKING:
    from kelmu_backend.claims.moving import Move

BY_OPERATOR: Final = "administrator"
"""Who moved a claim here, and with what outcome, in the audit log."""
MOVES: Final = ("in_handling", "hearing", "in_force", "rejected", "paid", "ended")


def add(commands: Commands) -> None:
    """Add the commands to the grammar."""
    group = commands.add_parser("claims", help="list payment claims, and move them as Kela does")
    actions = group.add_subparsers(required=True, metavar="action")
    listing = actions.add_parser("list", help="claims without their payees, one JSON document a line")
    listing.set_defaults(run=_list)
    listing.add_argument("--organisation", help="business ID; all of them without it")
    listing.add_argument("--status", help="only those in this state")
    add_data(listing)
    moving = actions.add_parser("move", help="let Kela do something with a claim")
    moving.set_defaults(run=_move)
    moving.add_argument("claim", help="id of the claim")
    moving.add_argument("to", choices=MOVES, metavar="to", help=", ".join(MOVES))
    moving.add_argument("--reason", help="of a rejection or an end; without one those that there are are named")
    moving.add_argument("--amount", type=_euros, help="euros that are paid, 123.45")
    moving.add_argument("--on", type=date.fromisoformat, help="day of the payment or the end, 2026-12-31")
    add_data(moving)


def _euros(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError from None
    if not amount.is_finite() or amount <= 0 or amount != amount.quantize(Decimal("0.01")):
        raise ValueError
    return amount


def _list(options: argparse.Namespace) -> int:
    from sqlalchemy import select

    from kelmu_backend.database.claim_tables import claim

    shown = (claim.c.id, claim.c.organisation, claim.c.status, claim.c.version, claim.c.basis, claim.c.benefit)
    wanted = select(*shown, claim.c.first, claim.c.last, claim.c.amount, claim.c.next_at).order_by(claim.c.id)
    if options.organisation:
        wanted = wanted.where(claim.c.organisation == options.organisation)
    if options.status:
        wanted = wanted.where(claim.c.status == options.status)
    with record(options) as database, database.read() as connection:
        for row in connection.execute(wanted):
            print(json.dumps(row._asdict(), default=str))
    return Exit.OK


def _move(options: argparse.Namespace) -> int:
    from kelmu_backend import audit, feed
    from kelmu_backend.claims import moving
    from kelmu_backend.claims.record import load

    now = SystemClock().now()
    with record(options) as database, database.write() as connection:
        row = load(connection, options.claim)
        if row is None:
            raise NotPossible("there is no such claim")
        try:
            # The simulator of a demo comes again by itself where it would have come.
            entries = moving.move(connection, row, _wanted(options, row), now, RandomIds(), row.next_at)
        except moving.NotMovable as failure:
            raise NotPossible(str(failure)) from None
        audit.write(
            connection,
            at=now,
            user=BY_OPERATOR,
            organisation=row.organisation,
            mandate=None,
            action=f"claim.moved.{options.to}",
            outcome=BY_OPERATOR,
            subject=row.id,
        )
        feed.record(connection, entries)
    say(f"{options.to}: {options.claim}")
    return Exit.OK


def _wanted(options: argparse.Namespace, row: Any) -> Move:
    """Return the move that the arguments say.

    Raises:
        NotPossible: the reason is missing, or it is one of the other kind.
    """
    from kelmu_backend.claims import moving
    from kelmu_tui.domain.claims.catalogue import end_reasons
    from kelmu_tui.domain.claims.kept import hearing_time
    from kelmu_tui.domain.claims.life import Rejection
    from kelmu_tui.domain.deadlines import local_date

    today: date = local_date(SystemClock().now())
    match options.to:
        case "in_handling":
            return moving.Acknowledge()
        case "hearing":
            return moving.Hear(today + hearing_time())
        case "in_force":
            return moving.Accept()
        case "rejected":
            if options.reason not in list(Rejection):
                raise NotPossible(f"name a --reason: {', '.join(Rejection)}", Exit.USAGE)
            return moving.Reject(Rejection(options.reason))
        case "paid":
            return moving.Pay(options.on or today, options.amount or row.amount)
    if options.reason not in end_reasons():
        raise NotPossible(f"name a --reason: {', '.join(end_reasons())}", Exit.USAGE)
    return moving.Over(options.on or min(row.last or today, today - timedelta(days=1)), options.reason)
