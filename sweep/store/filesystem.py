"""Where a store lies, and whether it still does: its write-ahead log is for one file and one machine only."""

from __future__ import annotations

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
# Types as Linux names them: of other machines, or of the machine that this one is a guest of.
NETWORK_TYPES = {
    *(
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
    ),
    *("ocfs2", "orangefs", "pvfs2", "smb3", "smbfs", "vboxsf", "fuse.ceph", "fuse.glusterfs", "fuse.juicefs"),
    *("fuse.rclone", "fuse.s3fs", "fuse.sshfs", "fuse.vmhgfs-fuse"),
}
OCTAL = re.compile(r"\\([0-7]{3})")


def network_type(path: Path) -> str | None:
    """Return the type of the network file system that a path is on; None if it is local, or not known to be one."""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:  # not Linux
        return None
    # The last of equals: what is mounted over another hides it.
    above = [mount for mount in map(_mount, reversed(mounts)) if path.is_relative_to(mount[0])]
    kind = max(above, key=_depth, default=("", ""))[1]
    return kind if kind in NETWORK_TYPES else None


def leads_to(path: Path, file: os.stat_result) -> bool:
    """Return whether a path leads to a file that it led to before: not if that was deleted, moved or replaced."""
    try:
        return os.path.samestat(path.stat(), file)
    except OSError:
        return False


def _mount(line: str) -> tuple[str, str]:
    """Return (mount point, type): the fifth field, and the first one after the dash (proc(5))."""
    fields, _, rest = line.partition(" - ")
    return OCTAL.sub(lambda match: chr(int(match[1], 8)), fields.split(" ")[4]), rest.split(" ")[0]


def _depth(mount: tuple[str, str]) -> int:
    return len(Path(mount[0]).parts)
