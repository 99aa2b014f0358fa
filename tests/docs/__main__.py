"""Write the pages that are made from the code: ``python -m tests.docs``."""

from tests.docs.generated import PAGES

if __name__ == "__main__":
    for path, make in PAGES.items():
        path.write_text(make(), encoding="utf-8")
        print(path.name)
