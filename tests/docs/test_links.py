"""Whatever the README and the pages of docs/ lead to is there."""

from pathlib import Path

import pytest

from tests.helpers.pages import PAGES, ROOT, anchors, links, slug


def broken(page: str) -> list[str]:
    found = []
    for line, target in links(page):
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        if not file.exists():
            found.append(f"{page}:{line}: there is no {target}")
        elif anchor:
            other = file.resolve().relative_to(ROOT).as_posix()
            if other not in PAGES or anchor not in anchors(other):
                found.append(f"{page}:{line}: {path or page} has no heading {anchor}")
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_picture_leads_somewhere(page):
    assert broken(page) == []


def test_every_picture_is_shown_somewhere():
    shown = {
        ((ROOT / page).parent / target).resolve() for page in PAGES for _, target in links(page)
    }
    pictures = set((ROOT / "docs").glob("*.png")) | set((ROOT / "docs/pictures").iterdir())
    assert pictures - shown == set()


def test_what_leads_nowhere_is_found(tmp_path, monkeypatch):
    page = "docs/page.md"
    (tmp_path / "docs").mkdir()
    (tmp_path / page).write_text("# A `b`, c\n\n[x](#a-b-c) [y](no.md) ![z](no.png) [w](#a)\n")
    monkeypatch.setattr("tests.helpers.pages.ROOT", tmp_path)
    monkeypatch.setattr("tests.docs.test_links.ROOT", tmp_path)
    monkeypatch.setattr("tests.docs.test_links.PAGES", [page])
    assert broken(page) == [
        "docs/page.md:3: there is no no.md",
        "docs/page.md:3: there is no no.png",
        "docs/page.md:3: docs/page.md has no heading a",
    ]


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("The measurements of NAS-Bench-101", "the-measurements-of-nas-bench-101"),
        ("The paper's Table 1", "the-papers-table-1"),
    ],
)
def test_headings_are_slugged_as_by_the_site(heading, anchor):
    assert slug(heading) == anchor


def test_the_readme_is_short():
    assert len((Path(ROOT) / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
