# SPDX-License-Identifier: Apache-2.0
"""From packages and wheels to what QEMU boots: a kernel and an initial RAM filesystem.

Needs neither root nor a loop device: `dpkg-deb -x` into a folder, and a cpio archive of it. The
folder is kept; what changes with the repository (our wheel, files of the test) is put on top.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from . import cpio, debian, modules, wheels
from .release import Release

_HERE = Path(__file__).parent
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_MERGED = ("bin", "sbin", "lib", "lib64")
_USELESS = f"""
usr/share/doc usr/share/man usr/share/locale usr/share/info usr/share/alsa usr/share/bug
usr/share/lintian usr/share/gdb usr/share/gcc usr/share/glib-2.0 usr/lib/debug {_LIBRARIES}/gconv
"""
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"
    "messagebus:x:100:100::/run/dbus:/bin/false\n"
    "user:x:1000:1000::/tmp:/bin/sh\n",
    "etc/group": "root:x:0:\nmessagebus:x:100:\nbluetooth:x:101:\nuser:x:1000:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
}


@dataclass(frozen=True)
class BootFiles:
    """What QEMU is given, and the versions of what is inside, by package."""

    kernel: Path
    initramfs: Path
    versions: Mapping[str, str]


def boot_files(release: Release, scratch: Path, files: Mapping[str, Path]) -> BootFiles:
    """Make them in `scratch`; `files` are copied into the machine's `/work` by name.

    Skips the test where something can't be downloaded.
    """
    release.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(release.folder / "lock", timeout=900):
        packages = debian.download(release)
        base = _base(release, packages)
    site = scratch / "top" / "site"
    site.mkdir(parents=True)
    wheels.install_ours(release, site, scratch)
    _compile(release, base / "tree", site)
    for name, source in files.items():
        target = scratch / "top" / "work" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    initramfs = scratch / "initramfs.cpio"
    with initramfs.open("wb") as archive:
        cpio.write_archive(base / "tree", archive)
        cpio.write_archive(scratch / "top", archive)
    told = ("bluez", "linux-image", f"python{release.python}-minimal")
    versions = {name: debian.version(packages[name]) for name in told}
    return BootFiles(base / "vmlinuz", initramfs, versions)


def _base(release: Release, packages: Mapping[str, Path]) -> Path:
    """Return the folder with `vmlinuz` and `tree`, made anew if what it is made of has changed."""
    digest = hashlib.sha256()
    for name in sorted(packages):
        digest.update(packages[name].name.encode() + b"\n")
    for source in (wheels.REQUIREMENTS, *sorted(_HERE.glob("*.py")), *_guest_files()):
        digest.update(source.read_bytes())
    base = release.folder / "base"
    stamp = base / "made-of"
    if stamp.is_file() and stamp.read_text() == digest.hexdigest():
        return base
    shutil.rmtree(base, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=release.folder) as scratch:
        made = Path(scratch, "base")
        made.mkdir()
        _make_base(release, packages, made, Path(scratch))
        (made / "made-of").write_text(digest.hexdigest())
        made.replace(base)
    return base


def _make_base(release: Release, packages: Mapping[str, Path], base: Path, scratch: Path) -> None:
    tree = base / "tree"
    for name in release.packages:
        debian.unpack(packages[name], tree)
    for useless in _USELESS.split():
        shutil.rmtree(tree / useless, ignore_errors=True)
    for name in _MERGED:
        _merge_into_usr(tree, name)
    (tree / "usr" / "bin" / "python3").symlink_to(f"python{release.python}")
    for name, text in _FILES.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tree / "var").mkdir(exist_ok=True)
    shutil.rmtree(tree / "var" / "run", ignore_errors=True)
    (tree / "var" / "run").symlink_to("/run")
    kernel = scratch / "kernel"
    debian.unpack(packages["linux-image"], kernel)
    (image,) = (kernel / "boot").glob("vmlinuz-*")
    image.replace(base / "vmlinuz")
    (folder,) = (*kernel.glob("lib/modules/*"), *kernel.glob("usr/lib/modules/*"))
    order = modules.copy_modules(folder, tree / "modules")
    (tree / "modules" / "order").write_text("\n".join(order) + "\n")
    (tree / "agent").mkdir()
    for source in _guest_files():
        shutil.copy(source, tree / ("." if source.name == "init" else "agent"))
    (tree / "init").chmod(0o755)
    site = tree / "site"
    wheels.install_dependencies(release, site)
    _compile(release, tree, site, tree / "agent", tree / "usr" / "lib" / f"python{release.python}")


def _merge_into_usr(tree: Path, name: str) -> None:
    """Make `/lib` a link to `/usr/lib`, and so on, as every Debian is since bookworm."""
    source, target = tree / name, tree / "usr" / name
    target.mkdir(parents=True, exist_ok=True)
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(source)
    source.unlink(missing_ok=True)
    source.symlink_to(f"usr/{name}")


def _compile(release: Release, tree: Path, *folders: Path) -> None:
    """Compile Python files out here, with the machine's Python: emulated, it takes minutes.

    Where that Python does not run (no x86-64) they are compiled in there, when they are imported.
    """
    libraries = tree / _LIBRARIES
    command = [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", str(libraries)]
    command += [str(tree / "usr" / "bin" / f"python{release.python}"), "-S", "-m", "compileall"]
    command += ["-q", "-j", "2", "--invalidation-mode", "unchecked-hash"]
    environment = {"PYTHONHOME": str(tree / "usr"), "LANG": "C.UTF-8"}
    try:
        subprocess.run(
            [*command, *map(str, folders)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=300,
            check=False,
        )
    except OSError:
        return


def _guest_files() -> list[Path]:
    return sorted(path for path in (_HERE / "guest").iterdir() if path.is_file())
