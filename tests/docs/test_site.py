# SPDX-License-Identifier: Apache-2.0
"""The site: built without a warning, every link and anchor in it, and nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from conf import relink

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
# What a browser fetches by itself when it shows a page.
FETCHED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "link": "href"}


class Page(HTMLParser):
    """A page's anchors, where its links lead, and what it fetches."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "top"}
        self.links: set[str] = set()
        self.fetched: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.anchors.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.add(given["href"])
        if tag in FETCHED and FETCHED[tag] in given:
            self.fetched.add(given[FETCHED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if missing := [name for name in ("furo", "myst_parser") if not importlib.util.find_spec(name)]:
        pytest.skip(f"not installed (the extra `docs`): {', '.join(missing)}")
    built = tmp_path_factory.mktemp("site")
    sphinx = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-E"]
    done = subprocess.run(
        [*sphinx, "-d", built / "doctrees", DOCS, built / "html"],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return built / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_page_is_in_the_site(pages: dict[Path, Page], site: Path) -> None:
    sources = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    assert sources <= {path.relative_to(site) for path in pages}
    # The navigation leads to each of them.
    led = {link.partition("#")[0] for link in pages[site / "index.html"].links}
    rules = {str(path) for path in sources if path.parent.name == "rules"}
    assert {path.as_posix() for path in sources} - {"index.html"} - rules <= led
    assert "changelog.html" in led
    assert "Keep a Changelog" in (site / "changelog.html").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_links_and_anchors_lead_somewhere(pages: dict[Path, Page], site: Path) -> None:
    broken = []
    for path, page in pages.items():
        for link in page.links | page.fetched:
            where = urlsplit(link)
            if where.scheme or where.netloc:
                continue
            target = (path.parent / unquote(where.path)).resolve() if where.path else path
            known = pages[target].anchors if target in pages else {""}
            if not target.is_file() or unquote(where.fragment) not in known:
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_is_fetched_from_elsewhere(pages: dict[Path, Page], site: Path) -> None:
    fetched = {
        (path.name, one) for path, page in pages.items() for one in page.fetched if "//" in one
    }
    assert fetched == set()
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)[\s'\"]*(?:https?:)?//", style.read_text("utf-8"))


@pytest.mark.parametrize("picture", sorted(DOCS.rglob("*.svg")), ids=lambda path: path.name)
def test_picture_stands_alone_and_has_words(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")
    assert "<title" in text
    assert 'role="img"' in text
    assert not re.search(r"(?:href|src)=\"http|url\([\s'\"]*http|@import", text)


def test_picture_is_shown_with_a_text_in_its_place() -> None:
    texts = {page: page.read_text(encoding="utf-8") for page in DOCS.glob("*.md")}
    shown = {name for text in texts.values() for name in re.findall(r"\(pictures/([^)]+)\)", text)}
    assert {path.name for path in (DOCS / "pictures").iterdir()} == shown
    assert [page.name for page, text in texts.items() if "![]" in text] == []


@pytest.mark.parametrize(
    ("source", "page", "link", "expected"),
    [
        ("docs/install.md", "docs/install.md", "update.md#x", "update.md#x"),
        ("docs/reports.md", "docs/reports.md", "../CHANGELOG.md", "changelog.md"),
        ("CONTRIBUTING.md", "docs/contributing.md", "docs/json.md#check", "json.md#check"),
        ("CONTRIBUTING.md", "docs/contributing.md", "README.md", "index.md"),
        ("docs/rules/KC150.md", "docs/rules/KC150.md", "../speed.md", "../speed.md"),
        ("docs/json.md", "docs/json.md", "https://a.example/b.md", "https://a.example/b.md"),
    ],
)
def test_links_are_those_of_the_site(source: str, page: str, link: str, expected: str) -> None:
    text = relink(f"[x]({link})", REPOSITORY / source, REPOSITORY / page)
    assert text == f"[x]({expected})"


def test_links_out_of_the_documentation_lead_to_the_repository() -> None:
    text = relink("[x](../schemas/report.json)", DOCS / "json.md", DOCS / "json.md")
    assert text.endswith("/blob/main/schemas/report.json)")
