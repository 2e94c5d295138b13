//! Faults on the page of controls: what waits, and the form that orders one. What each choice is as a fault, the
//! table here alone says.

use maud::{Markup, html};
use serde_json::{Map, Value, json};

use crate::faults::{Cut, Fault, REASONS};
use crate::idempotency::IN_USE;
use crate::server::App;

/// The choices that are not a 429 with its reason.
const CHOICES: [(&str, &str); 10] = [
    ("500", "500, something broke"),
    ("503", "503, down"),
    ("409", "409, conflict on an object"),
    ("idempotency", "409, idempotency key in use"),
    ("lock_timeout", "429 lock_timeout"),
    ("latency", "Latency, before anything happens"),
    ("late", "A late answer, after it happened"),
    ("hold", "An answer held until you release it"),
    ("cut-before", "Connection cut before it happens"),
    ("cut-after", "Connection cut after it happened"),
];

/// The fault that a choice stands for, without path and count; `None` for a choice that is not offered.
pub fn of_choice(choice: &str, milliseconds: Option<u64>) -> Option<Map<String, Value>> {
    let wait = milliseconds.unwrap_or(1000);
    let fault = match choice {
        "500" => json!({ "status": 500 }),
        "503" => json!({ "status": 503 }),
        "409" => json!({ "status": 409 }),
        "idempotency" => json!({ "status": 409, "code": IN_USE }),
        "lock_timeout" => json!({ "status": 429, "code": "lock_timeout" }),
        "latency" => json!({ "latency_ms": wait }),
        "late" => json!({ "late_ms": wait }),
        "hold" => json!({ "hold": true }),
        "cut-before" => json!({ "cut": "before" }),
        "cut-after" => json!({ "cut": "after" }),
        reason if REASONS.contains(&reason) => json!({ "status": 429, "reason": reason }),
        _ => return None,
    };
    fault.as_object().cloned()
}

/// The form that orders a fault.
pub fn order() -> Markup {
    html! {
        form.stack method="post" action="/_emulator/panel/faults" {
            input type="hidden" name="back" value="/_emulator/panel";
            label {
                "What happens"
                select name="choice" {
                    @for reason in REASONS { option value=(reason) { "429, " (reason) } }
                    @for (value, name) in CHOICES { option value=(value) { (name) } }
                }
            }
            label {
                "For requests that begin with"
                input name="path" value="/v1" autocomplete="off" spellcheck="false";
            }
            label {
                "Method"
                select name="method" {
                    @for (value, name) in [("", "Any"), ("GET", "GET"), ("POST", "POST"), ("DELETE", "DELETE")] {
                        option value=(value) { (name) }
                    }
                }
            }
            label {
                "How many times" span.soft { "empty for always" }
                input type="number" name="times" min="1" inputmode="numeric" value="1";
            }
            label {
                "Milliseconds" span.soft { "for latency and late answers" }
                input type="number" name="milliseconds" min="1" inputmode="numeric" placeholder="1000";
            }
            button.primary { "Order this fault" }
        }
    }
}

/// The faults that wait, and the way to be rid of them.
pub fn waiting(app: &App) -> Markup {
    let faults = app.faults.all();
    html! {
        @if faults.is_empty() {
            div.empty { p { "No fault waits. Order one to see how your app takes it." } }
        } @else {
            ul.plain { @for fault in &faults { li { (words(fault)) } } }
            form.actions method="post" action="/_emulator/panel/faults/clear" {
                input type="hidden" name="back" value="/_emulator/panel";
                button { "Forget all faults" }
                @if faults.iter().any(|fault| fault.hold) {
                    button formaction="/_emulator/panel/faults/release" { "Release held answers" }
                }
            }
        }
    }
}

/// `429 endpoint-rate for POST /v1/customers, 2 times`.
fn words(fault: &Fault) -> String {
    let mut what = Vec::new();
    what.extend(fault.status.map(|status| status.to_string()));
    what.extend(fault.code.clone());
    what.extend(fault.reason.clone());
    what.extend(fault.latency_ms.map(|wait| format!("latency of {wait} ms")));
    what.extend(fault.late_ms.map(|wait| format!("answer late by {wait} ms")));
    what.extend(fault.hold.then(|| "held answer".to_owned()));
    what.extend(fault.cut.map(|cut| match cut {
        Cut::Before => "connection cut before".to_owned(),
        Cut::After => "connection cut after".to_owned(),
    }));
    let method = fault.method.as_ref().map(|method| format!("{method} ")).unwrap_or_default();
    let path = fault.path.as_deref().unwrap_or("/v1");
    let chance = fault.probability.map(|chance| format!(", {chance} of them")).unwrap_or_default();
    let times = match fault.times {
        None => ", always".to_owned(),
        Some(1) => ", once".to_owned(),
        Some(times) => format!(", {times} times"),
    };
    format!("{} for {method}{path}{chance}{times}", what.join(" "))
}
