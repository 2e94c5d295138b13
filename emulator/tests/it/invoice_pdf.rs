//! The PDF of an invoice and the receipt of a paid one, read as a program reads them: by their operators.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Stripe, id};
use crate::time::DAY;

/// What the file shows, in its order. Its streams are not compressed.
fn texts(file: &[u8]) -> Vec<String> {
    assert!(file.starts_with(b"%PDF-1."), "no PDF");
    let latin: String = file.iter().copied().map(char::from).collect();
    ensure_references(file);
    let shown = latin.lines().filter_map(|line| line.strip_suffix(" Tj"));
    shown.map(|operand| read(operand.trim())).collect()
}

/// `(a literal \(string\))` or `<hexadecimal>` in WinAnsi, of which these texts use Latin-1 and the dash.
fn read(operand: &str) -> String {
    if let Some(literal) = operand.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return literal.replace("\\(", "(").replace("\\)", ")").replace("\\\\", "\\");
    }
    let hex = operand.trim_start_matches('<').trim_end_matches('>');
    let codes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
    codes.map(|code| if code == 0x96 { '–' } else { char::from(code) }).collect()
}

/// The table at the end leads to every object.
fn ensure_references(file: &[u8]) {
    let text = String::from_utf8_lossy(file);
    let (_, table) = text.rsplit_once("\nxref\n").unwrap();
    let start: usize = text.rsplit_once("startxref\n").unwrap().1.lines().next().unwrap().parse().unwrap();
    assert!(file[start..].starts_with(b"xref"), "startxref leads elsewhere");
    let offsets = table.lines().filter(|line| line.trim_end().ends_with(" n"));
    for (at, line) in offsets.enumerate() {
        let offset: usize = line.split(' ').next().unwrap().parse().unwrap();
        let object = format!("{} 0 obj", at + 1);
        assert!(file[offset..].starts_with(object.as_bytes()), "{object} is elsewhere");
    }
}

