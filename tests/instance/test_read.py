"""Folders, files, encodings, CSV and TOML: what is read, and what is said of what cannot be."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
import sys
from pathlib import Path

import pandas as pd
import pytest

from gwplan import files
from gwplan.catalogue.tables import TABLES
from gwplan.problems import InstanceError
from gwplan.storage import rows
from gwplan.storage.read import load
from tests.instance.folders import PLAIN, SMALL, UNCERTAINTY, WHATIF, WHOLE, errors, plain, written


def test_an_instance_is_what_its_files_say(tmp_path: Path) -> None:
    """Tables, sections, factors and what-ifs all arrive, with row numbers and blanks as written."""
    instance = load(written(tmp_path / "x", WHOLE))
    assert (instance.name, instance.description, instance.start) == ("small", "every table once", dt.date(2026, 7, 1))
    assert (instance.resolution, instance.periods, instance.discount_rate) == ("month", 24, 0.09)
    assert (instance.aversion, instance.tail) == (0.2, 0.1)
    assert instance.tables["deliveries"].index.tolist() == [2, 3, 4]
    assert instance.tables["deliveries"]["gw"].tolist() == [1, 0.5, 0.4]
    assert instance.tables["pools"]["note"].tolist() == ["", "scattered"]
    assert instance.present == set(TABLES) - {"offers", "offer_prices", "effectiveness"}
    assert [(f.name, f.revealed, [o.probability for o in f.outcomes]) for f in instance.factors] == [
        ("market", dt.date(2027, 1, 1), [0.6, 0.4])
    ]
    assert instance.whatifs["late"].description == "rented capacity is late"


def test_hashes_are_those_of_the_bytes_read(tmp_path: Path) -> None:
    """The manifest of a run can name the very files that it used."""
    folder = written(tmp_path / "x", WHOLE)
    assert load(folder).files == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sorted(WHOLE)
    }


def test_only_four_tables_and_instance_toml_are_needed(tmp_path: Path) -> None:
    """Optional tables may be missing; they are empty then, and known to be absent."""
    folder = tmp_path / "x"
    toml = 'schema = 1\nname = "bare"\n[calendar]\nstart = "2026-07-01"\nresolution = "year"\nperiods = 2\n'
    bare = {name: SMALL[f"{name}.csv"] for name in ("pools", "contracts", "deliveries", "pathways")}
    instance = load(written(folder, {"instance.toml": toml}, **bare))
    assert instance.present == {"instance", "calendar", "economics", "risk", *bare}
    assert instance.tables["value"].empty
    assert (instance.discount_rate, instance.tail) == (0.0, 0.1)


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """One look at the messages is enough to mend everything."""
    folder = written(
        tmp_path / "x",
        {**WHOLE, "uncertainty.toml": UNCERTAINTY.replace("0.6", "0.5"), "whatifs/late.toml": "descripton = 1"},
        pools="pool,terminal_value_bn_per_gw_year\ncampus,many\ncloud,-1\n",
        demand="pathway,from,floor_gw,cap_gw\nmsi,2026-07-01,0,1\nmsl,2026-07-01,2,1\n",
        churn="pathway,date,fraction\nmsl,2027-07-01,0.1\n",
        value=None,
        deliverys="contract\n",
    )
    (folder / "deliveries.csv").unlink()
    said = "\n".join(errors(folder))
    for part in (
        "deliverys.csv: unknown file; the format has no such file; did you mean 'deliveries.csv'?",
        "deliveries.csv: no such file; every instance has one; add it",
        "pools.csv row 2, terminal_value_bn_per_gw_year: 'many'; must be a number",
        "pools.csv row 3, terminal_value_bn_per_gw_year: -1; must be at least 0",
        "demand.csv row 2, pathway: 'msi'; pathways.csv has no such pathway; did you mean 'msl'?",
        "demand.csv row 3, floor_gw: 2; above the 1 effective GW that cap_gw 1 gives at effectiveness 1",
        "churn.csv row 2, fraction: 0.1; pathway 'msl' is no deal pathway",
        "uncertainty.toml factor 1 'market': probabilities 0.5 + 0.4 = 0.9; must sum to 1",
        "whatifs/late.toml: unknown key 'descripton'; there is no such key here; did you mean 'description'?",
    ):
        assert part in said
    assert len(said.splitlines()) == 9


HEADERS = [
    ("pathway,date,fraktion\n", ["unknown column 'fraktion'; churn has no such column; did you mean 'fraction'?"]),
    ("pathway,date,fraction,date\n", ["column 'date' occurs 2 times; a column may occur once; delete all but one"]),
    ("pathway;date;fraction\n", ["row 1 is one cell, 'pathway;date;fraction'; cells are separated by commas"]),
    ("pathway,date,fraction,\ndeals,2027-07-01,0.1,5\n", ["a column without a name; every column has a name in row 1"]),
    ("", ["churn.csv: no header; row 1 holds the names of the columns"]),
    ("pathway,date\n", ["churn.csv row 1: no column 'fraction'; churn needs it; add the column"]),
]


@pytest.mark.parametrize(("text", "parts"), HEADERS)
def test_column_names_are_checked(text: str, parts: list[str], tmp_path: Path) -> None:
    """A misspelt, repeated, nameless or missing column never passes as a default."""
    said = "\n".join(errors(written(tmp_path / "x", churn=text)))
    assert all(part in said for part in parts), said


def test_columns_may_stand_in_any_order_and_empty_ones_are_ignored(tmp_path: Path) -> None:
    """What a spreadsheet leaves behind (empty columns and rows, a byte order mark, blanks, CRLF) does no harm."""
    text = "\ufeff date , fraction,pathway,,\r\n2027-07-01,0.1,deals,,\r\n,,,,\r\n\r\n2027-08-01,0.2,deals,,\r\n"
    frame = load(written(tmp_path / "x", churn=text)).tables["churn"]
    assert frame["fraction"].tolist() == [0.1, 0.2]
    assert frame.index.tolist() == [2, 5]


def test_a_header_alone_is_an_empty_table(tmp_path: Path) -> None:
    """A table without rows is present and empty: no eligible pair at all is not every pair."""
    instance = load(written(tmp_path / "x", demand=None, locks=None, eligibility="pathway,pool\n"))
    assert "eligibility" in instance.present
    assert instance.filled("eligibility").empty


CSV = [
    ("deals,2027-07-01\n", "churn.csv row 2: 2 cells; row 1 names 3 columns"),
    ("deals,2027-07-01,0.1,0.2\n", "churn.csv row 2: 4 cells; row 1 names 3 columns"),
    ('deals,2027-07-01,0.1\ndeals,"2027-08-01,0.1\n', "churn.csv row 3: a double quote that is not closed"),
    ('deals,"2027-08-01"x,0.1\n', "churn.csv row 2: a double quote inside a cell"),
    ('"' + "x" * 200_000 + '",2027-08-01,0.1\n', "churn.csv row 2: a cell that is too long"),
]


@pytest.mark.parametrize(("text", "said"), CSV)
def test_broken_rows_are_told(text: str, said: str, tmp_path: Path) -> None:
    """A row that cannot be read as it stands is never filled up, cut off or dropped."""
    assert [e.startswith(said) for e in errors(written(tmp_path / "x", churn="pathway,date,fraction\n" + text))] == [
        True
    ]


def test_quoted_cells_hold_commas_quotes_and_lines(tmp_path: Path) -> None:
    """Free text comes through whole, and row numbers count rows, not lines."""
    text = 'pool,note\ncampus,"a, ""b""\r\nc"\ncloud,-\n'
    frame = load(written(tmp_path / "x", pools=text)).tables["pools"]
    assert frame["note"].tolist() == ['a, "b"\r\nc', "-"]
    assert frame.index.tolist() == [2, 3]


BYTES = [
    (b"pool\ncampus\ncl\xfcd\n", "pools.csv line 3: byte 14 (0xfc) is not UTF-8"),
    (b"\xef\xbb\xbfpool\n\xff\n", "pools.csv line 2: byte 8 (0xff) is not UTF-8"),
    ("pool\ncampus\n".encode("utf-16"), "pools.csv line 1: byte 0 (0xff) is not UTF-8"),
    (b"pool\ncam\x00pus\n", "pools.csv line 2: a NUL character at byte 8"),
]


@pytest.mark.parametrize(("data", "said"), BYTES)
def test_other_encodings_are_named_with_the_byte(data: bytes, said: str, tmp_path: Path) -> None:
    """Text in another encoding is refused where it begins to differ, not read as something else."""
    folder = written(tmp_path / "x")
    (folder / "pools.csv").write_bytes(data)
    found = errors(folder)
    assert len(found) == 1 and found[0].startswith(said)


def test_a_folder_is_needed(tmp_path: Path) -> None:
    """A missing folder, a file and an unusable path each say what they are."""
    (tmp_path / "file").write_text("x")
    rule = "an instance is a folder or a workbook (.xlsx, .xlsm)"
    assert errors(tmp_path / "none") == [
        f"{tmp_path}/none: no such folder; {rule}; check the path, or make one with gwplan new"
    ]
    assert errors(tmp_path / "file") == [
        f"{tmp_path}/file: not a folder; {rule}; give the folder that holds instance.toml"
    ]
    assert "cannot be listed" in errors(Path("a\0b"))[0]
    assert "instance.toml: no such file" in errors(tmp_path)[0]


@pytest.mark.parametrize("name", ["pools.csv", "instance.toml", "uncertainty.toml", "whatifs/late.toml", "whatifs"])
def test_only_regular_files_inside_the_folder_are_read(name: str, tmp_path: Path) -> None:
    """A pipe does not hang, a folder or a dangling link does not crash, and no link leads out of the folder."""
    outside = tmp_path / "outside"
    outside.mkdir()
    for kind in ("pipe", "folder", "dangling", "out", "loop"):
        folder = written(tmp_path / kind, WHOLE)
        path = folder / name
        if path.is_dir():
            (path / "late.toml").unlink()
            path.rmdir()
        else:
            path.unlink()
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        else:
            target = {"dangling": folder / "gone", "out": outside, "loop": path}[kind]
            path.symlink_to(target)
        said = errors(folder)
        if (kind, name) == ("folder", "whatifs"):
            assert said == []
        else:
            assert len(said) == 1 and said[0].startswith(name), (kind, said)


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    """Links are refused for where they lead, not for what they are."""
    folder = written(tmp_path / "x")
    (folder / "pools.csv").rename(folder / "pools.txt")
    (folder / "pools.csv").symlink_to("pools.txt")
    assert errors(folder) == []


def test_unknown_files_are_refused_and_others_ignored(tmp_path: Path) -> None:
    """A misspelt table is never passed over; notes and pictures are."""
    folder = written(tmp_path / "x", {**WHOLE, "README.md": "x", "whatifs/README.md": "x", "plan.xlsx": "x"})
    assert errors(folder) == []
    for name in ("Demand.csv", "demands.csv", "demand.CSV", "whatif.toml", "whatifs/demand.csv"):
        (folder / name).write_text("x\n")
    (folder / "what-ifs").mkdir()
    assert [line.split(":")[0] for line in errors(folder)] == [
        "Demand.csv", "demand.CSV", "demands.csv", "what-ifs/", "whatif.toml", "whatifs/demand.csv",
    ]  # fmt: skip


def test_file_names_that_are_no_text_can_be_told(tmp_path: Path) -> None:
    """A name of arbitrary bytes is shown escaped."""
    folder = written(tmp_path / "x")
    with open(os.path.join(os.fsencode(folder), b"\xff\x1b.csv"), "wb"):
        pass
    (line,) = errors(folder)
    assert line.startswith("\\udcff\\x1b.csv: unknown file")
    line.encode()


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit on size holds at the limit."""
    size = max(len(text.encode()) for text in SMALL.values())
    monkeypatch.setattr(files, "LARGEST", size)
    assert errors(written(tmp_path / "x")) == []
    monkeypatch.setattr(files, "LARGEST", size - 1)
    (line,) = errors(tmp_path / "x")
    assert "too large" in line


