"""Reading a customer base: mapping files, file formats, Persian dates and text.

``read("bookshop")`` or ``read("my_base.toml")`` gives a :class:`Base` of canonical tables; `shipped` lists the mappings
that come with the package.
"""

from analysis.sources.base import Base, connect, read, read_mapping, set_aside
from analysis.sources.mapping import find, load, shipped
from analysis.sources.merging import unmerged

__all__ = ["Base", "connect", "find", "load", "read", "read_mapping", "set_aside", "shipped", "unmerged"]
