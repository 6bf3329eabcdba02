"""What cards show, made up for the tests: a rich one in either language, a poor one, a company, and hostile texts."""

from copy import deepcopy


def line(name, text, detail="", mark=None, effect=None, **more):
    blank = {"kind": "measured", "question": None, "warning": None}
    return {"id": name, "text": text, "detail": detail, "mark": mark, "effect": effect, **blank, **more}


def assumed(name, text, question):
    return line(name, text, kind="assumption", question=question)


def touch(name, text, share, share_text, mark):
    return line(name, text, mark=mark, share=share, share_text=share_text)


def fact(label, text, mark=None, kind="measured"):
    return {"label": label, "text": text, "kind": kind, "mark": mark}


def part(key, title, *lines, empty=None):
    return {"key": key, "title": title, "lines": list(lines), "empty": empty}


ENGLISH = {
    "schema": "moshtari-persona-1",
    "language": "en",
    "direction": "ltr",
    "persona": 3,
    "key": "k7f3a9c1",
    "kicker": "Persona 3 of 6 · The bookshop · 20 March 2026",
    "name": "Nahid",
    "title": "Readers of novels, older",
    "face": {"seed": 123456, "gender": "female", "age": 62, "company": False},
    "colour": 2,
    "share": 0.231,
    "share_text": "1,155 customers, 23 % of all, 31 % of revenue",
    "facts": [
        fact("Age", "62 (half: 57–67)", "1"),
        fact("Gender", "71 % female", "2"),
        fact("Place", "Shiraz and Isfahan more than elsewhere", "3"),
        fact("Family", "Married, two in the household", "4"),
        fact("Occupation", "Retired, formerly teaching", "5"),
        fact("Income", "Middle of the base", None, "assumption"),
        fact("Customer for", "2.4 years (half: 1.6–2.9)", "6"),
    ],
    "summary": line(
        "summary",
        "Buys thick novels at the weekend in the shop itself, pays the full price and comes back every five weeks.",
        mark="7",
    ),
    "quote": {
        **line("quote", "I come in on Friday, ask what is new, and leave with two novels I did not know of."),
        "note": "Composed from lines 9 and 14; nobody said it.",
    },
    "parts": [
        part(
            "goals",
            "Goals and motives",
            line("reads_to_rest", "Reads to rest: 4.3 of 5", "everyone else 3.4; n 402", "8", 0.52),
            line("advice", "Wants advice from people who read", "58 %, everyone else 31 %; n 402", "9", 0.44),
            assumed("gifts", "Buys part of the books as gifts", "For whom was the last book that you bought here?"),
        ),
        part(
            "pains",
            "Pains and challenges",
            line("delivery", "Complains of late delivery: 12 %", "everyone else 5 %; n 1,155", "10", 0.21),
            line("site", "Finds the web shop hard to use: ease 2.9 of 5", "everyone else 3.8; n 288", "11", -0.38),
            line(
                "small_print",
                "Small print puts them off",
                "was: reads on paper only",
                kind="edited",
                warning="The data no longer support this line.",
            ),
        ),
        part(
            "needs",
            "Needs and preferences",
            line("novels", "Novels are 64 % of what they spend", "everyone else 29 %; n 1,155", "12", 0.71),
            line("hardcover", "Hardcover three times as often", "33 %, everyone else 11 %; n 1,155", "13", 0.4),
        ),
        part(
            "buying",
            "How they buy",
            line("weekend_share", "Buys at the weekend: 61 % of orders", "everyone else 34 %; n 812", "14", 0.41),
            line("rhythm", "An order every 36 days", "everyone else 61; n 812", "15", -0.33),
            line("basket", "Basket of 640,000 toman", "everyone else 410,000; n 1,155", "16", 0.29),
            line("discounts", "8 % of purchases at a discount", "everyone else 27 %; n 1,155", "17", -0.45),
            line("season", "Buys most in Esfand: 19 % of the year", "everyone else 9 %; n 1,101", "18", 0.25),
            line("decides", "Decides within a day of the first look", "everyone else 6 days; n 644", "19", -0.3),
        ),
        part(
            "channels",
            "Channels",
            line("shop", "72 % of orders in the shop", "everyone else 28 %; n 1,155", "20", 0.66),
            line("sms", "Opens text messages: 44 %", "everyone else 21 %; n 930", "21", 0.34),
            line("consent", "83 % may be sent text messages, 22 % e-mail", "everyone else 61 % and 58 %", "22", 0.2),
        ),
        part(
            "rivals",
            "Whom they compare us with",
            line("city_books", "City Books: we win on advice by 0.9 of 5", "interval 0.6 to 1.2; n 211", "23", 0.5),
            line("netketab", "Netketab: we lose on price by 0.7 of 5", "interval 0.4 to 1.0; n 189", "24", -0.4),
        ),
    ],
    "touchpoints": {
        "title": "Touchpoints",
        "note": "Bars: share of these customers who met it in the last year; lift: how much oftener an order follows.",
        "phases": [
            part(
                "before",
                "Before the purchase",
                touch("visit", "Visit to the shop", 0.83, "83 %", "25"),
                touch("sms_open", "Text message opened", 0.44, "44 %", "26"),
                touch("view", "Book looked at on the web", 0.31, "31 %", "27"),
            ),
            part(
                "during",
                "During the purchase",
                touch("desk", "Advice at the desk", 0.58, "58 %", "28"),
                touch("cart", "Cart on the web", 0.19, "19 %", "29"),
            ),
            part(
                "after",
                "After the purchase",
                touch("review", "Review written", 0.12, "12 %", "30"),
                touch("call", "Call to support", 0.09, "9 %", "31"),
            ),
        ],
    },
    "use": {
        "title": "What follows",
        "parts": [
            part(
                "advertising",
                "Advertising",
                line("ad_sms", "Text message on Thursday about new novels", "follows from lines 14 and 21"),
            ),
            part(
                "product",
                "Product",
                line("pr_hard", "Keep hardcovers of the season at the desk", "follows from lines 13 and 28"),
            ),
            part(
                "content",
                "Content",
                line("co_advice", "Short advice by the booksellers by name", "follows from line 9"),
                assumed("co_talk", "An evening with an author", "Would you come to a reading on a weekday?"),
            ),
        ],
    },
    "examples": {
        "title": "Three real customers, masked",
        "note": "Nearest to the middle of the group and unlike each other; bands hold at least 20 customers.",
        "head": ["", "Orders", "Spend, toman", "Last order", "Favourite"],
        "rows": [
            ["Customer A", "11–20", "5–10 million", "within a month", "novels"],
            ["Customer B", "6–10", "2–5 million", "1–3 months ago", "novels"],
            ["Customer C", "over 20", "10–20 million", "within a month", "poetry"],
        ],
        "empty": None,
    },
    "alike": {"title": "Not distinctive", "text": "payment method, marital status, returns, time of day, newsletter"},
    "limits": {
        "title": "Not every customer",
        "lines": [
            line("coverage", "Stands for 23 % of customers; 68 % of them lie within its typical range", "n 1,155"),
            line("unlike", "Least like it: 140 customers who buy school books for others", "12 % of the group"),
        ],
        "confidence": {
            "title": "Confidence",
            "word": "Moderate",
            "value": 0.62,
            "text": "Found again in 81 % of resamples; 1,155 customers; survey answers of 402 only.",
            "how": "0 to 1: the lowest of stability, size and completeness.",
        },
    },
    "refresh": {
        "title": "Since the last run",
        "lines": [
            line("size", "52 customers more than in December", "within what chance does"),
            line("due", "Not due for refresh", "no trait moved beyond its interval"),
        ],
    },
    "warnings": ["The edited line on small print is no longer supported by the data."],
    "legend": {"measured": "Measured", "assumption": "Assumption to check", "edited": "Edited by a person"},
    "more": "… {n} more in the evidence table",
    "evidence": {
        "title": "Evidence",
        "head": ["", "Statement", "n", "Here", "Elsewhere", "Difference", "Interval", "Source"],
        "rows": [
            ["8", "Reads to rest", "402", "4.3", "3.4", "0.9", "0.7 to 1.1", "survey_answers"],
            [
                "9",
                "Wants advice from people who read",
                "402",
                "58 %",
                "31 %",
                "27 points",
                "20 to 34",
                "survey_answers",
            ],
            ["14", "Buys at the weekend", "812", "61 %", "34 %", "27 points", "22 to 31", "orders"],
            ["20", "Orders in the shop", "1,155", "72 %", "28 %", "44 points", "40 to 48", "orders"],
        ],
    },
    "footer": "Figures from orders, survey answers and touchpoints up to 20 March 2026. Nahid is fictional.",
}

