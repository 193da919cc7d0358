"""The API's description: what each route documents, and the models of the contract it points to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from kelmu_backend.problems import MEDIA_TYPE
from kelmu_tui.api import contract

VERSION: Final = "1.0.0"
"""Version of the API; a change that breaks a client needs a new `/v`."""

_REF: Final = "#/components/schemas/{model}"
_PARAMETERS: Final = "#/components/parameters/"

_TITLES: Final = {
    400: "A header or parameter is missing or unusable",
    401: "Not signed in",
    403: "Not allowed for this organisation, or not signed by the chain's key",
    404: "There is no such thing, or it is somebody else's",
    409: "A rule refuses it, the same command is under way, or it does not fit into its chain",
    410: "The command is older than the memory of results",
    412: "The version has changed",
    413: "The body is too large",
    415: "The body is of a type that is not taken here",
    422: "The body is not valid, or the key was used for another command",
    423: "Somebody else does the same now",
    426: "The schema of the command is not known",
    428: "If-Match is missing",
    429: "Too many requests",
    460: "The bytes are not those of the checksum",
    500: "Something went wrong",
    503: "The record is not available",
}

_HEADERS: Final[dict[str, dict[str, Any]]] = {
    contract.HEADER_ORGANISATION: {
        "pattern": r"^[0-9]{7}-[0-9]$",
        "about": "Business ID of the organisation acted for",
    },
    contract.HEADER_IDEMPOTENCY: {
        "pattern": r"^[A-Za-z0-9._:=-]{1,80}$",
        "about": "The command's id; the same id has one effect and one answer for 90 days",
    },
    contract.HEADER_DEVICE: {
        "pattern": r"^[A-Za-z0-9._:=-]{1,80}$",
        "about": "The device's id; the one named at sign-in comes first",
        "optional": True,
    },
    contract.HEADER_LEASE: {"pattern": r"^[A-Za-z0-9._:=-]{1,80}$", "about": "Newest lease that the client knows"},
    contract.HEADER_SCHEMA: {"pattern": r"^[0-9]{1,4}$", "about": "Number of the command schema", "optional": True},
    contract.HEADER_VERSION: {"pattern": r'^"[1-9][0-9]{0,8}"$', "about": "Version that the command was given on"},
    "Tus-Resumable": {"pattern": r"^1\.0\.0$", "about": "Version of tus"},
    "Upload-Length": {"pattern": r"^[1-9][0-9]{0,7}$", "about": "Bytes of the whole document"},
    "Upload-Metadata": {
        "pattern": r"^document [A-Za-z0-9+/]{43,48}={0,2}$",
        "about": "`document` and its id in base64: a UUID that the client chooses",
    },
    "Upload-Offset": {"pattern": r"^[0-9]{1,8}$", "about": "Bytes that have come before these"},
    "Upload-Checksum": {
        "pattern": r"^sha256 [A-Za-z0-9+/]{43}=$",
        "about": "SHA-256 of this body in base64; bytes that do not fit it are not taken",
        "optional": True,
    },
    contract.HEADER_SIGNATURE: {
        "pattern": r"^[A-Za-z0-9_-]{86}$",
        "about": "Ed25519 signature of the body by the chain's key, base64url without padding",
    },
}


@dataclass(frozen=True, slots=True)
class Documentation:
    """What a route tells its readers.

    Args:
        answer: model of the answer with status 200; for a stream, the models of its lines.
        body: model of the request's body, None without one.
        stream: the answer is NDJSON.
        statuses: problems beyond those that follow from the declaration.
        headers: headers beyond those that follow from the declaration.
        empty: status of an answer that is its headers alone; `answer` counts for nothing then.
        content: media type of a body that is bytes.
    """

    summary: str
    answer: tuple[type[BaseModel], ...]
    body: type[BaseModel] | None = None
    stream: bool = False
    statuses: tuple[int, ...] = field(default=())
    headers: tuple[str, ...] = field(default=())
    empty: int | None = None
    content: str | None = None

    def responses(self, problems: Iterable[int]) -> dict[int | str, dict[str, Any]]:
        """Return the answers as OpenAPI describes them."""
        found: dict[int | str, dict[str, Any]]
        if self.empty is not None:
            found = {self.empty: {"description": "Done"}}
        else:
            refs = [{"$ref": _REF.format(model=model.__name__)} for model in self.answer]
            schema = refs[0] if len(refs) == 1 else {"oneOf": refs}
            media = "application/x-ndjson" if self.stream else "application/json"
            found = {200: {"description": "Done", "content": {media: {"schema": schema}}}}
        problem = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}}
        for status in sorted({*problems, *self.statuses}):
            found[status] = {"description": _TITLES[status], "content": problem}
        return found

    def operation(self, headers: Iterable[str], *, secured: bool) -> dict[str, Any]:
        """Return what the framework does not know of the route: headers, body, security."""
        found: dict[str, Any] = {"parameters": [{"$ref": _PARAMETERS + name} for name in (*headers, *self.headers)]}
        if secured:
            found["security"] = [{"bearer": []}]
        if self.content is not None:
            found["requestBody"] = {"content": {self.content: {"schema": {"type": "string", "format": "binary"}}}}
        if self.body is not None:
            schema = {"$ref": _REF.format(model=self.body.__name__)}
            found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        return found


def _models() -> list[type[BaseModel]]:
    found = [value for value in vars(contract).values() if isinstance(value, type) and issubclass(value, BaseModel)]
    return [model for model in found if model not in (BaseModel, contract.Request, contract.Answer)]


def install(app: FastAPI) -> None:
    """Let the app describe itself with the contract's models."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _describe(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title="Kelmu",
        version=VERSION,
        openapi_version="3.1.0",
        summary="Kela's notices, their transfers and service announcements",
        routes=app.routes,
    )
    _, definitions = models_json_schema(
        [(model, "serialization" if issubclass(model, contract.Answer) else "validation") for model in _models()],
        ref_template=_REF,
    )
    components = found.setdefault("components", {})
    components.setdefault("schemas", {}).update(definitions["$defs"])
    components["schemas"].pop("HTTPValidationError", None)
    components["schemas"].pop("ValidationError", None)
    components["parameters"] = {
        name: {
            "name": name,
            "in": "header",
            "required": not about.get("optional", False),
            "description": about["about"],
            "schema": {"type": "string", "pattern": about["pattern"]},
        }
        for name, about in _HEADERS.items()
    }
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    return found
