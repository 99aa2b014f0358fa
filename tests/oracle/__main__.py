"""Solve an instance folder with the oracle: ``python -m tests.oracle FOLDER [--deterministic]``."""

import argparse
from pathlib import Path

from tests.oracle.result import solve


def main() -> None:
    """Print status, objective, its parts and the worth of each scenario."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--deterministic", action="store_true", help="leave the uncertainty out")
    options = parser.parse_args()
    result = solve(options.folder, deterministic=options.deterministic)
    print(f"{result.status}: {result.nodes} nodes, {len(result.worth_bn)} scenarios")
    print(f"{'objective_bn':32}{result.objective_bn:18.9f}")
    print(f"{'npv_bn':32}{result.npv_bn:18.9f}")
    for name, figure in result.components_bn.items():
        print(f"  {name:30}{figure:18.9f}")
    for name, figure in result.worth_bn.items():
        print(f"{name or 'as written':32}{figure:18.9f}")


if __name__ == "__main__":
    main()
