//! Charges, what is given back of them, and the records that tie payments to invoices.

use serde_json::{Value, json};

use crate::support::{DECLINED, GOOD, Stripe, id, ids};

type Fields<'f> = &'f [(&'f str, &'f str)];

async fn charge(stripe: &Stripe) -> Value {
    stripe.buy().await;
    stripe.get("/v1/charges").await["data"][0].clone()
}

#[tokio::test]
async fn charges_are_found_by_customer_and_intent() {
    let stripe = Stripe::start().await;
    let first = charge(&stripe).await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[]).await;
    stripe.pay(&session, DECLINED).await;
    stripe.pay(&session, GOOD).await;
    let (of, intent) = (first["customer"].as_str().unwrap(), first["payment_intent"].as_str().unwrap());
    assert_eq!(ids(&stripe.get("/v1/charges").await).len(), 3);
    assert_eq!(ids(&stripe.get(&format!("/v1/charges?customer={of}")).await), [id(&first)]);
    assert_eq!(ids(&stripe.get(&format!("/v1/charges?payment_intent={intent}")).await), [id(&first)]);
    let path =
        format!("/v1/charges/{}?expand[]=customer&expand[]=payment_intent&expand[]=refunds", id(&first));
    let expanded = stripe.get(&path).await;
    assert_eq!((&expanded["customer"]["id"], &expanded["refunded"]), (&first["customer"], &json!(false)));
    assert_eq!(expanded["payment_intent"]["latest_charge"], first["id"]);
    assert_eq!(expanded["refunds"]["data"], json!([]));
    let missing = stripe.try_get("/v1/charges/ch_no").await;
    assert_eq!((missing.status, missing.error()["message"].as_str()), (404, Some("No such charge: 'ch_no'")));
}

#[tokio::test]
async fn a_charge_is_given_back_in_parts_and_never_more_than_it_was() {
    let stripe = Stripe::start().await;
    let charge = charge(&stripe).await;
    let path = format!("/v1/charges/{}", id(&charge));
    let fields = [
        ("charge", charge["id"].as_str().unwrap()),
        ("amount", "500"),
        ("reason", "requested_by_customer"),
        ("metadata[k]", "v"),
    ];
    let part = stripe.post("/v1/refunds", &fields).await;
    assert!(id(&part).starts_with("re_"));
    assert_eq!((&part["amount"], &part["status"]), (&json!(500), &json!("succeeded")));
    assert_eq!(
        (&part["payment_intent"], &part["customer"]),
        (&charge["payment_intent"], &charge["customer"])
    );
    assert_eq!((&part["reason"], &part["metadata"]), (&json!("requested_by_customer"), &json!({"k": "v"})));
    let now = stripe.get(&path).await;
    assert_eq!((&now["amount_refunded"], &now["refunded"]), (&json!(500), &json!(false)));

    let too_much = stripe.try_post("/v1/refunds", &[("charge", &id(&charge)), ("amount", "701")]).await;
    assert_eq!(too_much.error()["param"], "amount");
    assert_eq!(
        too_much.error()["message"],
        "Refund amount ($7.01) is greater than unrefunded amount on charge ($7.00)"
    );
    let rest =
        stripe.post("/v1/refunds", &[("payment_intent", charge["payment_intent"].as_str().unwrap())]).await;
    assert_eq!(rest["amount"], 700);
    let now = stripe.get(&format!("{path}?expand[]=refunds")).await;
    assert_eq!((&now["amount_refunded"], &now["refunded"]), (&json!(1200), &json!(true)));
    assert_eq!(ids(&now["refunds"]), [id(&rest), id(&part)]);
    let again = stripe.try_post("/v1/refunds", &[("charge", &id(&charge))]).await;
    assert_eq!((again.status, again.error()["code"].as_str()), (400, Some("charge_already_refunded")));
}

#[tokio::test]
async fn a_refund_tells_of_itself_and_of_its_charge() {
    let stripe = Stripe::start().await;
    let charge = id(&charge(&stripe).await);
    let known = stripe.event_types().await.len();
    stripe.post("/v1/refunds", &[("charge", &charge), ("amount", "500")]).await;
    stripe.post("/v1/refunds", &[("charge", &charge)]).await;
    let expected = ["refund.created", "charge.refunded", "refund.created", "charge.refunded"];
    assert_eq!(stripe.event_types().await[known..], expected);
    let event = &stripe.get("/v1/events?type=charge.refunded").await["data"][0]["data"];
    assert_eq!(event["object"]["amount_refunded"], 1200);
    assert_eq!(event["previous_attributes"], json!({"amount_refunded": 500, "refunded": false}));
}

