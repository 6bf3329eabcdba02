"""What stands on a persona's card, in words: every line with its evidence, and what is only assumed.

Takes a persona and a language. Gives one dictionary of texts, from which HTML, PDF, slides, Markdown and JSON are drawn
without a further decision.
"""

from hashlib import sha256
from itertools import count

import numpy as np
import pandas as pd

from analysis import locale as locales
from analysis.personas import examples, follows
from analysis.personas.likeness import line_id
from analysis.personas.lines import about, assumed, evidence_row, figures, line, sentence, what
from analysis.personas.traits import told
from analysis.vocabulary import topic, words

SCHEMA = "moshtari-persona-1"

#: Parts of a card that hold lines of traits, and how many at most. Ours: what is readable at arm's length.
PARTS = {"who": 5, "goals": 4, "pains": 4, "buying": 5, "needs": 5, "own": 6, "channels": 5, "rivals": 5}

#: A line belongs to work and means on the card's part of who they are.
_SHOWN_AS = {"job": "who"}

#: What a reader looks for in a part even where it sets nobody apart, and how many lines of it are enough.
_WANTED = {
    "pains": ("mean_csat", "last_nps", "complaints_365d"),
    "buying": (
        *("orders_per_year", "mean_order_value", "lines per purchase", "discounted_share"),
        *("looks per purchase", "usual_payment_method"),
    ),
    "needs": ("top_category", "quality_over_price"),
    "channels": ("used_channel", "preferred_channel", "contact_channel"),
}
_ENOUGH = 3

#: Parts in which it is worth knowing what is not distinctive, in the order in which stereotypes begin.
_ALIKE = ("who", "job", "own", "buying", "channels", "needs", "pains", "goals")

_MOST_CONTACTS, _MOST_ALIKE, _MOST_UNLIKE = 4, 12, 3

#: Colours of the palette, in turn.
_COLOURS = 8


def content(persona, language="en", known=None):
    """Everything that a card shows, in one language.

    Parameters
    ----------
    persona : Persona
    language : {"en", "fa"}
    known : mapping, optional
        What is remembered of the persona from earlier runs: key, face, called (its fictional name).

    Returns
    -------
    dict
        See docs/persona_schema.md.
    """
    locale, row = locales.of(language), persona.row
    draft = _Draft(persona, locale)
    identity = identified(persona, language, known)
    card = {
        "schema": SCHEMA,
        "language": language,
        "direction": locale.direction,
        "persona": int(row["persona"]),
        **{name: identity[name] for name in ("key", "name", "title", "face")},
        "kicker": _kicker(persona, locale),
        "colour": (int(row["persona"]) - 1) % _COLOURS,
        "share": float(row["share"]),
        "share_text": _share_text(row, locale),
        "facts": draft.facts(),
        "parts": [part for part in map(draft.part, PARTS) if part["lines"] or part["key"] not in ("who", "own")],
        "touchpoints": draft.touchpoints(),
    }
    card["summary"] = draft.summary(identity["name"])
    card["quote"] = draft.quote()
    card["use"] = draft.use()
    card["examples"] = _examples(persona, locale)
    card["alike"] = draft.alike()
    card["limits"] = draft.limits()
    card |= {"refresh": None, "warnings": [], "footer": locale.say("card.footer")}
    card["legend"] = {kind: locale.say(f"kinds.{kind}") for kind in ("measured", "assumption", "edited")}
    card["more"] = locale.say("card.left_out", n="{n}")
    heads = ("mark", "statement", "n", "here", "elsewhere", "difference", "interval", "source")
    head = [locale.say(f"heads.{name}") for name in heads]
    card["evidence"] = {"title": locale.say("card.evidence"), "head": head, "rows": draft.evidence}
    return card


