"""`kelmu-backend audit`: check the logs of views that clients shipped, and list what was found wrong with them."""

from __future__ import annotations

import argparse
import json

from kelmu_backend.cli.common import Commands, Exit, add_data, record, say


def add(commands: Commands) -> None:
    """Add the commands to the grammar."""
    group = commands.add_parser("audit", help="check the logs of views, list what was found wrong with them")
    actions = group.add_subparsers(required=True, metavar="action")
    for name, run, about in (
        (
            "verify",
            _verify,
            "check every log anew from its texts; the first bad event of each, one JSON document a line",
        ),
        ("findings", _findings, "what was found wrong when events came in, one JSON document a line"),
    ):
        action = actions.add_parser(name, help=about)
        action.set_defaults(run=run)
        add_data(action)


def _verify(options: argparse.Namespace) -> int:
    from kelmu_backend import view_checks

    chains = bad = 0
    with record(options) as database, database.read() as connection:
        for checked in view_checks.verify(connection):
            chains += 1
            bad += checked.first_bad is not None
            print(json.dumps(checked._asdict()))
    say(f"logs checked: {chains}; not whole: {bad}")
    return Exit.FAILED if bad else Exit.OK


def _findings(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from kelmu_backend import view_checks

    with record(options) as database, database.read() as connection:
        found = view_checks.findings(connection)
    for finding in found:
        print(json.dumps(asdict(finding), default=lambda at: at.isoformat()))
    say(f"findings: {len(found)}; open: {sum(finding.resolved is None for finding in found)}")
    return Exit.OK
