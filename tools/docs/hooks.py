"""For mkdocs: links from docs/ to other files of the repository, which the site does
not have, become their paths."""

import pathlib
import posixpath
import re

LINK = re.compile(r"\[([^\]\[]+)\]\(((?:\.\./)+[^)#\s]+)(#[^)\s]*)?\)")
ROOT = pathlib.Path(__file__).resolve().parents[2]


def on_page_markdown(markdown, page, config, files):
    folder = posixpath.dirname(page.file.src_uri)

    def outside(link):
        path = posixpath.normpath(posixpath.join("docs", folder, link[2]))
        if path.startswith("docs/"):
            return link[0]
        if not (ROOT / path).exists():
            raise FileNotFoundError(f"{page.file.src_uri}: {link[2]} is not there")
        name = posixpath.basename(path)
        return link[1] if name in link[1] else f"{link[1]} (`{path}`)"
    return LINK.sub(outside, markdown)
