"""Where things lie on disk: every path of the program is resolved here and printed by `kelmu doctor`.

Data goes under the platform's data folder, never a cache or temporary folder, since the ledger may hold commands
that exist nowhere else. Folders are 0700 and files 0600 whatever the umask says.
"""

import os
import stat
from pathlib import Path
from typing import Final, NamedTuple

HOME_VARIABLE: Final = "KELMU_HOME"
"""Environment variable that moves data and settings to another folder: tests, portable installations."""

NETWORK_FILE_SYSTEMS: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "sshfs", "fuse.sshfs", "afs"})
"""On these neither `flock` nor SQLite's shared memory can be relied upon."""


class UnsafePath(OSError):
    """A folder or file is not ours alone; `path` names it and `why` is `owner`, `mode` or `symlink`."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class Profile(NamedTuple):
    """One separate world of data and settings; `default`, or `demo` for the demo.

    An `ephemeral` one lies in memory: its keys are kept in no file, and its settings are read but not written.
    """

    name: str
    root: Path
    settings: Path
    ephemeral: bool = False

    @property
    def users(self) -> Path:
        """Folder with one folder of encrypted files for each user."""
        return self.root / "users"

    @property
    def backend(self) -> Path:
        """Folder of the embedded backend (demo)."""
        return self.root / "backend"

    @property
    def reports(self) -> Path:
        """Folder of crash reports; they hold no values."""
        return self.root / "reports"


def profile(name: str) -> Profile:
    """Return the profile called `name` without touching the disk."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        base = Path(home)
        return Profile(name, base / "data" / name, base / "settings.toml")
    import platformdirs

    data = platformdirs.user_data_path("kelmu", appauthor=False)
    return Profile(name, data / name, platformdirs.user_config_path("kelmu", appauthor=False) / "settings.toml")


def private_folder(path: Path) -> Path:
    """Make `path` and check that it is a folder of ours that nobody else can enter.

    Raises:
        UnsafePath: it is a symbolic link or belongs to somebody else.
    """
    for missing in reversed([parent for parent in path.parents if not parent.exists()]):
        # Not by `parents=True`: that gives the folders above the mode of the umask.
        missing.mkdir(mode=0o700, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise UnsafePath(path, "symlink")
    if hasattr(os, "getuid") and found.st_uid != os.getuid():
        raise UnsafePath(path, "owner")
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o700)
    return path


def file_system(path: Path, mounts: str | None = None) -> str:
    """Return the type of the file system that `path` lies on, `?` where the system does not tell."""
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return "?"
    # As text: there may be dozens of mounts, and a path for each would take longer than opening the store.
    above = {str(place) for place in (path, *path.parents)}
    best, kind = "", "?"
    for line in mounts.splitlines():
        parts = line.split()
        if len(parts) < 3:
            continue
        point = parts[1].replace("\\040", " ")
        if point in above and len(point) >= len(best):
            best, kind = point, parts[2]
    return kind


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only we may read: a temporary sibling, synced, then renamed over the old one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_new(path: Path, data: bytes) -> None:
    """Write a file that only we may read, where there is none yet: what is there is never written over.

    Raises:
        FileExistsError: there is something of that name, be it a link to nothing.
        OSError: it could not be written; nothing of it is left.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def sync_folder(path: Path) -> None:
    """Make renames and deletions in a folder durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def styles() -> Path:
    """Return the folder of the style sheets: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "styles"
    return inside if inside.is_dir() else package.parent / "styles"
