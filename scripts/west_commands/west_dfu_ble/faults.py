# SPDX-License-Identifier: Apache-2.0
"""The table of errors that end a command: code, name, exit status, and what each one means.

Codes are never reused. A family's numbers up to x49 are faults (here); from x50 on they are rules
(`rules/`). `explain` prints the text of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .diagnostics import DfuBleError, Diagnostic, ExitStatus, Help, Location, Note, Severity


@dataclass(frozen=True)
class Fault:
    """One kind of error; `meaning` is what `explain` prints for it."""

    code: str
    name: str
    status: ExitStatus
    meaning: str


_U, _S, _L, _D = ExitStatus.UNDECIDED, ExitStatus.SIGNING, ExitStatus.NO_LINK, ExitStatus.DEVICE

FAULTS: Mapping[str, Fault] = {
    fault.code: fault
    for fault in (
        # EN0xx: the build directory
        Fault("EN001", "no-build-directory", _U, "No build directory was given and none was found where `west build` puts one."),
        Fault("EN002", "not-a-build-directory", _U, "The folder exists but holds no finished Zephyr or nRF Connect SDK build."),
        Fault("EN003", "unreadable-kconfig", _U, "A `.config` is missing, empty, cut off or not text."),
        Fault("EN004", "unreadable-partitions", _U, "Partition Manager's `partitions.yml`, `regions.yml` or `pm.config` can't be read, or contradicts itself."),
        Fault("EN005", "unreadable-devicetree", _U, "`zephyr.dts` is there but does not parse."),
        Fault("EN006", "unreadable-build-file", _U, "Another file of the build (`CMakeCache.txt`, `domains.yaml`, a manifest, an ELF file) can't be read."),
        Fault("EN007", "unsupported-bootloader", _U, "The build boots with something else than MCUboot, which this tool does not update."),
        Fault("EN008", "bad-configuration", ExitStatus.USAGE, "The tool's own configuration or command line does not make sense."),
        # IM3xx: images, keys, packages
        Fault("IM301", "key-missing", _S, "The key file is not on this machine."),
        Fault("IM302", "not-a-key", _S, "The key file can't be read as a private key (not a key, public only, or locked by a passphrase)."),
        Fault("IM303", "wrong-key", _S, "The key is of another type, or another key, than the one that MCUboot was built with."),
        Fault("IM304", "image-too-large", _S, "The image does not fit its slot together with the trailer that MCUboot keeps there."),
        Fault("IM305", "not-an-image", _S, "The file is no MCUboot image: its header, or the area behind the payload, is not one."),
        Fault("IM306", "hash-mismatch", _S, "The image's content does not have the hash that the image says it has."),
        Fault("IM307", "bad-signature", _S, "The image's signature is missing, or is not valid for the key."),
        Fault("IM308", "variant-missing", _S, "Direct-xip needs the application linked for the secondary slot too, and this build did not build it."),
        Fault("IM309", "nothing-to-sign", _U, "The build has no binary to sign for this image."),
        Fault("IM310", "imgtool-failed", _S, "imgtool could not be run, or refused the job."),
        Fault("IM311", "bad-package", _S, "The package (`dfu_application.zip`) can't be read, or is not one for MCUboot."),
        Fault("IM312", "wrong-slot", _S, "The binary is linked for another slot than the one that it would be signed or uploaded for."),
        Fault("IM313", "can-not-write", _S, "The signed image can't be written where it belongs; nothing was changed."),
        Fault("IM314", "bad-version", _S, "The version is not one that MCUboot knows (major.minor.revision+build)."),
        Fault("IM315", "unsupported-signing", _S, "This build asks for a way of signing that can't work or is not supported."),
        Fault("IM316", "bad-binary", _S, "The binary to sign can't be read, or makes no sense (empty, or a hex file with overlapping or far-apart records)."),
        Fault("IM317", "not-newer", _S, "The version is not higher than that of the image which devices run now (the baseline)."),
        Fault("IM318", "build-script-argument", _S, "The build's own scripts gave imgtool a wrong argument (told as a warning when signing; what this tool signs is right)."),
        Fault("IM319", "not-decryptable", _S, "The image is encrypted, and the bootloader can't decrypt it: it was built without encryption, for another kind of key, or for a mode that copies no image."),
        # LK4xx: the link; nothing was changed on the device
        Fault("LK401", "no-adapter", _L, "Bluetooth is off, not there, or this user may not use it."),
        Fault("LK402", "device-not-found", _L, "No device of that name or address was seen."),
        Fault("LK403", "connect-failed", _L, "No connection could be made."),
        Fault("LK404", "no-smp-service", _L, "The device has no SMP service: the firmware that it runs can't be updated this way."),
        Fault("LK405", "not-paired", _L, "The device wants a paired (encrypted or authenticated) connection."),
        Fault("LK406", "no-answer", _L, "The device does not answer SMP requests."),
        Fault("LK407", "link-lost", _L, "The link was lost and did not come back."),
        Fault("LK408", "unknown-link", ExitStatus.USAGE, "The link is none that this tool knows."),
        Fault("LK409", "missing-library", _L, "A Python package that this link needs is not installed."),
        Fault("LK410", "device-busy", _L, "Another run of this tool is at work on the same device."),
        # DV5xx: the device refused, or is not in the state asked for
        Fault("DV501", "refused", _D, "The device answered a request with an error."),
        Fault("DV502", "wrong-variant", _D, "No image that was offered is linked for the slot that is free on the device."),
        Fault("DV503", "version-not-higher", _D, "In direct-xip the bootloader runs the higher version: this image would never run."),
        Fault("DV504", "already-there", _D, "The device runs this image already: there is no update to rehearse."),
        Fault("DV505", "slot-in-use", _D, "The free slot holds an image that is set to run next, or the running one is not confirmed."),
        Fault("DV506", "reverted", _D, "The device ran the new image or tried to, and went back to the old one."),
        Fault("DV507", "not-running", _D, "After the reboot the device does not run the image that was uploaded."),
        Fault("DV508", "upload-stalled", _D, "The device takes no more data, however often it is asked."),
        Fault("DV509", "foreign-upload", _D, "Somebody else is uploading to the same device at the same time."),
        Fault("DV510", "not-back", _D, "The device did not come back after the reset."),
        Fault("DV511", "nonsense", _D, "The device answers with something that is no SMP, or contradicts itself."),
        Fault("DV512", "upload-corrupt", _D, "The device says that what it stored is not what was sent."),
        Fault("DV513", "unsupported-mode", _D, "The device's bootloader mode can't be updated this way."),
    )
}  # fmt: skip


def fault(
    code: str,
    message: str,
    *,
    why: str = "",
    location: Location | Path | None = None,
    notes: Sequence[Note | str] = (),
    helps: Sequence[Help | str] = (),
    data: Mapping[str, object] | None = None,
    status: ExitStatus | None = None,
) -> DfuBleError:
    """Make the error `code` of the table, ready to raise.

    `why` defaults to the table's meaning. `status` overrides the table's, for the rare fault whose
    status depends on how far the command had come.
    """
    entry = FAULTS[code]
    if isinstance(location, Path):
        location = Location(location)
    diagnostic = Diagnostic(
        code=entry.code,
        name=entry.name,
        severity=Severity.ERROR,
        message=_fit_for_a_terminal(message),
        why=why or entry.meaning,
        location=location,
        notes=tuple(Note(_fit_for_a_terminal(n)) if isinstance(n, str) else n for n in notes),
        helps=tuple(Help(h) if isinstance(h, str) else h for h in helps),
        data=dict(data or {}),
    )
    return DfuBleError(diagnostic, entry.status if status is None else status)


# Longer than any message of our own; what a file puts into one has no bounds.
_LONGEST = 400


def _fit_for_a_terminal(text: str) -> str:
    """Return `text` in one line of bounded length, with nothing in it that a terminal obeys."""
    clean = "".join(c if c.isprintable() else "\ufffd" for c in text[: _LONGEST + 1])
    return clean if len(clean) <= _LONGEST else clean[: _LONGEST - 1] + "…"
