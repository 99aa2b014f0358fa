"""What happens to outputs when a process is killed, or two write the same."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gwplan as gw
from gwplan.kept.run import keep, read_run
from gwplan.show.tables import to_csv
from gwplan.solver.compile import compiled
from gwplan.tree.timeline import BYTES_A_COLUMN, columns, timeline
from tests.cli.conftest import INSTANCES
from tests.cli.kills import Subject, killed
from tests.generate import random_instance

TREE = str(INSTANCES / "tiny-tree")


def started(*arguments: str) -> subprocess.Popen[bytes]:
    """Start a command."""
    environment = {**os.environ, "PYTHONPATH": str(INSTANCES.parent)}
    command = [sys.executable, "-m", "gwplan.cli", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def ended(instance: str | Path, *arguments: str, before: str) -> subprocess.CompletedProcess[str]:
    """Run ``solve`` in a process that first runs some lines of Python: what makes the fault."""
    code = f"{before}\nimport sys\nsys.argv = ['gwplan', 'solve', *sys.argv[1:]]\nfrom gwplan.cli import main\nmain()"
    environment = {**os.environ, "PYTHONPATH": str(INSTANCES.parent)}
    command = [sys.executable, "-c", code, str(instance), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_plan_that_does_not_fit_into_memory_is_refused_with_the_numbers(tmp_path: Path) -> None:
    """Protects the machine: what will not fit is refused in one line before it is built, not killed on the way."""
    large = tmp_path / "large"
    shutil.copytree(INSTANCES / "meta-2026h1", large)
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_AS, ({0}, {0}))".format(
        700 * 2**20
    )  # the libraries take 500
    done = ended(large, "--set", "calendar.periods = 600", "--set", "calendar.resolution = month", before=limit)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "GB of memory" in done.stderr and "GB are free" in done.stderr


@pytest.mark.parametrize("short", [0, 1])
def test_memory_is_refused_from_the_byte_on_that_is_lacking(short: int) -> None:
    """Protects the rule: a plan is solved where the least that it takes is free, and refused where a byte lacks."""
    instance = gw.load(TREE)
    needed = BYTES_A_COLUMN * columns(instance, timeline(instance).data.tree.size)
    done = ended(TREE, before=f"import gwplan.tree.timeline as m\nm.available = lambda: {needed - short}")
    assert done.returncode == short and "Traceback" not in done.stderr
    assert ("of memory" in done.stderr) is bool(short) and ("optimal, checked" in done.stdout) is not bool(short)


def test_a_solve_takes_more_memory_than_it_is_refused_for() -> None:
    """Protects what fits: the peak of a whole solve is above the estimate, which is no more than a part of it."""
    instance = gw.load(INSTANCES / "meta-2026h1")
    needed = BYTES_A_COLUMN * columns(instance, timeline(instance).data.tree.size)
    code = (
        # not ru_maxrss: a process begins with that of the one that started it
        "import re, sys, gwplan as gw, gwplan.planning\nfrom gwplan.solver import highs\n"
        "told = lambda: open('/proc/self/status').read()\n"
        "peak = lambda: 1024 * int(re.search(r'VmHWM:\\s*(\\d+) kB', told())[1])\n"
        "instance = gw.load(sys.argv[1])\nbefore = peak()\ngw.solve(instance)\nprint(peak() - before)"
    )
    environment = {**os.environ, "PYTHONPATH": str(INSTANCES.parent)}
    command = [sys.executable, "-c", code, str(INSTANCES / "meta-2026h1")]
    taken = int(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert needed <= taken <= 20 * needed


@pytest.mark.parametrize("seed", [12, 38, 64, 69, 73])
def test_memory_is_estimated_from_no_more_decisions_than_there_are(seed: int, tmp_path: Path) -> None:
    """Protects what fits: random programs have at least the columns that the estimate counts, and not twenty times."""
    instance = gw.load(random_instance(seed, tmp_path / "x"))
    data = timeline(instance).data
    actual = compiled(data).shape[1]
    assert columns(instance, data.tree.size) <= actual <= 20 * columns(instance, data.tree.size)


AS_STATUS = (
    "import highspy, gwplan.solver.highs as h\n"
    "h._STATUS = {{**h._STATUS, highspy.HighsModelStatus.kOptimal: h.Status.{0}}}"
)
OUT_OF_MEMORY = (
    "import gwplan.solver.highs as h\nload = h.loaded\n"
    "def full():\n    raise MemoryError('std::bad_alloc')\n"
    "def loaded(*given):\n    solver = load(*given)\n    solver.run = full\n    return solver\n"
    "h.loaded = loaded"
)
WRONG = (
    "import dataclasses, gwplan.solver.solving as m\nrun = m.run_solver\n"
    "m.run_solver = lambda *a, **k: (lambda s: dataclasses.replace(s, columns=1.01 * s.columns))(run(*a, **k))"
)
FAILED = "import highspy, gwplan.solver.highs as h\nh._run = lambda *given: (highspy.HighsStatus.kError, False)"


@pytest.mark.parametrize(
    ("fault", "code", "told"),
    [
        (FAILED, 5, "the solver failed"),
        (AS_STATUS.format("SOLVER_ERROR"), 5, "the solver failed: Optimal"),
        (AS_STATUS.format("UNBOUNDED"), 3, "unbounded: some decision raises worth without end"),
        (AS_STATUS.format("INFEASIBLE_OR_UNBOUNDED"), 3, "the solver could not tell which"),
        (AS_STATUS.format("TIME_LIMIT"), 4, "time limit"),
        (WRONG, 5, "does not prove optimal"),
        (OUT_OF_MEMORY, 1, "out of memory"),
    ],
    ids=["kError", "no status", "unbounded", "unclear", "time limit", "wrong", "memory"],
)
def test_a_solver_that_fails_is_told_and_leaves_no_false_plan(fault: str, code: int, told: str, tmp_path: Path) -> None:
    """Protects against silent wrong answers: whatever the solver says, the whole process ends with its own code."""
    done = ended(TREE, "--out", str(tmp_path / "run"), before=fault)
    assert done.returncode == code and "Traceback" not in done.stderr, done.stderr
    assert told in done.stderr and "Proved optimal" not in done.stdout
    assert code == 4 or not (done.stdout or list(tmp_path.iterdir()))


def test_memory_that_runs_out_after_all_is_one_line(tmp_path: Path) -> None:
    """Protects whoever is between the estimate and what a plan takes: a real lack of memory is told in a line."""
    limit = (
        "import resource, gwplan.commands.solve, gwplan.planning, gwplan.tree.timeline as m\n"
        "m.available = lambda: None\nused = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 60 * 2**20,) * 2)"
    )
    long = ("--set", "calendar.periods = 600", "--out", str(tmp_path / "run"))
    done = ended(INSTANCES / "meta-2026h1", *long, before=limit)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "out of memory" in done.stderr and not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_disk_that_really_is_full_costs_the_run_and_not_the_plan(tmp_path: Path) -> None:
    """Protects outputs on a disk without room: the system's refusal is one line, and nothing is left on the disk."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(tmp_path)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"mounting is not permitted: {mounted.stderr.decode().strip()}")
    try:
        done = ended(TREE, "--out", str(tmp_path / "run"), before="")
        assert done.returncode == 1 and "no space left" in done.stderr and "Traceback" not in done.stderr
        assert "tiny-tree   Jan 2026" in done.stdout and list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_costs_the_run_and_not_the_plan(tmp_path: Path) -> None:
    """Protects outputs on a full disk: no half of a run is left, one line says so, and the plan is printed."""
    limit = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))"
    )
    done = ended(TREE, "--out", str(tmp_path / "run"), before=limit)
    assert done.returncode == 1 and "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert "tiny-tree   Jan 2026" in done.stdout and list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not write")
