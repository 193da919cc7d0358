"""`kelmu-backend`: serve, migrate, openapi, population, users.

Stdout is data, stderr is narration. The record is the SQLite of `--data`, or what the environment variable
KELMU_DATABASE_URL names: an argument could be read by everybody on the machine, and the URL holds a password.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.paths import UnsafePath, profile

if TYPE_CHECKING:
    from kelmu_tui.domain.capabilities import Grant

DATABASE_VARIABLE: Final = "KELMU_DATABASE_URL"


class Exit(IntEnum):
    """Exit codes."""

    OK = 0
    FAILED = 1
    """The server could not start."""
    USAGE = 2
    NOT_POSSIBLE = 3
    """The record does not allow it: not empty, no such user, not migrated."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
    except UnsafePath as failure:
        return _fail(f"{failure.path} is not safe to use ({failure.why})", Exit.NOT_POSSIBLE)
    except KeyboardInterrupt:
        return Exit.OK
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kelmu-backend", description="Backend of Kelmu TUI.")
    commands = parser.add_subparsers(required=True, metavar="command")

    serve = commands.add_parser("serve", help="serve the API and the sign-in pages")
    serve.set_defaults(run=_serve)
    serve.add_argument("--demo", action="store_true", help="made-up workers, customers and notices")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    serve.add_argument("--public-url", help="address that browsers and clients use (default: where it listens)")
    serve.add_argument("--ready-file", type=Path, help="written once the server answers: JSON with url and pid")
    serve.add_argument("--lifeline", type=Path, help="end when nobody holds a shared lock on this file any more")
    _data(serve)
    _shape(serve)

    migrate = commands.add_parser("migrate", help="bring the record to the newest schema")
    migrate.set_defaults(run=_migrate)
    _data(migrate)

    openapi = commands.add_parser("openapi", help="print the description of the API")
    openapi.set_defaults(run=_openapi)

    population = commands.add_parser("population", help="fill an empty record with made-up people and notices")
    population.set_defaults(run=_population)
    _data(population)
    _shape(population)

    _users(commands.add_parser("users", help="list users, give and take mandates"))
    return parser


def _users(users: argparse.ArgumentParser) -> None:
    actions = users.add_subparsers(required=True, metavar="action")
    listing = actions.add_parser("list", help="users with their mandates, one JSON document a line")
    listing.set_defaults(run=_list_users)
    _data(listing)
    for name, run, about in (
        ("grant", _grant, "give a mandate to act for the own organisation"),
        ("revoke", _revoke, "take a mandate for an organisation"),
    ):
        action = actions.add_parser(name, help=about)
        action.set_defaults(run=run)
        action.add_argument("user", help="id of the user")
        action.add_argument("mandate", help="id of the mandate")
        action.add_argument("organisation", help="business ID of the organisation acted for")
        _data(action)


def _data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, help="folder of the record and the keys")