def identified(persona, language, known=None, taken=()):
    """Name, title, face and lasting key of a persona; the remembered ones where there are any.

    Parameters
    ----------
    persona : Persona
    language : {"en", "fa"}
    known : mapping, optional
        key, face, called (the fictional name it keeps, in Latin letters), name and title as people wrote them.
    taken : set of str
        Fictional names that other personas have.
    """
    known, found = known or {}, str(persona.row["title"])
    title = persona.about.get("titles", {}).get(language, {}).get(int(persona.row["persona"]), found)
    strongest = sorted(told(persona.traits[persona.traits["part"] != "rivals"])["trait"].head(5))
    digest = sha256("|".join([found, *strongest]).encode()).hexdigest()
    face = known.get("face") or int(digest[:8], 16) % 1_000_000
    age, gender, company = _age(persona), _gender(persona), bool(persona.row["company"])
    born = persona.about["as_of"].year - age if age and persona.about.get("as_of") else None
    about = (persona.about.get("country"), gender, born, face)
    called = known.get("called") or locales.first_name("en", *about, taken)
    fictional = locales.in_letters(called, language)
    return {
        "key": known.get("key") or f"k{digest[:7]}",
        "called": called,
        "name": known.get("name") or (title if company else fictional),
        "title": known.get("title") or ("" if company else title),
        "face": {"seed": face, "gender": gender, "age": age, "company": company},
    }


