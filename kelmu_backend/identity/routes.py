"""The routes of sign-in as one router: OAuth endpoints, the pages, and in demo mode their stand-in."""

from __future__ import annotations

from fastapi import APIRouter

from kelmu_backend.identity import demo, keys
from kelmu_backend.identity.oauth import AuthorizationServer
from kelmu_backend.identity.pages import SignInPages
from kelmu_backend.identity.ports import Settings, Transactions


def router(config: Settings, database: Transactions) -> APIRouter:
    """Return all routes of sign-in.

    Raises:
        KeyProblem: the keys are missing or not fit; the server must not start.
    """
    keys.ring(config)
    routes = APIRouter()
    routes.include_router(AuthorizationServer(config, database).router())
    routes.include_router(SignInPages(config, database).router())
    if config.demo:
        routes.include_router(demo.router(config, database))
    return routes
