"""The headers of tus 1.0: what a request says in them, and what an answer tells."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Final

from fastapi import Request
from sqlalchemy import Row

from kelmu_backend.documents import uploads
from kelmu_backend.problems import ProblemError, malformed
from kelmu_tui.api.contract import TUS_VERSION, ProblemCode

CONTENT: Final = "application/offset+octet-stream"

_NUMBER: Final = re.compile(r"[0-9]{1,12}")
_DOCUMENT: Final = re.compile(r"[0-9a-f-]{32,36}")


def check_version(request: Request) -> None:
    """Refuse a request that speaks another version, or none (412).

    Raises:
        ProblemError: it does.
    """
    if request.headers.get("tus-resumable") != TUS_VERSION:
        errors = ["Tus-Resumable: unknown"]
        headers = {"Tus-Version": TUS_VERSION}
        raise ProblemError(ProblemCode.INVALID_REQUEST, status=412, errors=errors, headers=headers)


def number(request: Request, header: str) -> int:
    """Return the number in a header.

    Raises:
        ProblemError: there is none.
    """
    text = request.headers.get(header, "")
    if not _NUMBER.fullmatch(text):
        raise malformed(f"{header}: {'not a number' if text else 'missing'}")
    return int(text)


def document_of(request: Request) -> str:
    """Return the document of `Upload-Metadata`, which holds nothing else: names of files are nobody's business here.

    Raises:
        ProblemError: it names none, or more.
    """
    name, _, value = request.headers.get("upload-metadata", "").partition(" ")
    try:
        document = base64.b64decode(value, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        document = ""
    if name != "document" or not _DOCUMENT.fullmatch(document):
        raise malformed("Upload-Metadata: document alone")
    return document


def checksum_of(request: Request) -> bytes | None:
    """Return the SHA-256 that the body must have, None when nothing is said.

    Raises:
        ProblemError: it is none.
    """
    given = request.headers.get("upload-checksum")
    if given is None:
        return None
    algorithm, _, value = given.partition(" ")
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if algorithm != "sha256" or len(digest) != hashlib.sha256().digest_size:
        raise malformed("Upload-Checksum: not sha256")
    return digest


def check_content(request: Request, room: int) -> None:
    """Refuse a body that is not bytes to add (415), or announces more of them than there is `room` for (413).

    Raises:
        ProblemError: it is so.
    """
    if request.headers.get("content-type") != CONTENT:
        raise ProblemError(ProblemCode.INVALID_REQUEST, status=415, errors=["Content-Type: unknown"])
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > room:
        raise uploads.too_large()


def told(row: Row[Any] | None, offset: int, expires: datetime | None) -> dict[str, str]:
    """Return the headers that tell how much has come and until when it is kept; with `row`, also how long it is."""
    headers = {"Upload-Offset": str(offset)}
    if row is not None:
        headers["Upload-Length"] = str(row.length)
    if expires is not None:
        headers["Upload-Expires"] = format_datetime(expires, usegmt=True)
    return headers