class _Draft:
    """A card being written: it numbers its lines and keeps their evidence."""

    def __init__(self, persona, locale):
        self.persona, self.locale, self.currency = persona, locale, persona.about["currency"]
        self.told = told(persona.traits[~persona.traits["part"].isin(("rivals", "touchpoints"))])
        distinctive = persona.traits[persona.traits["distinctive"].astype(bool)]
        self._distinctive = set(zip(distinctive["trait"], distinctive["level"], strict=True))
        self.evidence, self._marks, self._number, self._in_facts = [], {}, count(1), set()

    def marked(self, row):
        """The number of a trait's line in the evidence."""
        known = (row.trait, row.level)
        if known not in self._marks:
            self._marks[known] = self.locale.digits(next(self._number))
            said = sentence(row, self.locale, self.currency)
            self.evidence.append(evidence_row(self._marks[known], said, row, self.locale, self.currency))
        return self._marks[known]

    def line(self, row):
        return line(row, self.locale, self.currency, self.marked(row))

    def facts(self):
        """The strip under the name."""
        facts = self.persona.typical.groupby("fact", sort=False)
        known = [self._fact(fact, rows) for fact, rows in facts if rows["column"].iloc[0]]
        missing = [self.locale.say(f"facts.{fact}") for fact, rows in facts if not rows["column"].iloc[0]]
        if not missing:
            return known
        fact = {"label": self.locale.say("facts.unknown"), "text": self.locale.several(missing), "detail": None}
        return [*known, {**fact, "kind": "assumption", "mark": None, "tells": []}]

    def _fact(self, fact, rows):
        label, first = self.locale.say(f"facts.{fact}"), rows.iloc[0]
        shown = _most(rows)
        text = _levels(shown, self.locale) if first["level"] else _middle(first, self.locale, self.currency)
        others = self._of_others(shown)
        self._in_facts |= {(r.column, r.level) for r in shown.itertuples()}
        mark = self.locale.digits(next(self._number))
        figures_of = [self.locale.number(first["n"]), text, others or "–", *self._difference(first)]
        self.evidence.append([mark, f"{label}: {text}", *figures_of, self.locale.value("profiles")])
        apart = any((r.column, r.level) in self._distinctive for r in shown.itertuples())
        detail = self.locale.say("card.elsewhere", elsewhere=others) if others and apart else None
        tells = [line_id(row) for row in shown.rename(columns={"column": "trait"}).itertuples()]
        return {"label": label, "text": text, "detail": detail, "kind": "measured", "mark": mark, "tells": tells}

    def _difference(self, fact):
        """Difference and interval of a fact: of the share of a level; of the means where a number's median stands."""
        rows = self.persona.traits
        of = rows[(rows["trait"] == fact["column"]) & (rows["level"] == fact["level"])]
        if of.empty or fact["fact"] == "since":  # which is said in years, and measured in days
            return "–", "–"
        *_, difference, interval, _ = evidence_row("", "", next(of.itertuples()), self.locale, self.currency)
        if fact["level"] or difference == "–":
            return difference, interval
        return self.locale.say("card.of_means", difference=difference), interval

    def _of_others(self, shown):
        """The same fact of everybody else; nothing where there is nobody else."""
        if shown["elsewhere"].isna().any():
            return ""
        if shown["level"].iloc[0]:
            return self.locale.enumerated([self.locale.percent(share) for share in shown["elsewhere"]])
        fact = shown.iloc[0].copy()
        fact["value"] = fact["elsewhere"]
        return _middle(fact, self.locale, self.currency, alone=True)

    def part(self, part):
        """A part of the card: what is told, what is assumed, or that nothing sets them apart."""
        if part == "rivals":
            lines = self._rivals()
        else:
            own = self.told[self.told["part"].replace(_SHOWN_AS) == part]
            own = own[[(row.trait, row.level) not in self._in_facts for row in own.itertuples()]]
            lines = [self.line(row) for row in own.head(PARTS[part]).itertuples()]
            lines += self._as_everybody(part, own, PARTS[part] - len(lines))
        lines += self._assumptions(part, lines)
        empty = None if lines else self.locale.say("card.empty")
        return {"key": part, "title": self.locale.say(f"parts.{part}"), "lines": lines, "empty": empty}

    def _as_everybody(self, part, own, room):
        """What a reader looks for in a part although it sets nobody apart: how often, how much, on which channel."""
        rows = self.persona.traits[self.persona.traits["elsewhere"].notna()]
        lines, said = [], {topic(row.trait) for row in own.itertuples()}
        for trait in _WANTED.get(part, ()):
            of = rows[(rows["trait"] == trait) & ~rows["distinctive"].astype(bool)].sort_values(
                "value", ascending=False
            )
            if of.empty or topic(trait) in said or len(lines) >= min(room, _ENOUGH):
                continue
            said.add(topic(trait))
            row = next(of.itertuples())
            elsewhere = figures(row, self.locale, self.currency)[1]
            detail = self.locale.say("card.as_others", elsewhere=elsewhere, n=int(row.n))
            lines.append({**self.line(row), "detail": detail})
        return lines

    def _assumptions(self, part, lines):
        """What is not measured for a part, as questions; nothing where something was."""
        measured = set(self.persona.traits["measure"]) | set(self.persona.traits["trait"])
        of_part = self.persona.traits["part"].replace(_SHOWN_AS) == part
        wanted = []
        if part == "goals" and not of_part.any():
            favourite = [r for r in self.told.itertuples() if _is_of_a_category(r) and r.effect > 0]
            of = what(favourite[0], self.locale) if favourite else ""
            wanted = [("goals_of", of)] if of else [("goals", "")]
        elif part == "pains" and not of_part.any():
            wanted = [(self._likely_pain(), "")]
        elif part == "needs" and not of_part.any():
            wanted = [("needs", "")]
        elif part == "buying":
            wanted = [("decision", "")] if "looks" not in measured else []
            advised = {"acquisition_channel", "score_social_influence"} & measured
            wanted += [] if advised else [("influences", "")]
        elif part == "channels":
            reached = {"preferred_channel", "used_channel", "contact_channel"} & measured
            wanted = ([] if reached else [("channels", "")]) + ([] if "opened" in measured else [("content", "")])
        elif part == "rivals" and not lines:
            wanted = [("rivals", "")]
        elif part == "who" and not self.persona.typical.query("fact in ('job', 'industry')")["column"].any():
            wanted = [("job", "")]
        return [assumed(key, self.locale, of) for key, of in wanted]

    def _likely_pain(self):
        """What may stand in their way, by what they do: waiting for offers, or staying away."""
        up = {row.trait for row in self.told.itertuples() if row.distinctive and row.effect > 0}
        if up & {"discounted_share", "discount_share"}:
            return "pains_price"
        return "pains_lapsed" if "recency_days" in up else "pains"

    def _rivals(self):
        """On what rivals are better or worse than us, worst first; and where neither is."""
        rows = self.persona.traits[self.persona.traits["part"] == "rivals"]
        lines = []
        for row in rows[rows["distinctive"].astype(bool)].sort_values("difference").itertuples():
            key = "rivals.lose" if row.difference < 0 else "rivals.win"
            value, elsewhere, *_ = figures(row, self.locale)
            level = self.locale.value(row.level)
            said = self.locale.say(key, of=row.of, level=level, value=value, elsewhere=elsewhere)
            lines.append({**self.line(row), "text": said, "id": f"{row.trait}: {row.level}"})
        return lines[: PARTS["rivals"]]

    def touchpoints(self):
        """By phase, where most customers were met, and how often an order followed."""
        rows = self.persona.traits
        met = rows[(rows["measure"] == "met") & (rows["value"] > 0)].sort_values(
            "value", ascending=False, kind="stable"
        )
        followed = rows[rows["measure"] == "followed"].set_index("of")
        phases = {phase: [] for phase in ("before", "during", "after")}
        for row in met.itertuples():
            phase = row.of.split(" · ")[0]
            lines = phases.setdefault(phase if phase in phases else "other", [])
            if len(lines) < _MOST_CONTACTS:
                lines.append(self._contact(row, followed))
        empty = self.locale.say("phases.empty")
        shown = [
            {"key": p, "title": self.locale.say(f"phases.{p}"), "lines": lines, "empty": None if lines else empty}
            for p, lines in phases.items()
        ]
        title, note = self.locale.say("parts.touchpoints"), self.locale.say("phases.note")
        if met.empty:
            shown = [{"key": "other", "title": "", "lines": [assumed("touchpoints", self.locale)], "empty": None}]
        return {"title": title, "note": note if len(met) else None, "phases": shown}

    def _contact(self, row, followed):
        value, elsewhere, *_ = figures(row, self.locale)
        key = "as_others" if not row.distinctive else "more" if row.effect > 0 else "less"
        details = [] if pd.isna(row.elsewhere) else [self.locale.say(f"phases.{key}", elsewhere=elsewhere)]
        if row.of in followed.index and not row.of.startswith("during"):
            share = self.locale.percent(followed.loc[row.of, "value"])
            details.append(self.locale.say("phases.followed", value=share))
        made = {**self.line(row), "text": what(row, self.locale), "detail": " · ".join(details)}
        return {**made, "share": float(row.value), "share_text": value}

    def use(self):
        """What is worth trying, each line with the mark of the trait it follows from."""
        found = follows.follows(self.told)
        parts = []
        for area in follows.AREAS:
            lines = [self._suggestion(f) for f in found if f.area == area]
            empty = None if lines else self.locale.say("use.none")
            parts.append({"key": area, "title": self.locale.say(f"use.{area}"), "lines": lines, "empty": empty})
        return {"title": self.locale.say("parts.use"), "note": self.locale.say("use.note"), "parts": parts}

    def _suggestion(self, follow):
        of = what(follow.row, self.locale)
        text = self.locale.say(f"use.{follow.key}", of=of)
        made = {**self.line(follow.row), "id": f"use {follow.area} {follow.row.trait}", "text": text, "detail": None}
        return {**made, "kind": "follows", "effect": None}

    def summary(self, name):
        """Share and the two strongest lines, in a sentence."""
        row = self.persona.row
        if self.persona.traits["elsewhere"].isna().all():
            text = self.locale.say("card.summary_alone", name=name)
        else:
            apart = self.told[self.told["elsewhere"].notna()]
            lines = [self._summarised(r) for r in apart.head(2).itertuples()]
            key = "card.summary" if lines else "card.summary_plain"
            share = self.locale.percent(row["share"])
            text = self.locale.say(key, name=name, share=share, lines=self.locale.several(lines))
        return {**plain_line("summary", text), "mark": None}

    def _summarised(self, row):
        said = sentence(row, self.locale, self.currency)
        elsewhere = figures(row, self.locale, self.currency)[1]
        said = said[:1].lower() + said[1:] if row.measure != "profile" or words(row.trait) else said
        return self.locale.say("card.summary_line", said=said, elsewhere=elsewhere)

    def quote(self):
        """Words that nobody said, put together from lines of the card; None where no line speaks."""
        said = follows.voices(self.told)
        if not said:
            return None
        texts = [self.locale.say(f"quote.{key}", of=what(row, self.locale)) for key, row in said]
        marks = self.locale.enumerated([self.marked(row) for _, row in said])
        note = self.locale.say("card.quote_note", marks=marks)
        return {**plain_line("quote", " ".join(texts)), "kind": "assumption", "note": note}

    def alike(self):
        """What does not set them apart, so that nobody reads it in."""
        rows = self.persona.traits[self.persona.traits["part"].isin(_ALIKE) & self.persona.traits["elsewhere"].notna()]
        rows = rows[~rows["measure"].isin(("tagged", "month", "unhappy")) & (rows["value"] + rows["elsewhere"] > 0.02)]
        apart = {about(row, self.locale) for row in rows[rows["distinctive"].astype(bool)].itertuples()}
        place = rows["part"].map(_ALIKE.index)
        known = rows.loc[rows.assign(place=place, few=-rows["n"]).sort_values(["place", "few"], kind="stable").index]
        names = [n for n in dict.fromkeys(about(row, self.locale) for row in known.itertuples()) if n not in apart]
        return {
            "title": self.locale.say("card.alike"),
            "text": self.locale.enumerated([self.locale.isolated(n) for n in names[:_MOST_ALIKE]]),
        }

    def limits(self):
        """Whom the card stands for, who is not like it, and how far it may be trusted."""
        row, say, percent = self.persona.row, self.locale.say, self.locale.percent
        lines = [
            plain_line("stands", say("limits.stands", share=percent(row["share"]), rest=percent(1 - row["share"])))
        ]
        if not pd.isna(row["like"]):
            given = {
                "here": row["like"],
                "low": row["like_low"],
                "high": row["like_high"],
                "elsewhere": row["like_elsewhere"],
            }
            lines.append(plain_line("like", say("limits.like", **{k: percent(v) for k, v in given.items()})))
        unlike = self._unlike()
        if unlike:
            lines.append(plain_line("unlike", say("limits.unlike", lines=self.locale.several(unlike))))
        return {"title": say("parts.limits"), "lines": lines, "confidence": self._confidence()}

    def _unlike(self):
        """The lines that hold for most of the group but not for all, the least common first."""
        said = {}
        for row in self.told.itertuples():
            level = f": {self.locale.value(row.level, row.trait)}" if row.level and row.measure == "profile" else ""
            said[line_id(row)] = about(row, self.locale) + level
        rows = self.persona.unlike[(self.persona.unlike["share"] >= 0.5) & (self.persona.unlike["share"] < 1)]
        return [
            self.locale.say("limits.unlike_line", share=self.locale.percent(1 - r.share), line=said[r.line])
            for r in rows.head(_MOST_UNLIKE).itertuples()
            if r.line in said
        ]

    def _confidence(self):
        row, say, percent = self.persona.row, self.locale.say, self.locale.percent
        half = self.locale.number(100 * 0.98 / np.sqrt(row["n"]))
        parts = [say("limits.size", size=percent(row["size"]), n=int(row["n"]), half=half)]
        if not pd.isna(row["belonging"]):
            parts.append(say("limits.belonging", belonging=percent(row["belonging"])))
        if not pd.isna(row["known"]):
            parts.append(say("limits.known", known=percent(row["known"])))
        word = say("limits.confidence", word=say(f"limits.{row['confidence']}"))
        text = self.locale.enumerated(parts)
        return {"word": word, "value": float(row["trust"]), "text": text, "how": say("limits.how")}


