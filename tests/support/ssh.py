"""A real SSH server on loopback, with keys, host and user of its own."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.requirements import program


@dataclass(frozen=True, slots=True)
class SshServer:
    """Where the server listens and how to log in."""

    port: int
    folder: Path

    def command(self, *remote: str, terminal: bool = True) -> list[str]:
        """Return the arguments of the `ssh` client that runs `remote`, in a terminal of its own when asked."""
        return [
            program("ssh"),
            *(["-tt"] if terminal else ["-T"]),
            *("-F", "none", "-p", str(self.port), "-i", str(self.folder / "user_key")),
            *("-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}"),
            *("-o", "StrictHostKeyChecking=yes", "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes"),
            f"{getpass.getuser()}@127.0.0.1",
            *remote,
        ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _key(path: Path) -> str:
    subprocess.run(
        [program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True, capture_output=True
    )
    return path.with_suffix(".pub").read_text()


@contextlib.contextmanager
def ssh_server(folder: Path, environment: Mapping[str, str]) -> Iterator[SshServer]:
    """Run `sshd` for the present user; sessions get `environment` besides what the server gives them."""
    daemon = program("sshd")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    port = _free_port()
    host_key = _key(folder / "host_key")
    (folder / "authorized_keys").write_text(_key(folder / "user_key"))
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
    settings = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {folder / 'host_key'}",
        f"AuthorizedKeysFile {folder / 'authorized_keys'}",
        f"PidFile {folder / 'sshd.pid'}",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "PermitRootLogin prohibit-password",
        "PrintMotd no",
        "SetEnv " + " ".join(f'"{name}={value}"' for name, value in environment.items()),
    ]
    (folder / "sshd_config").write_text("\n".join(settings) + "\n")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # the daemon of Debian insists on it
    log = (folder / "sshd.log").open("wb")
    server = subprocess.Popen([daemon, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
    try:
        _wait_for(port, server, folder / "sshd.log")
        yield SshServer(port, folder)
    finally:
        server.terminate()
        server.wait(10)
        log.close()


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 15
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
    raise AssertionError(f"sshd did not start: {log.read_text()}")