PERSIAN = {
    "schema": "moshtari-persona-1",
    "language": "fa",
    "direction": "rtl",
    "persona": 3,
    "key": "k7f3a9c1",
    "kicker": "پرسونای ۳ از ۶ · کتاب‌فروشی · ۲۹ اسفند ۱۴۰۴",
    "name": "ناهید",
    "title": "رمان‌خوان‌های باتجربه",
    "face": {"seed": 123456, "gender": "female", "age": 62, "company": False},
    "colour": 2,
    "share": 0.231,
    "share_text": "۱٬۱۵۵ مشتری، ۲۳٪ از همه، ۳۱٪ از درآمد",
    "facts": [
        fact("سن", "۶۲ سال (نیمی: ۵۷ تا ۶۷)", "۱"),
        fact("جنسیت", "۷۱٪ زن", "۲"),
        fact("شهر", "شیراز و اصفهان بیش از جاهای دیگر", "۳"),
        fact("خانواده", "متأهل، خانوادهٔ دونفره", "۴"),
        fact("شغل", "بازنشسته، بیشتر فرهنگی", "۵"),
        fact("درآمد", "متوسط", None, "assumption"),
        fact("مشتری ما", "۲٫۴ سال (نیمی: ۱٫۶ تا ۲٫۹)", "۶"),
    ],
    "summary": line(
        "summary",
        "آخر هفته‌ها به خود کتاب‌فروشی می‌آید، رمان‌های پرحجم را به قیمت کامل می‌خرد و هر پنج هفته یک بار برمی‌گردد.",
        mark="۷",
    ),
    "quote": {
        **line("quote", "جمعه‌ها سری می‌زنم، می‌پرسم چه چیز تازه‌ای رسیده و با دو رمان که نمی‌شناختم بیرون می‌آیم."),
        "note": "ساخته‌شده از سطرهای ۹ و ۱۴؛ کسی این را نگفته است.",
    },
    "parts": [
        part(
            "goals",
            "اهداف و انگیزه‌ها",
            line("reads_to_rest", "برای آرامش کتاب می‌خواند: ۴٫۳ از ۵", "دیگران ۳٫۴؛ ۴۰۲ نفر", "۸", 0.52),
            line("advice", "راهنمایی کسی را می‌خواهد که خودش کتاب‌خوان است", "۵۸٪، دیگران ۳۱٪؛ ۴۰۲ نفر", "۹", 0.44),
            assumed("gifts", "بخشی از کتاب‌ها را هدیه می‌دهد", "آخرین کتابی که از ما خریدید برای چه کسی بود؟"),
        ),
        part(
            "pains",
            "دردها و چالش‌ها",
            line("delivery", "از دیر رسیدن سفارش گله دارد: ۱۲٪", "دیگران ۵٪؛ ۱٬۱۵۵ نفر", "۱۰", 0.21),
            line("site", "کار با فروشگاه اینترنتی برایش سخت است: ۲٫۹ از ۵", "دیگران ۳٫۸؛ ۲۸۸ نفر", "۱۱", -0.38),
            line(
                "small_print",
                "حروف ریز او را از خرید بازمی‌دارد",
                "پیش‌تر: فقط کتاب کاغذی می‌خواند",
                kind="edited",
                warning="داده‌ها دیگر از این سطر پشتیبانی نمی‌کنند.",
            ),
        ),
        part(
            "needs",
            "نیازها و ترجیحات",
            line("novels", "۶۴٪ خریدش رمان است", "دیگران ۲۹٪؛ ۱٬۱۵۵ نفر", "۱۲", 0.71),
            line("hardcover", "جلد سخت را سه برابر دیگران می‌خرد", "۳۳٪، دیگران ۱۱٪؛ ۱٬۱۵۵ نفر", "۱۳", 0.4),
        ),
        part(
            "buying",
            "رفتار خرید",
            line("weekend_share", "۶۱٪ سفارش‌ها در آخر هفته", "دیگران ۳۴٪؛ ۸۱۲ نفر", "۱۴", 0.41),
            line("rhythm", "هر ۳۶ روز یک سفارش", "دیگران ۶۱ روز؛ ۸۱۲ نفر", "۱۵", -0.33),
            line("basket", "سبد ۶۴۰٬۰۰۰ تومانی", "دیگران ۴۱۰٬۰۰۰؛ ۱٬۱۵۵ نفر", "۱۶", 0.29),
            line("discounts", "تنها ۸٪ خریدها با تخفیف", "دیگران ۲۷٪؛ ۱٬۱۵۵ نفر", "۱۷", -0.45),
            line("season", "بیشترین خرید در اسفند: ۱۹٪ از سال", "دیگران ۹٪؛ ۱٬۱۰۱ نفر", "۱۸", 0.25),
        ),
        part(
            "channels",
            "کانال‌های ارتباطی",
            line("shop", "۷۲٪ سفارش‌ها حضوری", "دیگران ۲۸٪؛ ۱٬۱۵۵ نفر", "۲۰", 0.66),
            line("sms", "۴۴٪ پیامک‌ها را باز می‌کند", "دیگران ۲۱٪؛ ۹۳۰ نفر", "۲۱", 0.34),
        ),
        part(
            "rivals",
            "رقبا",
            line("city_books", "شهر کتاب: در راهنمایی ۰٫۹ از ۵ جلوتریم", "بازهٔ ۰٫۶ تا ۱٫۲؛ ۲۱۱ نفر", "۲۳", 0.5),
            line("netketab", "نت‌کتاب: در قیمت ۰٫۷ از ۵ عقب‌تریم", "بازهٔ ۰٫۴ تا ۱٫۰؛ ۱۸۹ نفر", "۲۴", -0.4),
        ),
    ],
    "touchpoints": {
        "title": "نقاط تماس",
        "note": "میله‌ها: سهم این مشتریان که در یک سال گذشته از آن گذشته‌اند.",
        "phases": [
            part(
                "before",
                "پیش از خرید",
                touch("visit", "سر زدن به کتاب‌فروشی", 0.83, "۸۳٪", "۲۵"),
                touch("sms_open", "باز کردن پیامک", 0.44, "۴۴٪", "۲۶"),
            ),
            part("during", "هنگام خرید", touch("desk", "راهنمایی گرفتن از فروشنده", 0.58, "۵۸٪", "۲۸")),
            part(
                "after",
                "پس از خرید",
                touch("review", "نوشتن نظر", 0.12, "۱۲٪", "۳۰"),
                touch("call", "تماس با پشتیبانی", 0.09, "۹٪", "۳۱"),
            ),
        ],
    },
    "use": {
        "title": "چه باید کرد",
        "parts": [
            part(
                "advertising",
                "تبلیغات",
                line("ad_sms", "پنجشنبه‌ها پیامک دربارهٔ رمان‌های تازه", "برگرفته از سطرهای ۱۴ و ۲۱"),
            ),
            part(
                "product",
                "محصول",
                line("pr_hard", "جلدهای سخت فصل کنار پیشخان باشد", "برگرفته از سطرهای ۱۳ و ۲۸"),
            ),
            part(
                "content",
                "محتوا",
                line("co_advice", "معرفی‌های کوتاه به قلم فروشنده‌ها", "برگرفته از سطر ۹"),
                assumed("co_talk", "عصری با نویسنده", "به جلسهٔ کتاب‌خوانی وسط هفته می‌آیید؟"),
            ),
        ],
    },
    "examples": {
        "title": "سه مشتری واقعی، بی‌نام",
        "note": "نزدیک به مرکز گروه و متفاوت از هم؛ هر بازه دست‌کم ۲۰ مشتری دارد.",
        "head": ["", "سفارش‌ها", "خرید (تومان)", "آخرین سفارش", "محبوب‌ترین"],
        "rows": [
            ["مشتری الف", "۱۱ تا ۲۰", "۵ تا ۱۰ میلیون", "در یک ماه گذشته", "رمان"],
            ["مشتری ب", "۶ تا ۱۰", "۲ تا ۵ میلیون", "۱ تا ۳ ماه پیش", "رمان"],
            ["مشتری پ", "بیش از ۲۰", "۱۰ تا ۲۰ میلیون", "در یک ماه گذشته", "شعر"],
        ],
        "empty": None,
    },
    "alike": {"title": "وجه تمایز نیست", "text": "روش پرداخت، وضعیت تأهل، مرجوعی، ساعت خرید، خبرنامه"},
    "limits": {
        "title": "این همهٔ مشتریان نیست",
        "lines": [
            line("coverage", "نمایندهٔ ۲۳٪ مشتریان است؛ ۶۸٪ آنان در محدودهٔ معمول آن جای دارند", "۱٬۱۵۵ نفر"),
            line("unlike", "کمترین شباهت: ۱۴۰ نفری که کتاب درسی برای دیگران می‌خرند", "۱۲٪ گروه"),
        ],
        "confidence": {
            "title": "اطمینان",
            "word": "متوسط",
            "value": 0.62,
            "text": "در ۸۱٪ بازنمونه‌گیری‌ها دوباره پیدا شد؛ پاسخ نظرسنجی تنها از ۴۰۲ نفر.",
            "how": "از ۰ تا ۱: کمترینِ پایداری، اندازه و کامل بودن داده.",
        },
    },
    "refresh": {
        "title": "از اجرای پیش تا امروز",
        "lines": [line("due", "هنوز نیازی به بازنگری نیست", "هیچ ویژگی از بازهٔ خود بیرون نرفته است")],
    },
    "warnings": ["داده‌ها دیگر از سطر ویرایش‌شدهٔ «حروف ریز» پشتیبانی نمی‌کنند."],
    "legend": {"measured": "سنجیده", "assumption": "فرضی که باید سنجید", "edited": "ویرایش‌شده"},
    "more": "… {n} مورد دیگر در جدول شواهد",
    "evidence": {
        "title": "شواهد",
        "head": ["", "گزاره", "تعداد", "اینجا", "دیگران", "تفاوت", "بازه", "منبع"],
        "rows": [
            ["۸", "برای آرامش کتاب می‌خواند", "۴۰۲", "۴٫۳", "۳٫۴", "۰٫۹", "۰٫۷ تا ۱٫۱", "survey_answers"],
            ["۱۴", "خرید در آخر هفته", "۸۱۲", "۶۱٪", "۳۴٪", "۲۷ واحد", "۲۲ تا ۳۱", "orders"],
        ],
    },
    "footer": "بر پایهٔ سفارش‌ها، نظرسنجی و نقاط تماس تا ۲۹ اسفند ۱۴۰۴. ناهید شخصیتی خیالی است.",
}