TOML = [
    ("periods = 24", "periods = 24\nperiod = 2", "instance.toml [calendar]: unknown key 'period'; the format has no"),
    ("[economics]", "[economic]", "instance.toml: unknown key 'economic'; the format has no such key; did you mean"),
    ("start = 2026-07-01", "start = 2026-02-30", "instance.toml: cannot be read; Invalid"),
    (
        "start = 2026-07-01",
        "start = 2026-07-01T00:00:00",
        "instance.toml [calendar] start: 2026-07-01 00:00:00; must be",
    ),
    ("start = 2026-07-01", "start = 2026-07-02", "instance.toml [calendar] start: 2026-07-02; must be the first day"),
    ("periods = 24", "periods = true", "instance.toml [calendar] periods: true; must be a whole number"),
    ("periods = 24", "periods = [24]", "instance.toml [calendar] periods: a list; must be a whole number"),
    ("periods = 24", "periods = 0x" + "f" * 4000, "instance.toml [calendar] periods: 'inf'; must be a finite number"),
    ("periods = 24", "periods = " + "9" * 5000, "instance.toml: cannot be read"),
    ('name = "small"', "name = 0x" + "f" * 4000, "instance.toml name: a huge number; must be text"),
    ('name = "small"', 'name = "  "', "instance.toml name: blank; must not be blank"),
    ("[risk]", "[[risk]]", "instance.toml [risk]: '[{'aversion': 0.2, 'tail': 0.1}]' in place of a section"),
    ('name = "small"', "name = " + "[" * 5000, "instance.toml: cannot be read"),
    (
        "schema = 1",
        "schema = 0",
        "instance.toml schema: version 0; this gwplan reads version 1 of the format; bring it",
    ),
    (
        "schema = 1",
        "schema = 2",
        "instance.toml schema: version 2; this gwplan reads version 1 of the format; use a newer",
    ),
]


