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
# The text that does not stand out from its ground, once for each pair of colours and size: below
# 4.5 to 1, or 3 to 1 where it is large (WCAG 2.2, 1.4.3). Grounds that let through are laid on what
# is behind them; what is folded is opened meanwhile; drawings and pictures are not looked at.
FAINT = """() => {
  const folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach(d => { d.open = true; });
  const pen = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const colours = new Map(), grounds = new Map([[null, {colour: [255, 255, 255], opacity: 1}]]);
  const rgba = name => {
    if (!colours.has(name)) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = name;
      pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      colours.set(name, [r, g, b, a / 255]);
    }
    return colours.get(name);
  };
  const laid = (top, alpha, under) => under.map((v, i) => top[i] * alpha + v * (1 - alpha));
  const ground = e => {
    if (!grounds.has(e)) {
      const behind = ground(e.parentElement), style = getComputedStyle(e);
      const own = rgba(style.backgroundColor), opacity = behind.opacity * style.opacity;
      grounds.set(e, {colour: laid(own, own[3] * opacity, behind.colour), opacity});
    }
    return grounds.get(e);
  };
  const light = colour => colour.map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const faint = new Map(), looked = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    if (!text || looked.has(e) || e.ownerSVGElement) continue;
    looked.add(e);
    if (!e.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    const style = getComputedStyle(e), behind = ground(e), own = rgba(style.color);
    const colour = laid(own, own[3] * behind.opacity, behind.colour);
    const size = parseFloat(style.fontSize), bold = style.fontWeight >= 700;
    const ratio = contrast(light(colour), light(behind.colour));
    const key = [colour, behind.colour].map(c => c.map(Math.round).join(" ")).join(" on ");
    if (ratio < (size >= 24 || (bold && size >= 18.66) ? 3 : 4.5)) faint.set(`${key}, ${size} px`,
      `${ratio.toFixed(2)}: ${text.slice(0, 40)} <${e.tagName} ${e.className}>`);
  }
  folded.forEach(d => { d.open = false; });
  return Object.fromEntries(faint);
}"""
# Colours on their way to others are neither.
STILL = "* { transition: none !important; animation: none !important }"
# A page of one look has no theme.
THEME_IS = "scheme => [scheme, undefined].includes(document.documentElement.dataset.theme)"


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
    """Open pages one by one, at a desk and on a phone, light and dark; yield what each holds."""
    page = browser.new_page(viewport=DESK)
    complaints = watch(page)
    for path in paths:
        page.set_viewport_size(DESK)
        page.goto(path.as_uri(), wait_until="load")
        seen = page.evaluate(HOLDINGS)
        seen["faint"] = {}
        page.add_style_tag(content=STILL)
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(THEME_IS, arg=scheme)
            seen["faint"][scheme] = page.evaluate(FAINT)
        page.set_viewport_size(PHONE)
        seen["width_on_phone"] = page.evaluate(WIDTH)
        seen["complaints"] = complaints.copy()
        complaints.clear()
        yield path, seen
