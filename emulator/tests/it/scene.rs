//! What each endpoint needs to say yes: the least fields, and an object with the id in its path. Tests that ask
//! every endpoint something are set here; an endpoint without a line needs nothing, or this scene cannot ask it.

use std::pin::Pin;
use std::time::UNIX_EPOCH;

use reqwest::Method;
use serde_json::{Value, json};

use crate::portal_api::portal;
use crate::scene_invoices::{self, draft_with_a_line, own_invoice};
use crate::scene_of_payments as of_payments;
use crate::support::{Reply, Stripe, form, id};

pub type Fields = Vec<(String, String)>;

/// The least fields. What stands in braces is made anew for each request, as the one before may have used it up.
/// An endpoint that can be asked in ways that exclude each other has a line for each; the first is the usual one.
const NEEDS: &[(&str, &str)] = &[
    ("POST /v1/products", "name=Pro"),
    ("POST /v1/prices", "product={products}&currency=usd&unit_amount=100&recurring[interval]=month"),
    ("POST /v1/prices", "product={products}&currency=usd&unit_amount_decimal=100&recurring[interval]=month"),
    (
        "POST /v1/checkout/sessions",
        "mode=subscription&line_items[0][price]={prices}&line_items[0][quantity]=1&success_url=http://shop.test/done",
    ),
    (
        "POST /v1/checkout/sessions",
        "mode=subscription&line_items[0][price]={prices}&line_items[0][quantity]=1&success_url=http://shop.test/done\
         &subscription_data[billing_mode][type]=flexible",
    ),
    ("POST /v1/checkout/sessions", "mode=setup&currency=usd&success_url=http://shop.test/done"),
    ("POST /v1/subscriptions", "customer={customers}&items[0][price]={prices}"),
    (
        "POST /v1/subscriptions",
        "customer={customers}&items[0][price]={prices}&billing_mode[type]=flexible&billing_cycle_anchor={soon}",
    ),
    ("POST /v1/subscriptions/:id", ""),
    ("POST /v1/subscriptions/:id", "items[0][id]={item}&items[0][quantity]=2"),
    ("POST /v1/subscriptions/:id", "items[0][id]={item}&items[1][price]={prices}"),
    ("POST /v1/subscription_items", "subscription={subscriptions}&price={prices}"),
    ("GET /v1/subscription_items", "subscription={subscriptions}"),
    ("POST /v1/payment_methods", "type=card&card[token]=tok_visa"),
    (
        "POST /v1/payment_methods",
        "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2040",
    ),
    ("POST /v1/payment_methods/:id/attach", "customer={customers}"),
    ("POST /v1/webhook_endpoints", "url=http://127.0.0.1:9/hook&enabled_events[0]=*"),
    ("POST /v1/test_helpers/test_clocks", "frozen_time=2000000000"),
    ("POST /v1/test_helpers/test_clocks/:id/advance", "frozen_time=2000000060"),
    ("POST /v1/customers", ""),
    ("POST /v1/customers", SHIPPING),
    ("POST /v1/customers/:id", ""),
    ("POST /v1/customers/:id", SHIPPING),
    ("GET /v1/customers/search", "query=email:'ada@example.com'"),
    ("POST /v1/invoices", "customer={customers}"),
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
    ("POST /v1/invoiceitems", "customer={customers}&amount=100&currency=usd"),
    ("POST /v1/coupons", "percent_off=10"),
    ("POST /v1/coupons", "amount_off=100&currency=usd"),
    ("POST /v1/promotion_codes", "promotion[type]=coupon&promotion[coupon]={coupons}"),
    (
        "POST /v1/promotion_codes",
        "promotion[type]=coupon&promotion[coupon]={coupons}&restrictions[minimum_amount]=100&restrictions[minimum_amount_currency]=usd",
    ),
    ("POST /v1/setup_intents/:id/confirm", "payment_method=pm_card_visa"),
    ("POST /v1/refunds", "payment_intent={paid}"),
    ("GET /v1/setup_attempts", "setup_intent={setup_intents}"),
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
    ("POST /v1/setup_intents", ""),
    ("POST /v1/setup_intents", "customer={customers}&payment_method=pm_card_visa"),
    ("POST /v1/billing_portal/configurations", "features[invoice_history][enabled]=true"),
    (
        "POST /v1/billing_portal/configurations",
        "features[subscription_cancel][enabled]=true&features[subscription_cancel][cancellation_reason][enabled]=true\
         &features[subscription_cancel][cancellation_reason][options][0]=unused",
    ),
    ("POST /v1/billing_portal/configurations", "features[subscription_update][enabled]=false"),
    ("POST /v1/billing_portal/configurations", CHANGING),
    ("POST /v1/billing_portal/configurations/:id", ""),
    ("POST /v1/billing_portal/configurations/:id", CHANGING),
    ("POST /v1/billing_portal/sessions", "customer={customers}"),
    (
        "POST /v1/billing_portal/sessions",
        "customer={customers}&flow_data[type]=subscription_cancel&flow_data[subscription_cancel][subscription]={own}\
         &flow_data[after_completion][type]=redirect\
         &flow_data[after_completion][redirect][return_url]=http://shop.test/",
    ),
    (
        "POST /v1/billing_portal/sessions",
        "customer={customers}&flow_data[subscription_update][subscription]={own}&flow_data[type]=subscription_update\
         &configuration={portal}",
    ),
    (
        "POST /v1/billing_portal/sessions",
        "customer={customers}&flow_data[type]=subscription_update_confirm\
         &flow_data[subscription_update_confirm][subscription]={own}\
         &flow_data[subscription_update_confirm][items][0][id]={item}\
         &flow_data[subscription_update_confirm][items][0][quantity]=2&configuration={portal}",
    ),
    ("GET /v1/invoice_payments", ""),
    ("GET /v1/invoice_payments", "payment[type]=payment_record&payment[payment_record]=prec_1"),
    ("GET /v1/invoice_payments", "payment[type]=payment_intent&payment[payment_intent]={payment_intents}"),
];

