"""Writes and solves instances that are small enough to be worked out by hand."""

from __future__ import annotations

from pathlib import Path

from tests.oracle import OracleResult, solve

POOL = {"pools": "pool\ncloud\n"}
ONE_GW = {"contracts": "contract,pool\nc,cloud\n", "deliveries": "contract,date,gw\nc,2026-01-01,1\n"}


def solved(
    folder: Path, head: str, tables: dict[str, str], uncertainty: str = "", *, deterministic: bool = False
) -> OracleResult:
    """Write an instance that starts on 2026-01-01 and solve it; `head` is ``resolution periods [key = value; ...]``."""
    resolution, periods, *rest = head.split(maxsplit=2)
    sections = {"discount_rate": "economics", "aversion": "risk", "tail": "risk"}
    lines = ["schema = 1", 'name = "by hand"', "[calendar]", "start = 2026-01-01"]
    lines += [f'resolution = "{resolution}"', f"periods = {periods}"]
    for name in ("economics", "risk"):
        settings = [part for part in (rest[0].split(";") if rest else []) if sections[part.split()[0]] == name]
        lines += [f"[{name}]", *settings]
    (folder / "instance.toml").write_text("\n".join(lines))
    for table, text in tables.items():
        (folder / f"{table}.csv").write_text(text)
    if uncertainty:
        (folder / "uncertainty.toml").write_text(uncertainty)
    return solve(folder, deterministic=deterministic)


def factor(revealed: str, *outcomes: tuple[str, float, str]) -> str:
    """Return one factor in TOML: outcomes as (name, probability, body of one edit)."""
    text = f'[[factor]]\nname = "f"\nrevealed = {revealed}\n'
    for name, probability, edit in outcomes:
        text += f'[[factor.outcome]]\nname = "{name}"\nprobability = {probability}\n'
        text += f"[[factor.outcome.edit]]\n{edit}\n" if edit else ""
    return text
