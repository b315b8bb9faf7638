# SPDX-License-Identifier: Apache-2.0
"""The page as a whole: its head, the order of its parts, and several builds on one page."""

from __future__ import annotations

import re
from pathlib import Path

from ... import __version__
from ...diagnostics import Diagnostic, ExitStatus
from ...rules import CheckReport
from ..words import headline, shown_path
from . import build_part, check_part
from .markup import Markup, join, tag
from .model import Page

_STYLE = Path(__file__).with_name("style.css")
# Nothing is loaded, nothing runs; the style is the page's own.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"


def render(report: CheckReport, *, colour: bool, cwd: Path) -> str:
    """Return the page of a check."""
    return render_page(Page(report), cwd)


def render_page(page: Page, cwd: Path) -> str:
    """Return the page; paths are relative to `cwd` where that is shorter."""
    title, is_good, verdict = _verdict(page, cwd)
    parts = [_header(title, is_good, verdict)]
    if page.updates:
        from .update_part import update

        several = len(page.updates) > 1
        parts += [update(one, cwd, several=several) for one in page.updates]
    report = page.check
    if report is not None:
        parts.append(
            tag(
                "section",
                tag("h2", "Findings"),
                check_part.counts(report),
                check_part.findings(report, cwd),
                check_part.every_rule(report),
            )
        )
        parts.append(tag("section", tag("h2", "Flash memory"), build_part.memory(report.build)))
        parts.append(tag("section", tag("h2", "Build"), build_part.facts(report, cwd)))
    return _document(title, tag("main", *parts))


def render_error(path: Path, diagnostic: Diagnostic) -> str:
    """Return the page of a build that could not be read."""
    cwd = Path.cwd()
    title = shown_path(path, cwd)
    section = tag("section", tag("h2", "Findings"), check_part.diagnostic(diagnostic, cwd))
    head = _header(title, False, "The build could not be read")
    return _document(title, tag("main", head, section))


def combine(texts: list[str]) -> str:
    """Return one page with those of several builds, and a list of them on top."""
    # These are our own pages: in what they quote there is no `<`, so that the marks are unique.
    mains = [re.search("<main>(.*)</main>", text, re.DOTALL) for text in texts]
    inner = [Markup(found[1]) for found in mains if found]
    names = [re.search("<h1>(.*?)</h1>", one, re.DOTALL) for one in inner]
    verdicts = [re.search('<p class="verdict[^>]*>.*?</p>', one, re.DOTALL) for one in inner]
    links = [
        tag("li", tag("a", Markup(name[1]), href=f"#build-{number}"), Markup(verdict[0]))
        for number, (name, verdict) in enumerate(zip(names, verdicts, strict=True), 1)
        if name and verdict
    ]
    builds = [tag("div", one, id=f"build-{n}", class_="build") for n, one in enumerate(inner, 1)]
    title = f"{len(inner)} builds"
    nav = tag("nav", tag("p", title, class_="kicker"), tag("ol", *links), aria_label="Builds")
    return _document(title, tag("main", nav, *builds))


def _verdict(page: Page, cwd: Path) -> tuple[str, bool, str]:
    """Return the title, whether all is well, and that in words."""
    report, results = page.check, [one.result for one in page.updates]
    title = shown_path(report.build.path, cwd) if report else "Update"
    failed = [one for one in results if one.status is not ExitStatus.DONE]
    if failed:
        # One device's own sentence stands below, with the reason.
        several = f"{len(failed)} of {len(results)} updates did not succeed"
        return title, False, several if len(results) > 1 else "The update did not succeed"
    if results:
        several = f"All {len(results)} updates succeeded"
        return title, True, several if len(results) > 1 else "The update succeeded"
    assert report is not None
    if report.exit_status is not ExitStatus.DONE:
        return title, False, f"Not fit to update: {headline(report)}"
    return title, True, f"Ready to update: {headline(report)}"


def _header(title: str, is_good: bool, verdict: str) -> Markup:
    return tag(
        "header",
        tag("p", "west dfu-ble", class_="kicker"),
        tag("h1", title),
        tag("p", verdict, class_=f"verdict tone-{'good' if is_good else 'error'}"),
    )


def _document(title: str, body: Markup) -> str:
    style = Markup(_STYLE.read_text(encoding="utf-8"))
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"{title} · dfu-ble"),
        tag("style", style),
        between="\n",
    )
    more = (tag("code", "west dfu-ble explain RULE"), " tells more of a rule.")
    foot = tag("footer", f"Made by dfu-ble {__version__}; ", *more)
    parts = (tag("head", Markup(f"\n{head}\n")), tag("body", Markup(f"\n{body}\n{foot}\n")))
    text = "<!doctype html>\n" + tag("html", *parts, lang="en")
    # In ASCII, with references for the rest, it is right in whatever encoding a terminal has.
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
