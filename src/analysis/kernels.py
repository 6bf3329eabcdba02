"""A kernel started ahead: while one notebook runs, the next one's kernel starts and imports on the other core.

A kernel takes about three seconds to start and to import the libraries, as long as many a chapter takes to run.
`Kernels` is a context: what was started ahead and never used is shut down at its end.
"""

import os
from typing import Self

from jupyter_client import AsyncKernelManager
from jupyter_core.utils import run_sync

#: A kernel's own warnings are no finding about customers, and nobody will want its history.
_ARGUMENTS = ["--IPKernelApp.log_level=CRITICAL", "--HistoryManager.hist_file=:memory:"]

#: Set in the kernels of a run: nobody is there to turn a knob.
BATCH = "MOSHTARI_BATCH"


class Kernels:
    """Kernels for the notebooks of a run, one ahead of need."""

    def __init__(self) -> None:
        self._ahead: AsyncKernelManager | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        if self._ahead:
            self.stop(self._ahead)
            self._ahead = None

    def start(self, imports: list[str]) -> None:
        """Start a kernel ahead, unless there is one; it makes the imports by itself, nobody waits for it."""
        if self._ahead is None:
            kernel = AsyncKernelManager(kernel_name="python3")
            arguments = [*_ARGUMENTS, f"--IPKernelApp.exec_lines={imports!r}"]
            run_sync(kernel.start_kernel)(extra_arguments=arguments, env={**os.environ, BATCH: "1"})
            self._ahead = kernel

    def take(self, imports: list[str]) -> AsyncKernelManager:
        """The kernel that was started ahead, or a new one."""
        self.start(imports)
        kernel, self._ahead = self._ahead, None
        return kernel

    @staticmethod
    def stop(kernel: AsyncKernelManager) -> None:
        run_sync(kernel.shutdown_kernel)(now=True)
