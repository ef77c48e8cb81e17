"""Debian's Chromium for the tests, without any network of its own."""

import contextlib
import os
import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on the path: apt-get install chromium"
)
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

# What a page holds: where its links lead, what can be led to, its pictures, headings and width.
HOLDINGS = """() => ({
  links: [...document.querySelectorAll("a[href]")].map(a => a.href),
  anchors: [...document.querySelectorAll("[id]")].map(e => e.id),
  images: [...document.querySelectorAll("img")].map(i => ({
    alt: i.getAttribute("alt"), width: i.naturalWidth, shown: i.getBoundingClientRect().width,
    source: i.src.slice(0, 200)})),
  headings: [...document.querySelectorAll(":is(main, header) :is(h1, h2, h3, h4, h5, h6)")]
    .map(h => +h.tagName[1]),
})"""
WIDTH = "() => document.documentElement.scrollWidth"
# The least contrast of the text in sight, each piece against the nearest ground behind it.
CONTRAST = """() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  let worst = {ratio: 21};
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    if (!text || !e.checkVisibility({visibilityProperty: true})) continue;
    const both = [parse(getComputedStyle(e).color), ground(e)].map(light);
    const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    if (ratio < worst.ratio) worst = {ratio, text: text.slice(0, 60)};
  }
  return worst;
}"""


@contextlib.contextmanager
def chromium():
    """Run a browser; root has no sandbox for it."""
    from playwright.sync_api import sync_playwright

    arguments = ARGUMENTS + ["--no-sandbox"] * (hasattr(os, "getuid") and os.getuid() == 0)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def watch(page):
    """Collect what a page complains of, and what it asks for beyond files."""
    complaints = []

    def requested(request):
        if not request.url.startswith(("file:", "data:", "blob:")):
            complaints.append(f"outside: {request.url}")

    def said(message):
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("request", requested)
    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    return complaints


def look_at(browser, paths):
    """Open pages one after another, at a desk and on a phone; yield each with what it holds."""
    page = browser.new_page(viewport=DESK)
    complaints = watch(page)
    for path in paths:
        page.set_viewport_size(DESK)
        page.goto(path.as_uri(), wait_until="load")
        seen = page.evaluate(HOLDINGS)
        page.set_viewport_size(PHONE)
        seen["width_on_phone"] = page.evaluate(WIDTH)
        seen["complaints"] = complaints.copy()
        complaints.clear()
        yield path, seen