const SHIPPING: &str = "shipping[name]=Ada&shipping[address][city]=Berlin";
/// What a portal says in which subscriptions can be changed.
const CHANGING: &str = "features[payment_method_update][enabled]=true&features[subscription_update][enabled]=true\
                        &features[subscription_update][products][0][product]={products}\
                        &features[subscription_update][products][0][prices][0]={its_price}";

/// The ways to ask an endpoint, as fields that are still to be made.
pub fn ways(method: &str, pattern: &str) -> Vec<&'static str> {
    let name = format!("{method} {pattern}");
    let known = NEEDS
        .iter()
        .chain(scene_invoices::NEEDS)
        .chain(of_payments::NEEDS)
        .filter(|(endpoint, _)| *endpoint == name)
        .map(|(_, fields)| *fields);
    let known: Vec<_> = known.collect();
    if known.is_empty() { vec![""] } else { known }
}

/// The least fields with which the endpoint says yes.
async fn needs(stripe: &Stripe, method: &str, pattern: &str) -> Option<Fields> {
    made(stripe, ways(method, pattern)[0], pattern).await
}

/// The fields, with new objects in place of the braces.
pub async fn made(stripe: &Stripe, text: &str, path: &str) -> Option<Fields> {
    let mut fields: Fields = Vec::new();
    for (name, value) in text.split('&').filter_map(|field| field.split_once('=')) {
        let value = match value.strip_prefix('{').and_then(|value| value.strip_suffix('}')) {
            Some("item") => item(stripe, &fields, path).await?,
            Some("start") => stripe.get(path).await["phases"][0]["start_date"].to_string(),
            Some("line") => {
                let invoice = path.rsplit_once('/')?.0;
                id(&stripe.get(invoice).await["lines"]["data"][0])
            }
            Some("open") => own_invoice(stripe, &[]).await,
            Some("its_price") => {
                let fields = [
                    ("product", said(&fields, "product")?),
                    ("currency", "usd"),
                    ("unit_amount", "900"),
                    ("recurring[interval]", "month"),
                ];
                id(&stripe.post("/v1/prices", &fields).await)
            }
            Some("soon") => (UNIX_EPOCH.elapsed().ok()?.as_secs() + 86_400).to_string(),
            Some("paid") => of_payments::intent(stripe, &[]).await,
            Some("own") => own(stripe, &fields).await?,
            Some("portal") => changing_portal(stripe, &fields).await?,
            Some(kind) => new(stripe, &format!("/v1/{kind}")).await?,
            None => value.to_owned(),
        };
        fields.push((name.to_owned(), value));
    }
    Some(fields)
}

