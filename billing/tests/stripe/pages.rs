//! Lists that are longer than a page, at the emulator.

use stripe_emulator::{Emulator, Options};
use unsplit_billing::adapters::stripe::{StripeClient, Transport};
use unsplit_billing::id::{CustomerId, UserId};
use unsplit_billing::ports::{Page, Stripe};

use super::scripted::{KEY, settings};

struct Shop {
    emulator: Emulator,
    client: StripeClient,
    http: reqwest::Client,
}

impl Shop {
    async fn open() -> Self {
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            secret_key: KEY.to_owned(),
            ..Options::default()
        };
        let emulator = Emulator::start(options).await.unwrap();
        let transport = Transport::new(KEY, Some(&emulator.url()), settings()).unwrap();
        Self { emulator, client: StripeClient::new(transport), http: reqwest::Client::new() }
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> serde_json::Value {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(format!("{}/v1{path}", self.emulator.url())).bearer_auth(KEY);
        let answer = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = answer.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// From now on calls of this path are refused, as where Stripe does not offer it.
    async fn refuse(&self, path: &str) {
        let fault = serde_json::json!({ "path": path, "status": 400 }).to_string();
        let request = self.http.post(format!("{}/_emulator/faults", self.emulator.url())).body(fault);
        let answer = request.header("content-type", "application/json").send().await.unwrap();
        assert!(answer.status().is_success());
    }

    async fn customers(&self, count: usize) -> Vec<CustomerId> {
        let mut made = Vec::new();
        for n in 0..count {
            let user = UserId::parse(format!("u{n}")).unwrap();
            made.push(self.client.create_customer(&user, &format!("key-{n}")).await.unwrap());
        }
        made
    }

    async fn delete(&self, customer: &CustomerId) {
        let request = self.http.delete(format!("{}/v1/customers/{customer}", self.emulator.url()));
        assert!(request.bearer_auth(KEY).send().await.unwrap().status().is_success());
    }

    /// A subscription that the customer's own card pays.
    async fn subscribe(&self, customer: &CustomerId, price: &str) -> String {
        let customer = customer.as_str();
        let card = self.post("/payment_methods/pm_card_visa/attach", &[("customer", customer)]).await;
        let card = card["id"].as_str().unwrap();
        let settings = [("invoice_settings[default_payment_method]", card)];
        self.post(&format!("/customers/{customer}"), &settings).await;
        let form = [("customer", customer), ("items[0][price]", price), ("metadata[checkout]", "t1")];
        self.post("/subscriptions", &form).await["id"].as_str().unwrap().to_owned()
    }

    async fn price(&self) -> String {
        let product = self.post("/products", &[("name", "Pro")]).await;
        let form = [
            ("product", product["id"].as_str().unwrap()),
            ("currency", "usd"),
            ("unit_amount", "1200"),
            ("recurring[interval]", "month"),
        ];
        self.post("/prices", &form).await["id"].as_str().unwrap().to_owned()
    }
}

/// All pages of a list, and how many there were.
async fn all<T, E: std::fmt::Debug>(
    mut page: impl AsyncFnMut(Option<&str>) -> Result<Page<T>, E>,
) -> (Vec<T>, usize) {
    let (mut items, mut pages, mut after) = (Vec::new(), 0, None::<String>);
    loop {
        let next = page(after.as_deref()).await.unwrap();
        assert!(next.stripe_time.is_some_and(|time| time > 1_700_000_000));
        items.extend(next.items);
        pages += 1;
        after = next.after;
        if after.is_none() {
            return (items, pages);
        }
    }
}

#[tokio::test]
async fn customers_and_their_events_are_listed_to_the_end() {
    let shop = Shop::open().await;
    let mut made = shop.customers(103).await;
    shop.delete(&made[50]).await;
    let (customers, pages) = all(async |after| shop.client.all_customers(after).await).await;
    assert_eq!(pages, 2);
    assert_eq!(customers[0].user.as_ref().unwrap().as_str(), "u102");
    let (events, pages) =
        all(async |after| shop.client.events(0, &["customer.created", "customer.deleted"], after).await)
            .await;
    assert_eq!((events.len(), pages), (104, 2));
    assert_eq!(events[0].kind, "customer.deleted");
    let later = events[0].created + 1;
    assert!(shop.client.events(later, &["customer.created"], None).await.unwrap().items.is_empty());
    let since = shop.client.events(events[0].created, &["customer.deleted"], None).await.unwrap();
    assert_eq!((since.items.len(), since.after), (1, None));
    made.remove(50);
    made.reverse();
    assert_eq!(customers.into_iter().map(|one| one.id).collect::<Vec<_>>(), made);
}

#[tokio::test]
async fn customers_are_found_by_their_email_in_any_case_where_there_is_a_search() {
    let shop = Shop::open().await;
    let made = shop.customers(3).await;
    shop.client.set_email(&made[0], "ada@example.com").await.unwrap();
    shop.client.set_email(&made[1], "Ada@example.com").await.unwrap();
    let found = shop.client.customers_with_email("ada@example.com").await.unwrap();
    let found: Vec<_> = found.iter().map(|one| (&one.id, one.email.as_deref().unwrap())).collect();
    assert_eq!(found, [(&made[0], "ada@example.com"), (&made[1], "Ada@example.com")]);
    shop.refuse("/v1/customers/search").await;
    let listed = shop.client.customers_with_email("ada@example.com").await.unwrap();
    assert_eq!(listed.iter().map(|one| &one.id).collect::<Vec<_>>(), [&made[0]], "by its letters");
    shop.delete(&made[0]).await;
    assert!(shop.client.customers_with_email("ada@example.com").await.unwrap().is_empty());
}

#[tokio::test]
async fn everybodys_subscriptions_are_as_each_ones_own() {
    let shop = Shop::open().await;
    let price = shop.price().await;
    let made = shop.customers(2).await;
    let first = shop.subscribe(&made[0], &price).await;
    let second = shop.subscribe(&made[1], &price).await;
    let (page, _) = all(async |after| shop.client.all_subscriptions(after).await).await;
    let page: Vec<_> = page.into_iter().map(Result::unwrap).collect();
    assert_eq!(page.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [&second, &first]);
    for (listed, customer) in page.iter().zip([&made[1], &made[0]]) {
        assert_eq!(
            shop.client.subscriptions(customer).await.unwrap().subscriptions,
            std::slice::from_ref(listed)
        );
        assert_eq!(listed.payment_method.as_ref().unwrap().last4.as_deref(), Some("4242"));
        assert_eq!(listed.checkout.as_deref(), Some("t1"));
    }
}

#[tokio::test]
async fn a_deleted_customer_hides_nobodys_card() {
    let shop = Shop::open().await;
    let price = shop.price().await;
    let made = shop.customers(2).await;
    let gone = shop.subscribe(&made[0], &price).await;
    let there = shop.subscribe(&made[1], &price).await;
    shop.delete(&made[0]).await;
    let page = shop.client.all_subscriptions(None).await.unwrap().items;
    let unread = page[0].clone().unwrap_err();
    assert_eq!((unread.id.unwrap().to_string(), unread.customer.as_ref()), (there, Some(&made[1])));
    let read = page[1].as_ref().unwrap();
    assert_eq!((read.id.to_string(), read.customer.as_ref()), (gone, Some(&made[0])));
}