async fn download(stripe: &Stripe, url: &str, name: &str) -> Vec<String> {
    let response = stripe.http.get(url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/pdf");
    let disposition = response.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert_eq!(disposition, format!("inline; filename=\"{name}.pdf\""));
    texts(&response.bytes().await.unwrap())
}

fn ensure_has(texts: &[String], wanted: &[&str]) {
    for text in wanted {
        assert!(texts.iter().any(|shown| shown == text), "{text} is not among {texts:?}");
    }
}

async fn rich_customer(stripe: &Stripe) -> String {
    let fields = [
        ("email", "zoe@example.com"),
        ("name", "Zoë (Größe) 東"),
        ("address[line1]", "Hauptstraße 5"),
        ("address[city]", "Köln"),
        ("address[postal_code]", "50667"),
        ("address[country]", "DE"),
        ("balance", "-250"),
        ("invoice_settings[footer]", "Thank you."),
        ("tax_id_data[0][type]", "eu_vat"),
        ("tax_id_data[0][value]", "DE123456789"),
    ];
    id(&stripe.post("/v1/customers", &fields).await)
}

/// A draft with a bit of everything, to be sent.
async fn rich_draft(stripe: &Stripe) -> Value {
    let customer = rich_customer(stripe).await;
    let fields = [
        ("customer", customer.as_str()),
        ("currency", "usd"),
        ("unit_amount_decimal", "33.5"),
        ("quantity", "3"),
        ("description", "Seats"),
        ("period[start]", "1900000000"),
        ("period[end]", "1902678400"),
    ];
    stripe.post("/v1/invoiceitems", &fields).await;
    let fields =
        [("customer", customer.as_str()), ("currency", "usd"), ("amount", "1000"), ("description", "Setup")];
    stripe.post("/v1/invoiceitems", &fields).await;
    let due = (stripe.now().await + 30 * DAY).to_string();
    let fields = [
        ("customer", customer.as_str()),
        ("pending_invoice_items_behavior", "include"),
        ("collection_method", "send_invoice"),
        ("due_date", &due),
        ("number", "A/7 \"x\""),
        ("description", "For March."),
        ("custom_fields[0][name]", "Order"),
        ("custom_fields[0][value]", "PO-1"),
    ];
    stripe.post("/v1/invoices", &fields).await
}

#[tokio::test]
async fn an_open_invoice_says_everything_that_somebody_needs_to_pay_it() {
    let stripe = Stripe::start().await;
    let draft = rich_draft(&stripe).await;
    assert_eq!(draft["invoice_pdf"], json!(null));
    let early = stripe.http.get(stripe.url(&format!("/i/{}/pdf", id(&draft)))).send().await.unwrap();
    assert_eq!(early.status(), StatusCode::NOT_FOUND, "a draft has no paper");
    let open = stripe.post(&format!("/v1/invoices/{}/finalize", id(&draft)), &[]).await;
    let texts = download(&stripe, open["invoice_pdf"].as_str().unwrap(), "Invoice-A-7--x-").await;
    ensure_has(&texts, &["Invoice", "TEST MODE", "A/7 \"x\"", "Order", "PO-1", "Stripe emulator", "Open"]);
    ensure_has(&texts, &["Zoë (Größe) ?", "Hauptstraße 5", "Köln 50667", "DE", "EU VAT DE123456789"]);
    ensure_has(&texts, &["For March.", "Thank you.", "Seats", "3", "USD 0.335", "$1.01", "Setup", "$10.00"]);
    ensure_has(&texts, &["17 March 2030 – 17 April 2030", "Subtotal", "$11.01", "Applied balance", "-$2.50"]);
    ensure_has(&texts, &["Amount due", "$8.51", "Page 1 of 1"]);
    assert!(texts.iter().any(|text| text.starts_with("$8.51 due ")), "{texts:?}");
    let receipt = stripe.http.get(stripe.url(&format!("/i/{}/receipt", id(&draft)))).send().await.unwrap();
    assert_eq!(receipt.status(), StatusCode::NOT_FOUND, "nothing is paid");
    let page = stripe.http.get(open["hosted_invoice_url"].as_str().unwrap()).send().await.unwrap();
    let page = page.text().await.unwrap();
    for text in ["Download invoice", "For March.", "Thank you.", "PO-1"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("Download receipt"));
}

#[tokio::test]
async fn a_paid_one_has_a_receipt_too_and_a_void_one_says_so() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let coupon = id(&stripe.post("/v1/coupons", &[("percent_off", "25")]).await);
    let card = id(&stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await);
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("items[0][quantity]", "2"),
        ("discounts[0][coupon]", &coupon),
        ("default_payment_method", &card),
    ];
    stripe.post("/v1/subscriptions", &fields).await;
    let invoice = stripe.invoices(&customer).await.remove(0);
    let number = invoice["number"].as_str().unwrap();
    let url = invoice["invoice_pdf"].as_str().unwrap();
    let texts = download(&stripe, url, &format!("Invoice-{number}")).await;
    ensure_has(&texts, &["2 × Pro (at $12.00 / month)", "$12.00", "$24.00", "Discount", "-$6.00", "$18.00"]);
    ensure_has(&texts, &["Amount paid", "-$18.00", "Amount due", "$0.00", "Paid", "Visa ending in 4242"]);
    let receipt = url.replace("/pdf", "/receipt");
    let texts = download(&stripe, &receipt, &format!("Receipt-{number}")).await;
    ensure_has(&texts, &["Receipt", "TEST MODE", number, "Date paid"]);
    assert!(texts.iter().any(|text| text.starts_with("$18.00 paid on ")), "{texts:?}");
    let page = stripe.http.get(invoice["hosted_invoice_url"].as_str().unwrap()).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("Download receipt"));

    let fields = [("customer", customer.as_str()), ("currency", "usd"), ("amount", "500")];
    stripe.post("/v1/invoiceitems", &fields).await;
    let fields = [("customer", customer.as_str()), ("pending_invoice_items_behavior", "include")];
    let draft = id(&stripe.post("/v1/invoices", &fields).await);
    let open = stripe.post(&format!("/v1/invoices/{draft}/finalize"), &[]).await;
    stripe.post(&format!("/v1/invoices/{draft}/void"), &[]).await;
    let name = format!("Invoice-{}", open["number"].as_str().unwrap());
    let texts = download(&stripe, open["invoice_pdf"].as_str().unwrap(), &name).await;
    ensure_has(&texts, &["Void: nothing is to be paid", "Amount due", "$0.00"]);
}

#[tokio::test]
async fn many_lines_take_more_pages_and_the_paper_is_as_wanted() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let draft = id(&stripe.post("/v1/invoices", &[("customer", &customer)]).await);
    let names: Vec<(String, String)> = (0..60)
        .flat_map(|at| {
            let line = |field: &str, value: String| (format!("lines[{at}][{field}]"), value);
            [line("amount", format!("{}", 100 + at)), line("description", format!("Thing {at}"))]
        })
        .collect();
    let fields: Vec<(&str, &str)> =
        names.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    stripe.post(&format!("/v1/invoices/{draft}/add_lines"), &fields).await;
    stripe.post(&format!("/v1/invoices/{draft}"), &[("rendering[pdf][page_size]", "a4")]).await;
    let open = stripe.post(&format!("/v1/invoices/{draft}/finalize"), &[]).await;
    let file = stripe.http.get(open["invoice_pdf"].as_str().unwrap()).send().await.unwrap();
    let file = file.bytes().await.unwrap();
    let texts = texts(&file);
    ensure_has(&texts, &["Thing 0", "Thing 59", "$1.59", "Page 1 of 4", "Page 4 of 4"]);
    let heads = texts.iter().filter(|text| *text == "Unit price").count();
    assert!(heads >= 2, "every page of the table has its head: {heads}");
    assert!(String::from_utf8_lossy(&file).contains("[0 0 595 842]"));
}