@pytest.mark.parametrize(("old", "new", "said"), TOML, ids=[new[:24] for _, new, _ in TOML])
def test_instance_toml_is_checked(old: str, new: str, said: str, tmp_path: Path) -> None:
    """Unknown keys, wrong types and texts that are no TOML are told; nothing is taken for something else."""
    text = SMALL["instance.toml"].replace(old, new)
    (line,) = errors(written(tmp_path / "x", {**SMALL, "instance.toml": text}))
    assert line.startswith(said)


def test_a_missing_section_is_told_once(tmp_path: Path) -> None:
    """A calendar that is not there is one problem, not one for each of its keys."""
    folder = written(tmp_path / "x", {**SMALL, "instance.toml": 'schema = 1\nname = "x"\n'})
    assert errors(folder) == [
        "instance.toml [calendar]: no such section; the section is required; add [calendar] with its keys"
    ]


def test_another_version_is_refused_alone(tmp_path: Path) -> None:
    """The rules of this version are not held against the tables of another."""
    files = {**SMALL, "instance.toml": "schema = 0\n", "pools.csv": "name\n"}
    assert len(errors(written(tmp_path / "x", files))) == 1


def test_the_fast_reader_and_the_plain_one_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large table is read cell by cell as a small one is, number for number, and its faults are told alike."""
    generator = random.Random(7)
    table = TABLES["value"]
    blanks = ["", "", "1e3", ".5", "1.", "+2", "0.1", "123456789.123456789", "00012", " 3 "]
    faults = [*["-1", "nan", "inf", "1e999", "x", "1_0", "0x1", "true", "-"], " ", "1;2"]
    agreed = {True: 0, False: 0}
    for trial in range(120):
        cells = [*blanks, *[repr(generator.uniform(0, 1) * 10 ** generator.randint(-20, 20)) for _ in range(10)]]
        lines = ["pathway,from,tier,width_gw,value_bn_per_gw_year,note"]
        for number in range(generator.randint(0, 12)):
            odd = generator.choice(faults) if trial % 2 and generator.random() < 0.1 else None
            width, worth = odd or generator.choice(cells), generator.choice(cells[2:])
            lines.append(
                f"msl,2027-0{generator.randint(1, 9)}-01,{number},{width},{worth},{generator.choice('ab ')}nan"
            )
        if trial % 10 == 9:
            lines.insert(generator.randint(0, len(lines)), generator.choice(["", "a", ",,,,,", "a,b,c,d,e,f,g", '"']))
        end = generator.choice(["\n", "\r\n"])
        text = end.join(lines) + generator.choice(["", end])
        plain, fast = rows._read_rows(table, text), rows._read_fast(table, text)
        if fast is not None:
            assert not plain.faults
            pd.testing.assert_frame_equal(fast.frame, plain.frame)
        agreed[fast is not None] += 1
    assert min(agreed.values()) >= 20


def test_a_large_faulty_table_gets_the_same_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast reader leaves every fault to the plain one."""
    lines = [f"own,2027-01-01,{n}" for n in range(1, 20)] + ["own,2027-13-01,1", "own,2027-01-01,nan"]
    folder = written(tmp_path / "x", deliveries="\n".join(["contract,date,gw", *lines]))
    before = errors(folder)
    monkeypatch.setattr(rows, "LARGE", 0)
    assert errors(folder) == before
    assert [line.split(":")[0] for line in before] == ["deliveries.csv row 21, date", "deliveries.csv row 22, gw"]


