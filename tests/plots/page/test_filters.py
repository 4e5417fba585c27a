"""Which cells the filters leave, against what Python says."""

import math

import numpy as np
import pytest
import torch
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow


def expect_count(browser, mask: torch.Tensor | np.ndarray) -> None:
    wanted = int(mask.sum())
    text = f"{wanted} of {len(mask)} cells" if wanted < len(mask) else f"{wanted} cells"
    browser.wait_for(lambda: browser.text("#count") == text)
    script = "return document.querySelector('#map').data.map((trace) => trace.x.length)"
    browser.wait_for(lambda: browser.ask(script) == [len(mask) - wanted, wanted])


def test_filters_filter(opened, table, cell_map):
    cells = table.cells[cell_map.rows]
    everything = torch.ones(len(cells), dtype=torch.bool)
    expect_count(opened, everything)
    sized = (cells.vertices == 4) | (cells.vertices == 7)
    for value in (4, 7):
        opened.driver.find_element(
            "xpath", f"//fieldset[@id='filter-vertices']/button[text()='{value}']"
        ).click()
    expect_count(opened, sized)
    opened.driver.find_element("xpath", "//fieldset[@id='filter-op-2']/button[text()='1']").click()
    pools = ((cells.ops == 2) & cells.has_interior()).sum(1)
    expect_count(opened, sized & (pools == 1))
    opened.driver.find_element("xpath", "//fieldset[@id='filter-edges']/button[text()='9']").click()
    expect_count(opened, sized & (pools == 1) & (cells.edge_bits().sum(1) == 9))
    opened.click("#clear")
    expect_count(opened, everything)
    assert opened.ask("return document.querySelectorAll('[aria-pressed=true]').length") == 0


def test_accuracies_are_filtered_by_number_and_by_share(opened, cell_map):
    known = 100 * cell_map.accuracies.astype(np.float32)
    opened.write("#filter-accuracy input[type=number]", "92.5")
    expect_count(opened, known >= 92.5)
    opened.write("#filter-accuracy .fields input:last-child", "93.5")
    expect_count(opened, (known >= 92.5) & (known <= 93.5))
    # Also where it leaves out a single cell, for which the slider has no step.
    highest = "#filter-accuracy .fields input:last-child"
    opened.click("#clear")
    below_the_best = f"{np.sort(known[~np.isnan(known)])[-2:].mean():.4f}"
    opened.write(highest, below_the_best)
    expect_count(opened, known <= float(below_the_best))
    digits = opened.driver.find_element("css selector", highest)
    digits.send_keys(*[Keys.BACKSPACE] * len(below_the_best))
    expect_count(opened, np.ones(len(known), dtype=bool))
    opened.ask(
        "const slider = document.querySelector('.sliders input');"
        "slider.value = 500; slider.dispatchEvent(new Event('input'))"
    )
    # Half of the known ones: the field rounds its end down, so it keeps the one in the middle.
    median = np.sort(known[~np.isnan(known)])[round((~np.isnan(known)).sum() / 2 - 0.5)]
    expect_count(opened, known >= math.floor(100 * median) / 100)


def test_a_hash_is_found_by_how_it_begins(opened, table, cell_map, shows):
    hashes = [table.hash_of(row) for row in cell_map.rows.tolist()]
    opened.write("#hash", hashes[77][:2])
    expect_count(opened, np.array([each.startswith(hashes[77][:2]) for each in hashes]))
    opened.write("#hash", hashes[77].upper())
    expect_count(opened, np.array([each == hashes[77] for each in hashes]))
    shows(77)
    opened.write("#hash", "no hash")
    expect_count(opened, np.zeros(len(hashes), dtype=bool))
