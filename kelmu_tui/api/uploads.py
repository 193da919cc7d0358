"""Documents on their way to the backend, by the tus protocol (https://tus.io, version 1.0).

An upload is created under the id of its document, asked where it stands, and gone on with from there. All of its
bytes go in one request when nothing is in the way; what arrived of a request that was cut stays.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import httpx

from kelmu_tui.api.contract import TUS_VERSION, ProblemCode
from kelmu_tui.api.errors import BadAnswer, ProblemAnswer, UploadElsewhere, UploadGone
from kelmu_tui.api.reading import raise_for, refused, request_id_of, segment

PATH: Final = "/v1/uploads"
OFFSETS: Final = "application/offset+octet-stream"
_VERSION: Final = {"Tus-Resumable": TUS_VERSION}
_OVER: Final = 410
_UNKNOWN: Final = frozenset({404, _OVER})

Open = Callable[..., AbstractAsyncContextManager[httpx.Response]]
"""`Client._open`."""
Content = Callable[[], AsyncIterator[bytes]]
"""Begins the bytes of a request."""


class Uploads:
    """The calls of the protocol for a signed-in user."""

    def __init__(self, open_call: Open) -> None:
        self._open = open_call

    async def create(self, organisation: str, document: str, size: int, content: Content) -> int:
        """Create the upload of a document and send all of its bytes along; return how many the backend has then.

        Args:
            content: begins the bytes, anew for each try.

        Raises:
            UploadElsewhere: there is one already.
            UploadGone: what there was of it is lost; it can begin anew.
            ApiError: it was refused, or whether it is there is unknown.
        """
        headers = {
            **_VERSION,
            "Upload-Length": str(size),
            "Upload-Metadata": f"document {b64encode(document.encode()).decode()}",
            "Content-Type": OFFSETS,
            "Content-Length": str(size),
        }
        async with self._open("POST", PATH, organisation, headers=headers, content=content) as response:
            if response.status_code == _OVER:
                raise UploadGone(request_id_of(response))
            await _raise_for(response)
            _expect(response, 201)
            # Who does not understand creation with upload says nothing of an offset, and has taken no byte.
            return _offset(response, 0, size) if "upload-offset" in response.headers else 0

    async def offset(self, organisation: str, document: str, size: int) -> int | None:
        """Return how many bytes of a document the backend has; None when it knows of no upload.

        Raises:
            ApiError: it was refused, or no usable answer came.
        """
        async with self._open("HEAD", _path(document), organisation, headers=_VERSION) as response:
            if response.status_code in _UNKNOWN:
                return None
            if (barred := refused(response)) is not None:
                raise barred
            await _raise_for(response)
            _expect(response, 200, 204)
            return _offset(response, 0, size)

    async def send(self, organisation: str, document: str, offset: int, size: int, content: Content) -> int:
        """Send the bytes of a document from `offset` to its end; return how many the backend has then.

        Args:
            content: begins the bytes from `offset` on, anew for each try.

        Raises:
            UploadElsewhere: the backend has another number of bytes than `offset`.
            UploadGone: it has no such upload any more.
            ApiError: it was refused, or how many bytes arrived is unknown.
        """
        headers = {
            **_VERSION,
            "Upload-Offset": str(offset),
            "Content-Type": OFFSETS,
            "Content-Length": str(size - offset),
        }
        call = self._open("PATCH", _path(document), organisation, headers=headers, content=content)
        async with call as response:
            if response.status_code in _UNKNOWN:
                raise UploadGone(request_id_of(response))
            await _raise_for(response)
            _expect(response, 204)
            return _offset(response, offset, size)

    async def remove(self, organisation: str, document: str) -> None:
        """Take away what the backend has of a document; nothing is well, too.

        Raises:
            ApiError: it was refused, or no usable answer came.
        """
        async with self._open("DELETE", _path(document), organisation, headers=_VERSION) as response:
            if response.status_code not in _UNKNOWN:
                await _raise_for(response)
                _expect(response, 204)


def _path(document: str) -> str:
    return f"{PATH}/{segment(document)}"


async def _raise_for(response: httpx.Response) -> None:
    """Raise what a failure status means (`reading.raise_for`), or that the upload stands elsewhere."""
    try:
        await raise_for(response)
    except ProblemAnswer as answer:
        if answer.code == ProblemCode.UPLOAD_OFFSET:
            raise UploadElsewhere(request_id_of(response)) from None
        raise


def _expect(response: httpx.Response, *statuses: int) -> None:
    if response.status_code not in statuses:
        raise BadAnswer("status", request_id_of(response), status=response.status_code)


def _offset(response: httpx.Response, least: int, size: int) -> int:
    """Return the offset that an answer tells.

    Raises:
        BadAnswer: this upload cannot have it.
    """
    text: Any = response.headers.get("upload-offset", "")
    whole: Any = response.headers.get("upload-length", str(size))
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= size and whole == str(size)):
        raise BadAnswer("offset", request_id_of(response), status=response.status_code)
    return int(text)
