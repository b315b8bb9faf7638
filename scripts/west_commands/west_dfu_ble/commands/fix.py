# SPDX-License-Identifier: Apache-2.0
"""`check --fix`: write the safe edits as Kconfig fragments, and say how to build with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..builddir import Build, extra_configuration
from ..faults import fault
from ..report.console import Console
from ..report.words import shown_path
from ..rules import CheckReport, Fragment, fixes, is_own
from .whole_file import write_whole

# A fragment has some lines; what is larger than this is none of ours.
_LARGEST = 256 * 1024


def write_fixes(report: CheckReport, folder: Path | None, console: Console) -> None:
    """Write the fragments into `folder` (default: the application's, or else the current one).

    Raises `DfuBleError` EN008, before anything is written, for a folder that is not there or a
    file that somebody else wrote, and for one that can't be written.
    """
    build = report.build
    where = _folder(build, folder)
    found = fixes(report)
    texts = {one: _merged(one, where / one.name) for one in found.fragments}
    for fragment, (text, is_new) in texts.items():
        path = where / fragment.name
        if is_new:
            _write(path, text)
        verb = "wrote" if is_new else "nothing to add to"
        console.note(f"fix     {verb} {shown_path(path, Path.cwd())} ({', '.join(fragment.codes)})")
        for line in _how_to_add(build, fragment, path):
            console.note(f"        {line}")
    if not found.fragments:
        console.note("fix     there is nothing to write")
    for one in found.left:
        name = f"{one.finding.code} {one.finding.name}"
        console.note(f"fix     {name} is left to you: {one.reason}")


def _folder(build: Build, given: Path | None) -> Path:
    if given is None:
        source = build.application.application_source
        return source if source is not None and source.is_dir() else Path.cwd()
    if not given.is_dir():
        raise fault(
            "EN008",
            f"`{given}` is no folder",
            why="The fragments that --fix writes have no place.",
            location=given,
            helps=["give --fix a folder that exists, or none for the application's"],
        )
    return given


def _merged(fragment: Fragment, path: Path) -> tuple[str, bool]:
    """Return the file's new text, and whether it differs from what is there."""
    try:
        if not path.exists():
            return fragment.text(), True
        if path.stat().st_size > _LARGEST:
            raise _foreign(path)
        existing = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise fault(
            "EN008", f"`{path.name}` can't be read: {reason}", why=_WHY, location=path
        ) from None
    if not is_own(existing):
        raise _foreign(path)
    text = fragment.text(existing)
    return text, text != existing


_WHY = "--fix adds to its own files and overwrites nobody else's."


def _foreign(path: Path) -> Exception:
    return fault(
        "EN008",
        f"`{path.name}` exists, and --fix did not write it",
        why=_WHY,
        location=path,
        helps=["move it away, or give --fix another folder"],
    )


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, (text,))
    except OSError as error:
        raise fault(
            "EN008",
            f"`{path.name}` can't be written: {error.strerror}",
            why="The check ran, but its fixes have no place.",
            location=path,
            helps=["give --fix a folder that can be written"],
        ) from None


def _how_to_add(build: Build, fragment: Fragment, path: Path) -> Iterator[str]:
    rebuild = f"west build -d {_quoted(shown_path(build.path, Path.cwd()))}"
    if fragment.belongs_to not in ("prj.conf", "sysbuild.conf"):
        yield f"append its lines to `{fragment.belongs_to}` in the application's folder, then"
        yield f"{rebuild} --pristine"
        return
    image = build.application if fragment.belongs_to == "prj.conf" else None
    known = extra_configuration(build, image)
    here = path.resolve()
    is_beside = known.folder is not None and known.folder.resolve() == here.parent
    files = [path.name if is_beside else here.as_posix()]
    if set(known.files) & {path.name, here.as_posix()}:
        yield "it is part of the build already; build again:"
        yield rebuild
        return
    yield "add it to the build:"
    value = ";".join([*known.files, *files])
    option = _quoted(f"-D{known.variable}={value}")
    yield f"{rebuild} -- {option}"


def _quoted(text: str) -> str:
    # In double quotes a POSIX shell and Windows's own both leave blanks and semicolons alone.
    return f'"{text}"' if set(text) & set(" ;()&") else text