POOR = {
    **{key: ENGLISH[key] for key in ("schema", "language", "direction", "legend", "more", "key")},
    "persona": 1,
    "kicker": "Persona 1 of 2 · A shop · 9 December 2011",
    "name": "Alex",
    "title": "Buys rarely",
    "face": {"seed": 7, "gender": None, "age": None, "company": False},
    "colour": 0,
    "share": 0.7,
    "share_text": "3,041 customers, 70 % of all",
    "facts": [fact("Customer for", "7 months", "1")],
    "summary": line("summary", "Orders twice a year.", "everyone else 9 times; n 3,041", "2", -0.6),
    "quote": {**line("quote", None), "note": None},
    "parts": [
        part("buying", "How they buy", line("orders", "Orders twice a year", "everyone else 9 times", "2", -0.6)),
        part("goals", "Goals and motives", assumed("why", "Why they buy", "What did you want to do with it?")),
        part("pains", "Pains and challenges", empty="Nothing measured sets them apart."),
        part("rivals", "Whom they compare us with"),
    ],
    "touchpoints": {"title": "Touchpoints", "note": None, "phases": []},
    "use": {"title": "What follows", "parts": []},
    "examples": {"title": "Real customers", "note": None, "head": [], "rows": [], "empty": None},
    "alike": {"title": "Not distinctive", "text": ""},
    "limits": {
        "title": "Not every customer",
        "lines": [],
        "confidence": {"title": "Confidence", "word": "Low", "value": 0.2, "text": "Orders only.", "how": "0 to 1."},
    },
    "refresh": None,
    "warnings": [],
    "evidence": {"title": "Evidence", "head": ENGLISH["evidence"]["head"], "rows": []},
    "footer": "Figures from orders.",
}

