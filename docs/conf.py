# SPDX-License-Identifier: Apache-2.0
"""The documentation as a site: ``python -m sphinx -W -n docs OUT`` (extra ``docs``).

The pages are plain CommonMark, as a git host shows them. What only a site needs is added while it
is built: the navigation, and the pages that lie in the root of the repository.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from west_dfu_ble import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parent
REPOSITORY = DOCS.parent
SOURCE = "https://github.com/west-dfu-ble/west-dfu-ble"

# Heading -> pages, in the order in which they are needed. A page that stands nowhere comes last.
NAVIGATION: dict[str, list[str]] = {
    "Start": ["quickstart", "install", "update"],
    "Tasks": [
        *("checking", "fixing", "signing", "updating", "several-devices"),
        *("virtual-device", "pytest-plugin", "logs", "reports"),
        *("html-report", "ci", "configuration", "west"),
    ],
    "Look up": ["troubleshooting", "rules/README", "json", "speed"],
    "Why trust it": ["real-peers", "benchmarks", "comparison"],
    "The project": [
        *("architecture", "contributing", "changelog", "release", "security", "conduct"),
    ],
    "More": [],
}

project = "west-dfu-ble"
version = release = __version__
language = "en"
extensions = ["myst_parser"]
root_doc = "index"
source_suffix = {".md": "markdown"}
myst_heading_anchors = 4
# A fence without a language, and an indented block, are not Python.
highlight_language = "text"
nitpicky = True

html_theme = "furo"
html_title = f"{project} {version}"
html_static_path = ["site"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options = {
    "source_repository": f"{SOURCE}/",
    "source_branch": "main",
    "source_directory": "docs/",
    "top_of_page_buttons": [],
    "light_css_variables": {"color-brand-primary": "#0b5cad", "color-brand-content": "#0b5cad"},
    "dark_css_variables": {"color-brand-primary": "#7cb8ff", "color-brand-content": "#7cb8ff"},
}

_LINK = re.compile(r"(?<=\]\()([^)\s#]+)(#[^)\s]*)?(?=\))")
# A page that is nothing but a link to a file in the root stands for it.
_STANDS_FOR = re.compile(r"\[[^\]]+\]\(\.\./([A-Z_]+\.md)\)\n")


def stand_ins() -> dict[Path, Path]:
    """Return file in the root -> page that stands for it; for the README it is the first."""
    pages = {REPOSITORY / "README.md": DOCS / "index.md"}
    for page in DOCS.glob("*.md"):
        if found := _STANDS_FOR.fullmatch(page.read_text(encoding="utf-8")):
            pages[REPOSITORY / found[1]] = page
    return pages


def relink(text: str, source: Path, page: Path) -> str:
    """Return `text` of the file `source` with its links as they must be on the page `page`."""
    pages = stand_ins()

    def target(link: re.Match[str]) -> str:
        path, anchor = link[1], link[2] or ""
        if ":" in path:
            return link[0]
        file = (source.parent / path).resolve()
        file = pages.get(file, file)
        if file.is_relative_to(DOCS):
            return Path(os.path.relpath(file, page.parent)).as_posix() + anchor
        kind = "tree" if file.is_dir() else "blob"
        return f"{SOURCE}/{kind}/main/{file.relative_to(REPOSITORY).as_posix()}{anchor}"

    return _LINK.sub(target, text)


def toctree(pages: list[str], *options: str) -> str:
    """Return the directive that puts `pages` into the navigation."""
    lines = ["", "```{toctree}", ":hidden:", *options, "", *pages, "```", ""]
    return "\n".join(lines)


def navigation() -> str:
    """Return the directives for the whole site."""
    named = {page for pages in NAVIGATION.values() for page in pages} | {root_doc}
    found = {path.stem for path in DOCS.glob("*.md")}
    sections = {**NAVIGATION, "More": [*NAVIGATION["More"], *sorted(found - named)]}
    return "".join(
        toctree(pages, f":caption: {caption}") for caption, pages in sections.items() if pages
    )


def read_page(app: Sphinx, docname: str, source: list[str]) -> None:
    """Turn a file's text into that of the site's page."""
    page = DOCS / f"{docname}.md"
    origin = next((file for file, one in stand_ins().items() if one == page), page)
    if docname == root_doc:
        origin = page
    text = source[0] if origin == page else origin.read_text(encoding="utf-8")
    source[0] = relink(text, origin, page)
    if docname == root_doc:
        source[0] += navigation()
    elif docname == "rules/README":
        source[0] += toctree(["*"], ":glob:")


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this."""
    app.connect("source-read", read_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