def _shape(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same world")
    parser.add_argument("--people", type=_size, help="number of customers")
    parser.add_argument("--notices", type=_size, help="number of notices")


def _size(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 10_000_000:
        raise ValueError
    return number


def _folder(options: argparse.Namespace) -> Path:
    found: Path | None = options.data
    return found or profile("demo" if getattr(options, "demo", False) else "default").backend / "data"


def _url(options: argparse.Namespace) -> str:
    from kelmu_backend.serve import database_url

    return os.environ.get(DATABASE_VARIABLE) or database_url(_folder(options))


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _fail(text: str, code: Exit) -> int:
    _say(f"kelmu-backend: {text}")
    return code


def _progress(stage: str, done: int, total: int) -> None:
    """Tell how far the filling is: one line that grows for a person, JSON lines for a program."""
    if sys.stderr.isatty():
        end = "\n" if stage == "done" else ""
        print(f"\r\x1b[K{stage} {done:,}/{total:,}".replace(",", " "), end=end, file=sys.stderr, flush=True)
    else:
        print(json.dumps({"stage": stage, "done": done, "total": total}), file=sys.stderr, flush=True)


def _serve(options: argparse.Namespace) -> int:
    from kelmu_backend import serve
    from kelmu_backend.config import Config

    serve.configure_logging()
    folder = _folder(options)
    clock = SystemClock()
    try:
        bound = serve.bind(options.host, options.port)
    except OSError as failure:
        return _fail(f"cannot listen at {options.host}:{options.port}: {failure.strerror}", Exit.FAILED)
    with bound:
        url = _url(options)
        shape = serve.Population(options.seed, options.people, options.notices) if options.demo else None
        serve.prepare(url, shape, clock, _progress)
        config = Config(
            database_url=url,
            public_url=(options.public_url or serve.address(bound)).rstrip("/"),
            demo=options.demo,
            secret_folder=folder / "secrets",
            clock=clock,
            seed=options.seed,
        )
        started = serve.run(config, bound, options.ready_file, options.lifeline)
    return Exit.OK if started else Exit.FAILED


def _migrate(options: argparse.Namespace) -> int:
    from kelmu_backend.database.engine import Database

    database = Database(_url(options))
    try:
        changed = database.migrate()
    finally:
        database.dispose()
    _say("migrated" if changed else "nothing to do")
    return Exit.OK


def _openapi(_options: argparse.Namespace) -> int:
    print(describe())
    return Exit.OK


def describe() -> str:
    """Return the description of the API as it stands in `docs/openapi.json`, without the last line break."""
    from kelmu_backend.app import create_app
    from kelmu_backend.config import Config
    from kelmu_backend.serve import database_url

    with tempfile.TemporaryDirectory() as folder:
        config = Config(
            database_url(Path(folder)), "http://localhost", demo=True, secret_folder=Path(folder) / "secrets"
        )
        app = create_app(config)
        app.state.core.close()
        return json.dumps(app.openapi(), ensure_ascii=False, indent=2, sort_keys=True)


def _population(options: argparse.Namespace) -> int:
    from kelmu_backend import serve
    from kelmu_backend.database.engine import Database
    from kelmu_backend.population import AlreadyFilled

    database = Database(_url(options))
    try:
        database.migrate()
        shape = serve.Population(options.seed, options.people, options.notices)
        serve.populate(database, shape, SystemClock(), _progress)
    except AlreadyFilled:
        return _fail("the record is not empty", Exit.NOT_POSSIBLE)
    finally:
        database.dispose()
    return Exit.OK


def _list_users(options: argparse.Namespace) -> int:
    from sqlalchemy import select

    from kelmu_backend import policy
    from kelmu_backend.database import tables
    from kelmu_backend.database.engine import Database

    database = Database(_url(options))
    try:
        with database.read() as connection:
            for row in connection.execute(select(tables.app_user).order_by(tables.app_user.c.id)).all():
                grants = [asdict(grant) for grant in policy.grants(connection, row.id)]
                print(json.dumps({"id": row.id, "name": row.name, "grants": grants}, ensure_ascii=False, default=str))
    finally:
        database.dispose()
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

    return _regrant(options, add)


def _revoke(options: argparse.Namespace) -> int:
    return _regrant(
        options,
        lambda found: [grant for grant in found if _key(grant) != (options.mandate, options.organisation)],
    )


def _key(grant: Grant) -> tuple[str, str]:
    return grant.mandate, grant.principal


def _regrant(options: argparse.Namespace, change: Callable[[list[Grant]], list[Grant]]) -> int:
    from sqlalchemy.exc import IntegrityError

    from kelmu_backend import policy
    from kelmu_backend.database.engine import Database

    database = Database(_url(options))
    try:
        with database.write() as connection:
            grants = policy.grants(connection, options.user)
            revision = policy.replace_grants(connection, options.user, change(grants))
    except KeyError:
        return _fail("there is no such user", Exit.NOT_POSSIBLE)
    except IntegrityError:
        return _fail("there is no such organisation", Exit.NOT_POSSIBLE)
    finally:
        database.dispose()
    _say(f"revision {revision}")
    return Exit.OK
