"""The bookshop's words in Persian: how is everything called that a reader sees in its tables?

`in_persian` takes a finished bookshop in English and gives the same one with Persian names of people, cities, genres,
titles and so on. Ids and codes stay (customer_id, status, event, stage, variant …), for funnels and mappings refer to
them; e-mail addresses stay Latin, as they do in Iran.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from analysis.bookshop import World

#: Columns that hold words for readers, in whichever table or finding they stand.
SHOWN = (
    *("name", "gender", "marital_status", "education", "occupation", "city", "region", "country", "district"),
    *("acquisition_channel", "acquisition_campaign", "preferred_channel", "consents", "interests", "tags", "industry"),
    *("channel", "branch", "till", "payment_method", "category", "subcategory", "brand", "content_type", "owner"),
    *("topic", "text", "construct", "question", "priority", "team", "product", "source", "attribute", "card_colour"),
)

PEOPLE = {
    "Sara": "سارا", "Maryam": "مریم", "Zahra": "زهرا", "Fatemeh": "فاطمه", "Narges": "نرگس", "Leila": "لیلا",
    "Nasrin": "نسرین", "Parisa": "پریسا", "Mina": "مینا", "Shirin": "شیرین", "Elham": "الهام", "Niloufar": "نیلوفر",
    "Samira": "سمیرا", "Mahsa": "مهسا", "Azadeh": "آزاده", "Roya": "رؤیا", "Bahareh": "بهاره", "Setareh": "ستاره",
    "Yasaman": "یاسمن", "Neda": "ندا", "Golnaz": "گلناز", "Hanieh": "هانیه", "Parvin": "پروین", "Mahnaz": "مهناز",
    "Sepideh": "سپیده", "Ava": "آوا", "Taraneh": "ترانه", "Zhaleh": "ژاله", "Simin": "سیمین", "Farzaneh": "فرزانه",
    "Ali": "علی", "Mohammad": "محمد", "Reza": "رضا", "Hossein": "حسین", "Amir": "امیر", "Mehdi": "مهدی",
    "Hamid": "حمید", "Saeed": "سعید", "Farhad": "فرهاد", "Omid": "امید", "Kaveh": "کاوه", "Babak": "بابک",
    "Arash": "آرش", "Nima": "نیما", "Pouya": "پویا", "Behrouz": "بهروز", "Siavash": "سیاوش", "Kamran": "کامران",
    "Dariush": "داریوش", "Navid": "نوید", "Ehsan": "احسان", "Vahid": "وحید", "Masoud": "مسعود", "Iman": "ایمان",
    "Peyman": "پیمان", "Sina": "سینا", "Milad": "میلاد", "Hadi": "هادی", "Jalal": "جلال", "Bijan": "بیژن",
    "Ahmadi": "احمدی", "Mohammadi": "محمدی", "Hosseini": "حسینی", "Karimi": "کریمی", "Rezaei": "رضایی",
    "Moradi": "مرادی", "Jafari": "جعفری", "Rahimi": "رحیمی", "Ebrahimi": "ابراهیمی", "Hashemi": "هاشمی",
    "Sadeghi": "صادقی", "Akbari": "اکبری", "Kazemi": "کاظمی", "Ghasemi": "قاسمی", "Rostami": "رستمی",
    "Mousavi": "موسوی", "Heidari": "حیدری", "Nazari": "نظری", "Bagheri": "باقری", "Shahbazi": "شهبازی",
    "Taheri": "طاهری", "Zamani": "زمانی", "Soltani": "سلطانی", "Azizi": "عزیزی", "Ghorbani": "قربانی",
    "Amini": "امینی", "Fallah": "فلاح", "Norouzi": "نوروزی", "Kamali": "کمالی", "Tavakoli": "توکلی",
    "Mirzaei": "میرزایی", "Asgari": "عسگری", "Yazdani": "یزدانی", "Shirazi": "شیرازی", "Tabrizi": "تبریزی",
    "Esfahani": "اصفهانی", "Kermani": "کرمانی", "Rashidi": "رشیدی", "Salehi": "صالحی", "Farahani": "فراهانی",
    "Bahrami": "بهرامی", "Golestani": "گلستانی", "Daneshvar": "دانشور", "Parsa": "پارسا", "Sohrabi": "سهرابی",
    "Tehrani": "تهرانی", "Vaziri": "وزیری", "Yeganeh": "یگانه", "Zand": "زند", "Kiani": "کیانی", "Lotfi": "لطفی",
    "Maleki": "ملکی", "Naderi": "نادری", "Omidi": "امیدی", "Pakdel": "پاکدل", "Qaderi": "قادری",
    "Ranjbar": "رنجبر", "Sharifi": "شریفی", "Torabi": "ترابی", "Zarei": "زارعی",
}  # fmt: skip

WORDS = {
    # places
    "Iran": "ایران", "Tehran": "تهران", "Mashhad": "مشهد", "Isfahan": "اصفهان", "Shiraz": "شیراز", "Tabriz": "تبریز",
    "Karaj": "کرج", "Qom": "قم", "Ahvaz": "اهواز", "Rasht": "رشت", "Kerman": "کرمان", "Yazd": "یزد",
    "Razavi Khorasan": "خراسان رضوی", "Fars": "فارس", "East Azerbaijan": "آذربایجان شرقی", "Alborz": "البرز",
    "Khuzestan": "خوزستان", "Gilan": "گیلان",
    "north": "شمال", "centre": "مرکز", "south": "جنوب",
    "Enghelab": "انقلاب", "Tajrish": "تجریش", "Vanak": "ونک", "Narmak": "نارمک", "Ahmadabad": "احمدآباد",
    "Sajjad": "سجاد", "Chaharbagh": "چهارباغ", "Jolfa": "جلفا", "Zand": "زند", "Abresan": "آبرسان",
    "Gohardasht": "گوهردشت", "till 1": "صندوق ۱", "till 2": "صندوق ۲", "till 3": "صندوق ۳",
    # people
    "male": "مرد", "female": "زن", "single": "مجرد", "married": "متأهل",
    "diploma": "دیپلم", "bachelor": "کارشناسی", "master": "کارشناسی ارشد", "doctorate": "دکتری",
    "pupil": "دانش‌آموز", "student": "دانشجو", "employee": "کارمند", "teacher": "معلم", "nurse": "پرستار",
    "engineer": "مهندس", "lecturer": "استاد دانشگاه", "physician": "پزشک", "self-employed": "شغل آزاد",
    "homemaker": "خانه‌دار", "retired": "بازنشسته",
    "club card": "کارت باشگاه", "vip": "مشتری ویژه", "gave back": "دارای مرجوعی", "reading circle": "حلقهٔ کتاب‌خوانی",
    "business": "سازمانی", "blue": "آبی", "green": "سبز", "red": "قرمز",
    # channels, ways to pay, where customers come from
    "branch": "شعبه", "web": "وب‌سایت", "app": "اپلیکیشن", "email": "ایمیل", "sms": "پیامک", "phone": "تلفن",
    "courier": "پیک", "sales": "فروش سازمانی",
    "bank card": "کارت بانکی", "cash": "نقدی", "gift card": "کارت هدیه", "online gateway": "درگاه اینترنتی",
    "wallet": "کیف پول", "cash on delivery": "پرداخت در محل", "instalments": "اقساطی", "invoice": "فاکتور",
    "walk-in": "مراجعهٔ حضوری", "word of mouth": "معرفی آشنایان", "school": "مدرسه", "book fair": "نمایشگاه کتاب",
    "search engine": "موتور جست‌وجو", "instagram": "اینستاگرام", "online advertisement": "تبلیغ اینترنتی",
    "app store": "فروشگاه اپلیکیشن", "referral": "معرفی", "phone call": "تماس تلفنی", "website": "وب‌سایت",
    # books
    "novel": "رمان", "poetry": "شعر", "children": "کودک و نوجوان", "exam": "کمک‌درسی و کنکور", "academic": "دانشگاهی",
    "history": "تاریخ", "self-help": "موفقیت و خودیاری", "art": "هنر", "rare": "کتاب کمیاب", "stationery": "نوشت‌افزار",
    "Iranian": "ایرانی", "translated": "ترجمه", "crime": "جنایی", "fantasy": "فانتزی", "classical": "کلاسیک",
    "modern": "معاصر", "picture books": "کتاب تصویری", "first readers": "نوآموز", "ages 8 to 12": "۸ تا ۱۲ سال",
    "young adults": "نوجوان", "test banks": "بانک تست", "summaries": "جمع‌بندی", "mock examinations": "آزمون آزمایشی",
    "school guides": "راهنمای درسی", "engineering": "مهندسی", "medicine": "پزشکی", "humanities": "علوم انسانی",
    "law": "حقوق", "world": "جهان", "biography": "زندگی‌نامه", "psychology": "روان‌شناسی", "health": "سلامت",
    "photography": "عکاسی", "calligraphy": "خوش‌نویسی", "architecture": "معماری", "music": "موسیقی",
    "first editions": "چاپ اول", "lithographs": "چاپ سنگی", "signed copies": "نسخهٔ امضاشده", "notebooks": "دفتر",
    "pens": "قلم", "board games": "بازی رومیزی", "cards": "کارت", "bestseller": "پرفروش",
    # teams, mailings, campaigns
    "shop": "فروشگاه", "support": "پشتیبانی", "logistics": "ارسال و تحویل", "marketing": "بازاریابی",
    "new titles": "تازه‌های نشر", "offer": "پیشنهاد ویژه", "reading list": "فهرست مطالعه",
    "Book Fair": "نمایشگاه کتاب", "Konkur": "کنکور", "Back to School": "بازگشت به مدرسه", "Yalda": "یلدا",
    "Nowruz": "نوروز", "Book Week": "هفتهٔ کتاب", "Yalda Gifts": "هدیه‌های یلدا", "Spring Calls": "تماس‌های بهاری",
    "Summer Reading": "کتاب‌خوانی تابستان", "Autumn Calls": "تماس‌های پاییزی", "Summer Calls": "تماس‌های تابستانی",
    "Publisher of the Month": "ناشر ماه", "Spring Bargains": "حراج بهاره", "Konkur Countdown": "شمارش معکوس کنکور",
    "Mehr on the App": "مهر با اپلیکیشن", "Yalda Night": "شب یلدا",
    # tickets and feedback
    "late delivery": "تأخیر در تحویل", "damaged book": "کتاب آسیب‌دیده", "wrong book": "کتاب اشتباهی",
    "payment": "پرداخت", "app checkout": "پرداخت در اپلیکیشن", "question": "پرسش", "delivery": "تحویل",
    "return": "مرجوعی", "everything": "به‌طور کلی", "low": "پایین", "normal": "عادی", "high": "بالا",
    "customer service": "خدمات مشتریان", "payments": "امور مالی",
    "Arrived in time": "به‌موقع رسید", "Well packed, thank you": "بسته‌بندی خوب بود، ممنون",
    "Fast as always": "مثل همیشه سریع", "Came far too late": "خیلی دیر رسید",
    "Nobody said it was late": "کسی نگفت که دیر می‌رسد", "Friendly advice": "راهنمایی دوستانه",
    "I always find something": "همیشه چیزی پیدا می‌کنم", "Lovely shop": "فروشگاه دوست‌داشتنی",
    "Waited long at the till": "پای صندوق خیلی معطل شدم", "Did not have my book": "کتابی را که می‌خواستم نداشتند",
    "Replaced at once": "فوراً عوض کردند", "The cover was torn": "جلد کتاب پاره بود", "Pages were wet": "صفحه‌ها خیس بود",
    "Exchanged without fuss": "بی‌دردسر عوض شد", "This is not what I ordered": "این چیزی نیست که سفارش داده بودم",
    "Wrong volume": "جلد اشتباه بود", "They explained the delay": "دلیل تأخیر را توضیح دادند",
    "Two weeks for one book": "دو هفته برای یک کتاب", "I needed it for an examination": "برای امتحان لازمش داشتم",
    "Money came back quickly": "پول زود برگشت",
    "Paid twice and nobody answers": "دو بار پول دادم و کسی جواب نمی‌دهد", "The payment failed": "پرداخت ناموفق بود",
    "Works again now": "حالا دوباره کار می‌کند", "The app hangs when I pay": "موقع پرداخت، اپلیکیشن هنگ می‌کند",
    "Lost my cart again": "سبد خریدم باز هم پرید", "Clear answer": "پاسخ روشن",
    "Had to ask three times": "سه بار پرسیدم",
    "Easy to give back": "پس دادنش آسان بود", "Too many forms": "فرم‌ها زیاد بود",
    "Had to pay the postage": "هزینهٔ پست با خودم بود", "I tell my friends": "به دوستانم هم می‌گویم",
    "My favourite bookshop": "کتاب‌فروشی محبوبم", "Good choice": "انتخاب خوبی دارند",
    "Prices rise every month": "قیمت‌ها هر ماه بالا می‌رود", "Used to be better": "قبلاً بهتر بود",
    # companies
    "library": "کتابخانه", "company": "شرکت", "Danesh School": "مدرسهٔ دانش", "Omid School": "مدرسهٔ امید",
    "Farhang School": "مدرسهٔ فرهنگ", "Mehr School": "مدرسهٔ مهر", "Hekmat School": "مدرسهٔ حکمت",
    "Sepehr School": "مدرسهٔ سپهر", "City Library": "کتابخانهٔ شهر", "Golestan Library": "کتابخانهٔ گلستان",
    "Ferdowsi Library": "کتابخانهٔ فردوسی", "Saadi Library": "کتابخانهٔ سعدی", "Parto Industries": "صنایع پرتو",
    "Alvand Trading": "بازرگانی الوند", "Rayan Software": "نرم‌افزار رایان", "Kavir Logistics": "حمل‌ونقل کویر",
    "Nikan Foods": "صنایع غذایی نیکان", "Sahand Steel": "فولاد سهند",
    # surveys
    "price consciousness": "حساسیت به قیمت", "quality": "کیفیت‌خواهی", "brand loyalty": "وفاداری به برند",
    "novelty seeking": "نوجویی", "social influence": "تأثیرپذیری از دیگران", "goals": "اهداف", "challenges": "چالش‌ها",
    "I compare prices before I buy a book": "پیش از خرید کتاب، قیمت‌ها را مقایسه می‌کنم",
    "I wait for a discount if I can": "اگر بتوانم، منتظر تخفیف می‌مانم",
    "A rise in prices makes me buy less": "وقتی قیمت‌ها بالا می‌رود، کمتر می‌خرم",
    "I do not look at the price of a book I want": "به قیمت کتابی که می‌خواهم نگاه نمی‌کنم",
    "I would rather have one fine edition than two cheap ones": "یک چاپ نفیس را به دو چاپ ارزان ترجیح می‌دهم",
    "Paper and binding matter to me": "کاغذ و صحافی برایم مهم است",
    "A good translation is worth its price": "ترجمهٔ خوب به قیمتش می‌ارزد",
    "The cheapest edition is good enough for me": "ارزان‌ترین چاپ هم برایم کافی است",
    "I buy my books here before I look elsewhere": "پیش از آنکه سراغ جای دیگری بروم، از اینجا می‌خرم",
    "I would recommend this shop to friends": "این فروشگاه را به دوستانم معرفی می‌کنم",
    "I would stay if another shop opened next door": "اگر فروشگاه دیگری هم کنار اینجا باز شود، مشتری همین‌جا می‌مانم",
    "It is all the same to me where I buy": "برایم فرقی نمی‌کند که از کجا بخرم",
    "I like to read authors I have never heard of": "دوست دارم از نویسندگان ناآشنا بخوانم",
    "I try genres that are new to me": "گونه‌های تازه را امتحان می‌کنم",
    "I look through the new titles first": "اول سراغ تازه‌های نشر می‌روم",
    "I stay with what I know I like": "سراغ همان چیزی می‌روم که می‌دانم دوست دارم",
    "I read what my friends read": "همان کتاب‌هایی را می‌خوانم که دوستانم می‌خوانند",
    "Reviews on social media decide what I buy": "نقدهای شبکه‌های اجتماعی تعیین می‌کند که چه بخرم",
    "I ask others before I choose a book": "پیش از انتخاب کتاب از دیگران می‌پرسم",
    "What others think of a book does not matter to me": "نظر دیگران دربارهٔ یک کتاب برایم مهم نیست",
    "I buy books to relax": "برای آرامش کتاب می‌خرم", "I buy books for an examination": "برای کنکور و امتحان کتاب می‌خرم",
    "I buy books for my children": "برای فرزندانم کتاب می‌خرم", "I buy books as presents": "برای هدیه دادن کتاب می‌خرم",
    "I buy books for my work or research": "برای کار یا پژوهش کتاب می‌خرم",
    "I buy books to own something rare": "کتاب می‌خرم تا چیز کمیابی داشته باشم",
    "Books have become too dear for me": "کتاب برایم زیادی گران شده است",
    "I have no time to go to a bookshop": "وقت رفتن به کتاب‌فروشی ندارم",
    "It is hard to find the right book": "پیدا کردن کتاب مناسب سخت است",
    "The titles I need are out of print": "کتاب‌هایی که لازم دارم چاپشان تمام شده است",
    "Paying in the app is a trouble": "پرداخت در اپلیکیشن دردسر دارد", "My orders arrive late": "سفارش‌هایم دیر می‌رسد",
    # rivals
    "our bookshop": "کتاب‌فروشی ما", "Barg Online": "برگ آنلاین", "Kaghazi": "کاغذی", "price": "قیمت",
    "range": "تنوع کتاب‌ها", "staff": "برخورد کارکنان",
}  # fmt: skip

#: Words that mean something else in one column.
WORDS_OF_COLUMN = {
    "education": {"school": "زیر دیپلم"},
    "subcategory": {"business": "کسب‌وکار"},
    "owner": {"sales": "فروش"},
    "team": {"app": "تیم اپلیکیشن"},
}

#: What the findings call by another name: the column that has the words.
COLUMN_OF_FINDING = {
    **{"wants": "preferred_channel", "from": "channel", "to": "channel", "rival": "brand"},
    "names": "title",
}

PUBLISHERS = {
    "Simorgh": "سیمرغ", "Damavand": "دماوند", "Sepidar": "سپیدار", "Kaveh Street": "خیابان کاوه", "Anar": "انار",
    "Mehregan": "مهرگان", "Zayandeh": "زاینده‌رود",
}  # fmt: skip
_PUBLISHER_KINDS = {"Press": "نشر {}", "Books": "انتشارات {}"}

#: Titles by genre: how the first part takes up the second. {} is the noun, {-} the noun with an adjective to follow.
TITLES = {
    "novel": (
        {
            "The Silent": "{-} خاموش", "A Borrowed": "{-} امانتی", "The Last": "آخرین {}", "The Blue": "{-} آبی",
            "Beyond the": "آن سوی {}", "Under the": "زیر {}", "Return to the": "بازگشت به {}",
            "The Forgotten": "{-} فراموش‌شده", "A Winter in the": "زمستانی در {}", "Letters from the": "نامه‌هایی از {}",
            "The Other": "{-} دیگر",
        },
        {
            "Garden": "باغ", "House": "خانه", "Caravan": "کاروان", "River": "رودخانه", "Lighthouse": "فانوس دریایی",
            "Bazaar": "بازار", "Orchard": "باغ سیب", "Window": "پنجره", "Season": "فصل", "Island": "جزیره",
            "Bridge": "پل", "Train": "قطار",
        },
    ),
    "poetry": (
        {
            "Songs of": "ترانه‌های {}", "Ghazals of": "غزل‌های {}", "Quatrains of": "رباعی‌های {}",
            "Selected": "گزیدهٔ شعرهای {}", "Verses of": "سروده‌های {}", "The Book of": "دفتر {}",
            "Nights of": "شب‌های {}",
        },
        {
            "the Nightingale": "بلبل", "Shiraz": "شیراز", "Rain": "باران", "the Plain": "دشت", "Exile": "غربت",
            "the Rose": "گل سرخ", "Dawn": "سپیده‌دم", "the Desert": "کویر", "Solitude": "تنهایی",
        },
    ),
    "children": (
        {
            "The Little": "{-} کوچولو", "The Brave": "{-} شجاع", "Who Hid the": "چه کسی {} را پنهان کرد؟",
            "Goodnight,": "شب به‌خیر، {}", "The Moon and the": "ماه و {}", "My First": "اولین {-} من",
            "The Secret of the": "راز {}", "Counting with the": "شمردن با {}", "The Flying": "{-} پرنده",
            "Where Is the": "{} کجاست؟", "The Naughty": "{-} بازیگوش",
        },
        {
            "Sparrow": "گنجشک", "Goat": "بزغاله", "Pomegranate": "انار", "Elephant": "فیل", "Hedgehog": "جوجه‌تیغی",
            "Kite": "بادبادک", "Fox": "روباه", "Dragon": "اژدها", "Whale": "نهنگ", "Rabbit": "خرگوش", "Snail": "حلزون",
            "Bear": "خرس",
        },
    ),
    "exam": (
        {
            "1,000 Questions in": "هزار پرسش {}", "Step by Step": "گام‌به‌گام {}", "The Night before:": "شب امتحان {}",
            "Konkur in 30 Days:": "کنکور در ۳۰ روز: {}", "All of": "{-} جامع",
            "Mock Examinations in": "آزمون‌های آزمایشی {}", "Summary of": "خلاصهٔ {}",
        },
        {
            "Mathematics": "ریاضی", "Physics": "فیزیک", "Chemistry": "شیمی", "Biology": "زیست‌شناسی",
            "Persian Literature": "ادبیات فارسی", "Arabic": "عربی", "English": "زبان انگلیسی", "Geology": "زمین‌شناسی",
            "Economics": "اقتصاد", "Logic": "منطق", "Geometry": "هندسه", "Statistics": "آمار",
            "Psychology": "روان‌شناسی", "Sociology": "جامعه‌شناسی",
        },
    ),
    "academic": (
        {
            "Foundations of": "مبانی {}", "Introduction to": "مقدمه‌ای بر {}", "Advanced": "{-} پیشرفته",
            "Methods in": "روش‌های {}", "Handbook of": "راهنمای {}", "Problems in": "مسائل {}",
            "Readings in": "متون برگزیدهٔ {}", "Lectures on": "درس‌گفتارهای {}",
        },
        {
            "Thermodynamics": "ترمودینامیک", "Statistics": "آمار", "Anatomy": "آناتومی", "Sociology": "جامعه‌شناسی",
            "Civil Law": "حقوق مدنی", "Linguistics": "زبان‌شناسی", "Pharmacology": "داروشناسی", "Economics": "اقتصاد",
            "Algorithms": "الگوریتم‌ها", "Ethics": "اخلاق",
        },
    ),
    "history": (
        {
            "A History of": "تاریخ {}", "The Rise of": "برآمدن {}", "Letters from": "نامه‌هایی از {}",
            "Travels in": "سفرنامهٔ {}", "The Fall of": "سقوط {}", "Memoirs of": "خاطرات {}",
            "The People of": "مردم {}",
        },
        {
            "the Safavids": "صفویان", "the Silk Road": "جادهٔ ابریشم", "Constantinople": "قسطنطنیه",
            "Khorasan": "خراسان", "the Qajar Court": "دربار قاجار", "Persepolis": "تخت جمشید", "the Steppe": "استپ",
            "Cordoba": "قرطبه", "Samarkand": "سمرقند",
        },
    ),
    "self-help": (
        {
            "The Art of": "هنر {}", "The Habit of": "عادت به {}", "Ten Minutes of": "ده دقیقه {}",
            "The Power of": "نیروی {}", "Small Steps to": "گام‌های کوچک به‌سوی {}", "A Year of": "یک سال {}",
            "The Science of": "دانش {}",
        },
        {
            "Calm": "آرامش", "Saying No": "نه گفتن", "Focus": "تمرکز", "Good Sleep": "خواب خوب", "Leading": "رهبری",
            "Listening": "گوش دادن", "Courage": "شجاعت", "Saving": "پس‌انداز", "Patience": "شکیبایی",
        },
    ),
    "art": (
        {
            "Masterpieces of": "شاهکارهای {}", "The Colours of": "رنگ‌های {}", "A Journey through": "سفری در {}",
            "The Album of": "آلبوم {}", "Patterns of": "نقش‌های {}", "Treasures of": "گنجینه‌های {}",
            "Masters of": "استادان {}", "Light on": "پرتوی بر {}",
        },
        {
            "Persian Miniature": "نگارگری ایرانی", "Isfahan": "اصفهان", "Nastaliq": "نستعلیق", "the Carpet": "فرش",
            "Tilework": "کاشی‌کاری", "the Caspian": "دریای خزر", "the Setar": "سه‌تار", "Yazd": "یزد",
            "Qajar Photography": "عکاسی قاجار",
        },
    ),
    "rare": (
        {
            "First Edition:": "چاپ اول: {}", "Lithograph:": "چاپ سنگی: {}", "Signed Copy:": "نسخهٔ امضاشده: {}",
            "Facsimile:": "نسخه‌برگردان: {}", "Manuscript Leaf:": "برگ نسخهٔ خطی: {}",
            "Bound Volume:": "نسخهٔ صحافی‌شده: {}",
        },
        {
            "The Divan": "دیوان", "Shahnameh": "شاهنامه", "Golestan": "گلستان", "Travels of 1290": "سفرنامهٔ ۱۲۹۰",
            "Kelileh and Demneh": "کلیله و دمنه", "Almanac of 1305": "سالنامهٔ ۱۳۰۵", "Map of Tehran": "نقشهٔ تهران",
            "Bustan": "بوستان", "The Caravanserai": "کاروان‌سرا", "Letters of 1320": "نامه‌های ۱۳۲۰",
            "Quatrains": "رباعیات", "Khamseh": "خمسه",
        },
    ),
    "stationery": (
        {
            "Lined Notebook": "دفتر خط‌دار طرح {}", "Fountain Pen": "خودنویس طرح {}", "Board Game": "بازی رومیزی {}",
            "Greeting Cards": "کارت تبریک طرح {}", "Desk Calendar": "تقویم رومیزی طرح {}",
            "Bookmark Set": "مجموعهٔ نشانک طرح {}", "Gel Pens": "خودکار ژله‌ای طرح {}",
            "Sketchbook": "دفتر طراحی طرح {}",
        },
        {
            "Cypress": "سرو", "Paisley": "بته‌جقه", "Firouzeh": "فیروزه", "Yalda": "یلدا", "Midnight": "نیمه‌شب",
            "Saffron": "زعفران", "Termeh": "ترمه", "Cobalt": "لاجورد",
        },
    ),
}  # fmt: skip

_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def in_persian(world: "World") -> "World":
    """The same bookshop with Persian words.

    Parameters
    ----------
    world : World
        In English, as :func:`analysis.bookshop.build` gives it; it stays as it is.

    Returns
    -------
    World
        The words of the columns ``SHOWN`` are Persian in the tables, in the truth and in the findings; everything
        else is the same. A word that the vocabulary lacks stays as it is.

    Examples
    --------
    >>> from analysis import bookshop
    >>> world = in_persian(bookshop.build(customers=20))
    >>> set(world.tables["orders"]["channel"]) <= {"شعبه", "وب‌سایت", "اپلیکیشن"}
    True
    """
    tables = {name: _in_persian(name, table) for name, table in world.tables.items()}
    titles = dict(zip(world.tables["products"]["name"], tables["products"]["name"], strict=True))
    return replace(
        world,
        tables=tables,
        truth={name: _in_persian("", table) for name, table in world.truth.items()},
        findings=tuple(_found(finding, titles) for finding in world.findings),
    )


def _in_persian(name: str, table: pd.DataFrame) -> pd.DataFrame:
    changed = {column: _column(table[column], _words_of(name, column)) for column in table if column in SHOWN}
    if name == "products":
        titles = [_title(genre, title) for genre, title in zip(table["category"], table["name"], strict=True)]
        changed["name"] = pd.Series(titles, index=table.index, dtype=table["name"].dtype)
    return table.assign(**changed) if changed else table


def _column(cells: pd.Series, say: Callable[[str], str]) -> pd.Series:
    """A column of words, or of lists of words, each word looked up once."""
    if len(cells) and all(isinstance(cell, list) for cell in cells):
        said = {word: say(word) for word in {word for words in cells for word in words}}
        return pd.Series([[said[word] for word in words] for words in cells], index=cells.index, dtype=object)
    codes, words = pd.factorize(cells)
    said = pd.Series([say(word) for word in words], dtype=cells.dtype)
    return said.reindex(pd.Series(codes).where(codes >= 0)).set_axis(cells.index).astype(cells.dtype)


def _words_of(table: str, column: str) -> Callable[[str], str]:
    """What says the words of a column in Persian."""
    if table == "customers" and column == "name":
        return _customer
    if column == "brand":
        return _brand
    own = WORDS_OF_COLUMN.get(column, {})
    return lambda word: own.get(word) or _word(word)


def _word(word: str) -> str:
    """A word, or a word and a year: the campaigns of a season.

    Examples
    --------
    >>> _word("Nowruz 1404") == "نوروز ۱۴۰۴", _word("nothing known")
    (True, 'nothing known')
    """
    if word in WORDS:
        return WORDS[word]
    if word in PEOPLE:
        return PEOPLE[word]
    named, year = re.fullmatch(r"(.*?)( \d{4})?", word).groups()
    return WORDS[named] + year.translate(_PERSIAN_DIGITS) if year and named in WORDS else word


def _customer(name: str) -> str:
    """A person by given and family name, a company by its name and its city."""
    if "," in name:
        return "، ".join(_word(part) for part in name.split(", "))
    return " ".join(PEOPLE.get(part, part) for part in name.split(" "))


def _brand(brand: str) -> str:
    name, _, kind = brand.rpartition(" ")
    if kind in _PUBLISHER_KINDS and name in PUBLISHERS:
        return _PUBLISHER_KINDS[kind].format(PUBLISHERS[name])
    return _word(brand)


def _title(genre: str, title: str) -> str:
    """A title, part by part, in the order that Persian wants.

    Examples
    --------
    >>> _title("novel", "The Blue House") == "خانهٔ آبی"
    True
    """
    firsts, seconds = TITLES.get(genre, ({}, {}))
    for first, pattern in firsts.items():
        noun = seconds.get(title.removeprefix(f"{first} "))
        if noun and title.startswith(f"{first} "):
            return pattern.replace("{-}", _with_ezafe(noun)).replace("{}", noun)
    return title


def _with_ezafe(noun: str) -> str:
    """The noun as it is written before its adjective: only a silent he and long vowels at the end show it.

    Examples
    --------
    >>> [_with_ezafe(noun) for noun in ("خانه", "روباه", "اژدها", "پل")] == ["خانهٔ", "روباه", "اژدهای", "پل"]
    True
    """
    if noun.endswith("ه") and noun[-2] not in "اوی":
        return f"{noun}ٔ"
    return f"{noun}ی" if noun.endswith("ا") else noun


def _found(finding: dict, titles: dict[str, str]) -> dict:
    """A finding in the words of the columns that it speaks of."""
    told = {}
    for key, value in finding.items():
        column = COLUMN_OF_FINDING.get(key, key)
        say = (lambda title: titles.get(title, title)) if column == "title" else _words_of("", column)
        if column not in (*SHOWN, "title"):
            told[key] = value
        elif isinstance(value, list):
            told[key] = [say(word) for word in value]
        else:
            told[key] = say(value) if isinstance(value, str) else value
    return told
