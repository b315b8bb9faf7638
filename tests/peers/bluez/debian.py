# SPDX-License-Identifier: Apache-2.0
"""Debian packages, downloaded by apt from a root of its own.

apt checks the release's signature and every package's SHA-256. This machine's own apt, its sources
and what is installed are not touched; only its proxy and the like are taken over. Versions are
those of the release's latest point release when they were first downloaded.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .release import Release

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SOURCE = """\
Types: deb
URIs: http://deb.debian.org/debian
Suites: {suite}
Components: main
Architectures: amd64
Signed-By: {keyring}
"""
_CONFIGURATION = """\
Dir "{root}";
Dir::State "state";
Dir::State::status "{root}/status";
Dir::Cache "cache";
Dir::Etc "etc";
Dir::Etc::sourcelist "debian.sources";
Dir::Etc::sourceparts "-";
Dir::Log "log";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "2";
"""
_UPDATE_TIME = 180
_DOWNLOAD_TIME = 400


def download(release: Release) -> dict[str, Path]:
    """Return the packages of a release by name, the kernel as `linux-image`, or skip the test.

    They are downloaded once; to have them renewed, delete the release's folder.
    """
    packages = release.folder / "packages"
    manifest = release.folder / "packages.json"
    wanted = {*release.packages, "linux-image"}
    if manifest.is_file():
        listed: dict[str, dict[str, str]] = json.loads(manifest.read_text())
        if set(listed) == wanted and all(_is_whole(packages, entry) for entry in listed.values()):
            return {name: packages / entry["file"] for name, entry in listed.items()}
    for program in ("apt-get", "apt-cache", "apt-config", "dpkg-deb"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}: Debian's packages can't be had")
    if not _KEYRING.is_file():
        pytest.skip(f"Debian's archive keyring is not installed ({_KEYRING})")
    shutil.rmtree(packages, ignore_errors=True)
    packages.mkdir(parents=True)
    environment = _private_root(release)
    _apt(["apt-get", "update", "-q"], environment, packages, _UPDATE_TIME)
    kernel = _kernel_package(environment, packages)
    names = {**{name: name for name in release.packages}, "linux-image": kernel}
    command = ["apt-get", "download", "-q", *names.values()]
    _apt(command, environment, packages, _DOWNLOAD_TIME)
    found = {file.name.partition("_")[0]: file for file in packages.glob("*.deb")}
    entries = {
        name: {"file": found[package].name, "sha256": _digest(found[package])}
        for name, package in names.items()
    }
    manifest.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n")
    return {name: found[package] for name, package in names.items()}


def version(package: Path) -> str:
    """Return the version in a package's file name."""
    return package.name.split("_")[1].replace("%3a", ":")


def unpack(package: Path, folder: Path) -> None:
    """Unpack one package's files, nothing of its scripts."""
    subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True, timeout=120)


def _private_root(release: Release) -> dict[str, str]:
    root = release.folder / "apt"
    for folder in ("etc", "log", "state/lists/partial", "cache/archives/partial"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "status").touch()
    source = _SOURCE.format(suite=release.name, keyring=_KEYRING)
    (root / "etc" / "debian.sources").write_text(source)
    # The machine's proxy and certificates; hooks are no part of this.
    dump = ["apt-config", "dump", "--no-empty", "--format", '%f "%v";%n', "Acquire"]
    machine = subprocess.run(dump, capture_output=True, text=True, timeout=20, check=True).stdout
    configuration = root / "apt.conf"
    configuration.write_text(machine + _CONFIGURATION.format(root=root))
    return {**os.environ, "APT_CONFIG": str(configuration), "LC_ALL": "C.UTF-8"}


def _kernel_package(environment: dict[str, str], folder: Path) -> str:
    command = ["apt-cache", "depends", "linux-image-amd64"]
    for line in _apt(command, environment, folder, 60).splitlines():
        kind, _, name = line.strip().partition(": ")
        if kind == "Depends" and name.startswith("linux-image-"):
            return name
    raise AssertionError("linux-image-amd64 depends on no kernel")


def _apt(command: list[str], environment: dict[str, str], folder: Path, seconds: int) -> str:
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"`{' '.join(command[:2])}` took longer than {seconds} s")
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("E:")]
        pytest.skip(f"`{' '.join(command[:2])}` failed: {(errors or ['no word why'])[0]}")
    return done.stdout


def _is_whole(folder: Path, entry: dict[str, str]) -> bool:
    file = folder / entry["file"]
    return file.is_file() and _digest(file) == entry["sha256"]


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
