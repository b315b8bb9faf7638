# SPDX-License-Identifier: Apache-2.0
"""KC191: buffers that are large enough for a frame."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Severity
from .edits import in_application
from .link_settings import gain, link_of, names_of
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict
from .speed import FOLLOWS, REFERENCES, judge, transport_off

_WANTED = 2475
# Kconfig's own help of the option: the state of two images does not fit in less.
_TWO_IMAGES = 512

DOC = RuleDoc(
    code="KC191",
    name="small-frame-buffers",
    category=Category.SLOW,
    summary="MCUmgr's buffers are small, so each request carries little",
    checks=(
        "`CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE` (`CONFIG_MCUMGR_BUF_SIZE` before SDK 2.4): with "
        f"reassembly {_WANTED} bytes, without it one write, where the model of the upload time "
        "sees a gain of a twentieth or more. With two images it must be at least "
        f"{_TWO_IMAGES}: less is a warning."
    ),
    why="A frame can't be longer than the buffer, and each request waits for its answer.",
    fix="Raise it; each of the buffers costs its size in RAM.",
    bad="CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE=384",
    good=f"CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE={_WANTED}",
    applies="every build with MCUmgr's Bluetooth transport",
    references=("zephyr subsys/mgmt/mcumgr/transport/Kconfig", *REFERENCES),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare the buffer with what could be used."""
    word = transport_off(context, image)
    if word is not None:
        return word
    names = names_of(context.generation)
    link = link_of(context.build, context.generation)
    images = {slot.image for slot in context.build.slots}
    if len(images) > 1 and link.buffer_size < _TWO_IMAGES:
        return Finding(
            message=f"the buffers have {link.buffer_size} bytes, and there are {len(images)} "
            "images to list",
            location=image.kconfig.where(names.buffer_size),
            helps=(in_application(f"{names.buffer_size}={_TWO_IMAGES}\n"),),
            why=f"The list of two images does not fit in less than {_TWO_IMAGES} bytes.",
            severity=Severity.WARNING,
            data={"symbol": names.buffer_size, "actual": str(link.buffer_size)},
        )
    wanted = _WANTED if link.reassembly else link.write_size
    saved = gain(context.build, link, buffer_size=max(link.buffer_size, wanted))
    return judge(
        saved,
        f"the buffers have {link.buffer_size} bytes, {wanted} could be used",
        names.buffer_size,
        image,
        f"{names.buffer_size}={wanted}\n",
    )


RULE = Rule(DOC, check, follows=FOLLOWS)
