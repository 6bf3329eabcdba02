"""A TOML file that anybody may edit and that the program writes anew: what people wrote in it is never lost.

`read` gives its entries, complete and checked, or says in a sentence which of them a person has slipped in; `write`
writes them anew, all at once, so that nobody ever reads half a file.
"""

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from analysis.errors import Problem, did_you_mean

#: How a type is said to whoever writes the file.
_KINDS = {
    str: "text in quotation marks",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a table",
    list: "a list of tables",
}


def read(file: Path, keys: tuple[str, ...], types: Mapping[str, type]) -> list[dict]:
    """The entries of a file, whatever their key; none where there is no file yet.

    Parameters
    ----------
    file : Path
    keys : tuple of str
        The lists of tables that the file may have; the first is named to whoever mistypes one.
    types : mapping from the names of an entry to their types

    Returns
    -------
    list of dict, each with all names; white space in texts is made one space

    Raises
    ------
    Problem
        The file cannot be read, is no TOML, or has what it should not have; it is left as it is.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "names.toml")
    >>> _ = file.write_text('[[groups]]\\nname = "Readers"')
    >>> read(file, ("groups",), {"name": str, "why": str})
    [{'name': 'Readers', 'why': ''}]
    """
    if not file.exists():
        return []
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise Problem(f"{file} is not valid TOML: {e}. Mend that line, or remove the file to begin anew.") from None
    except OSError as e:
        raise Problem(f"{file} cannot be read: {e.strerror}. Name a TOML file.") from None
    for key, entries in raw.items():
        if key not in keys or not isinstance(entries, list):
            meant = did_you_mean(key, keys) if key not in keys else " Give it two brackets on either side."
            raise Problem(f'{file}: "{key}" is not known.{meant} It has [[{keys[0]}]].')
    return [checked(file, key, entry, types) for key, entries in raw.items() for entry in entries]


def checked(file: Path, key: str, entry, types: Mapping[str, type]) -> dict:
    """An entry with all its names; a Problem where a person has slipped."""
    if not isinstance(entry, dict):
        raise Problem(f"{file}: [[{key}]] must hold tables, not {entry!r}. Begin each with a line [[{key}]].")
    for name, value in entry.items():
        if name not in types:
            raise Problem(f'{file}: [[{key}]] has no "{name}".{did_you_mean(name, types)} It has: {", ".join(types)}.')
        allowed = (int, float) if types[name] is float else types[name]
        if not isinstance(value, allowed) or (isinstance(value, bool) and types[name] is not bool):
            raise Problem(f"{file}: {name} in [[{key}]] must be {_KINDS[types[name]]}, not {value!r}.")
    far = [trait for trait, at in entry.get("profile", {}).items() if not isinstance(at, int | float)]
    if far:
        raise Problem(f'{file}: "{far[0]}" in a profile must be a number. Leave the profiles as they were written.')
    complete = {name: entry.get(name, kind()) for name, kind in types.items()}
    return {name: " ".join(value.split()) if isinstance(value, str) else value for name, value in complete.items()}


def write(file: Path, head: str, blocks: Iterable[str]) -> None:
    """Write under another name and rename, so that nobody ever reads half a file."""
    part = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        part.write_text("\n".join([head, *blocks]), encoding="utf-8")
        part.replace(file)
    except OSError as e:
        raise Problem(f"{file} cannot be written: {e.strerror}. Name a file in a folder that exists.") from None
    finally:
        part.unlink(missing_ok=True)


def block(key: str, entry: Mapping) -> str:
    """An entry as the file has it.

    Examples
    --------
    >>> print(block("groups", {"name": "Readers", "customers": 12, "profile": {"age": 0.9}}))
    [[groups]]
    name = "Readers"
    customers = 12
    profile = { "age" = 0.9 }
    <BLANKLINE>
    """
    return "\n".join([f"[[{key}]]", *(f"{name} = {_toml(value)}" for name, value in entry.items())]) + "\n"


def _toml(value) -> str:
    """A text, a number or a table of them as TOML writes it: as JSON does, but for one letter and the tables."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_toml(name)} = {_toml(of)}' for name, of in value.items())} }}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
