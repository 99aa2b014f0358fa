"""A version 0 of the format, made up for the tests: other names, and capacity of deliveries in MW."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "instance.toml": (
        '# made by hand\nschema = 0\nname = "old"\n\n[calendar]\nbegin = 2026-01-01\nresolution = "year"\nperiods = 2\n'
    ),
    "pools.csv": "pool\ncloud\n",
    "contracts.csv": "contract,pool\nc,cloud\n",
    "deliveries.csv": 'contract,date,mw,note\nc,2026-01-01,1500,"one, ""and"" more"\n',
    "pathways.csv": "pathway\nads\n",
    "value.csv": "pathway,from,tier,value_bn_per_gw_year\nads,2026-01-01,1,2\n",
    "uncertainty.toml": (
        '[[factor]]\nname = "f"\nrevealed = 2027-01-01\n[[factor.outcome]]\nname = "all"\nprobability = 1.0\n'
        '[[factor.outcome.edit]]\ntable = "deliveries"\ninsert = { contract = "c", date = 2027-01-01, mw = 0.5 }\n'
    ),
    "whatifs/less.toml": (
        '# half of it\n[[edit]]\ntable = "deliveries"\nwhere = { contract = "c" }\ncolumn = "mw"\nscale = 0.5\n'
        '[[edit]]\ntable = "value"\ncolumn = "value_bn_per_gw_year"\nscale = 0.5\n'
    ),
}


def to_one(texts: dict[str, str]) -> list[str]:
    """Bring version 0 to version 1."""
    texts["instance.toml"] = texts["instance.toml"].replace("begin", "start")
    header, *rows = texts["deliveries.csv"].splitlines(keepends=True)
    texts["deliveries.csv"] = header.replace("mw", "gw") + "".join(row.replace(",1500,", ",1.5,") for row in rows)
    texts["uncertainty.toml"] = texts["uncertainty.toml"].replace("mw = ", "gw = ")
    texts["whatifs/less.toml"] = texts["whatifs/less.toml"].replace('"mw"', '"gw"')
    return ["calendar.begin is now start", "deliveries: column mw is now gw, MW are now GW", "edits name gw"]


def write_old(folder: Path) -> Path:
    """Write the instance of version 0."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
