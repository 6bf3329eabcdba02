"""Which face does a persona wear?

Takes what a card knows of its face and the persona's colour. Gives a small drawing as SVG, the same for a persona
wherever it stands. It is openly a drawing, in tints of the persona's colour, so that nobody reads a descent into it.
"""

from collections.abc import Mapping

from analysis.plots.canvas import INK, SEGMENT

#: From this age on hair is grey, and from the next on it is white.
GREY_FROM, WHITE_FROM = 55, 70

_WHITE = "#ffffff"


def svg(face: Mapping, colour: int) -> str:
    """A neutral drawn face, or a building for a company.

    Parameters
    ----------
    face : mapping
        ``seed`` (int, chooses haircut and glasses), ``gender`` ("female", "male" or None), ``age`` (years or None),
        ``company`` (bool).
    colour : int
        Index into the palette of segments; beyond its end it comes round again.

    Returns
    -------
    str
        One ``svg`` element, square, without ids, text, scripts or anything to load.

    Notes
    -----
    The recorded gender only leaves out the haircuts that would surprise most readers; most cuts are everybody's. Of age
    it shows the colour of hair alone. Glasses come by chance at any age.

    Examples
    --------
    >>> svg({"seed": 7, "gender": None, "age": 30, "company": False}, 2)[:38]
    '<svg xmlns="http://www.w3.org/2000/svg'
    """
    shade = SEGMENT[colour % len(SEGMENT)]
    drawn = _building(shade) if face["company"] else _person(face, shade)
    disc = f'<circle cx="60" cy="60" r="60" fill="{mixed(shade, _WHITE, 0.75)}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120" aria-hidden="true">{disc}{drawn}</svg>'


def _person(face: Mapping, shade: str) -> str:
    behind, before = _HAIR[_haircut(face)]
    hair, skin = _hair_colour(face["age"], shade), mixed(shade, "#fff3e6", 0.72)
    neck, line = mixed(shade, "#fff3e6", 0.6), mixed(shade, INK, 0.75)
    return (
        f'<g fill="{hair}">{behind}</g>'
        f'<path d="M52 66h16v16q0 8 -8 8t-8 -8z" fill="{neck}"/>'
        # Shoulders end on the disc's rim: nothing needs clipping.
        f'<path d="M14.9 99.7C20 86 38 83 50 80.5q10 11 20 0C82 83 100 86 105.1 99.7A60 60 0 0 1 14.9 99.7z" '
        f'fill="{shade}"/>'
        f'<ellipse cx="60" cy="51" rx="19" ry="23" fill="{skin}"/>'
        f'<g fill="{hair}">{before}</g>'
        f'<g fill="{line}"><circle cx="52.5" cy="52" r="1.9"/><circle cx="67.5" cy="52" r="1.9"/></g>'
        f'<path d="M54 63q6 4.5 12 0" fill="none" stroke="{line}" stroke-width="1.8" '
        f'stroke-linecap="round"/>{_glasses(shade) if _chance(face["seed"], 1, 3) == 0 else ""}'
    )


def _building(shade: str) -> str:
    pale, dark = mixed(shade, _WHITE, 0.75), mixed(shade, INK, 0.35)
    windows = "".join(
        f'<rect x="{x}" y="{y}" width="7" height="8" rx="1"/>' for y in (36, 50, 64) for x in (44, 56.5, 69)
    )
    return (
        f'<rect x="36" y="27" width="48" height="70" rx="2" fill="{shade}"/>'
        f'<rect x="32" y="24" width="56" height="5" rx="2" fill="{dark}"/>'
        f'<g fill="{pale}">{windows}</g><rect x="53" y="79" width="14" height="18" fill="{dark}"/>'
        f'<rect x="22" y="96" width="76" height="3" rx="1.5" fill="{dark}"/>'
    )


#: Haircuts: what lies behind the head, and what lies over it.
_HAIR = {
    "crop": ("", '<path d="M41 46C40 26 50 24 60 24s20 2 19 22q-4 -11 -19 -11t-19 11z"/>'),
    "parted": ("", '<path d="M40.5 50C38 26 48 20 62 21s20 10 17.5 29q-2 -12 -10 -17q-14 8 -29 17z"/>'),
    "curly": (
        "",
        '<circle cx="45" cy="36" r="8"/><circle cx="53" cy="28" r="9"/><circle cx="65" cy="27" r="9"/>'
        '<circle cx="75" cy="35" r="8"/><circle cx="41" cy="45" r="5"/><circle cx="79" cy="45" r="5"/>'
        '<circle cx="60" cy="31" r="8"/>',
    ),
    "bob": (
        '<path d="M36 72C32 34 38 20 60 20s28 14 24 52q-6 4 -12 2h-24q-6 2 -12 -2z"/>',
        '<path d="M41 50C41 30 50 27 60 27s19 3 19 23q-3 -14 -14 -16q-12 12 -24 16z"/>',
    ),
    "long": (
        '<path d="M34 90C30 34 36 19 60 19s30 15 26 71q-10 4 -18 0h-16q-8 4 -18 0z"/>',
        '<path d="M41 52C41 30 48 26 60 26s19 4 19 26q-4 -18 -19 -21q-15 3 -19 21z"/>',
    ),
    "bun": (
        '<circle cx="60" cy="18" r="10"/>',
        '<path d="M40.5 52C38 30 48 23 60 23s22 7 19.5 29q-4 -16 -19.5 -19q-15.5 3 -19.5 19z"/>',
    ),
}
_FOR_ALL = ("parted", "curly", "bob")
_CUTS = {"female": (*_FOR_ALL, "long", "bun"), "male": ("parted", "curly", "crop")}


def _haircut(face: Mapping) -> str:
    cuts = _CUTS.get(face["gender"], _FOR_ALL)
    return cuts[_chance(face["seed"], 0, len(cuts))]


def _chance(seed: int, place: int, sides: int) -> int:
    """A throw of dice by the seed's digits, so that no generator's version decides on a face."""
    return (int(seed) // 60**place) % 60 % sides


def _hair_colour(age: float | None, shade: str) -> str:
    if age is not None and age >= GREY_FROM:
        return "#fbfbfb" if age >= WHITE_FROM else "#a3a3a6"
    return mixed(shade, INK, 0.6)


def _glasses(shade: str) -> str:
    return (
        f'<g fill="none" stroke="{mixed(shade, INK, 0.75)}" stroke-width="1.6"><circle cx="52.5" cy="52" r="6"/>'
        '<circle cx="67.5" cy="52" r="6"/><path d="M58.5 51.5q1.5 -1.200 3 0"/></g>'
    )


def mixed(colour: str, other: str, share: float) -> str:
    """A colour with a share of another.

    Examples
    --------
    >>> mixed("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = ((int(colour[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
