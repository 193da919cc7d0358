"""What can go wrong with the backend, as one tree; nothing else ever leaves `kelmu_tui.api`.

    ApiError                 code, retryable, request_id
    ├── Unreachable          no answer: refused, unknown host, cut connection, bad certificate
    │   └── Timeout          no answer in time
    ├── BadAnswer            an answer that is not ours: garbage, HTML, wrong JSON, half a body, a redirect
    ├── ListStopped          the backend ended a stream of rows before its end, and said why
    ├── UploadGone           the backend has no such upload, or not any more
    ├── UploadElsewhere      an upload stands somewhere else than was thought
    └── ProblemAnswer        the backend's own problem document, or a status that speaks for itself
        ├── SignInNeeded     401: the token is over and could not be renewed
        └── UpdateNeeded     426: this client is too old

Messages hold codes only: no address, no header, no body, since errors end in logs and on screens.
"""

from __future__ import annotations

from typing import Final

from kelmu_tui.api.contract import Problem, ProblemCode

RETRYABLE_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524, 529})
"""Statuses that say "not now": from the backend or from whatever stands in front of it."""


class ApiError(Exception):
    """Base of all failures of a call.

    Attributes:
        code: stable name; the faces have a text for each.
        retryable: the same call may succeed later without anybody doing anything.
        request_id: what the user can tell the support; empty when no request was made.
        retry_after: seconds that the backend asked to wait, if it did.
    """

    code: str = "internal"
    retryable: bool = False

    def __init__(self, request_id: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(self.code)
        self.request_id = request_id
        self.retry_after = retry_after


class Unreachable(ApiError):
    """No answer came; whether the request arrived is unknown."""

    code = "unreachable"
    retryable = True


class Timeout(Unreachable):
    """No answer came in time."""

    code = "timeout"


class BadAnswer(ApiError):
    """Something answered that is not the backend, or not all of it arrived; `why` says what was wrong with it.

    It is retryable: a sign-in page of a hotel network or a half body goes away by itself.
    """

    code = "bad_answer"
    retryable = True

    def __init__(self, why: str, request_id: str = "", *, status: int | None = None) -> None:
        super().__init__(request_id)
        self.args = (self.code, why)
        self.why = why
        self.status = status


class ListStopped(ApiError):
    """The rows of a list stopped coming: the list does not stand any more, or the mandate ended; `code` says which."""

    def __init__(self, code: ProblemCode, request_id: str = "") -> None:
        self.code = code.value
        self.retryable = code in _PASSING
        super().__init__(request_id)


class UploadGone(ApiError):
    """The backend has no such upload, or not any more: it has to be created (again)."""

    code = ProblemCode.UPLOAD_GONE.value
    retryable = True


class UploadElsewhere(ApiError):
    """The upload stands somewhere else than was thought: it has to be asked."""

    code = ProblemCode.UPLOAD_OFFSET.value
    retryable = True


class ProblemAnswer(ApiError):
    """The backend answered with a problem; `problem` is None when only its status could be read."""

    def __init__(
        self,
        status: int,
        problem: Problem | None = None,
        request_id: str = "",
        *,
        retry_after: float | None = None,
    ) -> None:
        self.code = problem.code.value if problem is not None else _CODE_OF_STATUS.get(status, "internal")
        self.retryable = is_retryable(status, problem)
        super().__init__(request_id, retry_after=retry_after)
        self.status = status
        self.problem = problem


class SignInNeeded(ProblemAnswer):
    """The session is over: nothing is lost, but somebody has to sign in."""

    def __init__(self, problem: Problem | None = None, request_id: str = "") -> None:
        super().__init__(401, problem, request_id)
        self.code = ProblemCode.UNAUTHENTICATED.value
        self.retryable = False


class UpdateNeeded(ProblemAnswer):
    """The backend no longer speaks this client's schema."""

    def __init__(self, problem: Problem | None = None, request_id: str = "") -> None:
        super().__init__(426, problem, request_id)
        self.code = ProblemCode.SCHEMA_UNKNOWN.value
        self.retryable = False


_PASSING: Final = frozenset(
    {
        ProblemCode.SERVICE_BREAK,
        ProblemCode.TOO_MANY_REQUESTS,
        ProblemCode.INTERNAL,
        # The token ended while the rows came; the next call renews it, or says that somebody has to sign in.
        ProblemCode.UNAUTHENTICATED,
    }
)
"""Codes that say "not now" where there is no status."""
_CODE_OF_STATUS: Final = {
    401: ProblemCode.UNAUTHENTICATED.value,
    426: ProblemCode.SCHEMA_UNKNOWN.value,
    429: ProblemCode.TOO_MANY_REQUESTS.value,
    502: ProblemCode.SERVICE_BREAK.value,
    503: ProblemCode.SERVICE_BREAK.value,
    504: ProblemCode.SERVICE_BREAK.value,
}


_NOT_NOW: Final = frozenset(
    {
        ProblemCode.IDEMPOTENCY_IN_PROGRESS,
        # A request of ours that was cut may still hold the document, and what waits to be sent makes room.
        ProblemCode.UPLOAD_BUSY,
        ProblemCode.UPLOADS_FULL,
        ProblemCode.UPLOAD_CHECKSUM,
    }
)
"""Codes that pass, whatever the status."""


def is_retryable(status: int, problem: Problem | None) -> bool:
    """Tell whether an answer means "not now" and not "no"."""
    if problem is not None and problem.code in _NOT_NOW:
        return True
    return status in RETRYABLE_STATUSES or status >= 500
