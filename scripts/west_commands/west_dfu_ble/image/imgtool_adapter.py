# SPDX-License-Identifier: Apache-2.0
"""The one place that knows imgtool: as a library, its output captured, its failures translated.

imgtool is a command line program that prints, exits, and lets raw exceptions out on bad input.
Here it is imported once, its command runs in this process, keys are read once, and whatever it
does ends as a result or as one diagnostic. A passphrase goes to it in memory, never on a command
line.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..diagnostics import DfuBleError
from ..faults import fault
from .keys import PublicKey, describe, public_key_of
from .passphrase import DESCRIPTOR, VARIABLE, passphrase_from_environment

AskPassphrase = Callable[[Path], "str | None"]
"""Gives the passphrase of a key file, or `None` if there is none to be had."""


class Imgtool:
    """imgtool, for the length of one job: each key file is read once.

    `ask` is called with the path of a key that is locked by a passphrase, at most once a key; by
    default the environment is asked.
    """

    def __init__(self, ask: AskPassphrase | None = None) -> None:
        try:
            import imgtool.keys
            import imgtool.main
        except ImportError as error:
            raise fault(
                "IM310",
                f"imgtool can't be imported: {error}",
                helps=["install it: pip install imgtool"],
            ) from None
        self._main = imgtool.main
        self._load: Callable[..., Any] = imgtool.keys.load
        self._ask = ask or passphrase_from_environment
        self._keys: dict[Path, Any] = {}

    def public_key(self, path: Path, *, private: bool = False) -> PublicKey:
        """Return the public half of the key in a PEM file; see `public_key` of the package."""
        key = self._key(path)
        if private and not (hasattr(key, "sign") or hasattr(key, "sign_digest")):
            raise fault(
                "IM302",
                "the key file holds a public key only",
                why="Signing needs the private key.",
                location=path,
                helps=["give the file that holds the private key"],
            )
        handle = key._get_public()
        public = public_key_of(handle)
        if public is None:
            raise fault(
                "IM303", f"the key is {describe(handle)}, for encryption only", location=path
            )
        return public

    def sign(self, arguments: Sequence[str]) -> None:
        """Run imgtool with `arguments`, ``sign`` first.

        Raises `DfuBleError` IM310 with imgtool's own words if it refuses the job.
        """
        import click

        said = io.StringIO()
        try:
            with (
                contextlib.redirect_stdout(said),
                contextlib.redirect_stderr(said),
                self._keys_from_here(),
            ):
                self._main.imgtool(list(arguments), prog_name="imgtool", standalone_mode=False)
        except DfuBleError:
            raise
        except click.ClickException as error:
            raise _refused(error.format_message(), arguments) from None
        except SystemExit as error:
            if error.code not in (None, 0):
                raise _refused(said.getvalue().strip(), arguments) from None
        except Exception as error:  # imgtool lets anything out, see above
            raise _refused(f"{type(error).__name__}: {error}", arguments) from error

    @contextlib.contextmanager
    def _keys_from_here(self) -> Iterator[None]:
        """Let imgtool's commands take keys that were read before, and never prompt by itself."""
        original = self._main.load_key
        self._main.load_key = lambda path: self._key(Path(path))
        try:
            yield
        finally:
            self._main.load_key = original

    def _key(self, path: Path) -> Any:
        if path not in self._keys:
            self._keys[path] = self._read_key(path)
        return self._keys[path]

    def _read_key(self, path: Path) -> Any:
        try:
            key = self._load(str(path))
            if key is None:
                key = self._unlock(path)
        except DfuBleError:
            raise
        except FileNotFoundError:
            raise _missing(path) from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise fault(
                "IM302",
                f"the key file can't be read: {reason}",
                why="Without it nothing can be signed.",
                location=path,
                helps=["name a file that this user may read with `--key`"],
            ) from None
        except ValueError:
            raise _no_key(path) from None
        except Exception as error:  # a bare one, for a key of a size or kind that it does not know
            raise _unsupported(path, error) from None
        return key

    def _unlock(self, path: Path) -> Any:
        passphrase = self._ask(path)
        if not passphrase:
            raise fault(
                "IM302",
                "the key is locked by a passphrase, and none was given",
                location=path,
                helps=[
                    f"put the passphrase into the environment variable {VARIABLE}, or into "
                    f"{DESCRIPTOR} the number of a file descriptor to read it from"
                ],
            )
        try:
            return self._load(str(path), passphrase.encode())
        except ValueError:
            raise fault("IM302", "the passphrase does not open the key", location=path) from None


def public_key(path: Path, *, private: bool = False, ask: AskPassphrase | None = None) -> PublicKey:
    """Return the public half of the key in a PEM file, read by imgtool.

    `private` wants the file to hold the private key. Raises `DfuBleError` IM301 if there is no
    such file, IM302 if it is no key, a public key where a private one is wanted, or locked by a
    passphrase that `ask` does not give, IM303 if MCUboot takes no key of this kind.
    """
    return Imgtool(ask).public_key(path, private=private)


def _missing(path: Path) -> DfuBleError:
    return fault(
        "IM301",
        f"there is no key file `{path.name}`",
        location=path,
        helps=["put the key there, or name another file"],
    )


def _no_key(path: Path) -> DfuBleError:
    return fault(
        "IM302",
        "the file is not a key in PEM form",
        location=path,
        helps=["make a key with `imgtool keygen`, or name another file with `--key`"],
    )


def _unsupported(path: Path, error: Exception) -> DfuBleError:
    # imgtool trips over an RSA key's size while it makes its message (a TypeError).
    text = str(error)
    known = text.startswith(("Unsupported", "Unknown"))
    detail = text if known else "RSA of another size than 2048 or 3072 bits"
    return fault(
        "IM303",
        f"the key is of a kind that MCUboot does not take ({detail})",
        location=path,
        helps=["MCUboot takes RSA-2048, RSA-3072, ECDSA P-256, ECDSA P-384 and ED25519"],
    )


def _refused(text: str, arguments: Sequence[str]) -> DfuBleError:
    return fault(
        "IM310",
        f"imgtool refused: {' '.join(text.split()) or 'it did not say why'}",
        notes=[f"it was run as: imgtool {' '.join(arguments)}"],
    )
