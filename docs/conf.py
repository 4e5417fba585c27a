"""How the pages of this folder become a site; `bin/docs` builds it."""

import os
import sys
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

import gnn_nas

sys.path.insert(0, str(Path(__file__).with_name("_extensions")))
# The width of the commands' help.
os.environ["COLUMNS"] = "100"

project = "gnn_nas"
author = "The gnn_nas maintainers"
version = release = gnn_nas.__version__
extensions = [
    "from_code",
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
# Single backquotes of docstrings: a link where the page has the object, else code.
default_role = "py:obj"

# The notebook is committed with its outputs, and a test runs it.
nb_execution_mode = "off"
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
maximum_signature_line_length = 80
napoleon_custom_sections = ["Shapes"]
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"gnn_nas {release}"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_theme_options = {"navigation_with_keys": True}
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False


def setup(app: Sphinx) -> None:
    """Keep a mean and its deviation on one line."""

    def join(app: Sphinx, document: nodes.document) -> None:
        for text in list(document.findall(nodes.Text)):
            if " ± " in text:
                text.parent.replace(
                    text, nodes.Text(text.replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}"))
                )

    app.connect("doctree-read", join)