def plain_line(name, text):
    """A line that stands for itself."""
    return {"id": name, "text": text, "detail": None, "kind": "measured", "mark": None, "question": None} | {
        "effect": None,
        "warning": None,
    }


def _is_of_a_category(row):
    return row.trait == "top_category" or row.trait.startswith("bought_")


def _kicker(persona, locale):
    kicker = locale.say("card.kicker", number=int(persona.row["persona"]), count=int(persona.about["personas"]))
    day = locale.date(persona.about["as_of"]) if persona.about["as_of"] else ""
    return " · ".join(part for part in (kicker, locale.isolated(persona.about["title"]), day) if part)


def _share_text(row, locale):
    given = {"n": int(row["n"]), "share": locale.percent(row["share"])}
    if pd.isna(row["revenue_share"]):
        return locale.say("card.share", **given)
    return locale.say("card.share_revenue", **given, revenue=locale.percent(row["revenue_share"]))


def _most(rows):
    """Of a text the two commonest levels, or the first alone where it is most; of a number its row."""
    return rows.head(1 if rows["value"].iloc[0] >= 0.75 else 2)


def _levels(shown, locale):
    """Levels with their shares."""
    said = [
        locale.say("facts.level", level=locale.value(r.level, r.column), share=locale.percent(r.value))
        for r in shown.itertuples()
    ]
    return locale.enumerated(said)