def test_every_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is hashed is what is parsed, whatever happens to the file meanwhile."""
    folder = written(tmp_path / "x", WHOLE)
    opened: list[str] = []
    real = os.open

    def counting(path: str | Path, *rest: int) -> int:
        opened.append(Path(path).name)
        return real(path, *rest)

    monkeypatch.setattr(os, "open", counting)
    load(folder)
    assert sorted(opened) == sorted(Path(name).name for name in WHOLE)


def test_whatifs_take_their_names_from_their_files(tmp_path: Path) -> None:
    """Each file of whatifs/ is one what-if, in the order of their names."""
    files = {**WHOLE, "whatifs/a.toml": WHATIF, "whatifs/Z b.toml": WHATIF}
    assert list(load(written(tmp_path / "x", files)).whatifs) == ["Z b", "a", "late"]


def test_loading_imports_nothing_heavy() -> None:
    """Reading an instance needs neither a solver nor a modelling language."""
    import subprocess

    code = (
        "import sys, gwplan.storage.read\n"
        "print([m for m in ('pyomo', 'highspy', 'scipy', 'altair', 'rich', 'gwplan.models') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_error_carries_every_problem(tmp_path: Path) -> None:
    """Programs get the problems one by one, people get one line each."""
    with pytest.raises(InstanceError) as caught:
        load(written(tmp_path / "x", pools="pool\n\n", churn="x\n"))
    assert len(caught.value.problems) == len(str(caught.value).splitlines()) > 1
    assert {problem.severity for problem in caught.value.problems} == {"error"}


def test_an_accent_is_the_same_in_every_normal_form(tmp_path: Path) -> None:
    """Protects names from a Mac, where an accent is a character of its own: in tables, edits, what-ifs, workbooks."""
    one, two = "caf\u00e9", "cafe\u0301"
    value = f"pathway,from,tier,value_bn_per_gw_year\n{two},2026-01-01,1,5\n"
    plain(tmp_path, pathways=f"pathway\n{one}\n", value=value)
    edit = f'[[edit]]\ntable = "pathways"\nwhere = {{ pathway = "{two}" }}\ncolumn = "realisation"\nset = 0.5\n'
    (tmp_path / "whatifs").mkdir()
    (tmp_path / "whatifs" / f"{two}.toml").write_text(edit, encoding="utf-8")
    instance = load(tmp_path)
    assert set(instance.tables["value"]["pathway"]) == {one} and instance.whatif(two) is instance.whatif(one)
    edited = instance.edited(f"pathways[pathway={two}].realisation = 0.2")
    assert edited.tables["pathways"]["realisation"].tolist() == [0.2]


def test_a_letter_of_another_alphabet_is_named(tmp_path: Path) -> None:
    """Protects who sees the same word twice: the letter that differs is called by its name."""
    written(tmp_path, PLAIN, value="pathway,from,tier,value_bn_per_gw_year\n\u0430ds,2026-01-01,1,5\n")
    assert errors(tmp_path) == [
        "value.csv row 2, pathway: '\u0430ds'; pathways.csv has no such pathway; did you mean 'ads'? "
        "'\u0430' is CYRILLIC SMALL LETTER A"
    ]
