"""How Sphinx builds the site: ``make docs``, or ``python -m sphinx -W -c docs . build/site``.

The source folder is the repository, so that a link means the same on the site and on the repository's web page.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.highlighting import lexers

logging.getLogger("numexpr").setLevel(logging.WARNING)
lexers["csv"] = TextLexer()
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

project = "gwplan"
author = "The gwplan authors"
copyright = author
root_doc = "docs/index"
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**.md", "instances/*-20*/README.md"]
exclude_patterns = [".*", "build", "dist", "tests", "*.egg-info", "runs"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
suppress_warnings: list[str] = []
default_role = "code"

add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpy docstrings say types in words
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "gwplan"
html_static_path = ["site/static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
templates_path = ["site/templates"]
html_additional_pages = {"index": "start.html"}
html_theme_options = {"navigation_with_keys": True}
html_math_renderer = "mathml"


def _mathml(translator: Any, node: nodes.math | nodes.math_block) -> None:
    """Write a formula as MathML, which browsers show without any script; what cannot be read ends the build."""
    is_block = isinstance(node, nodes.math_block)
    try:
        formula = tex2mathml(node.astext(), as_block=is_block)
    except MathError as error:
        raise ExtensionError(f"{node.source}:{node.line}: formula cannot be read: {error}: {node.astext()}") from error
    translator.body.append(f'<div class="formula">{formula}</div>' if is_block else formula)
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register the renderer of formulas."""
    app.add_html_math_renderer("mathml", (_mathml, None), (_mathml, None))
