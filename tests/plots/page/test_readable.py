"""The page on large and small screens."""

import pytest

WIDE, NARROW = (1280, 800), (390, 844)

SMALLEST_LETTERS = """
let smallest = [Infinity, ""];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const parent = walker.currentNode.parentElement;
  const words = walker.currentNode.textContent.trim();
  const box = parent.getBoundingClientRect();
  if (!words || !box.width || !box.height || parent.closest("script, style, title")) continue;
  const drawing = parent.closest("svg.cell");
  const scale = drawing ? drawing.getScreenCTM().a : 1;
  const size = scale * parseFloat(getComputedStyle(parent).fontSize);
  if (size < smallest[0]) smallest = [size, words];
}
for (const field of document.querySelectorAll("input, select, button")) {
  smallest[0] = Math.min(smallest[0], parseFloat(getComputedStyle(field).fontSize));
}
return smallest;
"""


# How far letters stand out of their box, in pixels, in the worst place.
SPILLED = """
const spilled = (vertex) => {
  const box = vertex.querySelector("path").getBoundingClientRect();
  return [...vertex.querySelectorAll("text")].map((text) => {
    const { left, right, top, bottom } = text.getBoundingClientRect();
    return Math.max(box.left - left, right - box.right, box.top - top, bottom - box.bottom);
  });
};
return Math.max(...[...document.querySelectorAll(".cell .vertex")].flatMap(spilled));
"""


@pytest.mark.slow
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_it_is_readable_on_large_and_small_screens(browser, page, size):
    browser.open(page, size)
    browser.click(".pin-button")
    browser.click("#current .neighbours button")
    browser.click(".pin-button")
    browser.wait_for(lambda: len(browser.texts(".pinned .cell")) == 2)
    if size == NARROW:
        browser.click("#filter-toggle")
    width = size[0]
    assert browser.ask("return document.documentElement.scrollWidth") <= width
    beyond = browser.ask(
        "return [...document.querySelectorAll('body *')].filter((e) => {"
        "const { right, width } = e.getBoundingClientRect();"
        "return width && right > arguments[0] + 0.5 && !e.closest('#map, #marks')"
        "}).map((e) => e.outerHTML.slice(0, 80))",
        width,
    )
    assert beyond == []
    letters, words = browser.ask(SMALLEST_LETTERS)
    assert letters >= 12, words
    assert browser.ask(SPILLED) < 1.5  # room for descenders, which no label has
    map_top, cards_top = browser.ask(
        "return ['#frame', 'aside'].map((s) =>"
        " document.querySelector(s).getBoundingClientRect().top)"
    )
    assert (cards_top > map_top + 300) == (size == NARROW)
