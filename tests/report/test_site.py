"""The site in a real browser, opened from files."""

import re
from urllib.parse import unquote, urldefrag, urlsplit

from browser import DESK, FAINT, PHONE, chromium, needs_chromium, watch
from conftest import REPOSITORY, executed_notebooks

EXECUTED = [path.relative_to(REPOSITORY) for path in executed_notebooks()]


def by_page(seen, fault):
    """Return the pages with a fault, and it."""
    return {name: found for name, page in seen.items() if (found := fault(page))}


def test_every_executed_notebook_and_every_page_of_docs_has_its_page(site):
    for path in EXECUTED:
        assert (site / path.with_suffix(".html")).is_file()
    for path in (REPOSITORY / "docs").glob("*.md"):
        assert (site / "docs" / f"{path.stem}.html").is_file()


def test_no_page_complains_or_asks_another_host(seen):
    assert len(seen) > len(EXECUTED)
    assert by_page(seen, lambda page: page["complaints"]) == {}


def test_links_and_anchors_lead_somewhere(site, seen):
    def broken(page):
        return [link for link in page["links"] if not leads(link)]

    def leads(link):
        address, anchor = urldefrag(link)
        if urlsplit(address).scheme in ("https", "http"):
            return True
        path = unquote(urlsplit(address).path)
        name = path.removeprefix(f"{site.as_posix()}/")
        if name not in seen:
            return (site / name).is_file()
        return not anchor or unquote(anchor) in seen[name]["anchors"]

    assert by_page(seen, broken) == {}


def test_every_picture_is_seen_and_described(seen):
    def faulty(page):
        return [i for i in page["images"] if not (i["alt"] and i["width"] and i["shown"])]

    assert by_page(seen, faulty) == {}
    drawn = [seen[p.with_suffix(".html").as_posix()]["images"] for p in EXECUTED]
    assert all(drawn)


def test_headings_go_down_one_at_a_time(seen):
    def jumps(page):
        levels = page["headings"]
        steps = zip([0, *levels], levels, strict=False)
        return levels.count(1) != 1 or [s for s in steps if s[1] > s[0] + 1]

    assert by_page(seen, jumps) == {}


def test_no_page_is_wider_than_a_phone(seen):
    wide = by_page(seen, lambda page: page["width_on_phone"] > PHONE["width"])
    assert wide == {}


def test_text_stands_out_from_its_ground_on_every_page(seen):
    assert by_page(seen, lambda page: {t: f for t, f in page["faint"].items() if f}) == {}


@needs_chromium
def test_what_is_faint_is_seen():
    with chromium() as browser:
        page = browser.new_page(viewport=DESK)
        page.set_content(
            "<p style='color: #777'>grey</p><p style='color: #000'>black</p>"
            "<p style='color: #888; font-size: 24px'>large</p>"
            "<p style='color: #000; opacity: .4'>through</p>"
            "<div style='background: rgb(0 0 0 / 60%)'><p style='color: #000'>shade</p></div>"
            "<details><summary>more</summary><p style='color: #aaa'>folded</p></details>"
            "<p style='color: #ccc; display: none'>hidden</p>"
        )
        faint = page.evaluate(FAINT)
        told = {re.match(r"[\d.]+: (\w+)", text)[1] for text in faint.values()}
        assert told == {"grey", "through", "shade", "folded"}
        assert not page.evaluate("document.querySelector('details').open")


@needs_chromium
def test_colours_and_grounds_that_let_through_are_weighed_as_they_look():
    half = "background: rgb(255 0 0 / 50%)"
    with chromium() as browser:
        page = browser.new_page(viewport=DESK)
        page.set_content(
            "<p style='color: #f00'>red</p><p style='color: #e00000'>deeper</p>"
            "<p style='color: #0a0'>green</p><p style='color: #008000'>deep</p>"
            "<p style='color: #00f'>blue</p><p style='color: rgb(0 0 0 / 50%)'>through</p>"
            "<p style='color: #c00; background: #080'>both</p>"
            f"<div style='{half}'><p style='color: #fff'>pink</p><p>dark</p></div>"
            f"<div style='background: #000'><div style='{half}'>"
            "<p style='color: #fff'>light</p><p style='color: #000'>maroon</p></div></div>"
        )
        faint = page.evaluate(FAINT)
    # By hand: 0.2126 R + 0.7152 G + 0.0722 B in linear light, to which 0.05 is added; half of red
    # over white is ff7f7f, over black 800000.
    assert {re.match(r"([\d.]+): (\w+)", text).groups() for text in faint.values()} == {
        *(("4.00", "red"), ("3.11", "green"), ("1.27", "both")),
        *(("4.00", "through"), ("2.44", "pink"), ("1.92", "maroon")),
    }


@needs_chromium
def test_the_search_finds_a_known_word(site):
    with chromium() as browser:
        page = browser.new_page(viewport=DESK)
        complaints = watch(page)
        page.goto((site / "search.html").as_uri() + "?q=silhouette")
        # Results come one after another.
        found = page.locator("#search-results li a").get_by_text("Clusters and how good they are")
        found.first.wait_for()
        assert complaints == []


@needs_chromium
def test_the_theme_can_be_changed_by_hand(site):
    with chromium() as browser:
        page = browser.new_page(viewport=DESK, color_scheme="light")
        page.goto((site / "index.html").as_uri())
        page.locator("button.theme-switch-button").first.click()
        page.get_by_role("button", name="Dark").click()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
