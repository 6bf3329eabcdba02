"""What follows from a policy: which rule to use, and what each way to choose earns, in sentences with their figures."""

import pandas as pd

from analysis.evidence import percent, short
from analysis.locale import named
from analysis.phrases import marked, phrase
from analysis.segments.schemes import MASS, NUMBER, ONE_TO_ONE, SEGMENTATION

#: That the model serves, and that a number does: where there are segmentations to be judged, and where there are none.
_NO_SEGMENTATION = (
    marked("No segmentation earns clearly more than {than}; a model of each customer does."),
    marked("No segmentation earns clearly more than {number}, which clearly beats {without}: go by {number}."),
)
_NOTHING_ELSE = (
    marked("Nothing else earns clearly more than {than}; a model of each customer does."),
    marked("Nothing else earns clearly more than {number}, which clearly beats {without}: go by {number}."),
)

_SERVES = marked("“{rule}” serves this decision: it earns clearly more than {than}.")
_SERVES_LESS_THAN_THE_MODEL = marked(
    "“{rule}” serves this decision: it earns clearly more than {than}; a model of each customer earns clearly more "
    "still."
)

#: That nothing serves, by the share of customers that mass marketing contacts.
_NO_RULE = {
    0.0: marked("No rule earns clearly more than {without}: contact nobody."),
    1.0: marked("No rule earns clearly more than {without}: contact everybody."),
}


def verdict(profits: pd.DataFrame, gains: pd.DataFrame) -> tuple[str, str]:
    """The rule to use, and why: a segmentation if one earns clearly more than doing without, else what asks for less.

    Parameters
    ----------
    profits, gains : DataFrame, as :class:`analysis.segments.Policy` has them

    Returns
    -------
    use, why : str
    """
    clear = set(gains.loc[gains["clear"] & (gains["gain"] > 0), ["rule", "over"]].itertuples(index=False, name=None))
    number = best_number(profits)
    groups = profits[profits["kind"] == SEGMENTATION].sort_values("profit", ascending=False, kind="stable")["rule"]
    richer = [rule for rule in [*groups, ONE_TO_ONE] if (rule, MASS) in clear]
    best = next((rule for rule in richer if not number or (rule, number) in clear), None)
    said = {"number": named(number, "rule"), "without": named(MASS, "rule"), "rule": named(best or "", "rule")}
    than = phrase("both {without} and {number}", **said) if number else said["without"]
    but_the_model, but_the_number = _NO_SEGMENTATION if len(groups) else _NOTHING_ELSE
    if best == ONE_TO_ONE:
        return best, phrase(but_the_model, than=than)
    if best:
        serves = _SERVES_LESS_THAN_THE_MODEL if (ONE_TO_ONE, best) in clear else _SERVES
        return best, phrase(serves, than=than, **said)
    if (number, MASS) in clear:
        return number, phrase(but_the_number, **said)
    if richer:
        said["rule"] = named(richer[0], "rule")
        return richer[0], phrase(
            "“{rule}” earns clearly more than {without}, though not clearly more than {number}.", **said
        )
    share = profits.loc[profits["rule"] == MASS, "share"].item()
    some = marked("No rule earns clearly more than {without}: any {share} of the customers will do.")
    return MASS, phrase(_NO_RULE.get(share, some), share=percent(share), **said)


def best_number(profits: pd.DataFrame) -> str:
    """The single number that earned the most; empty if there is none."""
    numbers = profits[profits["kind"] == NUMBER]
    return "" if numbers.empty else numbers.loc[numbers["profit"].idxmax(), "rule"]


def policy_in_words(policy, currency: str = "") -> list[str]:
    """What each way to choose earns, in sentences with their figures: the verdict first, what profit means last.

    Parameters
    ----------
    policy : analysis.segments.Policy
    currency : str
        Written behind sums of money.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from analysis.segments import policy
    >>> city = ["Yazd", "Qom"] * 100
    >>> table = pd.DataFrame({"customer_id": range(200), "city": city, "outcome": [c == "Yazd" for c in city]})
    >>> found = policy(table, schemes={"by city": "city"}, cost=2, margin=10)
    >>> for sentence in policy_in_words(found, "rial"): print(sentence)
    “by city” serves this decision: it earns clearly more than mass marketing.
    Judged on 200 customers, by rules learnt from others: mass marketing to 100 % of them earns 600 rial (interval ...).
    “by city” contacts 50 % and earns 800 rial (interval ...): 200 rial (interval ...) more than mass marketing.
    One to one contacts 50 % and earns 800 rial (interval ...): 200 rial (interval ...) more than mass marketing; the \
same as “by city”.
    Profit counts all that contacted customers did later as earned by the contact (a contact costs 2 rial, one of the \
outcome is worth 10 rial): it says whom to serve first, not that a contact pays. That only a control group can tell.
    """
    others = policy.profits[policy.profits["kind"] != MASS]
    told = [_of_a_rule(policy, row, currency) for row in others.to_dict("records")]
    kept = _promised(policy, currency)
    return [policy.verdict, _of_mass(policy, currency), *told, *kept, _what_profit_is(policy, currency), *policy.doubts]


