"""`kelmu-backend serve`, `migrate`, `openapi`, `population`."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kelmu_backend.cli.common import (
    Commands,
    Exit,
    NotPossible,
    add_data,
    fail,
    opened,
    say,
    secret_folder,
    url,
)
from kelmu_tui.platform.clock import SystemClock

if TYPE_CHECKING:
    from kelmu_backend.config import Lister, Maker


def add(commands: Commands) -> None:
    """Add the commands to the grammar."""
    serve = commands.add_parser("serve", help="serve the API and the sign-in pages")
    serve.set_defaults(run=_serve)
    serve.add_argument("--demo", action="store_true", help="made-up workers, customers and notices")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    serve.add_argument("--public-url", help="address that browsers and clients use (default: where it listens)")
    serve.add_argument("--ready-file", type=Path, help="written once the server answers: JSON with url and pid")
    serve.add_argument("--lifeline", type=Path, help="end when nobody holds a shared lock on this file any more")
    serve.add_argument("--clean-invoices", action="store_true", help="no mistakes in the invoices of the demo")
    _programs(serve)
    add_data(serve)
    _shape(serve)

    migrate = commands.add_parser("migrate", help="bring the record to the newest schema")
    migrate.set_defaults(run=_migrate)
    add_data(migrate)

    openapi = commands.add_parser("openapi", help="print the description of the API")
    openapi.set_defaults(run=_openapi)

    population = commands.add_parser("population", help="fill an empty record with made-up people and notices")
    population.set_defaults(run=_population)
    add_data(population)
    _shape(population)


def _programs(parser: argparse.ArgumentParser) -> None:
    scanner = "program that looks for malware in what it reads from its standard input, and ends with 0 or 1"
    parser.add_argument("--malware-scanner", type=shlex.split, default=[], metavar="PROGRAM", help=scanner)
    delivery = "program that hands a document to Kela's systems: it gets a path, and what belongs to it as JSON"
    parser.add_argument("--delivery", type=shlex.split, default=[], metavar="PROGRAM", help=delivery)


def _shape(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same world")
    parser.add_argument("--people", type=_size, help="number of customers")
    parser.add_argument("--notices", type=_size, help="number of notices")


def _size(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 10_000_000:
        raise ValueError
    return number


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
    clock = SystemClock()
    try:
        bound = serve.bind(options.host, options.port)
    except OSError as failure:
        return fail(f"cannot listen at {options.host}:{options.port}: {failure.strerror}", Exit.FAILED)
    with bound:
        if not options.demo:
            _check_keys(secret_folder(options))
            with opened(options):
                pass  # a record out of reach is told in a sentence
        record = url(options)
        shape = serve.Population(options.seed, options.people, options.notices) if options.demo else None
        serve.prepare(record, shape, clock, _progress)
        config = Config(
            database_url=record,
            public_url=(options.public_url or serve.address(bound)).rstrip("/"),
            demo=options.demo,
            secret_folder=secret_folder(options),
            clock=clock,
            seed=options.seed,
            maker=_maker() if options.demo else None,
            lister=_lister(faults=not options.clean_invoices) if options.demo else None,
            scanner=tuple(options.malware_scanner),
            delivery=tuple(options.delivery),
        )
        if not options.demo and not options.delivery:
            say("no --delivery: documents that are sent wait here, encrypted, until there is one")
        started = serve.run(config, bound, options.ready_file, options.lifeline)
    return Exit.OK if started else Exit.FAILED


def _maker() -> Maker:
    """Return what makes up what Kela's systems know of a person of the demo."""
    from kelmu_backend import population

    return population.known_of


def _lister(*, faults: bool) -> Lister:
    """Return what makes up lists and invoices of the demo."""
    from kelmu_backend.population.issued import Lister as Made

    return Made(faults=faults)


def _check_keys(folder: Path) -> None:
    """Refuse to serve real people without real keys, before anything is made or migrated.

    Raises:
        NotPossible: they are missing or not fit.
    """
    from kelmu_backend.identity import keys

    try:
        keys.load(folder, demo=False)
    except keys.NoKeys:
        text = f"there are no signing keys in {folder}; make them with `kelmu-backend keys create`"
        raise NotPossible(text, Exit.FAILED) from None
    except keys.KeyProblem as failure:
        raise NotPossible(f"the signing keys in {folder} cannot be used: {failure}", Exit.FAILED) from None


def _migrate(options: argparse.Namespace) -> int:
    with opened(options) as database:
        changed = database.migrate()
    say("migrated" if changed else "nothing to do")
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
    from kelmu_backend.population import AlreadyFilled, advance, advance_claims

    with opened(options) as database:
        database.migrate()
        shape = serve.Population(options.seed, options.people, options.notices)
        try:
            serve.populate(database, shape, SystemClock(), _progress)
        except AlreadyFilled:
            raise NotPossible("the record is not empty") from None
        while advance_claims(database).more:
            pass
        customers = 0
        while crowd := advance(database):
            customers = crowd.people
            _progress("crowd", crowd.done, customers)
        if customers:
            _progress("done", customers, customers)
    return Exit.OK
