"""The server's keys: made only for a demo, private, rotated without disturbing anybody."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from kelmu_backend.identity import keys, routes, tokens
from tests.identity.conftest import START, HandClock, House


def _files(house: House) -> list[Path]:
    return sorted((house.config.secret_folder / keys.FOLDER).iterdir())


def test_a_demo_makes_its_keys_private(house: House) -> None:
    folder = house.config.secret_folder / keys.FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in _files(house)] == [0o600, 0o600]
    before = [path.read_bytes() for path in _files(house)]
    keys.create(house.config.secret_folder, START, demo=True)
    assert [path.read_bytes() for path in _files(house)] == before


def test_a_real_server_does_not_start_without_keys(real_house: House) -> None:
    for path in _files(real_house):
        path.unlink()
    with pytest.raises(keys.KeyProblem):
        routes.router(real_house.config, real_house.database)
    assert _files(real_house) == []


def test_a_real_server_refuses_the_keys_of_a_demo(tmp_path: Path) -> None:
    keys.create(tmp_path, START, demo=True)
    with pytest.raises(keys.KeyProblem, match="demonstration"):
        keys.load(tmp_path, demo=False)
    assert keys.load(tmp_path, demo=True).published()["keys"]


@pytest.mark.parametrize("name", ["hash.json", "signing"])
@pytest.mark.parametrize("harm", ["open", "link", "damaged", "list", "empty"])
def test_keys_that_are_not_fit_are_refused(tmp_path: Path, name: str, harm: str) -> None:
    keys.create(tmp_path, START)
    path = next((tmp_path / keys.FOLDER).glob(f"{name}*"))
    match harm:
        case "open":
            path.chmod(0o644)
        case "link":
            path.rename(tmp_path / "elsewhere")
            path.symlink_to(tmp_path / "elsewhere")
        case "damaged":
            path.write_text("{", encoding="utf-8")
        case "list":
            path.write_text("[]", encoding="utf-8")
        case "empty":
            path.write_text(json.dumps({"demo": False}), encoding="utf-8")
    with pytest.raises(keys.KeyProblem) as failure:
        keys.load(tmp_path, demo=False)
    assert str(tmp_path) not in str(failure.value)


def test_rotation_lets_old_tokens_live_and_drops_old_keys(house: House) -> None:
    clock: HandClock = house.clock
    held = house.sign_in()
    first = keys.ring(house.config).signing(clock.now()).kid
    second = keys.rotate(house.config.secret_folder, clock.now())
    assert keys.ring(house.config).signing(clock.now()).kid == first
    published = house.http.get("/.well-known/jwks.json").json()["keys"]
    assert {key["kid"] for key in published} == {first, second}
    clock.pass_by(minutes=9)
    held = house.refresh(held["refresh_token"])[1]
    clock.pass_by(minutes=1)
    assert keys.ring(house.config).signing(clock.now()).kid == second
    newer = house.refresh(held["refresh_token"])[1]
    for token in (held["access_token"], newer["access_token"]):
        assert tokens.verify_access_token(house.config, house.database, token, clock.now()).user == "aino"
    clock.pass_by(minutes=45)
    keys.rotate(house.config.secret_folder, clock.now())
    assert keys.ring(house.config).find(first) is None
    assert keys.ring(house.config).find(second) is not None


def test_every_purpose_has_its_own_digests(house: House) -> None:
    ring = keys.ring(house.config)
    assert len({ring.keyed(purpose, "BCDFGHJKLM") for purpose in ("user code", "form", "source")}) == 3
