"""A backend that is killed while a document comes: after its restart the upload goes on from what was counted."""

from __future__ import annotations

import os
import socket
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from sqlalchemy import select

from kelmu_backend import serve
from kelmu_backend.config import Config
from kelmu_backend.database import tables
from kelmu_backend.database.engine import Database
from kelmu_backend.identity import families, keys, tokens
from kelmu_backend.identity.families import Family
from kelmu_tui.api import contract
from kelmu_tui.platform.clock import SystemClock
from tests.backend.conftest import INBOX
from tests.backend.test_cli import PATIENCE, running, url_of

from .support import CONTENT, digest, files, metadata

ROUNDS = 2
CONTENT_OF_IT = os.urandom(3_000_000)
DOCUMENT = "0" * 8 + "-0000-4000-8000-" + "0" * 12


def signed_in(folder: Path, url: str) -> dict[str, str]:
    """Return the headers of somebody who may send documents."""
    now = SystemClock().now()
    config = Config(serve.database_url(folder), url, demo=True, secret_folder=folder / "secrets")
    database = Database(config.database_url)
    with database.write() as connection:
        wanted = select(tables.grant.c.user, tables.grant.c.principal).join(
            tables.app_user, tables.app_user.c.id == tables.grant.c.user
        )
        found = connection.execute(wanted.where(tables.grant.c.mandate == INBOX, tables.app_user.c.persona)).first()
        assert found is not None
        family = Family(os.urandom(16).hex(), found.user, "kelmu-tui", None, now + timedelta(days=1))
        families.start(connection, keys.ring(config), family, "test", os.urandom(16).hex(), now)
    database.dispose()
    return {
        "Authorization": f"Bearer {tokens.issue(config, family, now)[0]}",
        contract.HEADER_ORGANISATION: found.principal,
        contract.HEADER_DEVICE: "device",
        "Tus-Resumable": "1.0.0",
    }


def until(size: int, folder: Path) -> None:
    """Return once the backend has written so much."""
    ends = time.monotonic() + PATIENCE
    while sum(path.stat().st_size for path in files(folder)) < size:
        assert time.monotonic() < ends
        os.sched_yield()


def test_an_upload_goes_on_after_the_backend_was_killed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    counted = 0
    for number in range(ROUNDS + 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        with running(folder, "--data", str(data)) as (process, ready):
            url = url_of(process, ready)
            headers = signed_in(data, url)
            with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
                if not number:
                    begin = {"Upload-Length": str(len(CONTENT_OF_IT)), "Upload-Metadata": metadata(DOCUMENT)}
                    assert client.post("/v1/uploads", headers=begin).status_code == 201
                head = client.head(f"/v1/uploads/{DOCUMENT}")
                assert (head.status_code, head.headers["Upload-Offset"]) == (200, str(counted))
                add = {"Upload-Offset": str(counted), "Content-Type": CONTENT}
                if number == ROUNDS:
                    rest = CONTENT_OF_IT[counted:]
                    add["Upload-Checksum"] = digest(rest)
                    assert client.patch(f"/v1/uploads/{DOCUMENT}", content=rest, headers=add).status_code == 204
                    head = client.head(f"/v1/uploads/{DOCUMENT}")
                    assert head.headers["Upload-Offset"] == str(len(CONTENT_OF_IT))
                    return
                part = CONTENT_OF_IT[counted : counted + 100_000]
                answer = client.patch(f"/v1/uploads/{DOCUMENT}", content=part, headers=add)
                counted = int(answer.headers["Upload-Offset"])
            place = urlsplit(url)
            with socket.create_connection((place.hostname, place.port)) as connection:
                rest = CONTENT_OF_IT[counted:]
                more = headers | {"Host": place.netloc, "Upload-Offset": str(counted), "Content-Type": CONTENT}
                lines = [f"PATCH /v1/uploads/{DOCUMENT} HTTP/1.1", f"Content-Length: {len(rest)}"]
                lines += [f"{name}: {value}" for name, value in more.items()]
                connection.sendall("\r\n".join([*lines, "", ""]).encode() + rest[:2_500_000])
                until(counted + 2_000_000, data / "documents")
                process.kill()
                process.wait(PATIENCE)
