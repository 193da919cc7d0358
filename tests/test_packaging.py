"""The wheel is whole: it holds its data and works in an environment that has nothing but its dependencies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout without network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_data_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for source in sorted((ROOT / "styles").glob("*.tcss")):
        assert f"kelmu_tui/styles/{source.name}" in names
    for folder in ("kelmu_tui", "kelmu_backend"):
        tracked = subprocess.run(
            ["git", "ls-files", folder], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.split()
        assert set(tracked) <= names, "the wheel lacks files of the checkout"
        assert f"{folder}/py.typed" in names
    assert not [name for name in names if name.startswith("tests/")]


def test_the_wheel_works_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """Unpacked into a folder of its own, with the installed dependencies but not the checkout on the path."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    dependencies = [p for p in sys.path if p.endswith("site-packages")]
    # -S keeps out the .pth file of the editable installation, which would bring the checkout back.
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(site), *dependencies]),
        "KELMU_HOME": str(tmp_path / "home"),
        "LANG": "C.UTF-8",
    }
    program = (
        "import kelmu_tui, kelmu_tui.platform.paths as p; assert p.styles().is_dir(), p.styles();"
        "from kelmu_tui.cli import main; raise SystemExit(main(['doctor', '--json']))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout.replace(str(Path(sys.prefix)), "")


@pytest.mark.timeout(600)
@pytest.mark.skipif(
    "KELMU_REQUIRE_ALL" not in os.environ, reason="makes an environment from the package index: for the full run"
)
def test_the_wheel_installs_into_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    """With the locked dependencies of a user, none of the developers': both commands start and find their data."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "clean")], check=True, timeout=120)
    place = tmp_path / "clean" / "bin"
    install = [str(place / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    locked = ["--require-hashes", "--requirement", str(ROOT / "requirements" / "run.txt")]
    for arguments in (locked, ["--no-deps", str(wheel)]):
        subprocess.run([*install, *arguments], cwd=tmp_path, check=True, capture_output=True, timeout=500)
    environment = {"PATH": os.environ["PATH"], "KELMU_HOME": str(tmp_path / "home"), "LANG": "C.UTF-8"}

    def said(*command: str) -> str:
        done = subprocess.run(
            [str(place / command[0]), *command[1:]],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout

    assert json.loads(said("kelmu", "doctor", "--json"))
    assert "Kelmu" in said("python", "-c", "from kelmu_tui.screens.house import KelmuApp; print(KelmuApp)")
    assert json.loads(said("kelmu-backend", "openapi")) == json.loads((ROOT / "docs" / "openapi.json").read_text())
    assert said("kelmu", "completion", "bash")
