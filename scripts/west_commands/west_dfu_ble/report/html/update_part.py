# SPDX-License-Identifier: Apache-2.0
"""How the updates went, for the page: the verdict, the timeline, the throughput, the log."""

from __future__ import annotations

from pathlib import Path

from ...diagnostics import ExitStatus
from .build_part import definition_list
from .check_part import diagnostic
from .markup import Markup, join, tag
from .model import UpdateRecord
from .scale import seconds
from .throughput import throughput
from .timeline import story, timeline


def update(record: UpdateRecord, cwd: Path, *, several: bool) -> Markup:
    """Return the section of one device's update."""
    result = record.result
    is_good = result.status is ExitStatus.DONE
    facts = {"Device": result.device, "Link": record.link, "Took": seconds(result.seconds)}
    end = max([result.seconds, *(timed.seconds for timed in record.events)])
    plots = throughput(record.events)
    title = f"Update of {result.device}" if several else "Update"
    return tag(
        "section",
        tag("h2", title),
        _sentence(record, is_good),
        diagnostic(result.error, cwd) if result.error else "",
        definition_list({name: text for name, text in facts.items() if text}),
        join(tag("h3", "Timeline"), timeline(record.events, end, is_good=is_good))
        if record.events
        else "",
        join(tag("h3", "Throughput"), plots) if plots else "",
        _told(record),
        _log(record),
    )


def _sentence(record: UpdateRecord, is_good: bool) -> Markup:
    word = "done" if is_good else "not done"
    badge = tag("span", word, class_=f"badge tone-{'good' if is_good else 'error'}")
    return tag("p", badge, " ", record.result.sentence, class_="sentence")


def _told(record: UpdateRecord) -> Markup:
    if not record.events:
        return Markup("")
    return tag("details", tag("summary", "Step by step"), story(record.events))


def _log(record: UpdateRecord) -> Markup:
    if not record.log:
        return Markup("")
    lines = tag("pre", tag("code", "\n".join(record.log)))
    return tag("details", tag("summary", "The device's own log"), lines)