/// The path with the id of something that the endpoint can do its work on. `None` if there is nothing like it.
pub async fn path(stripe: &Stripe, method: &str, pattern: &str) -> Option<String> {
    let Some((collection, rest)) = pattern.split_once("/:id") else {
        return Some(pattern.to_owned());
    };
    let id = match (collection, method, rest) {
        ("/v1/invoices", "GET", "") => unpaid_invoice(stripe).await?,
        ("/v1/invoices", _, "/send") => {
            own_invoice(stripe, &[("collection_method", "send_invoice"), ("days_until_due", "5")]).await
        }
        ("/v1/invoices", _, "/update_lines" | "/remove_lines" | "/lines/:id") => {
            draft_with_a_line(stripe).await
        }
        ("/v1/invoices", _, "/pay" | "/void" | "/mark_uncollectible" | "/lines") => {
            unpaid_invoice(stripe).await?
        }
        ("/v1/subscriptions", _, "/resume") => {
            patched(stripe, "subscriptions", json!({"status": "paused"})).await?
        }
        ("/v1/payment_intents", _, "/capture") => {
            of_payments::intent(stripe, &[("capture_method", "manual")]).await
        }
        ("/v1/customers", _, "/payment_methods/:id") => return of_payments::own_card(stripe).await,
        ("/v1/products", "DELETE", "") => id(&stripe.post("/v1/products", &[("name", "Pro")]).await),
        ("/v1/subscriptions" | "/v1/customers", _, "/discount") => discounted(stripe, collection).await?,
        ("/v1/payment_methods", _, "" | "/detach") => attached_card(stripe).await?,
        _ => new(stripe, collection).await?,
    };
    let path = pattern.replacen(":id", &id, 1);
    Some(match path.strip_suffix("/:id") {
        None => path,
        Some(lines) if lines.ends_with("/lines") => {
            format!("{lines}/{}", self::id(&stripe.get(lines).await["data"][0]))
        }
        Some(within) => {
            let fields = needs(stripe, "POST", &pattern[..pattern.rfind('/')?]).await?;
            format!("{within}/{}", self::id(&send(stripe, "POST", within, &fields).await.body))
        }
    })
}

/// The id of a new object of the collection; the newest if the API makes none.
fn new<'s>(stripe: &'s Stripe, collection: &str) -> Pin<Box<dyn Future<Output = Option<String>> + 's>> {
    let collection = collection.to_owned();
    Box::pin(async move {
        if collection == "/v1/customers" {
            return Some(customer(stripe).await);
        }
        let fields = needs(stripe, "POST", &collection).await?;
        let made = send(stripe, "POST", &collection, &fields).await;
        if made.status == 200 {
            return Some(id(&made.body));
        }
        if matches!(collection.as_str(), "/v1/charges" | "/v1/invoice_payments") {
            new(stripe, "/v1/subscriptions").await?;
        }
        let newest = stripe.get(&format!("{collection}?limit=1")).await;
        newest["data"].as_array()?.first().map(id)
    })
}

