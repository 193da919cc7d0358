"""Form bodies, read with limits: sign-in sends a handful of short fields and nothing else."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from kelmu_backend.identity.ports import Caller
from kelmu_tui.api.contract import HEADER_REQUEST_ID

MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
LONGEST: Final = 16 * 1024
MOST_FIELDS: Final = 20

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,80}")


class BadForm(Exception):
    """The body is no form of ours: another media type, too long, not UTF-8, or a field stands in it twice."""


async def read(request: Request) -> dict[str, str]:
    """Return the fields of a form; empty ones count as absent (RFC 6749, 3.1).

    Raises:
        BadForm: see there.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise BadForm("the body must be a form")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            raise BadForm("the form is too long")
    try:
        fields = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError as error:
        raise BadForm("the form can't be read") from error
    values = dict(fields)
    if len(values) != len(fields):
        raise BadForm("a field is repeated")
    return {name: value for name, value in values.items() if value}


def caller(request: Request) -> Caller:
    """Return where a request came from."""
    given = getattr(request.state, "request_id", None) or request.headers.get(HEADER_REQUEST_ID, "")
    request_id = str(given) if _REQUEST_ID.fullmatch(str(given)) else None
    # A proxy's word is taken only where the server was told to trust it; then this is already the client's address.
    address = request.client.host if request.client is not None else ""
    return Caller(address=address[:45], request_id=request_id)
