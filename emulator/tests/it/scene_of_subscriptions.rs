//! What the endpoints of subscriptions, their items and schedules, previews and searches need to say yes, for `scene`.

/// As `scene` has them.
pub const NEEDS: &[(&str, &str)] = &[
    ("POST /v1/subscriptions", "customer={customers}&items[0][price]={prices}"),
    (
        "POST /v1/subscriptions",
        "customer={customers}&items[0][price]={prices}&add_invoice_items[0][price_data][currency]=usd\
         &add_invoice_items[0][price_data][product]={products}&add_invoice_items[0][price_data][unit_amount]=100",
    ),
    (
        "POST /v1/subscriptions",
        "customer={customers}&items[0][price_data][currency]=usd&items[0][price_data][product]={products}\
         &items[0][price_data][recurring][interval]=month&items[0][price_data][unit_amount]=100",
    ),
    (
        "POST /v1/subscriptions",
        "customer={customers}&items[0][price]={prices}&billing_mode[type]=flexible&billing_cycle_anchor={soon}",
    ),
    ("POST /v1/subscriptions/:id", ""),
    (
        "POST /v1/subscriptions/:id",
        "add_invoice_items[0][price_data][currency]=usd&add_invoice_items[0][price_data][product]={products}\
         &add_invoice_items[0][price_data][unit_amount]=100",
    ),
    ("POST /v1/subscriptions/:id/migrate", "billing_mode[type]=flexible"),
    ("GET /v1/subscriptions/search", "query=status:'active'"),
    ("GET /v1/invoices/search", "query=status:'paid'"),
    ("GET /v1/charges/search", "query=status:'succeeded'"),
    ("GET /v1/payment_intents/search", "query=status:'succeeded'"),
    ("GET /v1/prices/search", "query=active:'true'"),
    ("GET /v1/products/search", "query=active:'true'"),
    ("POST /v1/subscriptions/:id", "items[0][id]={item}&items[0][quantity]=2"),
    ("POST /v1/subscriptions/:id", "items[0][id]={item}&items[1][price]={prices}"),
    ("POST /v1/subscription_items", "subscription={subscriptions}&price={prices}"),
    ("GET /v1/subscription_items", "subscription={subscriptions}"),
    ("GET /v1/customers/search", "query=email:'ada@example.com'"),
    ("POST /v1/invoices/create_preview", "subscription={subscriptions}"),
    (
        "POST /v1/invoices/create_preview",
        "subscription={subscriptions}&subscription_details[items][0][id]={item}&subscription_details[items][0][quantity]=2",
    ),
    (
        "POST /v1/invoices/create_preview",
        "subscription={subscriptions}&subscription_details[items][0][id]={item}\
         &subscription_details[items][1][price]={prices}",
    ),
    (
        "POST /v1/invoices/create_preview",
        "customer={customers}&subscription_details[items][0][price]={prices}&subscription_details[items][0][quantity]=2",
    ),
    (
        "POST /v1/invoices/create_preview",
        "subscription={subscriptions}&invoice_items[0][amount]=100&invoice_items[0][currency]=usd",
    ),
    ("POST /v1/subscription_schedules", "from_subscription={subscriptions}"),
    (
        "POST /v1/subscription_schedules",
        "customer={customers}&start_date=now&phases[0][items][0][price]={prices}&phases[0][items][0][quantity]=1",
    ),
    (
        "POST /v1/subscription_schedules",
        "customer={customers}&start_date=now&phases[0][items][0][price]={prices}&billing_mode[type]=flexible",
    ),
    ("POST /v1/subscription_schedules/:id", ""),
    (
        "POST /v1/subscription_schedules/:id",
        "phases[0][items][0][price]={prices}&phases[0][items][0][quantity]=1&phases[0][start_date]={start}",
    ),
    (
        "POST /v1/subscriptions",
        "customer={customers}&items[0][price_data][currency]=usd&items[0][price_data][product]={products}\
         &items[0][price_data][recurring][interval]=month&items[0][price_data][unit_amount_decimal]=100\
         &add_invoice_items[0][price_data][currency]=usd\
         &add_invoice_items[0][price_data][product]={products}\
         &add_invoice_items[0][price_data][unit_amount_decimal]=100",
    ),
    (
        "POST /v1/subscriptions/:id",
        "items[0][price_data][currency]=usd&items[0][price_data][product]={products}\
         &items[0][price_data][recurring][interval]=month&items[0][price_data][unit_amount]=100",
    ),
    (
        "POST /v1/subscriptions/:id",
        "items[0][price_data][currency]=usd&items[0][price_data][product]={products}\
         &items[0][price_data][recurring][interval]=month&items[0][price_data][unit_amount_decimal]=100\
         &add_invoice_items[0][price_data][currency]=usd\
         &add_invoice_items[0][price_data][product]={products}\
         &add_invoice_items[0][price_data][unit_amount_decimal]=100",
    ),
    (
        "POST /v1/subscription_items",
        "subscription={subscriptions}&price_data[currency]=usd&price_data[product]={products}\
         &price_data[recurring][interval]=month&price_data[unit_amount]=100",
    ),
    (
        "POST /v1/subscription_items",
        "subscription={subscriptions}&price_data[currency]=usd&price_data[product]={products}\
         &price_data[recurring][interval]=month&price_data[unit_amount_decimal]=100",
    ),
    ("POST /v1/subscription_items/:id", ""),
    (
        "POST /v1/subscription_items/:id",
        "price_data[currency]=usd&price_data[product]={products}&price_data[recurring][interval]=month\
         &price_data[unit_amount]=100",
    ),
    (
        "POST /v1/subscription_items/:id",
        "price_data[currency]=usd&price_data[product]={products}&price_data[recurring][interval]=month\
         &price_data[unit_amount_decimal]=100",
    ),
    ("GET /v1/subscription_items", "subscription={subscriptions}&starting_after={item}"),
    ("GET /v1/subscription_items", "subscription={subscriptions}&ending_before={item}"),
    (
        "POST /v1/subscription_schedules",
        "customer={customers}&start_date=now&phases[0][items][0][price_data][currency]=usd\
         &phases[0][items][0][price_data][product]={products}\
         &phases[0][items][0][price_data][recurring][interval]=month\
         &phases[0][items][0][price_data][unit_amount]=100\
         &phases[0][add_invoice_items][0][price_data][currency]=usd\
         &phases[0][add_invoice_items][0][price_data][product]={products}\
         &phases[0][add_invoice_items][0][price_data][unit_amount]=100",
    ),
    (
        "POST /v1/subscription_schedules/:id",
        "phases[0][start_date]={start}&phases[0][items][0][price_data][currency]=usd\
         &phases[0][items][0][price_data][product]={products}\
         &phases[0][items][0][price_data][recurring][interval]=month\
         &phases[0][items][0][price_data][unit_amount]=100\
         &phases[0][add_invoice_items][0][price_data][currency]=usd\
         &phases[0][add_invoice_items][0][price_data][product]={products}\
         &phases[0][add_invoice_items][0][price_data][unit_amount]=100",
    ),
    (
        "POST /v1/invoices/create_preview",
        "subscription={subscriptions}&invoice_items[0][price_data][currency]=usd\
         &invoice_items[0][price_data][product]={products}&invoice_items[0][price_data][unit_amount]=100",
    ),
    (
        "POST /v1/invoices/create_preview",
        "subscription={subscriptions}&subscription_details[items][0][price_data][currency]=usd\
         &subscription_details[items][0][price_data][product]={products}\
         &subscription_details[items][0][price_data][recurring][interval]=month\
         &subscription_details[items][0][price_data][unit_amount]=100",
    ),
    (
        "POST /v1/subscription_schedules",
        "customer={customers}&start_date=now&phases[0][items][0][price_data][currency]=usd\
         &phases[0][items][0][price_data][product]={products}\
         &phases[0][items][0][price_data][recurring][interval]=month\
         &phases[0][items][0][price_data][unit_amount_decimal]=100\
         &phases[0][add_invoice_items][0][price_data][currency]=usd\
         &phases[0][add_invoice_items][0][price_data][product]={products}\
         &phases[0][add_invoice_items][0][price_data][unit_amount_decimal]=100",
    ),
    (
        "POST /v1/subscription_schedules/:id",
        "phases[0][start_date]={start}&phases[0][items][0][price_data][currency]=usd\
         &phases[0][items][0][price_data][product]={products}\
         &phases[0][items][0][price_data][recurring][interval]=month\
         &phases[0][items][0][price_data][unit_amount_decimal]=100\
         &phases[0][add_invoice_items][0][price_data][currency]=usd\
         &phases[0][add_invoice_items][0][price_data][product]={products}\
         &phases[0][add_invoice_items][0][price_data][unit_amount_decimal]=100",
    ),
    (
        "POST /v1/invoices/create_preview",
        "subscription={subscriptions}&invoice_items[0][price_data][currency]=usd\
         &invoice_items[0][price_data][product]={products}\
         &invoice_items[0][price_data][unit_amount_decimal]=100",
    ),
    (
        "POST /v1/invoices/create_preview",
        "subscription={subscriptions}&subscription_details[items][0][price_data][currency]=usd\
         &subscription_details[items][0][price_data][product]={products}\
         &subscription_details[items][0][price_data][recurring][interval]=month\
         &subscription_details[items][0][price_data][unit_amount_decimal]=100",
    ),
    (
        "POST /v1/invoices/create_preview",
        "subscription={subscriptions}&invoice_items[0][unit_amount_decimal]=100\
         &invoice_items[0][currency]=usd",
    ),
];
