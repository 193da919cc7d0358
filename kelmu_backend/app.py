"""The application: sign-in and the API over one core, and the loop that keeps time."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI

from kelmu_backend import feed, openapi, web
from kelmu_backend.background import Background
from kelmu_backend.config import Config
from kelmu_backend.core import Core
from kelmu_backend.identity.routes import router as sign_in
from kelmu_backend.limits import RateClass
from kelmu_backend.routes import claims as claim_routes
from kelmu_backend.routes import customers as customer_routes
from kelmu_backend.routes import feed as feed_routes
from kelmu_backend.routes import follows as follow_routes
from kelmu_backend.routes import lists as list_routes
from kelmu_backend.routes import notices as notice_routes
from kelmu_backend.routes import sendings as sending_routes
from kelmu_backend.routes import session as session_routes
from kelmu_backend.routes import supervision as supervision_routes
from kelmu_backend.routes import uploads as upload_routes
from kelmu_backend.routes import views as view_routes
from kelmu_backend.routes.declare import (
    ANY_GRANT,
    NOT_AUDITED,
    Declaration,
    Key,
    Match,
    Scope,
    check,
    declare,
    endpoints,
)

log = logging.getLogger("kelmu_backend")

_SIGN_IN: Final = Declaration(
    scope=Scope.PUBLIC,
    capability=ANY_GRANT,
    key=Key.NONE,
    match=Match.NONE,
    rate=RateClass.PUBLIC,
    audit=NOT_AUDITED,
)
"""The demo's persona picker comes before anybody is signed in; sign-in keeps limits and a journal of its own."""

_SIGN_IN_PATHS: Final = frozenset({"/v1/demo/personas", "/v1/demo/approve"})


def create_app(config: Config) -> FastAPI:
    """Return the backend as an ASGI application; the record must have been migrated.

    Raises:
        UndeclaredRoute: a route of the API does not say what it needs.
        KeyProblem: the keys of sign-in are missing or not fit.
    """
    core = Core(config)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        with core.database.write() as connection:
            feed.ensure(connection, config.ids)
        core.hub.start()
        background = Background(core)
        if config.background:
            background.start()
        try:
            yield
        finally:
            core.hub.close()
            await background.close()
            core.close()

    # No description and no documentation pages on the server: they are in `docs/`.
    app = FastAPI(title="Kelmu", openapi_url=None, docs_url=None, redoc_url=None, lifespan=life)
    app.state.core = core
    for module in (
        session_routes,
        feed_routes,
        notice_routes,
        view_routes,
        customer_routes,
        follow_routes,
        claim_routes,
        list_routes,
        upload_routes,
        sending_routes,
        supervision_routes,
    ):
        module.add(app.router)
    identity = sign_in(config, core.database)
    for path, endpoint in endpoints(identity.routes):
        if path in _SIGN_IN_PATHS:
            declare("GET", path, endpoint, _SIGN_IN)
    app.include_router(identity)
    web.install_handlers(app)
    openapi.install(app)
    app.add_middleware(web.Frame, ids=config.ids)
    check(app)
    return app
