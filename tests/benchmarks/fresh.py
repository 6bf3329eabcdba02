"""Measuring a function in a process of its own, so that nothing loaded or cached before counts for it or against it.

`in_turns` lets several functions take turns and gives the figures of every run, with the time of the whole process and
its peak of resident memory.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from statistics import median


def in_turns(sides: Mapping[str, tuple[Callable, tuple]], runs: int) -> dict[str, list[dict[str, float]]]:
    """Figures of every run of each side; the sides take turns, so that a busy minute of the machine meets them alike.

    Parameters
    ----------
    sides : dict of str to (function, arguments)
        Functions of a module, with arguments that JSON can carry; each returns its figures by name.
    runs : int
        Runs of each side.

    Returns
    -------
    dict of str to list of dict
        Side → for every run the function's own figures and those of its process; see :func:`figures_of`.
    """
    figures = {side: [] for side in sides}
    for _ in range(runs):
        for side, (function, arguments) in sides.items():
            figures[side].append(figures_of(function, *arguments))
    return figures


def medians(figures: list[dict[str, float]]) -> dict[str, float]:
    """The median of each figure over the runs."""
    return {name: median(f[name] for f in figures) for name in figures[0]}


def median_ratio(figures: list[dict[str, float]], beside: list[dict[str, float]], name: str) -> float:
    """The median of the ratios of runs that followed one another."""
    return median(f[name] / b[name] for f, b in zip(figures, beside, strict=True))


def figures_of(function: Callable, *arguments: object) -> dict[str, float]:
    """What a function returns when a fresh process runs it.

    To the function's own figures are added ``process``, the seconds from the process's start to its end, and, where the
    function does not say itself, ``peak``, its highest resident memory in bytes.
    """
    with tempfile.TemporaryDirectory(prefix="moshtari-bench-") as scratch:
        answer = Path(scratch, "figures.json")  # not standard output: the engine draws its progress there
        named = (function.__module__, function.__name__, json.dumps(arguments), str(answer))
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", __name__, *named], capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
        if done.returncode:
            raise SystemExit(f"{function.__name__} failed:\n{done.stderr}")
        return {**json.loads(answer.read_text()), "process": seconds}


def peak_bytes() -> int:
    """Highest resident memory of this process so far."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS


if __name__ == "__main__":
    module, function, arguments, answer = sys.argv[1:]
    result = getattr(import_module(module), function)(*json.loads(arguments)) or {}
    Path(answer).write_text(json.dumps({"peak": peak_bytes(), **result}))
