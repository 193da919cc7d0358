"""Problems the backend answers with: RFC 9457 bodies with stable codes, never a value, a path or SQL.

ProblemError
├── Refusals that a command remembers: 403, 404, 409, 410, 412, 422 — the same bytes meet the same answer
└── Answers that pass: 400, 401, 413, 426, 428, 429, 5xx — nothing was decided, asking again may help
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from kelmu_tui.api.contract import ProblemCode

MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final[Mapping[ProblemCode, tuple[int, str]]] = {
    ProblemCode.UNAUTHENTICATED: (401, "Sign in first"),
    ProblemCode.MANDATE_MISSING: (403, "No mandate opens this"),
    ProblemCode.ORGANISATION_NOT_ALLOWED: (403, "You cannot act for this organisation"),
    ProblemCode.NOT_FOUND: (404, "There is no such thing"),
    ProblemCode.VERSION_CONFLICT: (412, "Somebody was faster"),
    ProblemCode.RULE_REFUSED: (409, "A rule does not allow this"),
    ProblemCode.INVALID_REQUEST: (422, "The request is not valid"),
    ProblemCode.IDEMPOTENCY_KEY_MISSING: (400, "The Idempotency-Key is missing"),
    ProblemCode.IDEMPOTENCY_KEY_REUSED: (422, "The Idempotency-Key was used for another command"),
    ProblemCode.IDEMPOTENCY_IN_PROGRESS: (409, "The same command is being carried out"),
    ProblemCode.VERSION_REQUIRED: (428, "If-Match is missing"),
    ProblemCode.COMMAND_EXPIRED: (410, "The command is too old"),
    ProblemCode.SCHEMA_UNKNOWN: (426, "The program needs an update"),
    ProblemCode.VIEW_CHAIN_TAKEN: (409, "The chain belongs to another user or another key"),
    ProblemCode.VIEW_CHAIN_GAP: (409, "Events before these have not arrived"),
    ProblemCode.VIEW_CHAIN_FORKED: (409, "Another event stands in the record under this number"),
    ProblemCode.VIEW_CHAIN_FORGED: (409, "The event does not fit into its chain"),
    ProblemCode.VIEW_SIGNATURE_WRONG: (403, "The signature is not that of the chain's key"),
    ProblemCode.CUSTOMER_CODE_INVALID: (422, "This is no identity code"),
    ProblemCode.PURPOSE_NOT_ALLOWED: (422, "The organisation cannot name this purpose"),
    ProblemCode.REASON_NEEDED: (422, "A reason is needed"),
    ProblemCode.LOOKUPS_SPENT: (429, "Too many customers were looked up"),
    ProblemCode.LOOKUPS_PAUSED: (429, "Look-ups pause after codes that nobody has"),
    ProblemCode.LIST_WITHDRAWN: (410, "The list was withdrawn"),
    ProblemCode.LIST_REPUBLISHED: (409, "The list was published anew"),
    ProblemCode.UPLOAD_TOO_LARGE: (413, "The document is too large, or longer than was announced"),
    ProblemCode.UPLOADS_FULL: (409, "Too much has been uploaded and not sent"),
    ProblemCode.UPLOAD_TAKEN: (409, "The document's id stands for another upload"),
    ProblemCode.UPLOAD_OFFSET: (409, "These bytes do not follow those that are there"),
    ProblemCode.UPLOAD_CHECKSUM: (460, "The bytes are not those of the checksum"),
    ProblemCode.UPLOAD_BUSY: (423, "Somebody else sends bytes of the same document"),
    ProblemCode.UPLOAD_GONE: (410, "The upload is over: begin it anew"),
    ProblemCode.TOO_MANY_REQUESTS: (429, "Too many requests"),
    ProblemCode.SERVICE_BREAK: (503, "The service is not available now"),
    ProblemCode.INTERNAL: (500, "Something went wrong"),
}
"""Status and title of each code."""

REMEMBERED: Final = frozenset(
    {
        ProblemCode.MANDATE_MISSING,
        ProblemCode.ORGANISATION_NOT_ALLOWED,
        ProblemCode.NOT_FOUND,
        ProblemCode.VERSION_CONFLICT,
        ProblemCode.RULE_REFUSED,
        ProblemCode.INVALID_REQUEST,
        ProblemCode.COMMAND_EXPIRED,
        ProblemCode.PURPOSE_NOT_ALLOWED,
        ProblemCode.REASON_NEEDED,
    }
)
"""Codes of deterministic refusals: a repeated command gets them again from the memory of results."""


class ProblemError(Exception):
    """An answer that is a problem.

    Args:
        code: its stable code; status and title follow from it.
        status: another status than the code's own, for malformed requests.
        rule: the `domain.notices.Refusal`, `domain.following.FollowRefusal`, `domain.claims.life.ClaimRefusal`, rule of
            claims or `domain.documents.SendRefusal` that spoke.
        current: the present row of the notice, trace, follow, claim or sending, as the asker may see it.
        head: the last event of a chain of views that client and record share.
        detail: the fault of a document, for the rule that refuses it.
        errors: what was wrong where in the request; names of fields only, never what stood in them.
        headers: headers of the answer.
    """

    def __init__(
        self,
        code: ProblemCode,
        *,
        status: int | None = None,
        rule: str | None = None,
        current: Mapping[str, Any] | None = None,
        head: Mapping[str, Any] | None = None,
        detail: str | None = None,
        errors: list[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code.value)
        self.code = code
        self.status = status or STATUS[code][0]
        self.rule = rule
        self.current = current
        self.head = head
        self.detail = detail
        self.errors = errors or []
        self.headers = dict(headers or {})

    @property
    def outcome(self) -> str:
        """What the audit log says: the rule that refused, else the code."""
        return self.rule or self.code.value

    def body(self, request_id: str | None = None) -> dict[str, Any]:
        """Return the body of the answer; the request id is added when it is sent, for it differs on a repetition."""
        return {
            "type": "about:blank",
            "title": STATUS[self.code][1],
            "status": self.status,
            "code": self.code.value,
            "detail": self.detail,
            "request_id": request_id,
            "rule": self.rule,
            "errors": self.errors,
            "current": self.current,
            "head": self.head,
        }


def not_found() -> ProblemError:
    """Return the one answer for what does not exist and for what belongs to somebody else."""
    return ProblemError(ProblemCode.NOT_FOUND)


def invalid(failure: ValidationError) -> ProblemError:
    """Return the problem of a body that does not validate: places and kinds of the mistakes, no values."""
    errors = [
        f"{'.'.join(str(part) for part in mistake['loc']) or 'body'}: {mistake['type']}"
        for mistake in failure.errors(include_url=False, include_context=False, include_input=False)
    ]
    # The name of an unknown field is the sender's own text: it is not sent back.
    errors = ["body: extra_forbidden" if error.endswith(": extra_forbidden") else error for error in errors]
    return ProblemError(ProblemCode.INVALID_REQUEST, errors=errors[:20])


def malformed(*errors: str) -> ProblemError:
    """Return the problem of a request whose headers or parameters are not usable (400)."""
    return ProblemError(ProblemCode.INVALID_REQUEST, status=400, errors=list(errors))