def _middle(fact, locale, currency, alone=False):
    """The median and the middle half of a number; or the median alone."""
    numbers = {name: fact[name] for name in ("value", "low", "high")}
    if fact["fact"] == "since":
        said, key = {name: locale.number(x / 365.25, 1) for name, x in numbers.items()}, "years"
    elif fact["fact"] in ("income", "revenue"):
        last = "value" if alone else "high"
        said = {name: locale.money(x, currency if name == last else "") for name, x in numbers.items()}
        key = "middle"
    else:
        said = {name: locale.number(x, 0 if float(x).is_integer() else 1) for name, x in numbers.items()}
        key = "persons" if fact["fact"] == "household" else "middle"
    return said["value"] if alone else locale.say(f"facts.{key}", **said)


def _examples(persona, locale):
    """The masked examples as a small table."""
    rows, title = persona.exemplars.drop(columns=["persona", "rank"]), locale.say("parts.examples")
    if rows.empty:
        few = locale.say("examples.few", least=examples.FEWEST)
        return {"title": title, "note": None, "head": [], "rows": [], "empty": few}
    columns = [c for c in rows.columns if c != "mask"]
    money = {"currency": locale.money(0, persona.about["currency"]).partition(" ")[2] or "–"}
    head = [
        "",
        *(
            locale.say(f"examples.{c}", **money) if locale.knows(f"examples.{c}") else locale.concept(c)
            for c in columns
        ),
    ]
    body = [
        [
            locale.say("examples.mask", letter=locale.value(row["mask"], "mask")),
            *(locale.digits(locale.value(row[c], c)) for c in columns),
        ]
        for _, row in rows.iterrows()
    ]
    return {"title": title, "note": locale.say("examples.note"), "head": head, "rows": body, "empty": None}


def _age(persona):
    of = persona.typical[(persona.typical["fact"] == "age") & (persona.typical["column"] == "age")]
    return None if of.empty else round(float(of["value"].iloc[0]))


def _gender(persona):
    of = persona.typical[(persona.typical["fact"] == "gender") & (persona.typical["value"] >= 0.5)]
    return None if of.empty else str(of["level"].iloc[0])
