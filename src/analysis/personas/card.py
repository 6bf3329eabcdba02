"""A placeholder until the drawing is merged."""


def card_html(content):
    return f"<article>{content['name']}</article>"
