"""A report as PDF, printed by a browser that the machine has: what stands on paper is what the print style says."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from analysis.errors import Problem

#: What browsers that print without a window are called, after the one that CHROMIUM names.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

#: Seconds after which printing is given up.
_PATIENCE = 300


def write(page: Path) -> Path:
    """Print a page beside itself, whole or not at all.

    Parameters
    ----------
    page : Path
        An HTML file.

    Returns
    -------
    Path
        The same name with the ending pdf.

    Raises
    ------
    Problem
        There is no browser, or it did not print.
    """
    pdf = page.with_suffix(".pdf")
    pdf.unlink(missing_ok=True)  # of an earlier page: better none than one that says something else
    browser = _browser()
    part = page.with_name(f".{pdf.name}.part")
    # a browser that root starts has no sandbox; the page loads nothing and runs no script but its own
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="moshtari-pdf-", ignore_cleanup_errors=True) as profile:
        options = ("--headless", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={profile}")
        command = [browser, *options, *as_root, f"--print-to-pdf={part.absolute()}", page.absolute().as_uri()]
        try:
            subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired) as e:
            raise Problem(
                f"{browser} did not print {page}: {type(e).__name__}. Try again, or print it by hand."
            ) from None
    if not part.is_file():
        raise Problem(f"{browser} did not print {page}. Open the page in a browser and print it to a file.")
    part.replace(pdf)
    return pdf


def _browser() -> str:
    named = os.environ.get("CHROMIUM", "")
    found = next((path for b in (named, *BROWSERS) if b and (path := shutil.which(b))), None)
    if found is None:
        looked = f"CHROMIUM={named}, " if named else ""
        raise Problem(
            f"There is no browser to print a PDF with (looked for {looked}{', '.join(BROWSERS)}). Install Chromium "
            "(Debian: apt-get install chromium), or set CHROMIUM to the program; the page itself is whole."
        )
    return found
