"""How Sphinx builds the report site; `python -m cohortlab.report` writes the pages and calls it."""

from importlib import metadata

project = "cohortlab"
author = "The cohortlab authors"
project_copyright = author
release = metadata.version(project)

extensions = [
    "myst_nb",
    "sphinx_design",
    "cohortlab.report.extension",
]
exclude_patterns = ["files"]
default_role = "literal"

nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
# A fence of a language that the highlighter does not know is shown plain; a name of several objects
# leads to the first of them.
suppress_warnings = ["misc.highlighting_failure", "ref.python"]

html_theme = "pydata_sphinx_theme"
html_title = "cohortlab"
html_context = {"default_mode": "auto"}
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_sidebars = {"index": []}
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "navbar_align": "left",
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
