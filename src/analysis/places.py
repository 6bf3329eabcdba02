"""Where things lie: the notebooks, the reports, the users' data.

In a clone of the repository these are its own folders; where only the package is installed, the notebooks come with it
and reports and data go below the folder in which the command was given.
"""

import os
import re
import unicodedata
from pathlib import Path

_CLONE = Path(__file__).resolve().parents[2]
_IS_CLONE = (_CLONE / "notebooks" / "0_data.ipynb").is_file()

NOTEBOOKS = _CLONE / "notebooks" if _IS_CLONE else Path(__file__).parent / "notebooks"
ROOT = _CLONE if _IS_CLONE else Path.cwd()
REPORTS = ROOT / "reports"
DATA = Path(os.environ.get("MOSHTARI_DATA", ROOT / "data"))

#: Letters of a file's name: a Persian letter takes two bytes of the 255 that a file system allows.
_LONGEST = 80


def file_name(text: str) -> str:
    """A text from the data as the name of a file: letters and digits of any script, hyphens for all else.

    Examples
    --------
    >>> file_name("United Kingdom"), file_name("../etc/passwd"), file_name("?")
    ('united-kingdom', 'etc-passwd', 'unnamed')
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", "-", plain)[:_LONGEST].strip("-") or "unnamed"
