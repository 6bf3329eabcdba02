"""What does a persona's card say, for programs and for plain text?

Takes the content of a card (see docs/persona_schema.md). Gives Markdown and JSON, and for all who draw cards the same
content with every text made fit to stand in a line.
"""

import json
import math
import re
import unicodedata

#: Longer texts are cut where a card is drawn; JSON keeps them whole.
LONGEST = 600

#: What would turn round the text that follows it. Marks of direction (RLM, LRM) and isolates may stay.
_UNSEEN = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\ufffe\uffff"))
_ISOLATES, _END_OF_ISOLATE = "\u2066\u2067\u2068", "\u2069"

_DIGITS = {"fa": str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")}


def to_json(content: dict) -> str:
    """The content as JSON, for a CRM's import: texts as they are, whole; keys as in docs/persona_schema.md.

    Examples
    --------
    >>> to_json({"name": "ناهید", "share": float("nan")})
    '{\\n  "name": "ناهید",\\n  "share": null\\n}\\n'
    """
    whole = _mapped(content, lambda text: text.encode("utf-8", "replace").decode())
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def readable(content, longest: int = LONGEST):
    """The content with every text in one line, without what only a machine sees, cut where it is too long.

    Parameters
    ----------
    content : dict, list or str
    longest : int
        Characters of a text at most.

    Examples
    --------
    >>> readable({"text": "one\\ntwo\\x00", "mark": None, "lines": ["reads " * 9]}, 20)
    {'text': 'one two', 'mark': None, 'lines': ['reads reads reads…']}
    """
    return _mapped(content, lambda text: cut(_in_one_line(text), longest))


def cut(text: str, longest: int) -> str:
    """A text of at most so many characters, ended after a word where there is one.

    Examples
    --------
    >>> cut("reads to rest", 10), cut("rereading", 6)
    ('reads to…', 'rerea…')
    """
    if len(text) <= longest:
        return text
    kept = text[: longest - 1]
    words = kept.rpartition(" ")[0]
    return (words if len(words) > longest / 2 else kept).rstrip() + "…"


def more(content: dict, n: int) -> str:
    """How many lines there are beyond those that found room, in the card's words and digits; a plain … without them.

    Examples
    --------
    >>> more({"language": "en", "more": "… {n} more in the evidence table"}, 3)
    '… 3 more in the evidence table'
    """
    return content.get("more", "…").replace("{n}", counted(content, n))


def counted(content: dict, n: int) -> str:
    """A number of things in the card's digits.

    Examples
    --------
    >>> counted({"language": "en"}, 12), counted({"language": "fa"}, 12) == "۱۲"
    ('12', True)
    """
    return str(n).translate(_DIGITS.get(content["language"], {}))


def heading(content: dict) -> tuple[str, str]:
    """What stands as the card's name and what below it: a company has no name, and its title stands first.

    Examples
    --------
    >>> heading({"name": "Nahid", "title": "Readers of novels"}), heading({"name": None, "title": "Wholesalers"})
    (('Nahid', 'Readers of novels'), ('Wholesalers', ''))
    """
    first, *rest = [text for text in (content["name"], content["title"]) if text] or [""]
    return first, rest[0] if rest else ""


def sections(content: dict) -> list[dict]:
    """The parts of a card that hold lines, in reading order, without those that have nothing to say.

    Returns
    -------
    list of dict
        title, note, and groups: title (None where the section is one group), lines, empty.
    """
    found = [{"title": p["title"], "note": None, "groups": [{**p, "title": None}]} for p in content["parts"]]
    for key, groups in (("touchpoints", "phases"), ("use", "parts")):
        of = content[key]
        found.append({"title": of["title"], "note": of.get("note"), "groups": of[groups]})
    limits, refresh = content["limits"], content["refresh"]
    for of in (limits, refresh) if refresh else (limits,):
        found.append({"title": of["title"], "note": None, "groups": [{"title": None, **_only_lines(of)}]})
    told = ({**s, "groups": [g for g in s["groups"] if g["lines"] or g["empty"]]} for s in found)
    return [section for section in told if section["groups"]]


def markdown(content: dict) -> str:
    """The card as Markdown, every text of the data shown as text.

    Examples
    --------
    >>> markdown({"language": "en"})
    Traceback (most recent call last):
    ...
    KeyError: 'name'
    """
    content = _mapped(readable(content), _escaped)
    name, title = heading(content)
    blocks = [
        f"# {name}",
        _joined(f"**{title}**" if title else "", content["kicker"], content["share_text"], mark="  \n"),
        _said(content["summary"]),
        _joined(*(f"> {text}" for text in _quoted(content)), mark="\n>\n"),
        "\n".join(f"- {f['label']}: {_said(f)}{_kind(f, content)}" for f in content["facts"]),
        *(_section(section, content) for section in sections(content)),
        _confidence(content),
        _titled(content["alike"]["title"], content["alike"]["text"]),
        _table_section(content["examples"]),
        _titled("⚠", "\n".join(f"- {text}" for text in content["warnings"])),
        _table_section(content["evidence"]),
        f"---\n\n{content['footer']}",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _quoted(content: dict) -> list[str]:
    quote = content["quote"] or {}
    return [text for text in (quote.get("text"), quote.get("note")) if text]


def _section(section: dict, content: dict) -> str:
    groups = []
    for group in section["groups"]:
        lines = [_line(line, content) for line in group["lines"]] or [group["empty"]]
        groups += [f"### {group['title']}"] if group["title"] else []
        groups.append("\n".join(lines))
    return _joined(f"## {section['title']}", section["note"], *groups)


def _line(line: dict, content: dict) -> str:
    share = f"{line['share_text']} · " if line.get("share_text") else ""
    more_of_it = "".join(
        f"  \n  {text}" for text in (line["question"], line["warning"] and f"⚠ {line['warning']}") if text
    )
    return f"- {share}{_said(line)}{_kind(line, content)}{more_of_it}"


def _said(line: dict) -> str:
    return _joined(f"{line['text']}{_marked(line)}" if line["text"] else "", line.get("detail"), mark=" — ")


def _marked(line: dict) -> str:
    return f" \\[{line['mark']}\\]" if line["mark"] else ""


def _kind(line: dict, content: dict) -> str:
    """What a line is, where it is more or less than measured."""
    known = content["legend"].get(line["kind"]) if line["kind"] != "measured" else None
    return f" *({known})*" if known else ""


def _confidence(content: dict) -> str:
    of = content["limits"]["confidence"]
    return _joined(f"**{_joined(of.get('title'), of['word'], mark=': ')}**", of["text"], of["how"], mark="  \n")


def _table_section(of: dict) -> str:
    rows = ["| " + " | ".join(row) + " |" for row in of["rows"]]
    rule = "|" + " --- |" * len(of["head"])
    table = "\n".join(["| " + " | ".join(of["head"]) + " |", rule, *rows]) if rows else of.get("empty")
    return _titled(of["title"], _joined(table, of.get("note")))


def _titled(title: str, text: str | None) -> str:
    return f"## {title}\n\n{text}" if text else ""


def _joined(*texts: str | None, mark: str = "\n\n") -> str:
    return mark.join(text for text in texts if text)


def _only_lines(of: dict) -> dict:
    return {"lines": of["lines"], "empty": of.get("empty")}


def _escaped(text: str) -> str:
    """A text of which Markdown makes nothing but text, addresses of the web included."""
    text = re.sub(r"([\\`*_\[\]<>|~#$&])", r"\\\1", text)
    text = re.sub(r"(?i)\b(https?|ftp)://", r"\1\\://", text)
    text = re.sub(r"(?i)\bwww\.", lambda found: found[0][:-1] + "\\.", text)
    return re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", text)


def _in_one_line(text: str) -> str:
    # XML, and with it slides and drawings, knows neither control characters nor halves of characters.
    breaks = {"Cc": " ", "Zl": " ", "Zp": " ", "Cs": "\ufffd"}
    text = text.translate(_UNSEEN)
    if not text.isprintable():  # most texts are, and this is asked of tens of thousands
        text = "".join(breaks.get(unicodedata.category(c), c) for c in text)
    text = re.sub(" {2,}", " ", text).strip().replace(" %", "\N{NO-BREAK SPACE}%")
    return _isolates_ended(text)


def _isolates_ended(text: str) -> str:
    """Isolates of direction that a text leaves open, ended with it."""
    opened = sum(text.count(c) for c in _ISOLATES) - text.count(_END_OF_ISOLATE)
    return text + _END_OF_ISOLATE * max(opened, 0)


def _mapped(value, on_text):
    """The same structure with each text changed, and no number that JSON does not know."""
    if isinstance(value, dict):
        return {key: _mapped(v, on_text) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(v, on_text) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return on_text(value) if isinstance(value, str) else value