COMPANY = {
    **deepcopy(ENGLISH),
    "name": None,
    "title": "Wholesalers who order by telephone",
    "face": {"seed": 42, "gender": None, "age": None, "company": True},
    "colour": 3,
    "key": "kc0ffee0",
}

#: Keys whose texts steer the drawing rather than stand on the card.
STEERING = {"schema", "language", "direction", "kind", "gender"}

ATTACKS = (
    "<script>alert(1)</script>",
    '=HYPERLINK("http://example.com","x")',
    "a" * 10_000,
    "word " * 2_000,
    "\u202egnirts desrever\u2066 and \u200fmarks\u200e",
    "one\ntwo\r\n\r\nthree\tfour\x00\x07\ud800",
    "| a | b |\n# head *bold* _it_ `code` [x](http://example.com) ![y](z) <b>&amp;",
    '#import "x" $x^2$ @ref <label> \\ *b* _i_ // no',
    '"><img src=x onerror=alert(1)>',
    "\U0001f600 漢字 مشتری {n} %s",
)


def hostile(content):
    """The content with an attack in every text, each attack in turn."""
    count = 0

    def attack(value, key=""):
        nonlocal count
        if isinstance(value, dict):
            return {k: attack(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [attack(v, key) for v in value]
        if not isinstance(value, str) or key in STEERING:
            return value
        count += 1
        return ATTACKS[count % len(ATTACKS)]

    return attack(content)
