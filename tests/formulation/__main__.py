"""Refresh the golden files: ``python -m tests.formulation``; read what changed before keeping it."""

from tests.formulation.golden import write_all

if __name__ == "__main__":
    for path in write_all():
        print(path.name)
