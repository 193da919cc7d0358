"""What every command does with its request, whatever it is a command on."""

from __future__ import annotations

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from kelmu_backend import commands, rows
from kelmu_backend.commands import Apply, Envelope, Kind, Verdict
from kelmu_backend.identity.tokens import Principal
from kelmu_backend.problems import MEDIA_TYPE
from kelmu_backend.routes.call import Call, json_response


async def carry_out(
    call: Call,
    request: Request,
    kind: Kind,
    subject: str,
    verb: str,
    apply: Apply | None = None,
) -> Response:
    """Carry out a command on `subject`, or answer as the first time, and wake whoever waits for what it changed.

    Raises:
        ProblemError: an answer that is not remembered.
    """
    call.check_schema()
    # The bytes themselves are part of the command: a repetition has to bring the same ones.
    body = await request.body()
    capability = call.declaration.capability
    assert capability is not None

    def work(connection: Connection, principal: Principal) -> Verdict:
        given = call.command(principal.device)
        envelope = Envelope(
            user=principal.user,
            device=given.device,
            organisation=call.organisation or "",
            subject=subject,
            verb=verb,
            key=given.key,
            version=given.version,
            lease=given.lease,
            body=body,
            request_id=call.request_id,
            kind=kind,
        )
        return commands.run(connection, envelope, capability, call.core.leases, call.core.config.clock.now(), apply)

    verdict = await call.write(work)
    if verdict.change is not None:
        call.core.hub.committed(verdict.change)
    if verdict.status == 200:
        return json_response(verdict.body)
    answer = verdict.body | {"request_id": call.request_id}
    return Response(rows.encode(answer), verdict.status, media_type=MEDIA_TYPE)