/// A customer who can pay.
async fn customer(stripe: &Stripe) -> String {
    let customer = stripe.customer().await;
    let card = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
    let default = [("invoice_settings[default_payment_method]", card["id"].as_str().unwrap())];
    stripe.post(&format!("/v1/customers/{customer}"), &default).await;
    customer
}

pub async fn attached_card(stripe: &Stripe) -> Option<String> {
    let customer = stripe.customer().await;
    let card = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
    Some(id(&card))
}

async fn unpaid_invoice(stripe: &Stripe) -> Option<String> {
    let mut fields = needs(stripe, "POST", "/v1/subscriptions").await?;
    fields.push(("payment_behavior".to_owned(), "default_incomplete".to_owned()));
    let subscription: Value = send(stripe, "POST", "/v1/subscriptions", &fields).await.body;
    Some(subscription["latest_invoice"].as_str()?.to_owned())
}

/// A new object, changed by hand into what it becomes in time only.
async fn patched(stripe: &Stripe, kind: &str, patch: Value) -> Option<String> {
    let id = new(stripe, &format!("/v1/{kind}")).await?;
    stripe.control(&format!("/_emulator/objects/{kind}/{id}"), patch).await;
    Some(id)
}

/// A subscription with a discount, or a customer with one like it: as the API gives customers none, by hand.
async fn discounted(stripe: &Stripe, collection: &str) -> Option<String> {
    let mut fields = needs(stripe, "POST", "/v1/subscriptions").await?;
    let coupon = stripe.post("/v1/coupons", &[("percent_off", "10"), ("duration", "forever")]).await;
    fields.push(("discounts[0][coupon]".to_owned(), id(&coupon)));
    let subscription = id(&send(stripe, "POST", "/v1/subscriptions", &fields).await.body);
    if collection == "/v1/subscriptions" {
        return Some(subscription);
    }
    let discount = stripe.delete(&format!("/v1/subscriptions/{subscription}/discount")).await;
    patched(stripe, "customers", json!({ "discount": discount })).await
}

/// What a field says that is there already, wherever it lies.
fn said<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    let inner = format!("[{name}]");
    let found = fields.iter().find(|(known, _)| known == name || known.ends_with(&inner));
    found.map(|(_, value)| value.as_str())
}

/// The first item of the subscription that the fields name, or the path.
async fn item(stripe: &Stripe, fields: &Fields, path: &str) -> Option<String> {
    let id = said(fields, "subscription").or_else(|| path.rsplit('/').next())?;
    Some(self::id(&stripe.get(&format!("/v1/subscriptions/{id}")).await["items"]["data"][0]))
}

/// A subscription of the customer whom the fields name.
async fn own(stripe: &Stripe, fields: &Fields) -> Option<String> {
    let price = new(stripe, "/v1/prices").await?;
    let customer = said(fields, "customer")?;
    let fields = [("customer", customer), ("items[0][price]", price.as_str()), ("items[0][quantity]", "3")];
    Some(id(&stripe.post("/v1/subscriptions", &fields).await))
}

/// A portal in which the subscription that the fields name can be changed.
async fn changing_portal(stripe: &Stripe, fields: &Fields) -> Option<String> {
    let subscription = said(fields, "subscription")?;
    let subscription = stripe.get(&format!("/v1/subscriptions/{subscription}")).await;
    let price = subscription["items"]["data"][0]["price"]["id"].as_str()?;
    let more = [("features[subscription_update][default_allowed_updates][]", "quantity")];
    Some(id(&portal(stripe, &[price], &more).await))
}

/// The request, with its fields in the query if it is a GET.
pub async fn send(stripe: &Stripe, method: &str, path: &str, fields: &Fields) -> Reply {
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if method == "GET" {
        return stripe.try_get(&format!("{path}?{}", form(&fields))).await;
    }
    stripe.send(Method::from_bytes(method.as_bytes()).unwrap(), path, &fields, &[]).await.unwrap()
}
