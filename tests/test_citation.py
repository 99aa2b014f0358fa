from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

REQUIRED = {"cff-version", "message", "title", "authors"}
"""What schema 1.2.0 of the citation file format requires."""


def citation() -> dict[str, str | list[str]]:
    """Return ``CITATION.cff``: keys with a text, or with a list of texts of which a name's key is left out."""
    found: dict[str, str | list[str]] = {}
    key = ""
    for line in (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines():
        if line.startswith("  - "):
            listed = found[key]
            assert isinstance(listed, list), line
            listed.append(line.removeprefix("  - ").removeprefix("name: "))
        else:
            key, colon, text = line.partition(":")
            assert colon and key not in found, line
            found[key] = text.strip().strip('"') or []
    return found


def test_the_citation_is_of_this_version() -> None:
    """Who cites gwplan cites the version, authors and licence that the package has; a release cannot forget it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = citation()
    assert set(told) >= REQUIRED
    assert told["cff-version"] == "1.2.0" and told["type"] == "software"
    assert told["version"] == project["version"]
    assert told["license"] == project["license"]
    assert told["authors"] == [author["name"] for author in project["authors"]]
    assert told["keywords"] == project["keywords"]
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
