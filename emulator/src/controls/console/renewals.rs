//! The form that orders a decline for the next renewal, on the page of controls and on that of a subscription.

use maud::{Markup, html};
use serde_json::Value;

use crate::billing::cards::Decline;
use crate::billing::ordered_decline;
use crate::billing::subscription::has_ended;
use crate::server::App;
use crate::state::{Kind, Store, text};

/// So many subscriptions are offered.
const OFFERED: usize = 50;

/// For the newest subscriptions, or for one.
pub fn form(app: &App, only: Option<&str>, back: &str) -> Markup {
    let (offered, ordered) = app.state.read(|store| {
        let offered = offered(store, only);
        let ordered = only.and_then(|id| ordered_decline::ordered(store, id)).map(str::to_owned);
        (offered, ordered)
    });
    if offered.is_empty() {
        return html! { p { "There is no subscription that will be renewed." } };
    }
    html! {
        @if let Some(word) = ordered { p { "The next renewal will be declined: " code { (word) } "." } }
        form.stack method="post" action="/_emulator/panel/renewals" {
            input type="hidden" name="back" value=(back);
            @if let Some(id) = only {
                input type="hidden" name="subscription" value=(id);
            } @else {
                label {
                    "Subscription"
                    select name="subscription" {
                        @for one in &offered { option value=(text(one, "id")) { (name(one)) } }
                    }
                }
            }
            label {
                "Why"
                select name="decline_code" { @for word in Decline::words() { option value=(word) { (word) } } }
            }
            button { "Decline the next renewal" }
        }
    }
}

fn offered(store: &Store, only: Option<&str>) -> Vec<Value> {
    let all = store.collection(Kind::Subscription).into_iter().flat_map(|all| all.newest_first());
    let all = all.map(|record| record.value().into_owned());
    let live = all.filter(|one| !has_ended(one) && only.is_none_or(|id| one["id"] == *id));
    live.take(OFFERED).collect()
}

fn name(subscription: &Value) -> String {
    format!("{} of {}", text(subscription, "id"), text(subscription, "customer"))
}
