"""Names in common use: stages of a journey, events in a shop, orders one after the other, what becomes of a deal."""

#: Stages of a journey in their customary order, with other names in use for the same one. The order is that of the
#: purchase funnel (attention, interest, desire, action: St. Elmo Lewis, 1898) prolonged past the purchase as in Lemon
#: and Verhoef, "Understanding Customer Experience Throughout the Customer Journey", Journal of Marketing 80 (2016).
STAGES = (
    ("awareness", "aware", "attention", "visitor", "visit", "آگاهی"),
    ("interest", "discovery", "lead", "علاقه"),
    ("consideration", "consider", "evaluation", "research", "desire", "بررسی", "ارزیابی"),
    ("decision", "intent", "تصمیم"),
    ("cart", "سبد خرید"),
    ("checkout", "پرداخت"),
    ("purchase", "order", "action", "customer", "خرید"),
    ("delivery", "onboarding", "تحویل"),
    ("use", "usage", "service", "support", "after", "استفاده", "خدمات"),
    ("retention", "repurchase", "repeat", "خرید مجدد"),
    ("loyalty", "وفاداری"),
    ("advocacy", "recommendation", "referral", "توصیه"),
)

#: Events on the way to an order in a shop, in order, with other names in use: among them those that Google Analytics 4
#: recommends for shops (session_start, view_item, add_to_cart, begin_checkout, purchase).
SHOP_EVENTS = (
    ("visit", "home", "session_start", "store_visit"),
    ("view", "product_view", "product", "view_item"),
    ("cart", "add_to_cart"),
    ("checkout", "begin_checkout"),
    ("order", "purchase", "buy"),
)

#: Events by which customers come or are reached, with what usually ends their names.
TOUCHES = (*SHOP_EVENTS[0], "call", "sales_call", "phone_call", "meeting", "chat", "ad_view", "impression")
TOUCH_ENDINGS = ("click", "_open", "_visit")

#: What should follow an order, with other names in use.
FULFILMENT = ("delivery", "delivered", "order_delivered", "shipment", "shipped", "تحویل")

#: Names of a customer's completed orders as steps; from the sixth on they share one.
ORDER_LADDER = ("1st order", "2nd order", "3rd order", "4th order", "5th order", "6th order or later")

#: What happens to a deal. It is won or lost at the moment it is decided: the rate from decided to won is the win rate.
DEAL_EVENTS = ("created", "decided", "won", "lost")
