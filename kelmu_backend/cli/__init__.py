"""`kelmu-backend`: serve, migrate, openapi, population, keys, users, audit, sources, lists, claims.

Stdout is data, stderr is narration. The record is the SQLite of `--data`, or what the environment variable
KELMU_DATABASE_URL names: an argument could be read by everybody on the machine, and the URL holds a password.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from kelmu_backend.cli import audit, claims, keys, lists, serving, sources, users
from kelmu_backend.cli.common import DATABASE_VARIABLE, Exit, NotPossible, fail
from kelmu_backend.cli.serving import describe
from kelmu_tui.platform.paths import UnsafePath

__all__ = ["DATABASE_VARIABLE", "Exit", "describe", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    parser = argparse.ArgumentParser(prog="kelmu-backend", description="Backend of Kelmu TUI.")
    commands = parser.add_subparsers(required=True, metavar="command")
    serving.add(commands)
    keys.add(commands)
    users.add(commands)
    audit.add(commands)
    sources.add(commands)
    lists.add(commands)
    claims.add(commands)
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
    except NotPossible as failure:
        return fail(str(failure), failure.code)
    except UnsafePath as failure:
        return fail(f"{failure.path} is not safe to use ({failure.why})", Exit.NOT_POSSIBLE)
    except PermissionError as failure:
        return fail(f"{failure.filename} may not be used: {failure.strerror}", Exit.NOT_POSSIBLE)
    except KeyboardInterrupt:
        return Exit.OK
    return code