def _of_mass(policy, currency: str) -> str:
    mass = policy.profits.set_index("rule").loc[MASS]
    how = phrase("at a later time") if policy.later else phrase("by rules learnt from others")
    if mass["share"] == 0:
        return phrase(
            "Judged on {n:,} customers, {how}: mass marketing would contact nobody, as contacts did not pay on average "
            "before.",
            **{"n": policy.customers, "how": how},
        )
    return phrase(
        "Judged on {n:,} customers, {how}: mass marketing to {share} of them earns {profit}.",
        **{"n": policy.customers, "how": how, "share": percent(mass["share"])},
        profit=_interval(mass, "profit", currency),
    )


def _of_a_rule(policy, row: dict, currency: str) -> str:
    """What a rule earns, and how far it is ahead of mass marketing, the better number, and the best segmentation."""
    groups = policy.profits[policy.profits["kind"] == SEGMENTATION].nlargest(1, "profit")["rule"]
    rivals = [MASS, best_number(policy.profits), *groups]
    against = policy.gains[(policy.gains["rule"] == row["rule"]) & policy.gains["over"].isin(rivals)]
    kinds = policy.profits.set_index("rule")["kind"]
    ahead = [_ahead(gain, _called(gain["over"], kinds[gain["over"]]), currency) for gain in against.to_dict("records")]
    return phrase(
        "{rule} contacts {share} and earns {profit}: {comparisons}.",
        **{"rule": _at_the_start(_called(row["rule"], row["kind"])), "share": percent(row["share"])},
        **{"profit": _interval(row, "profit", currency), "comparisons": phrase("; ").join(ahead)},
    )


def _ahead(gain: dict, over: str, currency: str) -> str:
    if gain["low"] == gain["high"] == 0:
        return phrase("the same as {over}", over=over)
    if not gain["clear"]:
        return phrase(
            "not clearly more or less than {over} ({gain}, interval {low} to {high})",
            **{"over": over, "gain": _sum(gain["gain"], currency)},
            **{"low": short(gain["low"]), "high": short(gain["high"])},
        )
    if gain["gain"] > 0:
        return phrase("{gain} more than {over}", gain=_interval(gain, "gain", currency), over=over)
    less = {"gain": -gain["gain"], "low": -gain["high"], "high": -gain["low"]}
    return phrase("{gain} less than {over}", gain=_interval(less, "gain", currency), over=over)


def _promised(policy, currency: str) -> list[str]:
    """What rules earned less than they had led to expect: they were learnt too closely, or times have changed."""
    broken = policy.profits.query("promised > high and share > 0")
    if broken.empty:
        return []
    told = [
        phrase(
            "{rule} {promised} and earned {profit}",
            **{"rule": _called(row.rule, row.kind), "promised": _sum(row.promised, currency)},
            profit=short(row.profit),
        )
        for row in broken.itertuples()
    ]
    said = [phrase("Less than they led to expect: {rules}.", rules=phrase("; ").join(told))]
    if MASS in set(broken["rule"]):
        said.append(phrase("Mass marketing is among them, so that times were worse for all."))
    return [" ".join(said)]


def _what_profit_is(policy, currency: str) -> str:
    worth = _sum(policy.margin, currency) if policy.margin >= 1 else percent(policy.margin)
    cost = _sum(policy.cost, currency)
    terms = phrase("a contact costs {cost}, one of the outcome is worth {worth}", cost=cost, worth=worth)
    if policy.caused:
        return phrase(
            "Profit is what the contact changed: customers contacted against customers held out ({terms}).", terms=terms
        )
    return phrase(
        "Profit counts all that contacted customers did later as earned by the contact ({terms}): it says whom to "
        "serve first, not that a contact pays. That only a control group can tell.",
        terms=terms,
    )


def _called(rule: str, kind: str) -> str:
    said = named(rule, "rule")
    return phrase("“{rule}”", rule=said) if kind == SEGMENTATION else said


def _at_the_start(text: str) -> str:
    return text if text.startswith("“") else text[:1].upper() + text[1:]


def _sum(amount: float, currency: str) -> str:
    return f"{short(amount)} {named(currency, 'currency')}".strip()


def _interval(row, figure: str, currency: str) -> str:
    low, high = short(row["low"]), short(row["high"])
    return phrase("{figure} (interval {low} to {high})", figure=_sum(row[figure], currency), low=low, high=high)