#[tokio::test]
async fn refunds_are_read_listed_and_take_metadata() {
    let stripe = Stripe::start().await;
    let (one, two) = (charge(&stripe).await, charge(&stripe).await);
    let first = stripe.post("/v1/refunds", &[("charge", &id(&one))]).await;
    let second = stripe.post("/v1/refunds", &[("charge", &id(&two)), ("amount", "1")]).await;
    assert_eq!(ids(&stripe.get("/v1/refunds").await), [id(&second), id(&first)]);
    assert_eq!(ids(&stripe.get(&format!("/v1/refunds?charge={}", id(&one))).await), [id(&first)]);
    let intent = two["payment_intent"].as_str().unwrap();
    assert_eq!(ids(&stripe.get(&format!("/v1/refunds?payment_intent={intent}")).await), [id(&second)]);
    let path = format!("/v1/refunds/{}", id(&first));
    let changed = stripe.post(&path, &[("metadata[k]", "v")]).await;
    assert_eq!(changed["metadata"], json!({"k": "v"}));
    assert_eq!(stripe.get(&format!("{path}?expand[]=charge")).await["charge"]["refunded"], true);
    assert_eq!(stripe.event_types().await.last().unwrap(), "refund.updated");
    assert_eq!(stripe.try_post(&path, &[("amount", "5")]).await.error()["code"], "parameter_unknown");
    let cancel = stripe.try_post(&format!("{path}/cancel"), &[]).await;
    assert_eq!(cancel.error()["message"], "Canceling this refund is unsupported.");
}

#[tokio::test]
async fn what_cannot_be_refunded_is_refused() {
    let stripe = Stripe::start().await;
    let paid = id(&charge(&stripe).await);
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    stripe.pay(&stripe.session(&customer, &price, &[]).await, DECLINED).await;
    let failed = stripe.get(&format!("/v1/charges?customer={customer}")).await["data"][0].clone();
    let cases: [(Fields, u16, &str); 6] = [
        (
            &[],
            400,
            "One of the following params should be provided for this request: payment_intent or charge.",
        ),
        (&[("charge", "ch_no")], 404, "No such charge: 'ch_no'"),
        (&[("payment_intent", "pi_no")], 400, "No such payment_intent: 'pi_no'"),
        (&[("charge", &id(&failed))], 400, "does not have a successful charge to refund."),
        (
            &[("charge", &paid), ("reason", "expired_uncaptured_charge")],
            400,
            "Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer",
        ),
        (&[("charge", &paid), ("amount", "0")], 400, "This value must be greater than or equal to 1."),
    ];
    for (fields, status, message) in cases {
        let reply = stripe.try_post("/v1/refunds", fields).await;
        assert_eq!(reply.status, status, "{message}");
        assert!(reply.error()["message"].as_str().unwrap().ends_with(message), "{}", reply.body);
    }
    assert!(ids(&stripe.get("/v1/refunds").await).is_empty());
}

#[tokio::test]
async fn invoice_payments_tell_what_paid_an_invoice() {
    let stripe = Stripe::start().await;
    let first = charge(&stripe).await;
    charge(&stripe).await;
    let invoice = stripe.get(&format!("/v1/invoices?customer={}", first["customer"].as_str().unwrap())).await;
    let invoice = id(&invoice["data"][0]);
    let intent = first["payment_intent"].as_str().unwrap();
    let all = stripe.get("/v1/invoice_payments?status=paid").await;
    assert_eq!(ids(&all).len(), 2);
    let expected = all["data"][1].clone();
    assert_eq!((&expected["invoice"], &expected["amount_paid"]), (&json!(invoice), &json!(1200)));
    let by_intent = format!("payment[type]=payment_intent&payment[payment_intent]={intent}");
    for query in [format!("invoice={invoice}"), by_intent] {
        let found = stripe.get(&format!("/v1/invoice_payments?{query}")).await;
        assert_eq!(found["data"], json!([expected]), "{query}");
    }
    assert!(ids(&stripe.get("/v1/invoice_payments?status=open").await).is_empty());
    let path =
        format!("/v1/invoice_payments/{}?expand[]=invoice&expand[]=payment.payment_intent", id(&expected));
    let expanded = stripe.get(&path).await;
    assert_eq!(
        (&expanded["invoice"]["status"], &expanded["payment"]["payment_intent"]["id"]),
        (&json!("paid"), &json!(intent))
    );
    let half = stripe.try_get("/v1/invoice_payments?payment[payment_intent]=pi_1").await;
    assert_eq!((half.status, half.error()["param"].as_str()), (400, Some("payment[type]")));
}
