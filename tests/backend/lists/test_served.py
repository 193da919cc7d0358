"""The demo as it is started: a real process whose lists and invoices are there for whoever has the mandate."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from kelmu_backend import serve
from kelmu_backend.config import Config
from kelmu_backend.database.engine import Database
from kelmu_backend.identity import families, keys, tokens
from kelmu_backend.identity.families import Family
from kelmu_tui.api import contract
from kelmu_tui.domain.organisations import municipal_authority
from kelmu_tui.platform.clock import SystemClock
from tests.backend.test_cli import running, url_of

CHECKER = "persona-invoice-checker"
NOKIA = municipal_authority("536")


def _token(folder: Path, url: str) -> str:
    """Return an access token for the served record, by sign-in's own code."""
    now = SystemClock().now()
    config = Config(serve.database_url(folder), url, demo=True, secret_folder=folder / "secrets")
    database = Database(config.database_url)
    family = Family("f" * 32, CHECKER, "kelmu-tui", None, now + timedelta(days=1))
    with database.write() as connection:
        families.start(connection, keys.ring(config), family, "test", "s" * 43, now)
    database.dispose()
    return tokens.issue(config, family, now)[0]


@pytest.mark.parametrize("arguments", [(), ("--clean-invoices",)])
def test_a_demo_has_lists_and_its_invoices_hold_mistakes_unless_told_not_to(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with running(tmp_path, *arguments) as (process, ready):
        url = url_of(process, ready)
        headers = {
            "Authorization": f"Bearer {_token(tmp_path / 'data', url)}",
            contract.HEADER_ORGANISATION: NOKIA.business_id,
        }

        def get(path: str) -> httpx.Response:
            answer = httpx.get(url + path, headers=headers, timeout=60)
            assert answer.status_code == 200, answer.text
            return answer

        offers = contract.ListOffers.model_validate_json(get("/v1/lists").content)
        invoices = contract.Invoices.model_validate_json(get("/v1/invoices").content)
        come = {(one.list_id, found.period) for one in offers.lists for found in one.publications}
        wrong = 0
        for head in invoices.invoices:
            if (head.list_id, head.period) in come:
                column = str(contract.billed_column(head.list_id))
                lines = [json.loads(line) for line in get(f"/v1/lists/{head.list_id}/{head.period}/rows").iter_lines()]
                sums: list[Any] = [line["row"][column] for line in lines if line["line"] == "row"]
                wrong += None in sums or sum(map(Decimal, sums), Decimal()) != head.total
    assert len(invoices.invoices) > 30
    assert bool(wrong) == (not arguments)
