"""The rules in django-oscar, a peer in role: offers with a condition, a benefit and a range each, on a basket in a
database.

It lives in Django, so it gets what its users give it: models in a database (SQLite in memory), offers loaded once,
ranges of products, a basket with lines and a pricing strategy. Its conditions count units or money in a range, no
more; so it is asked on a policy of such promotions alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from benchmarks.engines.rules import LineTest, Rule, Total

Holds = Callable[[], frozenset[str]]


class OscarShop(NamedTuple):
    """Two questions to the same basket: which offers' conditions hold, and apply all that hold, one after the other."""

    find: Holds
    apply: Callable[[], object]


def oscar_shop(rules: Sequence[Rule], assortment: Sequence[Mapping[str, Any]], body: Mapping[str, Any]) -> OscarShop:
    """Put products, offers and a basket into a database, and return what may be asked of them."""
    _set_up()
    from oscar.apps.offer.applicator import Applicator

    products = _make_products(assortment)
    offers = [_make_offer(rule, products) for rule in rules]
    basket = _make_basket(body)

    def find() -> frozenset[str]:
        return frozenset(offer.name for offer in offers if offer.is_condition_satisfied(basket))

    def apply() -> object:
        basket.reset_offer_applications()
        Applicator().apply_offers(basket, offers)
        return basket.offer_applications

    return OscarShop(find, apply)


def _set_up() -> None:
    from django.conf import settings

    if settings.configured:
        return
    import oscar.defaults

    wanted = {name: value for name, value in vars(oscar.defaults).items() if name.startswith("OSCAR_")}
    settings.configure(
        **wanted,
        SECRET_KEY="benchmark",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=_APPS,
        MIGRATION_MODULES=_NoMigrations(),
        HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
        SITE_ID=1,
        USE_TZ=True,
        ROOT_URLCONF=[],
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)


class _NoMigrations(dict[str, None]):
    """Says of every app that it has no migrations, so that its tables are made at once."""

    def __contains__(self, app: object) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sites",
    "django.contrib.flatpages",
    "django.contrib.messages",
    "django.contrib.sessions",
    "oscar.config.Shop",
    *(
        f"oscar.apps.{name}"
        for name in (
            "analytics.apps.AnalyticsConfig",
            "checkout.apps.CheckoutConfig",
            "address.apps.AddressConfig",
            "shipping.apps.ShippingConfig",
            "catalogue.apps.CatalogueConfig",
            "catalogue.reviews.apps.CatalogueReviewsConfig",
            "communication.apps.CommunicationConfig",
            "partner.apps.PartnerConfig",
            "basket.apps.BasketConfig",
            "payment.apps.PaymentConfig",
            "offer.apps.OfferConfig",
            "order.apps.OrderConfig",
            "customer.apps.CustomerConfig",
            "search.apps.SearchConfig",
            "voucher.apps.VoucherConfig",
            "wishlists.apps.WishlistsConfig",
            "dashboard.apps.DashboardConfig",
            "dashboard.reports.apps.ReportsDashboardConfig",
            "dashboard.users.apps.UsersDashboardConfig",
            "dashboard.orders.apps.OrdersDashboardConfig",
            "dashboard.catalogue.apps.CatalogueDashboardConfig",
            "dashboard.offers.apps.OffersDashboardConfig",
            "dashboard.partners.apps.PartnersDashboardConfig",
            "dashboard.pages.apps.PagesDashboardConfig",
            "dashboard.ranges.apps.RangesDashboardConfig",
            "dashboard.reviews.apps.ReviewsDashboardConfig",
            "dashboard.vouchers.apps.VouchersDashboardConfig",
            "dashboard.communications.apps.CommunicationsDashboardConfig",
            "dashboard.shipping.apps.ShippingDashboardConfig",
        )
    ),
    "widget_tweaks",
    "haystack",
    "treebeard",
    "django_tables2",
]


def _make_products(assortment: Sequence[Mapping[str, Any]]) -> list[tuple[Any, Mapping[str, Any]]]:
    """Put products on sale; return each with what the rules look at."""
    from oscar.core.loading import get_model

    product_class = get_model("catalogue", "ProductClass").objects.create(name="Goods", track_stock=False)
    partner = get_model("partner", "Partner").objects.create(name="The house")
    product_model, stock_model = get_model("catalogue", "Product"), get_model("partner", "StockRecord")
    products: list[tuple[Any, Mapping[str, Any]]] = []
    for row in assortment:
        product = product_model.objects.create(title=row["sku"], upc=row["sku"], product_class=product_class)
        price = Decimal(row["unit_price"]) / 100
        stock_model.objects.create(
            product=product, partner=partner, partner_sku=row["sku"], price=price, price_currency="EUR"
        )
        products.append((product, row))
    return products


def _make_offer(rule: Rule, products: Sequence[tuple[Any, Mapping[str, Any]]]) -> Any:
    from oscar.core.loading import get_model

    (total,) = (clause for clause in rule.clauses if isinstance(clause, Total))
    included = get_model("offer", "Range").objects.create(name=rule.promotion_id)
    for product, row in products:
        if all(_holds(test, row) for test in total.of):
            included.add_product(product)
    is_spend = total.measure == "spend"
    condition = get_model("offer", "Condition").objects.create(
        range=included,
        type="Value" if is_spend else "Count",
        value=Decimal(total.at_least) / 100 if is_spend else total.at_least,
    )
    benefit = get_model("offer", "Benefit").objects.create(range=included, type="Percentage", value=10)
    offer = get_model("offer", "ConditionalOffer").objects.create(
        name=rule.promotion_id, condition=condition, benefit=benefit
    )
    return get_model("offer", "ConditionalOffer").objects.select_related("condition", "benefit").get(pk=offer.pk)


def _make_basket(body: Mapping[str, Any]) -> Any:
    from oscar.apps.partner.strategy import Default
    from oscar.core.loading import get_model

    basket = get_model("basket", "Basket").objects.create()
    basket.strategy = Default()
    for line in body["lines"]:
        basket.add_product(get_model("catalogue", "Product").objects.get(upc=line["sku"]), quantity=line["quantity"])
    return basket


def _holds(test: LineTest, row: Mapping[str, Any]) -> bool:
    if test.field == "tag":
        held = any(tag in test.words for tag in row["tags"])
    elif test.field == "category":
        held = any(row["category"] == word or row["category"].startswith(word + "/") for word in test.words)
    else:
        held = row[test.field] in test.words
    return held != test.is_negated
