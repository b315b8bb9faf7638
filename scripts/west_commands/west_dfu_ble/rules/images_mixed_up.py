# SPDX-License-Identifier: Apache-2.0
"""IM365: each image number stands for the core whose firmware it carries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..builddir import ArtifactKind, Build, Image, Role
from ..diagnostics import DfuBleError, Help, Location, Note
from .built_files import sound_images
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, not_applicable, passed

# The nRF5340's network core has 256 KiB of flash of its own (product specification, memory map).
_NETWORK_CORE_FLASH = range(0x0100_0000, 0x0104_0000)
# Where MCUboot's first slot of an image that goes to the other core lies in Partition Manager.
_RAM_FLASH = "ram_flash"

DOC = RuleDoc(
    code="IM365",
    name="images-mixed-up",
    category=Category.BROKEN,
    summary="an image number stands for one core, and its file or slot is the other's",
    checks=(
        "On the nRF5340, where the network core is updated too: the firmware in each update image "
        "and in each member of the package starts (reset vector) in the flash of the core that its "
        "image number is for; and the primary slot of the network core's number lies in the "
        f"region `{_RAM_FLASH}`, out of which MCUboot hands the image over. The order is that of "
        "the SDK: 0 the application, 1 the network core."
    ),
    why=(
        "MCUboot erases an application that starts outside its slot, and hands anything else to "
        "the network core: the update is lost, or the radio stops."
    ),
    fix=(
        "Leave the numbers to the SDK (`SB_CONFIG_MCUBOOT_APPLICATION_IMAGE_NUMBER`, "
        "`SB_CONFIG_MCUBOOT_NETWORK_CORE_IMAGE_NUMBER`), and make images and package again."
    ),
    bad="image 0: reset vector 0x01008b01   # the network core's firmware",
    good="image 0: reset vector 0x0001c301\nimage 1: reset vector 0x01008b01",
    applies="builds that update the network core of an nRF5340",
    references=(
        "sdk-nrf cmake/sysbuild/zip.cmake",
        "sdk-nrf doc/nrf/.../nrf53/simultaneous_multi_image_dfu",
    ),
    known_problems="Encrypted and compressed images show no reset vector, and are passed over.",
)


def check(context: Context, image: Image) -> Verdict:
    """Compare what each number carries with what it is for."""
    build = context.build
    if image.number is None:
        return not_applicable("MCUboot does not update the network core")
    slot = build.slot(0, image.number)
    if slot is not None and slot.name.startswith("mcuboot_") and slot.region != _RAM_FLASH:
        return Finding(
            message=f"image {image.number} is the network core's, and its primary slot is in "
            f"`{slot.region}`",
            location=slot.address.location,
            notes=(Note("the network core's image goes through RAM into its own flash"),),
            helps=(Help(f"put `{slot.name}` into `{_RAM_FLASH}`, or correct the image numbers"),),
            data={"image": image.number, "region": slot.region},
        )
    seen = 0
    for name, path, number, firmware in _firmware(build):
        reset = int.from_bytes(firmware[4:8], "little") & ~1
        is_network_core = reset in _NETWORK_CORE_FLASH
        seen += 1
        if is_network_core != (number == image.number):
            owner = "the network core" if is_network_core else "the application core"
            return Finding(
                message=f"`{name}` is image {number}, and holds firmware for {owner}",
                location=Location(path),
                notes=(
                    Note(f"its reset vector is {reset:#x}"),
                    Note(f"image {image.number} is the network core's, `{image.name}`"),
                ),
                helps=(Help("make images and package again", edit="west dfu-ble sign --force\n"),),
                data={"image": number, "reset_vector": reset},
            )
    if not seen:
        return not_applicable("the build holds no update image whose firmware can be seen")
    return passed(f"{seen} images and members carry what their numbers stand for")


def _firmware(build: Build) -> Iterator[tuple[str, Path, int, bytes]]:
    """Yield name, file, image number and firmware of images and members that show theirs."""
    for artifact, image in sound_images(build):
        if not image.is_encrypted and not image.is_compressed:
            yield artifact.path.name, artifact.path, artifact.image or 0, image.payload
    from ..image import parse, read_package

    for artifact in build.artifacts:
        if artifact.kind is not ArtifactKind.PACKAGE:
            continue
        try:
            for entry in read_package(artifact.path).entries:
                image = parse(entry.data, artifact.path)
                if not image.is_encrypted and not image.is_compressed:
                    yield entry.file, artifact.path, entry.image, image.payload
        except DfuBleError:  # that is another rule's finding
            continue


RULE = Rule(DOC, check, roles=(Role.NETWORK_CORE,), follows=("IM355", "IM363", "EN052"))
