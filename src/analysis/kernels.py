"""Kernels started ahead: while one notebook runs, the next one's kernel starts and imports on the other core.

A kernel takes about three seconds to start and to import the libraries, as long as many a chapter takes to run.
`Kernels` is a context: what still runs at its end is shut down, so that a run that is stopped leaves nothing behind.
"""

import os
from threading import Event, RLock
from typing import Self

from jupyter_client import AsyncKernelManager
from jupyter_core.utils import run_sync

from analysis.errors import Problem

#: A kernel's own warnings are no finding about customers, and nobody will want its history.
_ARGUMENTS = ["--IPKernelApp.log_level=CRITICAL", "--HistoryManager.hist_file=:memory:"]

#: Set in the kernels of a run: nobody is there to turn a knob.
BATCH = "MOSHTARI_BATCH"


class Kernels:
    """Kernels for the notebooks of a run, taken by threads that each run one.

    Parameters
    ----------
    most : int
        So many live at once, those started ahead among them; each takes some 250 MiB.

    Attributes
    ----------
    over : Event
        Set at the end: no kernel is started any more.
    """

    def __init__(self, most: int = 2) -> None:
        self.most = most
        self._ahead: list[AsyncKernelManager] = []
        self._taken: list[AsyncKernelManager] = []
        self._lock = RLock()
        self.over = Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        with self._lock:
            self.over.set()
            for kernel in (*self._ahead, *self._taken):
                self.stop(kernel)
            self._ahead = []

    def start(self, imports: list[str]) -> None:
        """Start a kernel ahead, if there is room; it makes the imports by itself, nobody waits for it."""
        with self._lock:
            if not self.over.is_set() and len(self._ahead) + len(self._taken) < self.most:
                self._ahead.append(_started(imports))

    def take(self, imports: list[str]) -> AsyncKernelManager:
        """A kernel that was started ahead, or a new one."""
        with self._lock:
            if self.over.is_set():  # a chapter whose kernel was shut down under it is followed by no other
                raise Problem("Stopped. The next run goes on from here.")
            kernel = self._ahead.pop(0) if self._ahead else _started(imports)
            self._taken.append(kernel)
        return kernel

    def stop(self, kernel: AsyncKernelManager) -> None:
        """Shut a kernel down; one that is gone already does no harm."""
        with self._lock:
            self._taken = [k for k in self._taken if k is not kernel]
        run_sync(kernel.shutdown_kernel)(now=True)


def _started(imports: list[str]) -> AsyncKernelManager:
    kernel = AsyncKernelManager(kernel_name="python3")
    arguments = [*_ARGUMENTS, f"--IPKernelApp.exec_lines={imports!r}"]
    run_sync(kernel.start_kernel)(extra_arguments=arguments, env={**os.environ, BATCH: "1"})
    return kernel
