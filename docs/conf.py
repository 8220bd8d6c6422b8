"""The documentation as a site: ``make docs``. Its pages are the Markdown files beside this one."""

project = "SampleMind"
extensions = ["myst_parser"]
exclude_patterns = ["_site"]
html_theme = "furo"
html_title = "SampleMind"
html_copy_source = False
html_show_sphinx = False
myst_heading_anchors = 3
# JSON in the examples is shortened with "…", which is none.
suppress_warnings = ["misc.highlighting_failure"]