def test_a_folder_that_may_not_be_written_is_refused_before_the_solve(tmp_path: Path) -> None:
    """Protects the planner's time: a read-only place is told at once, and nothing is left in it."""
    folder = Path("/var/tmp") / f"gwplan-read-only-{os.getpid()}"
    folder.mkdir(mode=0o555)
    try:
        # the package is imported first: whoever we become may not be able to read it
        become = (
            "import os, gwplan.commands.solve, gwplan.kept.run, gwplan.planning\nos.setgid(65534); os.setuid(65534)"
        )
        done = ended(TREE, "--out", str(folder / "run"), before=become)
        assert done.returncode == 1 and "may not be written into" in done.stderr and not done.stdout
        assert list(folder.iterdir()) == []
    finally:
        folder.rmdir()


def test_a_file_that_changes_while_it_is_read_is_planned_as_it_was_read(tmp_path: Path) -> None:
    """Protects the record: the kept run's hash and instance are of the bytes that were planned, whatever came later."""
    instance, target = tmp_path / "instance", tmp_path / "run"
    shutil.copytree(TREE, instance)
    before = hashlib.sha256((instance / "pathways.csv").read_bytes()).hexdigest()
    change = (
        "import gwplan.storage.read as sources\nread = sources.bytes_inside\n"
        "def changing(root, path, name):\n    data = read(root, path, name)\n"
        "    if name == 'pathways.csv':\n        open(path, 'w').write('pathway\\n')\n    return data\n"
        "sources.bytes_inside = changing"
    )
    done = ended(instance, "--out", str(target), before=change)
    assert done.returncode == 0, done.stderr
    run = read_run(target)
    assert run.manifest["files"]["pathways.csv"] == before
    assert len(run.instance.tables["pathways"]) > 0 and (instance / "pathways.csv").read_text() == "pathway\n"


@pytest.mark.parametrize(("command", "wait"), [("solve", 0.002), ("export csv", 0.0), ("export xlsx", 0.2)])
def test_what_is_killed_while_it_writes_leaves_a_whole_output_or_none(
    command: str, wait: float, tmp_path: Path
) -> None:
    """Protects kept runs and exports: a process killed while it writes leaves nothing that looks whole and is not."""
    run = keep(gw.solve(gw.load(TREE)), tmp_path / "run", command=["gwplan"], options={})
    whole = to_csv(read_run(run), tmp_path / "csv")
    expected = {path.name: path.stat().st_size for path in whole.iterdir()} if command == "export csv" else None
    (here := tmp_path / "here").mkdir()
    phase = killed(Subject(command, TREE if command == "solve" else str(run), expected), here, wait, writing=True)
    assert phase != "before writing"


def test_two_processes_that_keep_the_same_run_leave_one_whole(tmp_path: Path) -> None:
    """Protects kept runs: of two that write the same folder one wins, whole, and the other says why it did not."""
    target = tmp_path / "run"
    both = [started("solve", TREE, "--out", str(target)) for _ in range(2)]
    told = [process.communicate()[1].decode() for process in both]
    codes = sorted(process.returncode for process in both)
    assert read_run(str(target)).summary["status"] == "optimal"
    assert codes in ([0, 0], [0, 1])
    assert all("Traceback" not in text for text in told)
    if codes == [0, 1]:
        assert any("run" in text and "error:" in text for text in told)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
