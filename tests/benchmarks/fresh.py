"""Measuring a function in a process of its own, so that nothing loaded or cached before counts for it or against it.

`median_of` lets several functions take turns and gives the median of each one's figures, with the time of the whole
process and its peak of resident memory.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from statistics import median


def median_of(sides: Mapping[str, tuple[Callable, tuple]], runs: int) -> dict[str, dict[str, float]]:
    """Median figures of each side; the sides take turns, so that a busy minute of the machine meets them alike.

    Parameters
    ----------
    sides : dict of str to (function, arguments)
        Functions of a module, with arguments that JSON can carry; each returns its figures by name.
    runs : int
        Runs of each side.

    Returns
    -------
    dict of str to dict
        Side → the function's own figures and those of its process; see :func:`figures_of`.
    """
    figures = {side: [] for side in sides}
    for _ in range(runs):
        for side, (function, arguments) in sides.items():
            figures[side].append(figures_of(function, *arguments))
    return {side: {name: median(f[name] for f in found) for name in found[0]} for side, found in figures.items()}


def figures_of(function: Callable, *arguments: object) -> dict[str, float]:
    """What a function returns when a fresh process runs it.

    To the function's own figures are added ``process``, the seconds from the process's start to its end, and, where the
    function does not say itself, ``peak``, its highest resident memory in bytes.
    """
    command = [sys.executable, "-m", __name__, function.__module__, function.__name__, json.dumps(arguments)]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{function.__name__} failed:\n{done.stderr}")
    return {**json.loads(done.stdout.splitlines()[-1]), "process": seconds}


def peak_bytes() -> int:
    """Highest resident memory of this process so far."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS


if __name__ == "__main__":
    module, function, arguments = sys.argv[1:]
    result = getattr(import_module(module), function)(*json.loads(arguments)) or {}
    print(json.dumps({"peak": peak_bytes(), **result}))
