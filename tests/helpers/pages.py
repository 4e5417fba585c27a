"""What the README and the pages of docs/ hold: blocks of code, links and what they lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    if "_build" not in path.parts
)
_NOT_RUN = re.compile(r"<!-- not run: (.+) -->\s*")


@dataclass(frozen=True)
class Block:
    """A fenced block of code.

    Args:
        page: where it stands; line: of its fence, from 1.
        language: behind the fence, empty where there is none.
        not_run: why it is not run, from the comment right before it; None without one.
    """

    page: str
    line: int
    language: str
    text: str
    not_run: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str | None:
        """The file that the block is, where its first line says so: ``# name.py``."""
        named = re.match(r"# ([\w-]+\.(?:py|yaml))\n", self.text)
        return named and named[1]


@cache
def tokens(page: str) -> list[Token]:
    """The page, parsed."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return MarkdownIt("commonmark").enable("table").parse(text)


@cache
def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page but directives of the site's."""
    found, before = [], None
    for token in tokens(page):
        if token.type == "fence" and not token.info.startswith("{"):
            said = before and before.type == "html_block" and _NOT_RUN.fullmatch(before.content)
            reason = said[1] if said else None
            found.append(Block(page, token.map[0] + 1, token.info.strip(), token.content, reason))
        before = token
    return found


def links(page: str) -> Iterator[tuple[int, str]]:
    """Every link and picture of a page that stays in the project, with its line."""
    for block in tokens(page):
        for token in block.children or ():
            target = token.attrs.get("href") or token.attrs.get("src")
            if target and not re.match(r"[a-z]+:", target):
                yield block.map[0] + 1, unquote(target)


def anchors(page: str) -> set[str]:
    """What links to a page may have behind ``#``: its headings, as GitHub and MyST slug them."""
    parsed = tokens(page)
    return {
        slug("".join(child.content for child in parsed[place + 1].children or ()))
        for place, token in enumerate(parsed)
        if token.type == "heading_open"
    }


def slug(heading: str) -> str:
    """A heading as an anchor."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
